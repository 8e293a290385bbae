"""Stored hashes as the software of real sites makes and checks them.

    vectors.py          prints hashes with the passwords that fit them and some that do not
    vectors.py check    reads hashes that Countersign made, and says what the software thinks of them

One JSON object a line; the last line of either holds the count.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import warnings

warnings.simplefilter("ignore")

import argon2
import bcrypt
import django
from django.conf import settings
from django.contrib.auth import hashers
from passlib import hash as passlib

settings.configure(
    PASSWORD_HASHERS=[
        "django.contrib.auth.hashers." + name + "PasswordHasher"
        for name in ["PBKDF2", "PBKDF2SHA1", "Argon2", "BCrypt", "BCryptSHA256", "Scrypt", "MD5"]
    ]
)
django.setup()

ASCII = b"Correct horse"
# The passwords of every origin. An e with an acute accent in Latin-1 is no UTF-8, so Django, which
# hashes text, does not get the last.
TEXTS = [ASCII, "Pässwört-日本".encode(), b"Abcdefghij" * 8, b"", b" "]
BYTES = TEXTS + [b"caf\xe9"]
BCRYPT_READS = 72


def main():
    lines = check() if sys.argv[1:] == ["check"] else vectors()
    count = 0
    for count, line in enumerate(lines, start=1):
        print(json.dumps(line))
    print(json.dumps({"count": count}))


def vectors():
    yield from django_vectors()
    yield from passlib_vectors()
    yield from argon2_vectors()
    yield from bcrypt_vectors()
    yield from php_vectors()
    yield from mkpasswd_vectors()


def vector(origin, form, text, password, wrong):
    if isinstance(text, bytes):
        text = text.decode()
    return {
        "origin": origin,
        "format": form,
        "hash": text,
        "password_hex": password.hex(),
        "wrong_hex": [other.hex() for other in wrong],
    }


def wrong(password, reads=None):
    """What a person mistypes; `reads` drops what a function that reads so far cannot tell apart."""
    near = [password.swapcase(), password + b" ", password[:-1], password[:10], b"x" + password]
    return [other for other in dict.fromkeys(near) if other[:reads] != password[:reads]]


def django_vectors():
    for password in TEXTS:
        for form, hasher, text in django_hashes(password):
            reads = BCRYPT_READS if form == "django_bcrypt" else None
            yield vector("django", form, text, password, wrong(password, reads))
    for form, hasher in django_hashers():
        text = hasher.encode(ASCII.decode(), hasher.salt())
        yield vector("django at default cost", form, text, ASCII, [ASCII.lower()])


def django_hashers():
    yield "django_pbkdf2", hashers.PBKDF2PasswordHasher()
    yield "django_pbkdf2", hashers.PBKDF2SHA1PasswordHasher()
    yield "django_argon2", hashers.Argon2PasswordHasher()
    yield "django_bcrypt", hashers.BCryptPasswordHasher()
    yield "django_bcrypt_sha256", hashers.BCryptSHA256PasswordHasher()
    yield "django_scrypt", hashers.ScryptPasswordHasher()
    yield "django_md5", hashers.MD5PasswordHasher()


def django_hashes(password):
    for form, hasher in django_hashers():
        hasher.iterations, hasher.rounds = 10, 4
        hasher.time_cost, hasher.memory_cost, hasher.parallelism = 1, 64, 2
        hasher.work_factor, hasher.block_size = 16, 4
        # bcrypt 5 refuses what bcrypt 4 and Django with it cut off in silence.
        read = password[:BCRYPT_READS] if form == "django_bcrypt" else password
        yield form, hasher, hasher.encode(read.decode(), hasher.salt())


def passlib_vectors():
    pbkdf2 = [passlib.pbkdf2_sha1, passlib.pbkdf2_sha256, passlib.pbkdf2_sha512]
    scrypt = passlib.scrypt.using(rounds=4, block_size=4, parallelism=2)
    cheap = [("pbkdf2_passlib", handler.using(rounds=10)) for handler in pbkdf2]
    cheap += [("pbkdf2_passlib", pbkdf2[1].using(rounds=10, salt_size=0))]
    cheap += [("scrypt", scrypt), ("scrypt_crypt", scrypt.using(ident="$7$"))]
    for password in BYTES:
        for form, handler in cheap:
            yield vector("passlib", form, handler.hash(password), password, wrong(password))
    for handler in [*pbkdf2, passlib.scrypt]:
        form = "scrypt" if handler is passlib.scrypt else "pbkdf2_passlib"
        yield vector("passlib at default cost", form, handler.hash(ASCII), ASCII, [ASCII.lower()])


def argon2_vectors():
    for password in BYTES:
        for variant in "ID", "I", "D":
            text = passlib.argon2.using(
                type=variant, rounds=1, memory_cost=64, parallelism=2, digest_size=24
            ).hash(password)
            yield vector("passlib", "argon2", text, password, wrong(password))
            text = argon2_version_16(password, argon2.Type[variant])
            yield vector("argon2-cffi", "argon2", text, password, wrong(password))
            # Before version 19 the text did not name its version; the reference still reads that.
            unnamed = text.replace(b"$v=16", b"")
            assert argon2.low_level.verify_secret(unnamed, password, argon2.Type[variant])
            yield vector("argon2-cffi, old", "argon2", unnamed, password, wrong(password))
    yield vector(
        "argon2-cffi at default cost",
        "argon2",
        argon2.PasswordHasher().hash(ASCII),
        ASCII,
        [ASCII.lower()],
    )


def argon2_version_16(password, variant):
    return argon2.low_level.hash_secret(password, b"saltsalt", 3, 32, 4, 32, variant, version=16)


def bcrypt_vectors():
    for password in BYTES:
        for variant in b"2a", b"2b", b"2y":
            salt = bcrypt.gensalt(4).replace(b"$2b$", b"$" + variant + b"$")
            text = bcrypt.hashpw(password[:BCRYPT_READS], salt)
            yield vector("bcrypt", "bcrypt", text, password, wrong(password, BCRYPT_READS))


PHP = """
$cheap = ['memory_cost' => 64, 'time_cost' => 1, 'threads' => 1];
while (($line = fgets(STDIN)) !== false) {
    $password = hex2bin(trim($line));
    echo json_encode([
        ['bcrypt', password_hash($password, PASSWORD_BCRYPT, ['cost' => 4])],
        ['argon2', password_hash($password, PASSWORD_ARGON2I, $cheap)],
        ['argon2', password_hash($password, PASSWORD_ARGON2ID, $cheap)],
        ['bcrypt', password_hash($password, PASSWORD_DEFAULT)],
        ['argon2', password_hash($password, PASSWORD_ARGON2ID)],
    ]), "\\n";
}
"""
PHP_CHEAP = 3


def php_vectors():
    given = "".join(password.hex() + "\n" for password in BYTES)
    made = run(["php", "-r", PHP], given.encode()).splitlines()
    for password, line in zip(BYTES, made, strict=True):
        kinds = json.loads(line)
        for form, text in kinds if password == ASCII else kinds[:PHP_CHEAP]:
            reads = BCRYPT_READS if form == "bcrypt" else None
            yield vector("php", form, text, password, wrong(password, reads))


def mkpasswd_vectors():
    for password in BYTES:
        for method, rounds in ("bcrypt", 5), ("bcrypt-a", 5), ("scrypt", 6):
            form = "scrypt_crypt" if method == "scrypt" else "bcrypt"
            command = ["mkpasswd", "--stdin", "--method=" + method, "--rounds=" + str(rounds)]
            text = run(command, password + b"\n").strip()
            reads = BCRYPT_READS if form == "bcrypt" else None
            yield vector("mkpasswd", form, text, password, wrong(password, reads))
    text = run(["mkpasswd", "--stdin", "--method=scrypt"], ASCII).strip()
    yield vector("mkpasswd at default cost", "scrypt_crypt", text, ASCII, [ASCII.lower()])


def check():
    for line in sys.stdin:
        asked = json.loads(line)
        password = bytes.fromhex(asked["password_hex"])
        yield {"accepted": accepts(asked["format"], asked["hash"], password)}


def accepts(form, text, password):
    if form.startswith("django_"):
        return hashers.check_password(password.decode(), text)
    if form == "argon2":
        return argon2.PasswordHasher().verify(text, password)
    if form == "bcrypt":
        return bcrypt.checkpw(password[:BCRYPT_READS], text.encode())
    if form == "pbkdf2":
        return phc_pbkdf2_accepts(text, password)
    names = ["scrypt", "pbkdf2_sha1", "pbkdf2_sha256", "pbkdf2_sha512"]
    handlers = [getattr(passlib, name) for name in names]
    return any(handler.verify(password, text) for handler in handlers if handler.identify(text))


def phc_pbkdf2_accepts(text, password):
    """None of the packages here reads this notation, so OpenSSL's function has to judge alone."""
    _, name, costs, salt, digest = text.split("$")
    hash_name = {"pbkdf2": "sha1", "pbkdf2-sha256": "sha256", "pbkdf2-sha512": "sha512"}[name]
    iterations = int(costs.split(",")[0].removeprefix("i="))
    salt, digest = (base64.b64decode(part + "=" * (-len(part) % 4)) for part in (salt, digest))
    return digest == hashlib.pbkdf2_hmac(hash_name, password, salt, iterations, len(digest))


def run(command, given):
    if shutil.which(command[0]) is None:
        sys.exit(command[0] + " is missing: run `cargo xtask test`, which installs it")
    return subprocess.run(command, input=given, stdout=subprocess.PIPE, check=True).stdout


main()
