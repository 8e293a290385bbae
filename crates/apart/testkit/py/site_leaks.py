"""Makes leak files of which every line's fate is known, by code of their own."""

import gzip
import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field

from site_people import FIRST_NAMES, Passwords

# How careless readers mistake one name for another, by the kind of its address.
MISTAKEN_FOR = {
    "apostrophe": lambda local: [local.split("'")[1], local.replace("'", "")],
    "dotted": lambda local: [local.replace(".", "")],
    "latin_i": lambda local: [local.replace("i", "ı"), local.replace("k", "\u212a")],
}

DELIMITERS = ":;,|\t"
OVERLONG_BYTES = 200_000
NOT_UTF8 = "na\udcefve"
GMAIL_DOMAINS = ("gmail.com", "googlemail.com")


@dataclass
class Record:
    """One readable line: who it names, by which tier, and the secret that it claims."""

    identifier: str
    secret: str
    hits: dict = field(default_factory=dict)


@dataclass
class Broken:
    """One line that is laid out otherwise, and what becomes of it: mostly, why it is no record."""

    line: bytes
    reason: str


class Leaks:
    """Lines for leak files, by scenario, and the accounts that each scenario concerns."""

    def __init__(self, people, random):
        self.people = people
        self.random = random
        self.passwords = Passwords(random)
        # Invented passwords carry a number: these go on where the accounts' own end.
        self.passwords.made = len(people)
        self.records = []
        self.scenarios = {}
        self.keys = Keys(people)

    def generate(self):
        """All records of all leaks, in no order."""
        owners = [person for person in self.people if person.password is not None]
        self.by_kind(owners)
        self.by_share([person for person in owners if person.kind in ("plain", "mixed_case")])
        for person in self.people:
            if person.password is None:
                self.add("no_password", person, person.email, self.passwords.listed())
        for _ in range(2 * len(self.people)):
            self.stranger(self.stranger_address(), self.passwords.next())
        self.stranger("email", "password")
        self.stranger(self.stranger_address(), NOT_UTF8)
        self.random.shuffle(self.records)
        for record in self.records:
            self.keys.check(record)
        return self.records

    def by_share(self, owners):
        """Ordinary people, each in one scenario, in fixed shares."""
        scenarios = [
            (self.reused, 6),
            (self.not_reused, 3),
            (self.changed_since, 3),
            (self.rehashed_since, 1),
            (self.other_case, 1),
            (self.tagged, 1),
            (self.by_username, 2),
            (self.twice, 1),
            (self.not_leaked, 4),
        ]
        deck = [scenario for scenario, share in scenarios for _ in range(share)]
        for number, person in enumerate(owners):
            deck[number % len(deck)](person)

    def by_kind(self, owners):
        """People with unusual addresses: what concerns just those."""
        shared = {}
        for person in owners:
            if person.kind == "shared":
                shared.setdefault(person.email, []).append(person)
            elif person.kind == "no_address":
                self.by_username(person)
            elif person.kind not in ("plain", "mixed_case"):
                self.reused(person)
                self.other_spelling(person)
                self.look_alike(person)
        for first, second in shared.values():
            second.password = self.passwords.invented()
            self.add("shared_address", first, first.email, first.password, also=second)

    def reused(self, person):
        self.add("reused", person, person.email, person.password)

    def not_reused(self, person):
        self.add("not_reused", person, person.email, self.other_password(person))

    def changed_since(self, person):
        """The leaked one was theirs once; they have chosen a new one since."""
        self.add("changed_since", person, person.email, self.other_password(person))

    def rehashed_since(self, person):
        """Same password under a newer hash than at the time of the leak: still exposed."""
        self.add("rehashed_since", person, person.email, person.password)

    def other_case(self, person):
        self.add("other_case", person, f" {person.email.upper()} ", person.password)

    def tagged(self, person):
        local, domain = person.email.split("@")
        self.add("tagged", person, f"{local}+old.forum@{domain}", person.password)
        self.add("tagged", person, f"{local}+quiz@{domain}", self.other_password(person))

    def by_username(self, person):
        self.add("by_username", person, person.username.upper(), person.password)

    def twice(self, person):
        for _ in range(2):
            self.add("twice", person, person.email, person.password)
        self.add("twice", person, person.email, self.other_password(person))

    def not_leaked(self, person):
        self.scenarios.setdefault("not_leaked", []).append(person.id)

    def other_spelling(self, person):
        """The same mailbox as others write it."""
        for spelling in spellings(person):
            self.add("other_spelling", person, spelling, person.password)

    def look_alike(self, person):
        """Somebody else's address with this person's password: a match here blames a stranger."""
        local, domain = person.email.split("@")
        names = [f"jo{local}", *MISTAKEN_FOR.get(person.kind, lambda local: [])(local)]
        for name in names:
            self.stranger(f"{name}@{domain}", person.password)
        self.stranger(f"{person.email}.evil.example", person.password)
        self.stranger(self.stranger_address(), person.email)

    def add(self, scenario, person, identifier, secret, also=None):
        hits = {hit.id: hit for hit in (person, also) if hit}
        self.records.append(Record(identifier, secret, hits))
        self.scenarios.setdefault(scenario, [])
        self.scenarios[scenario] += [key for key in hits if key not in self.scenarios[scenario]]

    def stranger(self, identifier, secret):
        self.records.append(Record(identifier, secret))

    def stranger_address(self):
        name, number = self.random.choice(FIRST_NAMES).lower(), self.random.randrange(10**6)
        return f"{name}.elsewhere.{number}@example.{self.random.choice(['org', 'com', 'net'])}"

    def other_password(self, person):
        while person.password in readings(other := self.passwords.next()):
            pass
        return other


def spellings(person):
    local, domain = person.email.split("@")
    if person.kind == "idn":
        return [f"{local}@{domain.lower().encode('idna').decode()}", f"{local}@{domain.upper()}"]
    if person.kind == "punycode":
        return [f"{local}@{domain.encode().decode('idna')}"]
    if person.kind == "plus_tag":
        return [f"{local.split('+')[0]}@{domain}", f"{local.split('+')[0]}+other@{domain}"]
    if person.kind.startswith("gmail"):
        bare = local.replace(".", "")
        return [f"{bare}@gmail.com", f"{bare}@GoogleMail.com", f"{bare}+x@gmail.com"]
    return [f'"{person.email}"']


class Keys:
    """The forms by which an identifier leads to accounts, written down a second time.

    Each scenario says whom its lines concern. This says it again from the address alone, and
    the two must agree.
    """

    def __init__(self, people):
        self.tiers = {}
        for person in people:
            self.put("username", ascii_lower(person.username), person)
            if person.email:
                self.put("exact", exact(person.email), person)
                self.put("lead", lead(exact(person.email)), person)

    def put(self, tier, key, person):
        self.tiers.setdefault((tier, key), set()).add(person.id)

    def tier(self, identifier, account):
        """By which form, the strictest first, an identifier leads to an account."""
        return next(tier for tier, found in self.found(identifier) if account in found)

    def found(self, identifier):
        """The accounts that each form of an identifier leads to."""
        address, name = exact(identifier), ascii_lower(identifier.strip())
        forms = [("exact", address), ("username", name), ("lead", lead(address))]
        return [(tier, self.tiers.get((tier, key), set())) for tier, key in forms]

    def holds(self, secret):
        """Whether a secret is an address of somebody's."""
        return "@" in secret and any(found for _, found in self.found(secret))

    def check(self, record):
        """Truth must not depend on how a line is read: no other reading of it may match."""
        found = set().union(*(keys for _, keys in self.found(record.identifier)))
        assert found == set(record.hits), (record, found)
        for person in record.hits.values():
            if record.secret != person.password:
                assert person.password not in readings(record.secret), record


def readings(secret):
    """What else a careful reader could take for the secret."""
    parts = re.split(f"[{DELIMITERS}]", secret)
    tails = [secret[at + 1 :] for at, char in enumerate(secret) if char in DELIMITERS]
    heads = [secret[:at] for at, char in enumerate(secret) if char in DELIMITERS]
    return {text.strip(" \"'") for text in parts + tails + heads} | {secret.strip(" \"'")}


def exact(address):
    """K1: outer space, quotes and marks off, ASCII lower case, domain as A-labels."""
    bare = ascii_lower(address.strip().strip("\ufeff\"")).strip()
    if "@" not in bare:
        return bare
    local, domain = bare.rsplit("@", 1)
    return f"{local}@{domain.lower().encode('idna').decode()}"


def lead(key):
    """K2: tags off everywhere, dots off at Gmail, which has two names."""
    local, _, domain = key.rpartition("@")
    local = local.split("+")[0]
    if domain in GMAIL_DOMAINS:
        local, domain = local.replace(".", ""), GMAIL_DOMAINS[0]
    return f"{local}@{domain}"


def ascii_lower(text):
    return "".join(char.lower() if char.isascii() else char for char in text)


@dataclass
class File:
    """One leak file: where it lies, how its lines look, and whether broken ones are among them."""

    name: str
    delimiter: str = ":"
    newline: bytes = b"\n"
    mark: bytes = b""
    broken: bool = False
    last_newline: bool = True


FILES = [
    File("bookshop-2016.txt", broken=True),
    File("forum.txt", ";", last_newline=False),
    File("newsletter.csv", ","),
    File("photos.txt", "|"),
    File("quiz.tsv", "\t"),
    File("games/part-1.txt", newline=b"\r\n", mark=b"\xef\xbb\xbf", broken=True),
    File("games/part-2.txt.gz", broken=True),
    File("games/more/part-3.txt.zst", ";"),
]


def write(leaks, folder):
    """Deals the records out to the files, and writes them with their truth."""
    records = leaks.generate()
    hands = [records[number :: len(FILES)] for number in range(len(FILES))]
    return [write_file(file, hand, leaks, folder) for file, hand in zip(FILES, hands)]


def write_file(file, records, leaks, folder):
    entries = arranged(file, records, leaks)
    lines = [line_bytes(entry, file) + file.newline for entry in entries]
    lines[0] = file.mark + lines[0]
    if not file.last_newline:
        lines[-1] = lines[-1].removesuffix(file.newline)
    store(folder / file.name, b"".join(lines))
    return file_truth(file, entries, lines, leaks)


def arranged(file, records, leaks):
    """Broken lines anywhere but first, where one would make the file look like another kind."""
    first, *rest = records
    if file.broken:
        rest += broken_lines(leaks)
    leaks.random.shuffle(rest)
    return [first, *rest]


def line_bytes(entry, file):
    if isinstance(entry, Broken):
        return entry.line
    return f"{entry.identifier}{file.delimiter}{entry.secret}".encode(errors="surrogateescape")


def file_truth(file, entries, lines, leaks):
    """What became of every line, and the lines that hold an account's password."""
    fates = Counter(fate(entry, leaks) for entry in entries)
    plain = {name: fates.pop(name, 0) for name in ("hits", "misses", "blank")}
    found, offset = [], 0
    for number, (entry, line) in enumerate(zip(entries, lines), 1):
        place = {"file": file.name, "line": number, "offset": offset}
        found += [place | match for match in matches(entry, leaks)]
        offset += len(line)
    tally = {"lines": len(entries), **plain, "rejects": dict(sorted(fates.items()))}
    return {"file": file.name, "tally": tally, "matches": found}


def fate(entry, leaks):
    if isinstance(entry, Broken):
        return entry.reason
    return "hits" if entry.hits or leaks.keys.holds(entry.secret) else "misses"


def matches(entry, leaks):
    """The accounts whose password stands in this line."""
    if isinstance(entry, Broken):
        return []
    return [
        {"account": person.id, "tier": leaks.keys.tier(entry.identifier, person.id)}
        for person in entry.hits.values()
        if person.password == entry.secret
    ]


def broken_lines(leaks):
    """Lines of every kind that hold no record; where it hurts most, with one of our addresses."""
    ours = next(person for person in leaks.people if person.kind == "plain")
    address = ours.email.encode()
    kinds = {
        "blank": [b"", b"", b""],
        "no_delimiter": [b"just-a-word"],
        "hits": [address + b" hunter2"],
        "no_identifier": [b":hunter2", b"::"],
        "no_secret": [address, address + b":", b"nobody@example.com:"],
        "nul": [address + b":bin\x00ary", b"\x00\x01\x02:junk"],
        "encoding": [b"J\xfcrgen@example.org:secret", b"caf\xc3(@example.org:x"],
        "overlong": [address + b":" + b"A" * OVERLONG_BYTES],
    }
    return [Broken(line, reason) for reason, lines in kinds.items() for line in lines]


def store(path, data):
    """As plain bytes, as concatenated gzip members cut in the middle of a line, or as zstd."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gz":
        cuts = [0, len(data) // 3, len(data) // 2, len(data)]
        members = [gzip.compress(data[a:b], mtime=0) for a, b in zip(cuts, cuts[1:])]
        data = b"".join(members)
    if path.suffix == ".zst":
        zstd = ["zstd", "-q", "-c"]
        data = subprocess.run(zstd, input=data, stdout=subprocess.PIPE, check=True).stdout
    path.write_bytes(data)
