"""Makes a SQLite site with a table of its own form, whose passwords are peppered.

Usage: pepper_site.py DATABASE PEPPER MODE. Each of the people has the password that is their name
with an exclamation mark; bcrypt by the package of that name.
"""

import hashlib
import hmac
import sqlite3
import sys
import uuid

import bcrypt

PEOPLE = ["anna", "bert", "carl"]
COST = 5


def main():
    path, pepper, mode = sys.argv[1:]
    site = sqlite3.connect(path)
    site.execute("CREATE TABLE countersign_rehearsal (why TEXT)")
    site.execute("CREATE TABLE member (uid TEXT PRIMARY KEY, mail TEXT, digest TEXT, confirmed INT)")
    for name in PEOPLE:
        peppered = mix(f"{name}!".encode(), pepper.encode(), mode)
        digest = bcrypt.hashpw(peppered, bcrypt.gensalt(COST)).decode()
        row = (str(uuid.uuid4()), f"{name}@example.org", digest, 1)
        site.execute("INSERT INTO member VALUES (?, ?, ?, ?)", row)
    site.commit()


def mix(password, pepper, mode):
    mixes = {
        "append": password + pepper,
        "prepend": pepper + password,
        "hmac_sha256": hmac.new(pepper, password, hashlib.sha256).hexdigest().encode(),
    }
    return mixes[mode]


main()
