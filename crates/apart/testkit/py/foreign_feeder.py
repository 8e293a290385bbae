"""Asks a witness for its signature by software that we did not write: aics-witness's own client.

    foreign_feeder.py URL VERIFIER

Reads one JSON object on standard input: entries (the lines of the log) and checkpoint (the signed
head of it). The client makes the proof from the entries, and verifies what is answered. Prints
`lines`, or what the witness is found to say: `ahead`, with the entries that it has seen, or
`rejected`, with the status.
"""

import json
import sys

from aics_tlog import MerkleTree
from aics_witness.feeder import WitnessAhead, WitnessClient, WitnessRejected


def main():
    client = WitnessClient(*sys.argv[1:])
    log = json.load(sys.stdin)
    tree = MerkleTree(entry.encode() for entry in log["entries"])
    print(json.dumps(ask(client, log["checkpoint"], tree)))


def ask(client, checkpoint, tree):
    try:
        return {"lines": client.submit(checkpoint, tree.consistency_proof)}
    except WitnessAhead as refusal:
        return {"ahead": refusal.known_size}
    except WitnessRejected as refusal:
        return {"rejected": refusal.status}


main()
