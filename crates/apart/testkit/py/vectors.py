"""Stored hashes as the software of real sites makes and checks them.

    vectors.py          prints hashes with the passwords that fit them and some that do not
    vectors.py check    reads hashes that Countersign made, and says what the software thinks of them

One JSON object a line; the last line of either holds the count. An origin is asked about its own hashes
alone, all of them at once.
"""

import json
import secrets
import string
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import hash_libraries
import hash_programs
import hash_slapd
from hash_origin import FULL

ORIGINS = hash_libraries.ORIGINS + hash_programs.ORIGINS + hash_slapd.ORIGINS


def main():
    lines = check() if sys.argv[1:] == ["check"] else vectors()
    for line in lines:
        print(json.dumps(line))
    print(json.dumps({"count": len(lines)}))


def vectors():
    # Programs that read a line end it at a control character.
    passwords = texts() + [b"caf\xe9", bytes(secrets.choice(range(32, 256)) for _ in range(20))]
    made = in_turn(lambda origin: list(of_origin(origin, passwords)), ORIGINS)
    return [line for lines in made for line in lines]


def texts():
    """Passwords of people, and such as make software stumble. An e with an acute accent in Latin-1 is no
    UTF-8, so what hashes text alone does not get the two that `vectors` adds."""
    letters = string.ascii_letters + string.digits + string.punctuation + "äöüßéñ日本"
    return [
        text.encode()
        for text in [
            "Correct horse",
            "Pässwört-日本",
            "",
            " ",
            "  blanks at both ends  ",
            "\ttab",
            "O'Neil's \"quoted\" \\back\\slash\\",
            "<b>&amp;</b>",
            "f" * 72,
            "f" * 72 + "g",
            "Abcdefghij" * 20,
            "".join(secrets.choice(letters) for _ in range(9)),
            "".join(secrets.choice(letters) for _ in range(24)),
        ]
    ]


def of_origin(origin, passwords):
    dear = Counter()
    for made in origin.make(passwords):
        dear[made.form] += made.is_dear
        if made.is_dear and dear[made.form] > 2 and not FULL:
            continue
        near = wrong(made.password, made.seen)
        yield {
            "origin": origin.name,
            "format": made.form,
            "hash": made.text,
            "forms": made.forms,
            "key": made.key,
            "user": made.user,
            "part": made.part,
            "password_hex": made.password.hex(),
            "wrong_hex": [other.hex() for other in (near[:1] if made.is_dear else near)],
            "new_hex": made.new.hex(),
        }


def wrong(password, seen):
    """What a person mistypes, less what a function cannot tell from the password by what it sees of it."""
    near = [password.swapcase(), password + b" ", password[:-1], password[:6], b"x" + password]
    return [other for other in dict.fromkeys(near) if seen(other) != seen(password)]


def check():
    asked = [json.loads(line) for line in sys.stdin]
    for line in asked:
        line["password"] = bytes.fromhex(line["password_hex"])

    def answers(origin):
        of_it = [place for place, line in enumerate(asked) if line["origin"] == origin.name]
        accepted = origin.check([asked[place] for place in of_it]) if of_it else []
        return list(zip(of_it, accepted, strict=True))

    answered = dict(sum(in_turn(answers, ORIGINS), []))
    return [{"accepted": answered[place]} for place in range(len(asked))]


def in_turn(work, items):
    """Two at a time: most wait for a program of their own."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(work, items))


main()
