"""Makes a site that Django runs, leaks that concern it, and the truth about both.

Django itself creates the tables and the hashes. Usage:
    make_site.py --database sqlite:///tmp/x/site.sqlite3 --folder /tmp/x [--accounts 200] [--seed 1]
The folder gets users.csv, users.jsonl, leaks/ and truth.json.
"""

import argparse
import csv
import json
import os
from collections import Counter
from datetime import datetime, timedelta, timezone
from itertools import chain, cycle
from pathlib import Path
from random import Random

ACCOUNTS_MIN = 60
SIGNED_IN_SHARE = 0.8
EXPORTED = ["id", "email", "username", "hash", "last_login"]
FIRST_JOINED = datetime(2014, 1, 1, tzinfo=timezone.utc)


def main():
    options = arguments()
    os.environ["COUNTERSIGN_SITE_DATABASE"] = options.database
    os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from django.db import connection

    # By this table a database says that nobody signs in there.
    connection.cursor().execute("CREATE TABLE countersign_rehearsal (why TEXT)")
    make(options)


def make(options):
    import site_leaks
    from site_people import people

    random = Random(options.seed)
    persons = people(options.accounts, random)
    leaks = site_leaks.Leaks(persons, random)
    files = site_leaks.write(leaks, options.folder / "leaks")
    create_accounts(persons, random)
    export(options.folder)
    truth = whole_truth(persons, leaks, files)
    (options.folder / "truth.json").write_text(json.dumps(truth, indent=1, ensure_ascii=False))


def create_accounts(persons, random):
    """Rows as Django's own sign-up leaves them; `bulk_create` only spares round trips."""
    from django.contrib.auth.models import User

    if User.objects.exists():
        raise SystemExit("the database holds accounts already: name a new one")
    hashers = chain(default_hashers(), cycle(cheap_hashers()))
    rows = [row(User(id=int(one.id)), one, by, random) for one, by in zip(persons, hashers)]
    User.objects.bulk_create(rows)
    advance_sequence(User)


def row(user, person, hasher, random):
    from django.contrib.auth.hashers import make_password

    user.username, user.email = person.username, person.email
    if person.password is None:
        user.password = make_password(None)
    else:
        user.password = hasher.encode(person.password, hasher.salt())
    user.date_joined = FIRST_JOINED + timedelta(minutes=random.randrange(10**6))
    if random.random() < SIGNED_IN_SHARE:
        user.last_login = user.date_joined + timedelta(seconds=random.randrange(10**8))
    return user


def default_hashers():
    """One each, at what Django asks today; the rest would take minutes at that cost."""
    from django.contrib.auth import hashers

    return [
        hashers.PBKDF2PasswordHasher(),
        hashers.Argon2PasswordHasher(),
        hashers.BCryptSHA256PasswordHasher(),
        hashers.ScryptPasswordHasher(),
    ]


def cheap_hashers():
    """The same encodings at low cost, and MD5."""
    from django.contrib.auth import hashers

    class Pbkdf2(hashers.PBKDF2PasswordHasher):
        iterations = 600

    class Argon2(hashers.Argon2PasswordHasher):
        time_cost, memory_cost, parallelism = 1, 64, 2

    class Bcrypt(hashers.BCryptSHA256PasswordHasher):
        rounds = 4

    class Scrypt(hashers.ScryptPasswordHasher):
        work_factor, block_size, parallelism = 2**6, 8, 1

    return [Pbkdf2(), Argon2(), Bcrypt(), Scrypt(), hashers.MD5PasswordHasher()]


def advance_sequence(model):
    """Ids were given by hand; the next sign-up must not meet one of them."""
    from django.core.management.color import no_style
    from django.db import connection

    statements = connection.ops.sequence_reset_sql(no_style(), [model])
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def export(folder):
    """What an operator would export: the table as it stands, as CSV and as JSON lines."""
    from django.contrib.auth.models import User

    rows = [
        {
            "id": str(user.pk),
            "email": user.email or None,
            "username": user.username,
            "hash": user.password,
            "last_login": user.last_login and user.last_login.isoformat().replace("+00:00", "Z"),
        }
        for user in User.objects.order_by("pk")
    ]
    with open(folder / "users.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, EXPORTED)
        writer.writeheader()
        writer.writerows(rows)
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    (folder / "users.jsonl").write_text("".join(lines), encoding="utf-8")


def whole_truth(persons, leaks, files):
    found = [match for file in files for match in file.pop("matches")]
    silent = {person.id for person in persons if person.password is None}
    hit = {key for record in leaks.records for key in record.hits}
    return {
        "accounts": len(persons),
        "no_password": sorted(silent, key=int),
        "no_password_hit": sorted(silent & hit, key=int),
        "exposed": sorted({match["account"] for match in found}, key=int),
        "total": total([file["tally"] for file in files]),
        "files": files,
        "matches": found,
        "scenarios": leaks.scenarios,
        "people": [vars(person) for person in persons],
    }


def total(tallies):
    names = ("lines", "hits", "misses", "blank")
    whole = {name: sum(tally[name] for tally in tallies) for name in names}
    rejects = sum((Counter(tally["rejects"]) for tally in tallies), Counter())
    return whole | {"rejects": dict(sorted(rejects.items()))}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database", required=True, help="sqlite:///PATH, postgres://... or mysql://...")
    parser.add_argument("--folder", required=True, type=Path)
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.accounts < ACCOUNTS_MIN:
        parser.error(f"every scenario needs somebody: at least {ACCOUNTS_MIN} accounts")
    options.folder.mkdir(parents=True, exist_ok=True)
    return options


if __name__ == "__main__":
    main()
