"""Django settings of the invented site, for SQLite, PostgreSQL and MariaDB."""

import os
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import django
import pymysql

# Django asks for another driver, which takes a compiler and the server's own library.
pymysql.version_info = (2, 2, 7, "final", 0)
pymysql.install_as_MySQLdb()

DATABASE_VARIABLE = "COUNTERSIGN_SITE_DATABASE"


def database(url):
    """The entry of DATABASES for the connection string that the Rust side uses too."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": parts.path}
    if parts.scheme == "mysql":
        return {
            "ENGINE": "django.db.backends.mysql",
            "NAME": parts.path.lstrip("/"),
            "USER": parts.username,
            "HOST": parse_qs(parts.query)["socket"][0],
            "OPTIONS": {"charset": "utf8mb4"},
        }
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

ROOT_URLCONF = "site_urls"
ALLOWED_HOSTS = ["*"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]

# Django's pages of password reset are in its admin, which the site does not have. The mail's text
# can be taken from there; a page is only as much as is needed to see that it was reached.
PAGES = {
    "registration/password_reset_confirm.html": "{{ form }}",
    "registration/password_reset_complete.html": "done",
}
LOADERS = [
    ("django.template.loaders.locmem.Loader", PAGES),
    (
        "django.template.loaders.filesystem.Loader",
        [Path(django.__file__).with_name("contrib") / "admin" / "templates"],
    ),
    "django.template.loaders.app_directories.Loader",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {"loaders": LOADERS},
    }
]
EMAIL_HOST = "127.0.0.1"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = "accounts@site.test"

# Django's own list, and MD5 behind it, which old sites still hold.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.MD5PasswordHasher",
]
