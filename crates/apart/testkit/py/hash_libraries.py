"""Stored hashes of Python's frameworks and libraries."""

import base64
import hashlib
import os
import warnings

warnings.simplefilter("ignore")

import argon2
import bcrypt
import django
import flask
import flask_security
import werkzeug.security
from django.conf import settings
from django.contrib.auth import hashers
from passlib import hash as passlib

from hash_origin import (
    ASCII,
    BCRYPT_READS,
    FULL,
    Made,
    Origin,
    bcrypt_sees,
    bsdi_sees,
    des_sees,
    texts_of,
    with_new,
)

settings.configure(
    PASSWORD_HASHERS=[
        "django.contrib.auth.hashers." + name + "PasswordHasher"
        for name in ["PBKDF2", "PBKDF2SHA1", "Argon2", "BCrypt", "BCryptSHA256", "Scrypt", "MD5"]
    ]
)
django.setup()

USER = "Otto.Meier"


# Django


def django_makes(passwords):
    passwords = texts_of(passwords)
    made = [one for password in passwords for one in django_hashes(password)]
    if FULL:
        made += list(django_defaults())
    return with_new(made, passwords)


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
        is_cut = form == "django_bcrypt"
        read = cut(password) if is_cut else password
        text = hasher.encode(read.decode(), hasher.salt())
        yield Made(form, text, password, **({"seen": bcrypt_sees} if is_cut else {}))


def cut(password):
    """No more than bcrypt reads, and whole characters."""
    return password[:BCRYPT_READS].decode(errors="ignore").encode()


def django_defaults():
    for form, hasher in django_hashers():
        text = hasher.encode(ASCII.decode(), hasher.salt())
        yield Made(form, text, ASCII, is_dear=True)


def django_checks(asked):
    return [hashers.check_password(line["password"].decode(), line["hash"]) for line in asked]


# Werkzeug, and Flask-Security, which keys a digest first


WERKZEUG = ["scrypt:1024:8:1", "pbkdf2:sha1:10", "pbkdf2:sha256:10", "pbkdf2:sha512:10"]


def werkzeug_makes(passwords):
    passwords = texts_of(passwords)
    methods = WERKZEUG + (["scrypt", "pbkdf2"] if FULL else [])
    made = [
        Made(
            "werkzeug",
            werkzeug.security.generate_password_hash(password.decode(), method),
            password,
            is_dear=method not in WERKZEUG,
        )
        for method in methods
        for password in passwords
    ]
    return with_new(made, passwords)


def werkzeug_checks(asked):
    check = werkzeug.security.check_password_hash
    return [check(line["hash"], line["password"].decode()) for line in asked]


PEPPER = "a site's own secret"


def flask_site(scheme):
    """A site of Flask-Security. It hashes what its forms hand over, after NFKD."""
    app = flask.Flask("site")
    app.config.update(
        SECRET_KEY="of no interest",
        SECURITY_PASSWORD_SALT=PEPPER,
        SECURITY_PASSWORD_HASH=scheme,
        SECURITY_PASSWORD_SCHEMES=["argon2", "bcrypt", "pbkdf2_sha512"],
        SECURITY_DEPRECATED_PASSWORD_SCHEMES=[],
        SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS={
            "argon2__rounds": 1,
            "argon2__memory_cost": 64,
            "bcrypt__rounds": 4,
            "pbkdf2_sha512__rounds": 10,
        },
    )
    flask_security.Security(app, flask_security.UserDatastore(FlaskUser, None))
    return app


class FlaskUser:
    """As much of an account as it takes to hash a password."""

    fs_uniquifier = ""


def flask_security_makes(passwords):
    passwords = texts_of(passwords)
    made = []
    for scheme in "argon2", "bcrypt", "pbkdf2_sha512":
        with flask_site(scheme).app_context():
            for password in passwords:
                text = flask_security.hash_password(password.decode())
                form = {"forms": ["flask_security"], "key": PEPPER, "part": scheme}
                made.append(Made("flask_security", text, password, **form))
    return with_new(made, passwords)


def flask_security_checks(asked):
    sites = {part: flask_site(part) for part in {line["part"] for line in asked}}
    accepted = []
    for line in asked:
        with sites[line["part"]].app_context():
            verify = flask_security.utils.verify_password
            accepted.append(verify(line["password"].decode(), line["hash"]))
    return accepted


# passlib


def passlib_functions():
    """Form, function, what it sees of a password, and whether it hashes text alone."""
    cheap = {"rounds": 10}
    scrypt = passlib.scrypt.using(rounds=4, block_size=4, parallelism=2)
    yield "pbkdf2_passlib", passlib.pbkdf2_sha1.using(**cheap), {}
    yield "pbkdf2_passlib", passlib.pbkdf2_sha256.using(**cheap), {}
    yield "pbkdf2_passlib", passlib.pbkdf2_sha256.using(rounds=10, salt_size=0), {}
    yield "pbkdf2_passlib", passlib.pbkdf2_sha512.using(**cheap), {}
    yield "scrypt", scrypt, {}
    yield "scrypt_crypt", scrypt.using(ident="$7$"), {}
    yield "bcrypt", passlib.bcrypt.using(rounds=4), {"seen": bcrypt_sees}
    yield "bcrypt", passlib.bcrypt.using(rounds=4, ident="2a"), {"seen": bcrypt_sees}
    yield "passlib_bcrypt_sha256", passlib.bcrypt_sha256.using(rounds=4), {}
    yield "passlib_bcrypt_sha256", passlib.bcrypt_sha256.using(rounds=4, version=1), {}
    for variant in "ID", "I", "D":
        costs = {"rounds": 1, "memory_cost": 64, "parallelism": 2, "digest_size": 24}
        yield "argon2", passlib.argon2.using(type=variant, **costs), {}
    yield "crypt", passlib.md5_crypt, {}
    yield "crypt", passlib.apr_md5_crypt, {}
    yield "crypt", passlib.sha1_crypt.using(**cheap), {}
    yield "crypt", passlib.sha256_crypt.using(rounds=1000), {}
    yield "crypt", passlib.sha512_crypt.using(rounds=1000), {}
    yield "crypt", passlib.sun_md5_crypt.using(**cheap), {}
    yield "crypt", passlib.des_crypt, {"seen": des_sees}
    yield "crypt", passlib.bsdi_crypt.using(rounds=11), {"seen": bsdi_sees}
    yield "phpass", passlib.phpass.using(rounds=7), {}
    yield "phpass", passlib.phpass.using(rounds=7, ident="H"), {}
    yield "atlassian", passlib.atlassian_pbkdf2_sha1, {}
    yield "grub", passlib.grub_pbkdf2_sha512.using(**cheap), {}
    for variant in range(4):
        yield "fshp", passlib.fshp.using(rounds=10, variant=variant), {}
    yield "cta_pbkdf2", passlib.cta_pbkdf2_sha1.using(**cheap), {}
    yield "dlitz_pbkdf2", passlib.dlitz_pbkdf2_sha1.using(**cheap), {}
    yield "ldap", passlib.ldap_md5, {}
    yield "ldap", passlib.ldap_sha1, {}
    yield "ldap", passlib.ldap_salted_md5, {}
    yield "ldap", passlib.ldap_salted_sha1, {}
    yield "ldap", passlib.ldap_salted_sha256, {}
    yield "ldap", passlib.ldap_salted_sha512, {}
    yield "ldap", passlib.ldap_pbkdf2_sha256.using(**cheap), {}
    yield "mysql", passlib.mysql41, {}
    yield "oracle", passlib.oracle11, {}
    yield "mssql", passlib.mssql2000, {}
    yield "mssql", passlib.mssql2005, {}
    yield "nthash", passlib.bsd_nthash, {}
    yield "postgres_md5", passlib.postgres_md5, {"user": USER}
    yield "ntlm_only", passlib.nthash, {"forms": ["ntlm_only"]}
    yield "dcc", passlib.msdcc, {"forms": ["dcc"], "user": USER}
    yield "mysql323", passlib.mysql323, {"forms": ["mysql323"], "seen": without_blanks}


# These decode what they are given.
TEXT_ALONE = {"oracle11", "mssql2000", "mssql2005", "bsd_nthash", "nthash", "msdcc"}


def without_blanks(password):
    return password.replace(b" ", b"").replace(b"\t", b"")


def passlib_makes(passwords):
    made = []
    for form, function, known in passlib_functions():
        wide = passwords if function.name not in TEXT_ALONE else texts_of(passwords)
        for password in wide:
            user = {"user": known["user"]} if "user" in known else {}
            text = function.hash(password, **user)
            made.append(Made(form, text, password, part=function.name, **known))
            # An ASCII password tells nobody how others are converted to what FreeBSD hashes.
            if function.name == "bsd_nthash" and password.isascii():
                made[-1].new = ASCII
    if FULL:
        made += list(passlib_defaults())
    return with_new(made, texts_of(passwords))


def passlib_defaults():
    defaults = {
        "pbkdf2_passlib": [passlib.pbkdf2_sha1, passlib.pbkdf2_sha256, passlib.pbkdf2_sha512],
        "scrypt": [passlib.scrypt],
        "bcrypt": [passlib.bcrypt],
        "crypt": [passlib.sha256_crypt, passlib.sha512_crypt, passlib.sha1_crypt],
    }
    for form, found in defaults.items():
        for function in found:
            yield Made(form, function.hash(ASCII), ASCII, part=function.name, is_dear=True)


def passlib_checks(asked):
    accepted = []
    for line in asked:
        user = {"user": line["user"]} if line["user"] else {}
        function = getattr(passlib, line["part"])
        accepted.append(function.verify(line["password"], line["hash"], **user))
    return accepted


# argon2-cffi and bcrypt, which passlib stands upon, by themselves


def argon2_makes(passwords):
    made = []
    for password in passwords:
        for variant in "ID", "I", "D":
            text = argon2_version_16(password, argon2.Type[variant])
            made.append(Made("argon2", text.decode(), password))
            # Before version 19 the text did not name its version; the reference still reads that.
            unnamed = text.replace(b"$v=16", b"")
            assert argon2.low_level.verify_secret(unnamed, password, argon2.Type[variant])
            made.append(Made("argon2", unnamed.decode(), password))
    made.append(Made("argon2", argon2.PasswordHasher().hash(ASCII), ASCII, is_dear=True))
    return with_new(made, passwords)


def argon2_version_16(password, variant):
    return argon2.low_level.hash_secret(password, b"saltsalt", 3, 32, 4, 32, variant, version=16)


def argon2_checks(asked):
    return [argon2.PasswordHasher().verify(line["hash"], line["password"]) for line in asked]


def bcrypt_makes(passwords):
    made = []
    for password in passwords:
        for variant in b"2a", b"2b", b"2y":
            salt = bcrypt.gensalt(4).replace(b"$2b$", b"$" + variant + b"$")
            text = bcrypt.hashpw(password[:BCRYPT_READS], salt).decode()
            made.append(Made("bcrypt", text, password, seen=bcrypt_sees))
    return with_new(made, passwords)


def bcrypt_checks(asked):
    check = bcrypt.checkpw
    return [check(line["password"][:BCRYPT_READS], line["hash"].encode()) for line in asked]


# OpenSSL's function, by Python's own library


def openssl_makes(passwords):
    made = []
    for password in passwords:
        for name, digest in PHC.items():
            salt = os.urandom(16)
            derived = hashlib.pbkdf2_hmac(digest, password, salt, 10, DIGEST_BYTES[digest])
            text = f"${name}$i=10,l={len(derived)}${bare(salt)}${bare(derived)}"
            made.append(Made("pbkdf2", text, password))
    return with_new(made, passwords)


# No package here writes this notation, so its own lines are few.
PHC = {"pbkdf2": "sha1", "pbkdf2-sha256": "sha256", "pbkdf2-sha512": "sha512"}
DIGEST_BYTES = {"sha1": 20, "sha256": 32, "sha512": 64}


def bare(data):
    return base64.b64encode(data).decode().rstrip("=")


def openssl_checks(asked):
    return [openssl_accepts(line["hash"], line["password"]) for line in asked]


def openssl_accepts(text, password):
    _, name, costs, salt, digest = text.split("$")
    iterations = int(costs.split(",")[0].removeprefix("i="))
    salt, digest = (base64.b64decode(part + "=" * (-len(part) % 4)) for part in (salt, digest))
    return digest == hashlib.pbkdf2_hmac(PHC[name], password, salt, iterations, len(digest))


ORIGINS = [
    Origin("Django", django_makes, django_checks),
    Origin("Werkzeug", werkzeug_makes, werkzeug_checks),
    Origin("Flask-Security", flask_security_makes, flask_security_checks),
    Origin("passlib", passlib_makes, passlib_checks),
    Origin("argon2-cffi", argon2_makes, argon2_checks),
    Origin("bcrypt", bcrypt_makes, bcrypt_checks),
    Origin("OpenSSL's PBKDF2", openssl_makes, openssl_checks),
]
