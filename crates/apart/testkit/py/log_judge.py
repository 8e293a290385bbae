"""Judges an audit log by software that we did not write.

pymerkle computes the root over the entries, Python's cryptography verifies the signature. Reads one
JSON object on standard input: entries (the lines of the log), checkpoint (a C2SP tlog-checkpoint)
and verifier (a C2SP verifier key, name+id+key). Prints what it found.
"""

import base64
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pymerkle import InmemoryTree

KEY_ID_BYTES = 4
ALGORITHM_ED25519 = 1


def main():
    log = json.load(sys.stdin)
    text, signatures = log["checkpoint"].split("\n\n")
    origin, size, root = text.split("\n")[:3]
    verdict = {
        "size": int(size),
        "root_is_right": root_over(log["entries"]) == base64.b64decode(root),
        "signature_is_right": is_signed(text + "\n", signatures, origin, log["verifier"]),
    }
    print(json.dumps(verdict))


def root_over(entries):
    tree = InmemoryTree(algorithm="sha256")
    for entry in entries:
        tree.append_entry(entry.encode())
    return tree.get_state()


def is_signed(text, signatures, origin, verifier):
    name, _, key = verifier.split("+", 2)
    algorithm, *public = base64.b64decode(key)
    _, signer, signature = signatures.strip().split(" ")
    assert name == signer == origin and algorithm == ALGORITHM_ED25519
    try:
        signature = base64.b64decode(signature)[KEY_ID_BYTES:]
        Ed25519PublicKey.from_public_bytes(bytes(public)).verify(signature, text.encode())
    except InvalidSignature:
        return False
    return True


main()
