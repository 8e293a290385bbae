"""What one software makes of passwords, and what it says of hashes."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TOOLS = Path(sys.prefix).parent
DEBIAN = TOOLS / "debian"

BCRYPT_READS = 72

FULL = os.environ.get("COUNTERSIGN_TEST_FULL") == "1"

ASCII = b"Correct horse"


@dataclass
class Made:
    """A hash, and whatever has to be known to read it."""

    form: str
    text: str
    password: bytes
    # What a function sees of a password.
    seen: callable = lambda password: password
    # Forms and the site's own secret, as they are configured.
    forms: list | None = None
    key: str | None = None
    user: str | None = None
    # Which of an origin's functions it was.
    part: str = ""
    # Whether it costs more than the others by far.
    is_dear: bool = False
    # What a new hash is made of, if not just anything.
    new: bytes | None = None


@dataclass
class Origin:
    name: str
    make: callable
    check: callable


def some_of(passwords, place):
    """Every second password, the other ones for the function after it: a program is started for each.
    All of them in a full run."""
    return passwords if FULL else passwords[place % 2 :: 2]


def bcrypt_sees(password):
    return password[:BCRYPT_READS]


def des_sees(password):
    """Seven bits of each of eight bytes; what is missing is zeros."""
    return bytes(byte & 0x7F for byte in password[:8]).ljust(8, b"\0")


def bsdi_sees(password):
    return bytes(byte & 0x7F for byte in password)


def with_new(made, passwords):
    """Hands each hash another password for the new hash that is made like it."""
    for place, one in enumerate(made):
        one.new = passwords[(place * 7 + 1) % len(passwords)] if one.new is None else one.new
        yield one


def texts_of(passwords):
    return [password for password in passwords if is_text(password)]


def is_text(password):
    try:
        password.decode()
    except UnicodeDecodeError:
        return False
    return True


def program(name):
    """Where a program of an unpacked package is, or the host's own."""
    for folder in "usr/bin", "usr/sbin":
        if (DEBIAN / folder / name).exists():
            return str(DEBIAN / folder / name)
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        sys.exit(name + " is missing: run `cargo xtask test`, which installs it")
    return found


def environment(path):
    """With the libraries of the unpacked packages, for a program that is one of theirs."""
    if not path.startswith(str(DEBIAN)):
        return None
    folders = [*DEBIAN.glob("usr/lib/*"), *DEBIAN.glob("lib/*")]
    libraries = ":".join(str(folder) for folder in folders if folder.is_dir())
    return {**os.environ, "LD_LIBRARY_PATH": libraries}


def ended(command, given):
    path = program(command[0])
    command = [path, *command[1:]]
    return subprocess.run(
        command, input=given, capture_output=True, env=environment(path), check=False
    )


def run(command, given=b""):
    """What a program prints."""
    end = ended(command, given)
    if end.returncode != 0:
        sys.exit(f"{command} failed: {end.stderr.decode(errors='replace')}")
    return end.stdout


def accepts(command, given=b""):
    """Whether a program is content."""
    return ended(command, given).returncode == 0
