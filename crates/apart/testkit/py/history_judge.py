"""Judges whether the entries of an audit log can have come about as Countersign works.

It is the twin of the crate `ledger`'s history: written from the same rules, in another way. There,
one pass holds every entry against all that came before. Here, each rule goes through the log alone
and remembers what it needs itself, and the counts are made of the last entry about each account.

Reads entries on standard input, one JSON object a line, as `countersign log show` prints them (with
or without `--accounts`). Prints one JSON object: the counts of each campaign, and the faults, each
with the number of the entry and the name of the rule. An entry that breaks a rule is believed all
the same: what follows is held against what it says.
"""

import json
import sys
from collections import Counter, defaultdict

from history_entries import (
    APPROVALS_MIN,
    BEFORE,
    FINAL,
    NOTICE_STATES,
    RUNNING,
    STANDING,
    is_number,
    names_account,
    readable,
)


def main():
    lines = sys.stdin.buffer.read().splitlines()
    log = [(place, readable(line)) for place, line in enumerate(lines)]
    faults = {(place, "readable") for place, entry in log if entry is None}
    log = [(place, entry) for place, entry in log if entry is not None]
    campaigns = defaultdict(list)
    for place, entry in log:
        if is_number(entry.get("campaign")):
            campaigns[entry["campaign"]].append((place, entry))
    for rule in LOG_RULES:
        faults.update(rule(log))
    for rule in CAMPAIGN_RULES:
        for entries in campaigns.values():
            faults.update(rule(entries, log))
    ends = notice_ends(log)
    told = [counts(campaign, campaigns[campaign], ends) for campaign in sorted(campaigns)]
    faults = [{"entry": place, "rule": rule} for place, rule in sorted(faults)]
    print(json.dumps({"campaigns": told, "faults": faults}))


# Rules of the whole log.


def beginning(log):
    for place, entry in log:
        if (place == 0) != (entry["event"] == "store_made"):
            yield place, "beginning"


def kill_switch(log):
    is_pulled = False
    for place, entry in log:
        event, is_of_campaign = entry["event"], is_number(entry.get("campaign"))
        if event == "kill_switch_moved" and not is_of_campaign:
            if entry["position"] != "pulled" and not is_pulled:
                yield place, "kill_switch"
            is_pulled = entry["position"] == "pulled"
        elif event in ("account_sealing", "notice_begun") and is_of_campaign and is_pulled:
            yield place, "kill_switch"


def evidence(log):
    found, leaks, is_old = set(), set(), False
    for place, entry in log:
        is_old = is_old or names_account(entry)
        if entry["event"] == "finding_made":
            password = (entry["whom"], entry["credential_version"])
            if (entry["leak"], password) in leaks:
                yield place, "evidence"
            leaks.add((entry["leak"], password))
            found.add(password)
        if entry["event"] == "account_sealing" and not is_old:
            if (entry["whom"], entry["credential_version"]) not in found:
                yield place, "evidence"


def one_swap(log):
    open_for, used = {}, set()
    for place, entry in log:
        event, of = entry["event"], entry["whom"]
        if event in ("account_sealing", "choice_intended"):
            if of in open_for or entry.get("swap") in used:
                yield place, "one_swap"
            open_for[of] = entry.get("campaign")
            if is_number(entry.get("swap")):
                used.add(entry["swap"])
        elif event == "choice_ended" or STANDING.get(event, "intended") != "intended":
            if open_for.get(of, "nobody") == entry.get("campaign"):
                del open_for[of]


def choices(log):
    """A person's own swap is taken over and ended by its number, each attempt after the other."""
    last = {}
    for place, entry in log:
        event, of, swap = entry["event"], entry["whom"], entry.get("swap")
        if event == "choice_intended":
            last[of] = (swap, 1)
        elif event in ("choice_taken", "choice_ended"):
            known, attempt = last.pop(of, (None, 0))
            if swap != known or entry.get("attempt", attempt + 1) != attempt + 1:
                yield place, "intent"
            if event == "choice_taken":
                last[of] = (swap, entry["attempt"])


def notice_numbers(log):
    used = set()
    for place, entry in log:
        if makes_notice(entry):
            if entry["notice"] in used:
                yield place, "address"
            used.add(entry["notice"])
        elif entry["event"] in ("notice_begun", "notice_ended", "notice_disputed"):
            used.add(entry["notice"])


def makes_notice(entry):
    if entry["event"] == "address_done":
        return is_number(entry.get("notice"))
    return entry["event"] == "requested_notice_made"


def attempts(log):
    """How notices are begun, and how they end."""
    notices = {}
    for place, entry in log:
        event, campaign = entry["event"], entry.get("campaign")
        if makes_notice(entry):
            notices[entry["notice"]] = (campaign, 0, "pending")
        if event not in ("notice_begun", "notice_ended"):
            continue
        number, attempt = entry["notice"], entry["attempt"]
        of, last, state = notices.get(number, (None, None, None))
        is_known = number in notices and of == campaign
        if event == "notice_begun":
            if not (is_known and state == "pending" and attempt == last + 1):
                yield place, "attempts"
            after = "inflight"
        else:
            after = entry["state"]
            may_follow = {"inflight": NOTICE_STATES - {"inflight"}, "uncertain": FINAL}
            if not (is_known and attempt == last and after in may_follow.get(state, ())):
                yield place, "ended"
        notices[number] = (of if number in notices else campaign, attempt, after)


def disputed(log):
    due, begun, done = {}, set(), set()
    for place, entry in log:
        event, number = entry["event"], entry.get("notice")
        if makes_notice(entry):
            due[number] = entry.get("campaign")
            begun.discard(number)
            done.discard(number)
        elif event in ("notice_begun", "notice_ended"):
            due.setdefault(number, entry.get("campaign"))
            begun.add(number)
        elif event == "notice_disputed":
            is_its = number in due and due[number] == entry.get("campaign")
            if not is_its or number not in begun or number in done:
                yield place, "disputed"
            due.setdefault(number, entry.get("campaign"))
            done.add(number)


def told_once(log):
    addresses, sealed, versions, standing, told = {}, defaultdict(set), {}, {}, {}
    for place, entry in log:
        event, campaign, of = entry["event"], entry.get("campaign"), entry["whom"]
        if makes_notice(entry):
            addresses[entry["notice"]] = entry.get("address")
        if event in STANDING:
            standing[campaign, of] = STANDING[event]
        if event == "account_sealing":
            versions[campaign, of] = entry["credential_version"]
        elif event in ("account_sealed", "account_found_sealed"):
            sealed[campaign, entry["address"]].add(of)
        elif event == "account_put_back":
            told.pop((of, versions.get((campaign, of))), None)
        elif event == "notice_begun" and is_number(campaign):
            address = addresses.get(entry["notice"])
            for person in sealed[campaign, address] if address is not None else ():
                version = versions.get((campaign, person))
                if version is None or standing[campaign, person] == "put_back":
                    continue
                if told.setdefault((person, version), entry["notice"]) != entry["notice"]:
                    yield place, "told_once"


def links(log):
    used = set()
    for place, entry in log:
        if entry["event"] == "password_chosen":
            if entry["link"] in used:
                yield place, "links"
            used.add(entry["link"])


def keys(log):
    named = set()
    for place, entry in log:
        if entry["event"] == "key_rotated":
            if entry["key"] in named:
                yield place, "keys"
            named.add(entry["key"])


def restored(log):
    awaits_arming = False
    for place, entry in log:
        event = entry["event"]
        if event == "store_restored":
            awaits_arming = True
            if entry["entries"] != place:
                yield place, "restored"
        elif event == "sending_armed":
            if awaits_arming and entry.get("restored") is not True:
                yield place, "restored"
            awaits_arming = awaits_arming and entry.get("restored") is not True
        elif event in ("account_sealing", "notice_begun") and awaits_arming:
            yield place, "restored"


LOG_RULES = [beginning, kill_switch, evidence, one_swap, choices, notice_numbers]
LOG_RULES += [attempts, disputed, told_once, links, keys, restored]


# Rules of one campaign, whose entries are given first.


def drafted(entries, _):
    for index, (place, entry) in enumerate(entries):
        if (index == 0) != (entry["event"] == "campaign_drafted"):
            yield place, "drafted"


WAYS = {
    "draft": {"frozen", "closed"},
    "frozen": {"signed", "draft", "closed"},
    "signed": {"canary", "draft", "closed"},
    "done": {"halted", "closed"},
    "halted": {"halted", "closed"} | RUNNING,
}


def moves(entries, _):
    """How it moves, and what it does while it does not run."""
    state = ""
    for place, entry in entries:
        if entry["event"] == "campaign_drafted":
            state = "draft"
        elif entry["event"] in ("account_sealing", "notice_begun") and state not in RUNNING:
            yield place, "running"
        elif entry["event"] == "campaign_moved":
            start, end = entry["from"], entry["to"]
            from_running = (RUNNING | {"done", "halted"}) - {start}
            ways = from_running if start in RUNNING else WAYS.get(start, ())
            if start != state or end not in ways:
                yield place, "moves"
            state = end


def freezes(entry):
    is_move = entry["event"] == "campaign_moved"
    return is_move and (entry["from"], entry["to"]) in {("draft", "frozen"), ("halted", "halted")}


def rounds(entries, _):
    now = 0
    for place, entry in entries:
        if entry["event"] == "campaign_moved":
            is_next = freezes(entry) or entry["to"] == "halted"
            if entry["round"] != now + is_next:
                yield place, "rounds"
            now = entry["round"]


def plan(entries, _):
    now, froze = 0, False
    for place, entry in entries:
        is_plan = entry["event"] == "campaign_frozen"
        if froze != is_plan or is_plan and entry["round"] != now:
            yield place, "plan"
        if entry["event"] == "campaign_moved":
            now = entry["round"]
        froze = freezes(entry)


def signatures(entries, _):
    author, now, planned, approvals = "", 0, None, set()
    needs_author, is_written = False, False
    for place, entry in entries:
        event = entry["event"]
        if event == "campaign_drafted":
            author = entry["author"]
        elif event == "campaign_frozen":
            planned, needs_author = entry["round"], entry.get("author_signs", False)
            is_written = False
        elif event == "campaign_handed_over":
            author = entry["author"]
        elif event == "campaign_written":
            is_present = entry["round"] == now == planned
            is_theirs = needs_author and entry["operator"] == author
            if not (is_present and is_theirs) or is_written:
                yield place, "approvals"
            is_written = True
        elif event == "campaign_approved":
            is_present = entry["round"] == now == planned
            if not is_present or entry["operator"] in approvals | {author}:
                yield place, "approvals"
            approvals.add(entry["operator"])
        elif event == "campaign_moved":
            start, end = entry["from"], entry["to"]
            takes = start == "frozen" and end == "signed"
            takes = takes or start in ("signed", "halted") and end in RUNNING
            is_signed = len(approvals) >= APPROVALS_MIN and (is_written or not needs_author)
            if takes and (planned != now or not is_signed):
                yield place, "signed"
            if entry["round"] != now:
                approvals, needs_author, is_written = set(), False, False
            now = entry["round"]


def accounts(entries, _):
    """Each account by itself: `intent`, `settled` and `aftermath`."""
    is_old, people = False, {}
    for place, entry in entries:
        is_old = is_old or names_account(entry)
        of = entry["whom"]
        if of is None or entry["event"] not in STANDING:
            continue
        if of not in people:
            people[of] = Account(BEFORE if is_old and of[0] == "subject" else "untouched")
        rule = people[of].take(entry)
        if rule is not None:
            yield place, rule


class Account:
    def __init__(self, standing):
        self.standing, self.swap, self.attempt = standing, None, 0
        self.swaps, self.knows_all = set(), True

    def take(self, entry):
        """The rule that an entry breaks, if any."""
        event = entry["event"]
        broken = getattr(self, event)(entry)
        if event in ("account_sealing", "sealing_taken"):
            self.swap, self.attempt = entry.get("swap"), entry.get("attempt", 1)
            self.knows_all = self.knows_all and self.swap is not None
            self.swaps.add(self.swap)
        self.standing = STANDING[event]
        return broken

    def stands(self, *standings):
        return self.standing in (*standings, BEFORE)

    def has_intent(self, swap):
        is_of = self.swap is None or swap in (None, self.swap)
        return self.stands() or self.standing == "intended" and is_of

    def made(self, swap):
        return self.stands() or not self.knows_all or swap in self.swaps

    def account_sealing(self, _):
        return None if self.stands("untouched", "intended") else "settled"

    def sealing_taken(self, entry):
        is_next = self.stands() or entry["attempt"] == self.attempt + 1
        return None if is_next and self.has_intent(entry["swap"]) else "intent"

    def account_sealed(self, _):
        return None if self.has_intent(None) else "intent"

    def sealing_undone(self, entry):
        return None if self.has_intent(entry["swap"]) else "intent"

    def account_reset(self, _):
        return None if self.stands("sealed") else "aftermath"

    def account_put_back(self, entry):
        was_out = self.stands("sealed", "reset", "overtaken")
        return None if was_out and self.made(entry["swap"]) else "aftermath"

    def account_found_sealed(self, entry):
        is_at_rest = self.standing != "intended"
        return None if is_at_rest and self.made(entry["swap"]) else "aftermath"

    account_skipped, account_overtaken = account_sealing, sealing_undone


def addresses(entries, _):
    sealed, done = set(), {}
    for place, entry in entries:
        event, address = entry["event"], entry.get("address")
        if event == "address_done":
            if address in done or (address in sealed) != is_number(entry.get("notice")):
                yield place, "address"
            done[address] = entry.get("notice")
        elif event == "account_sealed":
            if address in done:
                yield place, "names_all"
            sealed.add(address)
        elif event == "account_found_sealed":
            is_untold = address in done and done[address] is None
            if is_untold != entry["reopened"]:
                yield place, "names_all"
            sealed.add(address)
            if entry["reopened"]:
                done.pop(address, None)


def ends(entries, log):
    """What holds once a campaign is done or closed: `untold` and `balance`."""
    for index, (place, entry) in enumerate(entries):
        if entry["event"] != "campaign_moved" or entry["to"] not in ("done", "closed"):
            continue
        before = entries[:index]
        if any(names_account(entry) for _, entry in before):
            continue
        people, done = last_of_each(before), notices_of_addresses(before)
        until = [other for other in log if other[0] < place]
        final = {number for number, end in notice_ends(until).items() if end[1] in FINAL}
        for person in people.values():
            is_untold = done.get(person["address"]) not in final
            is_sealed = person["standing"] in ("sealed", "reset")
            if person["standing"] == "intended" or is_sealed and is_untold:
                yield place, "untold"
        targets, planned, plans = plan_of(before)
        settled = sum(p["standing"] not in ("untouched", "intended") for p in people.values())
        if entry["to"] == "done" and plans == 1:
            balances = (settled, len(done)) == (targets, planned)
        else:
            balances = settled <= targets and len(done) <= planned
        if not balances:
            yield place, "balance"


CAMPAIGN_RULES = [drafted, moves, rounds, plan, signatures, accounts, addresses, ends]


def last_of_each(entries):
    """How far a campaign is with each account, and whether it ever was sealed, and where."""
    people = {}
    for _, entry in entries:
        event = entry["event"]
        if event not in STANDING:
            continue
        person = people.setdefault(entry["whom"], {"address": None, "was_sealed": False})
        person["standing"] = STANDING[event]
        if event in ("account_sealed", "account_found_sealed"):
            person["address"], person["was_sealed"] = entry["address"], True
    return people


def notices_of_addresses(entries):
    done = {}
    for _, entry in entries:
        if entry["event"] == "address_done":
            done[entry["address"]] = entry.get("notice")
        elif entry["event"] == "account_found_sealed" and entry["reopened"]:
            done.pop(entry["address"], None)
    return done


def notice_ends(log):
    """The campaign of each notice, and how far the notice is."""
    ends = {}
    for _, entry in log:
        number, campaign = entry.get("notice"), entry.get("campaign")
        if makes_notice(entry):
            ends[number] = (campaign, "pending")
        elif entry["event"] in ("notice_begun", "notice_ended", "notice_disputed"):
            of, state = ends.setdefault(number, (campaign, "pending"))
            after = {"notice_begun": "inflight", "notice_ended": entry.get("state")}
            ends[number] = (of, after.get(entry["event"], state))
    return ends


def plan_of(entries):
    targets = planned = plans = 0
    for _, entry in entries:
        if entry["event"] == "campaign_frozen":
            targets, planned, plans = entry["targets"], entry["addresses"], plans + 1
        elif entry["event"] == "campaign_moved" and entry["to"] == "draft":
            targets = planned = plans = 0
    return targets, planned, plans


def counts(campaign, entries, ends):
    events = defaultdict(list)
    for _, entry in entries:
        events[entry["event"]].append(entry)
    people, done = last_of_each(entries), notices_of_addresses(entries)
    stand = Counter(person["standing"] for person in people.values())
    sealed = [person for person in people.values() if person["was_sealed"]]
    told = [ends.get(done.get(person["address"]), (None, None))[1] for person in sealed]
    back = sum(person["standing"] == "put_back" for person in sealed)
    targets, planned, _ = plan_of(entries)
    touched = len(people) - stand["untouched"]
    passwords = Counter(entry["password"] for entry in events["account_reset"])
    frozen, drafts = events["campaign_frozen"], events["campaign_drafted"]
    return {
        "campaign": campaign,
        "name": drafts[-1]["name"] if drafts else "",
        "state": state_of(entries),
        "targeted": targets,
        "addresses": planned,
        "left_out": {key: n for key, n in frozen[-1]["skipped"].items() if n} if frozen else {},
        "skipped": skipped(entries),
        "pending": max(0, targets - touched),
        "sealing": stand["intended"],
        "sealed": len(sealed),
        "untold": sum(state not in FINAL for state in told),
        "perhaps_sealed": stand["overtaken"] + stand["put_back"] - back,
        "reset_since": stand["reset"],
        "reused": passwords["leaked"],
        "reset_unjudged": passwords["unjudged"],
        "sealed_unreached": told.count("refused"),
        "put_back": back,
        "notices": dict(Counter(state for of, state in ends.values() if of == campaign)),
        "disputed": len(events["notice_disputed"]),
        "log_entries": len(entries),
    }


def state_of(entries):
    state = ""
    for _, entry in entries:
        if entry["event"] == "campaign_drafted":
            state = "draft"
        elif entry["event"] == "campaign_moved":
            state = entry["to"]
    return state


def skipped(entries):
    reasons = Counter()
    for _, entry in entries:
        if entry["event"] == "account_skipped":
            reasons[entry["reason"]] += 1
        elif entry["event"] == "account_found_sealed" and reasons[entry.get("skipped")] > 0:
            reasons[entry["skipped"]] -= 1
    return {reason: count for reason, count in reasons.items() if count}


if __name__ == "__main__":
    main()
