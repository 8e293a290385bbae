"""The bare cost of what a campaign writes durably: the same number of transactions with rows as
long as its own, one after the other, on a store and a site of the same kind.

    bench_campaign.py PLACE ACCOUNTS MAIL [--postgres] [--without-pass]

PLACE is an empty folder for two SQLite files, or the folder of a PostgreSQL server's
socket, with empty databases `bare_store` and `bare_site`; MAIL is a folder. Prints the seconds.
"""

import argparse
import os
import sqlite3
import sys
import time
from pathlib import Path

import psycopg

# As many as one claim takes.
BATCH = 8

TABLES = """
CREATE TABLE address (number INTEGER PRIMARY KEY, hash TEXT, a BIGINT, b BIGINT);
CREATE TABLE target (number INTEGER PRIMARY KEY, state TEXT, version TEXT);
CREATE TABLE swap (number INTEGER PRIMARY KEY, state TEXT, expected TEXT, made TEXT, passed BIGINT);
CREATE TABLE line (number INTEGER PRIMARY KEY, kept TEXT, wrapped TEXT, evidence BIGINT);
CREATE TABLE notice (number INTEGER PRIMARY KEY, state TEXT, a BIGINT, b BIGINT, answer TEXT);
CREATE TABLE log (number INTEGER PRIMARY KEY, body TEXT, leaf TEXT);
CREATE TABLE head (number INTEGER PRIMARY KEY, size BIGINT, note TEXT);
INSERT INTO head VALUES (0, 0, '');
"""

HASH = "x" * 64
KEPT = "x" * 400
BODY = "x" * 200


class Bare:
    """Two connections, and nothing between the commits but what is written."""

    def __init__(self, store, site, is_postgres):
        self.store, self.site = store, site
        self.lock = " FOR UPDATE" if is_postgres else ""
        self.begin = "BEGIN" if is_postgres else "BEGIN IMMEDIATE"
        self.place = "%s" if is_postgres else "?"
        self.logged = 0

    def run(self, where, text, *values):
        return where.execute(text.replace("?", self.place), values)

    def tx(self, where, *writes):
        self.run(where, self.begin)
        for write in writes:
            self.run(where, *write)
        self.run(where, "COMMIT")

    def log(self, entries):
        first, self.logged = self.logged, self.logged + entries
        rows = [
            ("INSERT INTO log VALUES (?, ?, ?)", number, BODY, HASH)
            for number in range(first, self.logged)
        ]
        return [*rows, ("UPDATE head SET size = ?, note = ?", self.logged, BODY)]

    def make(self, accounts):
        for text in TABLES.strip().split("\n"):
            self.run(self.store, text)
        self.run(self.site, "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, hash TEXT)")
        each = range(accounts)
        self.tx(
            self.store,
            *(("INSERT INTO address VALUES (?, ?, 0, 0)", n, HASH) for n in each),
            *(("INSERT INTO target VALUES (?, 'pending', ?)", n, HASH) for n in each),
        )
        users = "INSERT INTO users VALUES (?, 'person@example.org', 'old')"
        self.tx(self.site, *((users, n) for n in each))

    def seal(self, batch, with_pass):
        """Claim, intent, each account's own, and the record."""
        take = "UPDATE address SET a = 1, b = 2 WHERE number = ?"
        self.tx(self.store, *((take, n) for n in batch))
        intents = [write for n in batch for write in self.intent(n)]
        self.tx(self.store, *intents, *self.log(len(batch)))
        for n in batch:
            self.run(self.site, self.begin)
            self.run(self.site, "SELECT hash FROM users WHERE id = ?" + self.lock, n).fetchall()
            self.run(self.site, "UPDATE users SET hash = ? WHERE id = ?", HASH, n)
            if with_pass:
                self.tx(self.store, ("UPDATE swap SET passed = 1 WHERE number = ?", n))
            self.run(self.site, "COMMIT")
        ends = [write for n in batch for write in self.end(n)]
        self.tx(self.store, *ends, *self.log(2 * len(batch)))

    def intent(self, n):
        return [
            ("INSERT INTO swap VALUES (?, 'intended', ?, ?, NULL)", n, HASH, HASH),
            ("INSERT INTO line VALUES (?, ?, ?, 1)", n, KEPT, HASH),
            ("UPDATE target SET state = 'sealing' WHERE number = ?", n),
        ]

    def end(self, n):
        return [
            ("UPDATE swap SET state = 'done' WHERE number = ?", n),
            ("UPDATE target SET state = 'sealed' WHERE number = ?", n),
            ("UPDATE address SET a = 2 WHERE number = ?", n),
            ("INSERT INTO notice VALUES (?, 'pending', 0, 0, NULL)", n),
        ]

    def tell(self, n, mail):
        """In flight, the host's own mark, the mail, and the record."""
        begun = ("UPDATE notice SET state = 'inflight', a = 1 WHERE number = ?", n)
        self.tx(self.store, begun, *self.log(1))
        durable(mail / "mark", BODY)
        durable(mail / f"{n}.eml", BODY * 20)
        sent = ("UPDATE notice SET state = 'sent', answer = ? WHERE number = ?", HASH, n)
        settled = ("UPDATE address SET b = 3 WHERE number = ?", n)
        self.tx(self.store, sent, settled, *self.log(1))


def durable(path, text):
    with open(path, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def sqlite(path):
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def postgres(folder, name):
    return psycopg.connect(host=folder, user="postgres", dbname=name, autocommit=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("place", type=Path)
    parser.add_argument("accounts", type=int)
    parser.add_argument("mail", type=Path)
    parser.add_argument("--without-pass", action="store_true")
    parser.add_argument("--postgres", action="store_true")
    arguments = parser.parse_args()
    if arguments.postgres:
        parts = [postgres(arguments.place, name) for name in ("bare_store", "bare_site")]
    else:
        parts = [sqlite(arguments.place / name) for name in ("store", "site")]
    bare = Bare(*parts, arguments.postgres)
    bare.make(arguments.accounts)
    since = time.monotonic()
    for first in range(0, arguments.accounts, BATCH):
        batch = range(first, min(first + BATCH, arguments.accounts))
        bare.seal(batch, not arguments.without_pass)
        for n in batch:
            bare.tell(n, arguments.mail)
    print(time.monotonic() - since)


if __name__ == "__main__":
    sys.exit(main())
