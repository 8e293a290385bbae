"""Stored hashes of OpenLDAP: slappasswd makes them, and a server lets people in by them."""

import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import ldap3

from hash_origin import (
    DEBIAN,
    Made,
    Origin,
    bcrypt_sees,
    des_sees,
    environment,
    program,
    run,
    some_of,
    texts_of,
    with_new,
)

SUFFIX = "o=site"


def root():
    return DEBIAN if (DEBIAN / "usr/sbin/slapd").exists() else Path("/")


def schemes():
    """Scheme, the module that it is in, options, form, and what its function sees of a password."""
    for name in "SHA", "SSHA", "MD5", "SMD5":
        yield name, None, [], "ldap", None
    for name in "SHA256", "SHA384", "SHA512", "SSHA256", "SSHA384", "SSHA512":
        yield name, "pw-sha2", [], "ldap", None
    for name in "PBKDF2", "PBKDF2-SHA1", "PBKDF2-SHA256", "PBKDF2-SHA512":
        yield name, "pw-pbkdf2", [], "ldap", None
    yield "ARGON2", "argon2", [], "ldap", None
    yield "APR1", "pw-apr1", [], "ldap", None
    yield "BSDMD5", "pw-apr1", [], "ldap", None
    yield "CRYPT", None, ["-c", "$6$rounds=1000$%.8s"], "ldap", None
    yield "CRYPT", None, ["-c", "$1$%.8s"], "ldap", None
    yield "CRYPT", None, ["-c", "$2b$04$%.21se"], "ldap", bcrypt_sees
    yield "CRYPT", None, ["-c", "%.2s"], "ldap", des_sees


MODULES = sorted({module for _, module, *_ in schemes() if module})


def makes(passwords):
    # Nobody is let in with an empty one: a server takes whoever tries that for a guest.
    passwords = [password for password in passwords if password]
    made = []
    with tempfile.TemporaryDirectory() as folder:
        secret = Path(folder) / "secret"
        for place, (scheme, module, options, form, seen) in enumerate(schemes()):
            for password in some_of(passwords, place):
                secret.write_bytes(password)
                text = slappasswd(scheme, module, options, secret)
                made.append(Made(form, text, password, **({"seen": seen} if seen else {})))
    return with_new(made, texts_of(passwords))


def slappasswd(scheme, module, options, secret):
    command = ["slappasswd", "-n", "-h", "{" + scheme + "}", "-T", str(secret), *options]
    if module:
        command += ["-o", f"module-path={modules()}", "-o", f"module-load={module}"]
    return run(command).decode()


def modules():
    return root() / "usr/lib/ldap"


def checks(asked):
    with tempfile.TemporaryDirectory() as folder, server(Path(folder), asked) as url:
        return [lets_in(url, n, line["password"]) for n, line in enumerate(asked)]


def lets_in(url, number, password):
    # Of a text the client would send something else: SASLprep's.
    directory = ldap3.Server(url, get_info=ldap3.NONE)
    connection = ldap3.Connection(directory, f"cn=p{number},{SUFFIX}", password)
    try:
        return connection.bind()
    finally:
        connection.unbind()


CONFIGURATION = """
include {schema}/core.schema
pidfile {folder}/pid
modulepath {modules}
{loads}
password-crypt-salt-format "$6$%.16s"
database ldif
suffix "{suffix}"
directory {folder}/entries
"""


@contextmanager
def server(folder, asked):
    """Of a site whose people have these hashes. It listens on a socket of its own."""
    (folder / "entries").mkdir()
    configuration = folder / "slapd.conf"
    loads = "\n".join("moduleload " + module for module in MODULES)
    schema = root() / "etc/ldap/schema"
    known = {"folder": folder, "schema": schema, "modules": modules(), "suffix": SUFFIX}
    configuration.write_text(CONFIGURATION.format(loads=loads, **known))
    (folder / "people").write_text("\n".join([SITE, *map(person, range(len(asked)), asked)]))
    run(["slapadd", "-q", "-f", str(configuration), "-l", str(folder / "people")])
    path = folder / "socket"
    url = "ldapi://" + str(path).replace("/", "%2F")
    slapd = program("slapd")
    command = [slapd, "-d", "0", "-f", str(configuration), "-h", url]
    with subprocess.Popen(command, env=environment(slapd)) as running:
        try:
            await_socket(path, running)
            yield url
        finally:
            running.kill()


SITE = f"dn: {SUFFIX}\nobjectClass: organization\no: site\n"


def person(number, line):
    name = f"p{number}"
    head = f"dn: cn={name},{SUFFIX}\nobjectClass: person\ncn: {name}\nsn: {name}\n"
    return head + f"userPassword: {line['hash']}\n"


def await_socket(path, running):
    for _ in range(1000):
        assert running.poll() is None, "slapd has ended"
        with socket.socket(socket.AF_UNIX) as client:
            if client.connect_ex(str(path)) == 0:
                return
        time.sleep(0.01)
    raise TimeoutError("slapd does not listen")


ORIGINS = [Origin("OpenLDAP", makes, checks)]
