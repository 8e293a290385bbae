"""Reads the entries of an audit log for their judge, `history_judge.py`."""

import json
import re

RUNNING = {"canary", "soak", "ramp"}
FINAL = {"sent", "refused", "uncertain"}
NOTICE_STATES = FINAL | {"pending", "inflight"}
APPROVALS_MIN = 2

# How far a campaign is with an account once this is the last entry about it.
STANDING = {f"account_{end}": end for end in "sealed overtaken skipped reset put_back".split()}
STANDING |= {"account_sealing": "intended", "sealing_taken": "intended"}
STANDING |= {"sealing_undone": "untouched", "account_found_sealed": "sealed"}
# Whoever may be somebody whom an entry of version 0.1.0 names by the account.
BEFORE = "before"

# What entries need of which something is to hold; `whom` is their subject or account.
NEEDS = {
    "campaign_drafted": "campaign name author",
    "campaign_frozen": "campaign round targets addresses skipped",
    "campaign_handed_over": "campaign author",
    "campaign_written": "campaign round operator",
    "campaign_approved": "campaign round operator",
    "campaign_moved": "campaign round from to",
    "account_sealing": "campaign whom credential_version",
    "sealing_taken": "campaign whom swap attempt",
    "sealing_undone": "campaign whom swap",
    "account_overtaken": "campaign whom swap",
    "account_found_sealed": "campaign whom swap address reopened",
    "account_put_back": "campaign whom swap",
    "account_sealed": "campaign whom address",
    "account_skipped": "campaign whom reason",
    "account_reset": "campaign whom password",
    "address_done": "campaign address",
    "statement_made": "campaign",
    "secrets_destroyed": "campaign",
    "kill_switch_moved": "position",
    "notice_begun": "notice attempt",
    "notice_ended": "notice attempt state",
    "notice_disputed": "notice",
    "requested_notice_made": "notice whom",
    "choice_intended": "whom swap",
    "choice_taken": "whom swap attempt",
    "choice_ended": "whom swap end",
    "password_chosen": "whom link",
    "store_restored": "entries root backup_at",
    "finding_made": "leak whom credential_version",
    "key_rotated": "key verifier",
}
TEXTS = set("name author operator from to reason password position".split())
TEXTS |= set("key verifier root backup_at end".split())


def is_number(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_text(value):
    return isinstance(value, str)


def is_right(field, value):
    if field == "whom":
        return value is not None
    if field in ("skipped", "reopened"):
        return isinstance(value, dict if field == "skipped" else bool)
    if field == "credential_version":
        return is_text(value) and re.fullmatch("[0-9a-f]{64}", value) is not None
    if field == "state":
        return is_text(value) and value in NOTICE_STATES
    return is_text(value) if field in TEXTS else is_number(value)


def readable(line):
    """The entry, with `whom` it is about; None if it is no entry that this version knows."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or entry.get("v") != 1 or not is_text(entry.get("event")):
        return None
    entry["whom"] = whom(entry)
    needs = NEEDS.get(entry["event"])
    if needs is None:
        return None if is_number(entry.get("campaign")) else entry
    return entry if all(is_right(field, entry.get(field)) for field in needs.split()) else None


def whom(entry):
    if is_number(entry.get("subject")):
        return ("subject", entry["subject"])
    if is_text(entry.get("account")):
        return ("account", entry["account"])
    return None


def names_account(entry):
    return entry["whom"] is not None and entry["whom"][0] == "account"
