"""Invents the people of the site: their addresses, names and passwords."""

import gzip
from dataclasses import dataclass
from pathlib import Path

from django.contrib import auth

FIRST_NAMES = """Ada Anselm Beatrix Bruno Cosima Dorian Edda Emil Fenja Florin Greta Hanno Ilka
Ivo Jorinde Kasimir Lavinia Levin Marit Milo Nele Noah Oda Ole Pia Quentin Ronja Rufus Selma
Sixten Thea Tilo Una Urs Vera Viggo Wanda Willem Yara Zeno""".split()
LAST_NAMES = """Ahlgrimm Birkenstamm Cordwainer Dornfeldt Eibenschutz Fallowmere Grauwacke
Hollerbusch Immergrun Jungbluth Kieselbach Lindenmuth Marlowe Nachtigall Osterloh Pfefferkorn
Quendel Rosenquist Schlehdorn Thistlewood Ulmenried Vogelsang Wacholder Yarrow Zirbelmann""".split()
DOMAINS = ["example.org", "example.com", "example.net"]

# Gmail gives out no name of more than 30 letters, so nobody can own these.
GMAIL_STEM = "invented.person.of.the.countersign.tests"

SHARED_PAIRS = 4
WORDS = "amber basalt cedar delta ember fjord gravel heron island juniper kelp lichen".split()
ACCENTS = ["schlüssel", "contraseña", "пароль", "鍵かぎ", "clé-à-molette", "łódź"]


@dataclass
class Person:
    """One account of the site, and the password that only its owner should know."""

    id: str
    username: str
    email: str
    password: str | None
    kind: str


def people(count, random):
    """The site's accounts; some with an unusual address."""
    passwords = Passwords(random)
    made = [ordinary(number, random, passwords) for number in range(1, count + 1)]
    special = iter(random.sample(made, len(UNUSUAL) + 2 * SHARED_PAIRS))
    for number, (kind, address) in enumerate(UNUSUAL):
        person = next(special)
        person.kind, person.email = kind, address(number)
    for _ in range(SHARED_PAIRS):
        first, second = next(special), next(special)
        first.kind = second.kind = "shared"
        second.email = first.email
    for person in made:
        if person.kind == "no_password":
            person.password = None
    return made


def ordinary(number, random, passwords):
    """Every seventh address is stored with capitals, as its owner typed it."""
    first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
    address = f"{first}.{last}.{number}@{random.choice(DOMAINS)}"
    kind = "mixed_case" if number % 7 == 0 else "plain"
    if kind == "plain":
        address = address.lower()
    username = f"{last}{first[0]}_{number}"
    return Person(str(number), username, address, passwords.next(), kind)


def gmail(number):
    return f"{GMAIL_STEM}.{number}@gmail.com"


UNUSUAL = [
    ("mixed_case", lambda number: f"SHOUTING.{number}@EXAMPLE.ORG"),
    ("plus_tag", lambda number: f"tagged.{number}+shop@example.net"),
    ("plus_tag", lambda number: f"tagged.{number}+news+more@example.org"),
    ("gmail", gmail),
    ("gmail", gmail),
    ("gmail", lambda number: gmail(number).replace("gmail", "googlemail")),
    ("gmail_undotted", lambda number: gmail(number).replace(".", "", 6)),
    ("idn", lambda number: f"kunde.{number}@bücher.example.org"),
    ("idn", lambda number: f"kunde.{number}@Grün.example.net"),
    ("punycode", lambda number: f"client.{number}@xn--caf-dma.example.com"),
    ("apostrophe", lambda number: f"o'brien.{number}@example.com"),
    ("apostrophe", lambda number: f"D'Arcy.{number}@example.org"),
    ("dotted", lambda number: f"a.b.c.{number}@example.org"),
    ("latin_i", lambda number: f"mike.{number}@example.org"),
    ("latin_i", lambda number: f"nick.{number}@example.org"),
    ("no_address", lambda number: ""),
    ("no_address", lambda number: ""),
] + [("no_password", lambda number: f"single.sign.on.{number}@example.com")] * 4


class Passwords:
    """Half of them common ones, from Django's own list; half invented, some awkward."""

    def __init__(self, random):
        self.random = random
        listed = Path(auth.__file__).with_name("common-passwords.txt.gz")
        words = gzip.decompress(listed.read_bytes()).decode().split()
        # Those with a delimiter in them could be read in several ways.
        self.common = [word for word in words if word.isalnum()]
        self.made = 0

    def next(self):
        """A password for somebody's account here."""
        return self.random.choice([self.listed, self.invented])()

    def listed(self):
        return self.random.choice(self.common)

    def invented(self):
        """No two are equal, so that a match tells exactly whose it is."""
        self.made += 1
        one, two = self.random.sample(WORDS, 2)
        number = f"{self.made}{self.random.randrange(1000):03}"
        accent = self.random.choice(ACCENTS)
        forms = [
            f"{one.title()}-{two}-{number}",
            f"{one}:{two}:{number}",
            f"{one};{two}|{number}",
            f"{one} {two} {number}",
            f"{one},{number}\t{two}",
            f":{one}{number}:",
            f"{accent}{number}",
            f"{one}@{number}.{two}",
        ]
        return self.random.choice(forms)
