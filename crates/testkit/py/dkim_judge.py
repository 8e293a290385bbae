"""dkimpy's verdict on signed messages, without DNS, and the keys for it.

    dkim_judge.py keys FOLDER [BITS]
    dkim_judge.py verify FOLDER MESSAGE...

`keys` writes `private.pem` and `public.txt`, the record that DNS would have. `verify` prints one
line of JSON for each message: whether its signature holds, whether one changed byte in the body
and one changed header break it, and which headers it covers.
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
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    Path(folder, "private.pem").write_bytes(private)
    Path(folder, "public.txt").write_bytes(record)


def verify(folder, *messages):
    record = Path(folder, "public.txt").read_bytes()
    for path in messages:
        message = Path(path).read_bytes()
        print(json.dumps(verdict(message, record)))


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
    try:
        return dkim.DKIM(message).verify(dnsfunc=lambda name, timeout=5: record)
    except dkim.DKIMException:
        return False


def asked_names(message, record):
    names = []

    def dns(name, timeout=5):
        names.append(name.decode() if isinstance(name, bytes) else name)
        return record

    dkim.DKIM(message).verify(dnsfunc=dns)
    return names


def covered(message):
    found = re.search(rb"(?is)^DKIM-Signature:.*?\bh=([^;]*);", message)
    names = found.group(1) if found else b""
    return [name.strip().decode().lower() for name in names.split(b":")]


if __name__ == "__main__":
    {"keys": keys, "verify": verify}[sys.argv[1]](*sys.argv[2:])
