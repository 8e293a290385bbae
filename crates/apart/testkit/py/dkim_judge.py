"""dkimpy's verdict on signed messages, without DNS, and the keys for it.

    dkim_judge.py keys FOLDER [BITS]
    dkim_judge.py verify FOLDER MESSAGES

`keys` writes `private.pem` (PKCS #8), `pkcs1.pem` and `public.txt`, the record that DNS would have. `verify` prints a
JSON list of what is to be said of each file in the folder MESSAGES, in the order of their names:
whether its signature holds, whether one changed byte in the body and one changed header break it,
which headers it covers, and where its key was looked for.
"""

import base64
import json
import re
import sys
from pathlib import Path

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def keys(folder, bits=2048):
    key = rsa.generate_private_key(public_exponent=65537, key_size=int(bits))
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    formats = serialization.PrivateFormat
    for name, form in [("private", formats.PKCS8), ("pkcs1", formats.TraditionalOpenSSL)]:
        pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        Path(folder, name + ".pem").write_bytes(pem)
    Path(folder, "public.txt").write_bytes(record)


def verify(folder, messages):
    record = Path(folder, "public.txt").read_bytes()
    paths = sorted(Path(messages).iterdir())
    print(json.dumps([verdict(path.read_bytes(), record) for path in paths]))


def verdict(message, record):
    headers, body = message.split(b"\r\n\r\n", 1)
    changed_body = headers + b"\r\n\r\nx" + body
    changed_header = re.sub(rb"(?im)^(auto-submitted:).*$", rb"\1 no\r", message)
    return {
        "valid": holds(message, record),
        "notices_body": not holds(changed_body, record),
        "notices_header": not holds(changed_header, record),
        "covers": covered(message),
        "names": sorted(set(asked_names(message, record))),
    }


def holds(message, record):
    return judged(message, record)[0]


def asked_names(message, record):
    return judged(message, record)[1]


def judged(message, record):
    """Whether the signature holds, and the names that were looked up for it."""
    names = []

    def dns(name, timeout=5):
        names.append(name.decode() if isinstance(name, bytes) else name)
        return record

    try:
        return dkim.DKIM(message).verify(dnsfunc=dns), names
    except dkim.DKIMException:
        return False, names


def covered(message):
    found = re.search(rb"(?is)^DKIM-Signature:.*?\bh=([^;]*);", message)
    names = found.group(1).split(b":") if found else []
    return [name.strip().decode().lower() for name in names]


if __name__ == "__main__":
    {"keys": keys, "verify": verify}[sys.argv[1]](*sys.argv[2:])
