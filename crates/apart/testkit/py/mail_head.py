"""Prints what Python's parsers make of a mail's head, as one JSON object.

    mail_head.py FILE

`from` are the mailboxes of From, each a decoded name and an address; `subject` is decoded. `words`
are the encoded words as they stand, `lines` the lengths of the lines that hold some, and `broken`
those words that do not hold whole characters (RFC 2047, section 2 and 5).
"""

import json
import re
import sys
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import getaddresses
from pathlib import Path

WORD = re.compile(rb"=\?[^?\s]+\?[BbQq]\?[^?\s]*\?=")


def decoded(text):
    return str(make_header(decode_header(text)))


def is_broken(word):
    try:
        [(part, charset)] = decode_header(word)
        part.decode(charset)
    except (UnicodeDecodeError, ValueError):
        return True
    return False


# The newer parser puts a space between adjacent words of a name, which RFC 2047 (6.2) forbids: the
# older one reads them as they are meant.
raw = Path(sys.argv[1]).read_bytes()
head = raw.split(b"\r\n\r\n", 1)[0]
mail = message_from_bytes(raw)
words = [word.decode() for word in WORD.findall(head)]
print(
    json.dumps(
        {
            "from": [[decoded(name), address] for name, address in getaddresses([mail["From"]])],
            "subject": decoded(mail["Subject"]),
            "words": words,
            "broken": [word for word in words if is_broken(word)],
            "lines": [len(line) for line in head.split(b"\r\n") if b"=?" in line],
            "longest_line": max(map(len, raw.split(b"\r\n"))),
        }
    )
)
