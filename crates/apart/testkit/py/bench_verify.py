"""Accounts of one hash format, and Django's own check of a leak against them, for timing.

    bench_verify.py make FORMAT ACCOUNTS FOLDER
    bench_verify.py check FOLDER
    bench_verify.py check-all-cores FOLDER
"""

import csv
import json
import sys
from multiprocessing import Pool
from pathlib import Path

from django.conf import settings

settings.configure(
    PASSWORD_HASHERS=[
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.Argon2PasswordHasher",
        "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
        "django.contrib.auth.hashers.ScryptPasswordHasher",
    ]
)

from django.contrib.auth.hashers import check_password, make_password  # noqa: E402


def make(hasher, accounts, folder):
    folder = Path(folder)
    folder.mkdir(parents=True)
    with open(folder / "users.csv", "w") as users, open(folder / "leak.txt", "w") as leak:
        rows = csv.writer(users)
        rows.writerow(["id", "email", "username", "hash", "last_login"])
        for number in range(int(accounts)):
            address, password = f"person.{number}@example.org", f"password-{number}"
            rows.writerow([number, address, f"person{number}", hashed(password, hasher), ""])
            leak.write(f"{address}:{password if number % 2 else 'wrong'}\n")


def hashed(password, hasher):
    return make_password(password, hasher=hasher)


def check(folder, processes=1):
    with open(Path(folder) / "users.csv") as users:
        stored = {row["email"]: row["hash"] for row in csv.DictReader(users)}
    with open(Path(folder) / "leak.txt") as leak:
        records = [line.rstrip("\n").split(":", 1) for line in leak]
    pairs = [(secret, stored[address]) for address, secret in records]
    print(json.dumps({"exposed": sum(verdicts(pairs, processes))}))


def verdicts(pairs, processes):
    if processes == 1:
        return [check_password(*pair) for pair in pairs]
    with Pool(processes) as pool:
        return pool.starmap(check_password, pairs, chunksize=1)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", hasher, accounts, folder]:
            make(hasher, accounts, folder)
        case ["check", folder]:
            check(folder)
        case ["check-all-cores", folder]:
            check(folder, processes=None)
        case _:
            sys.exit(__doc__)
