"""Stored hashes of programs: PHP, mkpasswd, OpenSSL, Dovecot, Apache and packages of npm."""

import ctypes
import json
import os
import tempfile
from pathlib import Path

from hash_origin import (
    ASCII,
    FULL,
    TOOLS,
    Made,
    Origin,
    accepts,
    bcrypt_sees,
    bsdi_sees,
    des_sees,
    is_text,
    run,
    some_of,
    texts_of,
    with_new,
)



def lines(passwords):
    return "".join(password.hex() + "\n" for password in passwords).encode()


# PHP. password_hash is what sites call; crypt is what old ones called.

PHP_MAKES = """
$first = true;
$salt = fn($chars) => substr(strtr(base64_encode(random_bytes(32)), '+', '.'), 0, $chars);
$cheap = ['memory_cost' => 64, 'time_cost' => 1, 'threads' => 1];
while (($line = fgets(STDIN)) !== false) {
    $password = hex2bin(trim($line));
    $made = [
        ['bcrypt', password_hash($password, PASSWORD_BCRYPT, ['cost' => 4]), 'bcrypt'],
        ['argon2', password_hash($password, PASSWORD_ARGON2I, $cheap), ''],
        ['argon2', password_hash($password, PASSWORD_ARGON2ID, $cheap), ''],
        ['bcrypt', crypt($password, '$2a$04$' . str_replace('=', '', $salt(21)) . 'e'), 'bcrypt'],
        ['crypt', crypt($password, '$1$' . $salt(8)), ''],
        ['crypt', crypt($password, '$5$rounds=1000$' . $salt(16)), ''],
        ['crypt', crypt($password, '$6$rounds=1000$' . $salt(9)), ''],
        ['crypt', crypt($password, '_4...' . $salt(4)), 'bsdi'],
        ['crypt', crypt($password, $salt(2)), 'des'],
    ];
    if ($first) {
        $made[] = ['bcrypt', password_hash($password, PASSWORD_DEFAULT), 'dear'];
        $made[] = ['argon2', password_hash($password, PASSWORD_ARGON2ID), 'dear'];
    }
    $first = false;
    echo json_encode($made), "\\n";
}
"""

PHP_CHECKS = """
while (($line = fgets(STDIN)) !== false) {
    [$hash, $password] = json_decode($line);
    echo json_encode(password_verify(hex2bin($password), $hash)), "\\n";
}
"""

SEEN = {"bcrypt": bcrypt_sees, "bsdi": bsdi_sees, "des": des_sees}


def php_makes(passwords):
    made = []
    printed = run(["php", "-r", PHP_MAKES], lines(passwords)).splitlines()
    for password, line in zip(passwords, printed, strict=True):
        for form, text, kind in json.loads(line):
            known = {"seen": SEEN[kind]} if kind in SEEN else {}
            made.append(Made(form, text, password, is_dear=kind == "dear", **known))
    return with_new(made, passwords)


def php_checks(asked):
    pairs = "".join(json.dumps([line["hash"], line["password_hex"]]) + "\n" for line in asked)
    return [json.loads(line) for line in run(["php", "-r", PHP_CHECKS], pairs.encode()).splitlines()]


# mkpasswd, and the library behind it that verifies what it makes


def mkpasswd_methods():
    yield "bcrypt", "bcrypt", 5, bcrypt_sees
    yield "bcrypt-a", "bcrypt", 5, bcrypt_sees
    yield "scrypt", "scrypt_crypt", 6, None
    yield "yescrypt", "crypt", 1, None
    yield "gost-yescrypt", "crypt", 1, None
    yield "sha512crypt", "crypt", 1000, None
    yield "sha256crypt", "crypt", 1000, None
    yield "sunmd5", "crypt", 20, None
    yield "md5crypt", "crypt", None, None
    yield "bsdicrypt", "crypt", 21, bsdi_sees
    yield "descrypt", "crypt", None, des_sees


def mkpasswd_makes(passwords):
    made = []
    for place, (method, form, rounds, seen) in enumerate(mkpasswd_methods()):
        for password in some_of(passwords, place):
            command = ["mkpasswd", "--stdin", "--method=" + method]
            command += ["--rounds=" + str(rounds)] if rounds else []
            text = run(command, password + b"\n").strip().decode()
            made.append(Made(form, text, password, **({"seen": seen} if seen else {})))
    text = run(["mkpasswd", "--stdin"], ASCII).strip().decode()
    made.append(Made("crypt", text, ASCII, is_dear=True))
    return with_new(made, passwords)


def crypt_checks(asked):
    """libxcrypt, to which everything that calls crypt(3) is linked."""
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    given = [(line["password"], line["hash"].encode()) for line in asked]
    return [library.crypt(password, text) == text for password, text in given]


# OpenSSL

OPENSSL = ["-1", "-apr1", "-5", "-6"]


def openssl_makes(passwords):
    made = []
    # Of an empty line it makes nothing.
    for password in filter(None, passwords):
        for kind in OPENSSL:
            text = openssl_passwd([kind], password)
            made.append(Made("crypt", text, password, part=kind))
    return with_new(made, [password for password in passwords if password])


def openssl_passwd(options, password):
    command = ["openssl", "passwd", "-stdin", *options]
    return run(command, password + b"\n").strip().decode()


def openssl_checks(asked):
    """It only makes them: of the same salt it has to make the same."""
    salts = [line["hash"].split("$")[2] for line in asked]
    again = [
        openssl_passwd([line["part"], "-salt", salt], line["password"])
        for line, salt in zip(asked, salts, strict=True)
    ]
    return [text == line["hash"] for text, line in zip(again, asked, strict=True)]


# OpenSSL's functions: what they give stands in notations of others


def kdf_makes(passwords):
    made = []
    for password in passwords:
        salt = os.urandom(16)
        digest = kdf("SHA512", password, salt, 10, 64)
        text = f"grub.pbkdf2.sha512.10.{salt.hex().upper()}.{digest.hex().upper()}"
        made.append(Made("grub", text, password))
    return with_new(made, passwords)


def kdf(digest, password, salt, rounds, length):
    options = [f"digest:{digest}", f"hexpass:{password.hex()}", f"hexsalt:{salt.hex()}"]
    options.append(f"iter:{rounds}")
    options = [word for option in options for word in ("-kdfopt", option)]
    printed = run(["openssl", "kdf", "-keylen", str(length), *options, "PBKDF2"])
    return bytes.fromhex(printed.decode().strip().replace(":", ""))


def kdf_checks(asked):
    accepted = []
    for line in asked:
        rounds, salt, digest = line["hash"].removeprefix("grub.pbkdf2.sha512.").split(".")
        digest = bytes.fromhex(digest)
        made = kdf("SHA512", line["password"], bytes.fromhex(salt), rounds, len(digest))
        accepted.append(made == digest)
    return accepted


# Dovecot

DOVEADM = ["doveadm", "-O", "pw"]
DOVECOT_USER = "otto@example.org"
NOTHING_OF_NOTHING = {"PLAIN", "CLEAR", "CLEARTEXT", "PLAIN.B64"}


def dovecot_schemes():
    """Scheme, form, options, and what its function sees of a password."""
    for name in "SHA", "SHA256", "SHA512", "SSHA", "SSHA256", "SSHA512", "SMD5", "LDAP-MD5":
        yield name, "ldap", [], None
    for name in "SHA1", "PLAIN", "CLEAR", "CLEARTEXT", "PLAIN-MD4", "PLAIN-MD5", "CRAM-MD5":
        yield name, "ldap" if name == "SHA1" else "dovecot", [], None
    for name in "SHA.HEX", "SHA256.HEX", "SHA512.HEX", "SSHA.HEX", "SSHA256.B64", "PLAIN.B64":
        yield name, "dovecot", [], None
    yield "HMAC-MD5", "dovecot", [], None
    yield "DIGEST-MD5", "dovecot", ["-u", DOVECOT_USER], None
    yield "SCRAM-SHA-1", "dovecot", [], None
    yield "SCRAM-SHA-256", "dovecot", [], None
    yield "PBKDF2", "dovecot", [], None
    yield "BLF-CRYPT", "dovecot", ["-r", "4"], bcrypt_sees
    yield "CRYPT", "ldap", ["-r", "4"], bcrypt_sees
    yield "ARGON2I", "dovecot", ["-r", "3"], None
    yield "ARGON2ID", "dovecot", ["-r", "3"], None
    yield "DES-CRYPT", "dovecot", [], des_sees
    yield "MD5-CRYPT", "dovecot", [], None
    yield "MD5", "ldap", [], None
    yield "SHA256-CRYPT", "dovecot", ["-r", "1000"], None
    yield "SHA512-CRYPT", "dovecot", ["-r", "1000"], None


def dovecot_makes(passwords):
    made = []
    for place, (scheme, form, options, seen) in enumerate(dovecot_schemes()):
        is_dear = scheme.startswith("ARGON2")
        for password in passwords[:2] if is_dear and not FULL else some_of(passwords, place):
            text = run([*DOVEADM, "-s", scheme, "-p", os.fsdecode(password), *options])
            text = text.removesuffix(b"\n")
            # What stands in a column is text, and an empty `{PLAIN}` is as good as none.
            if not is_text(text) or (scheme in NOTHING_OF_NOTHING and not password):
                continue
            user = DOVECOT_USER if scheme == "DIGEST-MD5" else None
            known = {"seen": seen} if seen else {}
            one = Made(form, text.decode(), password, user=user, is_dear=is_dear, **known)
            made.append(one)
    return with_new(made, texts_of(passwords))


def dovecot_checks(asked):
    accepted = []
    for line in asked:
        user = ["-u", line["user"]] if line["user"] else []
        command = [*DOVEADM, "-t", line["hash"], "-p", os.fsdecode(line["password"]), *user]
        accepted.append(accepts(command))
    return accepted


# Apache

HTPASSWD = [
    ("-B", ["-C", "4"], "bcrypt", bcrypt_sees),
    ("-m", [], "crypt", None),
    ("-2", ["-r", "1000"], "crypt", None),
    ("-5", ["-r", "1000"], "crypt", None),
    ("-s", [], "ldap", None),
    ("-d", [], "crypt", des_sees),
]


def htpasswd_makes(passwords):
    made = []
    for kind, options, form, seen in HTPASSWD:
        for password in passwords:
            printed = run(["htpasswd", "-ni", kind, *options, "otto"], password + b"\n")
            text = printed.decode().strip().removeprefix("otto:")
            made.append(Made(form, text, password, **({"seen": seen} if seen else {})))
    return with_new(made, passwords)


def htpasswd_checks(asked):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "htpasswd"
        path.write_text("".join(f"otto{n}:{line['hash']}\n" for n, line in enumerate(asked)))
        return [
            accepts(["htpasswd", "-vi", str(path), f"otto{n}"], line["password"] + b"\n")
            for n, line in enumerate(asked)
        ]


# npm

HASHES = str(Path(__file__).resolve().parent.parent / "js/hashes.cjs")
# What the packages refuse to hash.
REFUSED = {("credential", b"")}


def npm(task, given):
    command = [str(TOOLS / "venv/bin/node"), HASHES, str(TOOLS / "js"), task]
    return [json.loads(line) for line in run(command, given.encode()).splitlines()]


def npm_makes(passwords):
    lines = (
        json.dumps({"password_hex": password.hex(), "is_dear": FULL or place < 2}) + "\n"
        for place, password in enumerate(passwords)
    )
    asked = "".join(lines)
    made = []
    for password, packages in zip(passwords, npm("make", asked), strict=True):
        for package in packages:
            if "refused" in package:
                assert (package["origin"], password) in REFUSED, package
                continue
            made.append(npm_made(package, password))
    texts = [password for password in texts_of(passwords) if password]
    return [of_ascii(one, texts) for one in with_new(made, texts)]


def of_ascii(made, passwords):
    """What that package can make again."""
    if made.part == "apache-md5" and not made.new.isascii():
        made.new = next(password for password in passwords if password.isascii())
    return made


def npm_made(package, password):
    known = {"seen": bcrypt_sees} if "bcrypt" in package["form"] else {}
    return Made(
        package["form"],
        package["hash"],
        password,
        forms=package.get("forms"),
        key=package.get("key"),
        part=package["origin"],
        is_dear=package.get("is_dear", False),
        **known,
    )


def npm_checks(asked):
    fields = "origin", "hash", "password_hex"
    given = [dict(zip(fields, (line["part"], line["hash"], line["password_hex"]))) for line in asked]
    return npm("check", "".join(json.dumps(line) + "\n" for line in given))


ORIGINS = [
    Origin("PHP", php_makes, php_checks),
    Origin("mkpasswd", mkpasswd_makes, crypt_checks),
    Origin("openssl passwd", openssl_makes, openssl_checks),
    Origin("openssl kdf", kdf_makes, kdf_checks),
    Origin("doveadm pw", dovecot_makes, dovecot_checks),
    Origin("htpasswd", htpasswd_makes, htpasswd_checks),
    Origin("npm", npm_makes, npm_checks),
]
