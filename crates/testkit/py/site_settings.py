"""Django settings of the invented site, for SQLite and PostgreSQL."""

import os
from urllib.parse import parse_qs, urlsplit

DATABASE_VARIABLE = "COUNTERSIGN_SITE_DATABASE"


def database(url):
    """The entry of DATABASES for the connection string that the Rust side uses too."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": parts.path}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username,
        "HOST": parse_qs(parts.query)["host"][0],
    }


DATABASES = {"default": database(os.environ[DATABASE_VARIABLE])}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = True
SECRET_KEY = "an invented site has no secrets"

# Django's own list, and MD5 behind it, which old sites still hold.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.MD5PasswordHasher",
]
