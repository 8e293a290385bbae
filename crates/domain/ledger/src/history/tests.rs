mod scribe;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
    process::Stdio,
};

use proptest::{prelude::*, sample::Index, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};

use super::*;
use scribe::{campaigns, log_of};

fn judged(log: &[Value]) -> HistoryReport {
    let mut history = History::default();
    for entry in log {
        history.take(entry.to_string().as_bytes(), None);
    }
    history.finish()
}

fn lines(log: &[Value]) -> String {
    log.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The rules that a log breaks.
fn broken(log: &[Value]) -> BTreeSet<&'static str> {
    judged(log).faults.iter().map(|fault| fault.rule.as_str()).collect()
}

#[track_caller]
fn check(log: &[Value], change: &str, at: usize, rule: HistoryRule) {
    let broken = broken(log);
    let log = lines(log);
    assert!(
        broken.contains(rule.as_str()),
        "{change} entry {at}: {rule} is none of {broken:?}\n{log}"
    );
}

/// One campaign's log with everything that can be in one.
fn rich_log() -> Vec<Value> {
    let mut runner = TestRunner::deterministic();
    let mut longest = Vec::new();
    for _ in 0..64 {
        let log = log_of(&campaigns().new_tree(&mut runner).unwrap().current());
        if log.len() > longest.len() {
            longest = log;
        }
    }
    longest
}

fn event(entry: &Value) -> &str {
    entry["event"].as_str().unwrap()
}

/// The entries that tell of the same person in a campaign, of the same notice, or of how a campaign
/// moves.
fn is_of_thread(one: &Value, other: &Value) -> bool {
    let key = |entry: &Value| match event(entry) {
        "campaign_moved" | "campaign_frozen" | "campaign_written" | "campaign_approved"
        | "campaign_drafted" => Some(json!(["campaign", entry["campaign"]])),
        "address_done" | "notice_begun" | "notice_ended" | "requested_notice_made" => {
            Some(json!(["notice", entry["notice"]]))
        }
        _ if entry["subject"].is_u64() => Some(json!([entry["campaign"], entry["subject"]])),
        _ => None,
    };
    key(one).is_some() && key(one) == key(other)
}

fn next_of_thread(log: &[Value], at: usize) -> Option<usize> {
    let after = (at + 1..log.len()).find(|next| is_of_thread(&log[at], &log[*next]))?;
    // Signatures may come in any order.
    let is_approval =
        |at: usize| matches!(event(&log[at]), "campaign_approved" | "campaign_written");
    if is_approval(at) && is_approval(after) { next_of_thread(log, after) } else { Some(after) }
}

/// The rule that a log breaks without an entry; `None` where nothing else depends on it.
fn broken_without(log: &[Value], at: usize) -> Option<HistoryRule> {
    use HistoryRule as R;
    let entry = &log[at];
    let next = next_of_thread(log, at).map(|next| event(&log[next]));
    let later = |is_so: &dyn Fn(&Value) -> bool| log[at..].iter().any(is_so);
    Some(match event(entry) {
        "store_made" => R::Beginning,
        "campaign_drafted" => R::Drafted,
        "campaign_moved" if entry["from"] == entry["to"] => R::Plan,
        "campaign_moved" if entry["to"] != "closed" => R::Moves,
        "campaign_frozen" => R::Plan,
        "campaign_approved" | "campaign_written" => R::Signed,
        "finding_made" => {
            let is_intent = |other: &Value| event(other) == "account_sealing";
            let is_same = |other: &Value| other["subject"] == entry["subject"];
            return later(&|other| is_intent(other) && is_same(other)).then_some(R::Evidence);
        }
        "account_sealing" if next != Some("account_skipped") => R::Intent,
        "sealing_undone" => R::OneSwap,
        "account_sealed" | "account_overtaken" => R::Untold,
        "address_done" | "notice_begun" if entry["notice"].is_null() => return None,
        "address_done" | "requested_notice_made" => R::Attempts,
        "notice_begun" => R::Ended,
        "notice_ended" if next == Some("notice_begun") => R::Attempts,
        // What ends twice is final by the first one.
        "notice_ended" if entry["campaign"].is_null() || next.is_some() => return None,
        "notice_ended" => {
            let before = log[..at].iter().rev().find(|before| is_of_thread(before, entry));
            return before.filter(|before| event(before) == "notice_begun").map(|_| R::Untold);
        }
        "kill_switch_moved" if entry["position"] == "pulled" => R::KillSwitch,
        "kill_switch_moved" => {
            let is_act = |other: &Value| {
                let is_begun = event(other) == "notice_begun" && other["campaign"].is_u64();
                is_begun || event(other) == "account_sealing"
            };
            // It may be pulled and released once more before anything is done.
            let is_release = |other: &&Value| {
                event(other) == "kill_switch_moved" && other["position"] == "released"
            };
            let until = log[at + 1..].iter().take_while(|other| !is_release(other));
            return until.into_iter().any(is_act).then_some(R::KillSwitch);
        }
        "account_found_sealed" => R::Address,
        _ => return None,
    })
}

/// The rule that a log breaks that has an entry twice; `None` where that says nothing new.
fn broken_by_two(entry: &Value) -> Option<HistoryRule> {
    use HistoryRule as R;
    Some(match event(entry) {
        "store_made" => R::Beginning,
        "campaign_drafted" => R::Drafted,
        "campaign_moved" if entry["from"] == entry["to"] => R::Rounds,
        "campaign_moved" => R::Moves,
        "campaign_frozen" => R::Plan,
        "campaign_approved" | "campaign_written" => R::Approvals,
        "finding_made" => R::Evidence,
        "account_sealing" => R::OneSwap,
        "account_sealed" | "account_overtaken" | "sealing_undone" | "sealing_taken" => R::Intent,
        "account_skipped" => R::Settled,
        "account_reset" | "account_put_back" => R::Aftermath,
        "account_found_sealed" => R::NamesAll,
        "address_done" | "requested_notice_made" => R::Address,
        "notice_begun" => R::Attempts,
        "notice_ended" if entry["state"] != "uncertain" => R::Ended,
        "notice_disputed" => R::Disputed,
        "password_chosen" => R::Links,
        "kill_switch_moved" if entry["position"] == "released" => R::KillSwitch,
        _ => return None,
    })
}

/// The rule that a log breaks in which an entry changes places with the next one about the same.
fn broken_by_exchange(log: &[Value], at: usize) -> Option<HistoryRule> {
    use HistoryRule as R;
    let next = next_of_thread(log, at)?;
    if event(&log[next]) == "campaign_frozen" {
        return Some(R::Plan);
    }
    let shows_later = [R::Untold, R::Evidence, R::KillSwitch, R::Beginning, R::Address];
    broken_without(log, at).filter(|rule| !shows_later.contains(rule))
}

fn without(log: &[Value], at: usize) -> Vec<Value> {
    let mut log = log.to_vec();
    log.remove(at);
    log
}

fn twice(log: &[Value], at: usize) -> Vec<Value> {
    let mut log = log.to_vec();
    log.insert(at, log[at].clone());
    log
}

fn exchanged(log: &[Value], at: usize) -> Option<Vec<Value>> {
    let mut log = log.to_vec();
    let next = next_of_thread(&log, at)?;
    log.swap(at, next);
    Some(log)
}

proptest! {
    #[test]
    fn what_the_program_may_write_breaks_no_rule(campaigns in campaigns()) {
        let log = log_of(&campaigns);
        let report = judged(&log);
        prop_assert_eq!(&report.faults, &[], "{}", lines(&log));
        let sealed = |entry: &&Value| {
            matches!(event(entry), "account_sealed" | "account_found_sealed")
        };
        let counted: u64 = report.campaigns.iter().map(|campaign| campaign.sealed).sum();
        prop_assert_eq!(counted, log.iter().filter(sealed).count() as u64);
        for counts in report.campaigns {
            prop_assert_eq!((counts.pending, counts.sealing, counts.untold), (0, 0, 0));
            let skipped: u64 = counts.skipped.values().sum();
            let all = counts.sealed + counts.perhaps_sealed + skipped;
            prop_assert_eq!(counts.targeted, all);
        }
    }

    #[test]
    fn an_entry_that_is_dropped_is_missed(campaigns in campaigns(), at in any::<Index>()) {
        let log = log_of(&campaigns);
        let at = at.index(log.len());
        if let Some(rule) = broken_without(&log, at) {
            check(&without(&log, at), "dropping", at, rule);
        }
    }

    #[test]
    fn an_entry_that_stands_twice_is_noticed(campaigns in campaigns(), at in any::<Index>()) {
        let log = log_of(&campaigns);
        let at = at.index(log.len());
        if let Some(rule) = broken_by_two(&log[at]) {
            check(&twice(&log, at), "doubling", at, rule);
        }
    }

    #[test]
    fn entries_that_change_places_are_noticed(campaigns in campaigns(), at in any::<Index>()) {
        let log = log_of(&campaigns);
        let at = at.index(log.len());
        if let (Some(rule), Some(changed)) = (broken_by_exchange(&log, at), exchanged(&log, at)) {
            check(&changed, "exchanging", at, rule);
        }
    }
}

/// Counts and faults without words, as both programs tell them.
type Told = (Value, BTreeSet<(u64, String)>);

fn told(report: &Value) -> Told {
    let faults = report["faults"].as_array().unwrap().iter();
    let faults = faults.map(|fault| {
        (fault["entry"].as_u64().unwrap(), fault["rule"].as_str().unwrap().to_owned())
    });
    (report["campaigns"].clone(), faults.collect())
}

fn told_by_twin(log: &[Value]) -> Told {
    let mut judge = testkit::python("history_judge.py");
    let judge = judge.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut judge = judge.spawn().unwrap();
    judge.stdin.take().unwrap().write_all(lines(log).as_bytes()).unwrap();
    let output = judge.wait_with_output().unwrap();
    told(&serde_json::from_slice(&output.stdout).unwrap())
}

#[track_caller]
fn assert_twins_agree(log: &[Value]) -> BTreeSet<(u64, String)> {
    let ours = told(&serde_json::to_value(judged(log)).unwrap());
    assert_eq!(ours, told_by_twin(log), "{}", lines(log));
    ours.1
}

#[test]
fn the_twin_finds_the_same_in_logs_that_are_broken() {
    let log = rich_log();
    assert_eq!(assert_twins_agree(&log), BTreeSet::new());
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for at in (0..log.len()).step_by(5) {
        let mut changed = vec![without(&log, at), twice(&log, at)];
        changed.extend(exchanged(&log, at));
        for log in changed {
            for (_, rule) in assert_twins_agree(&log) {
                *found.entry(rule).or_default() += 1;
            }
        }
    }
    assert!(found.len() > 12, "{found:?}");
}

/// A change of one field, and the rules that it breaks.
#[track_caller]
fn check_field(of: &str, field: &str, value: &Value, rules: &[HistoryRule]) {
    let mut log = rich_log();
    let at = log.iter().position(|entry| event(entry) == of).unwrap();
    log[at][field] = value.clone();
    let found = assert_twins_agree(&log);
    let found: BTreeSet<_> = found.iter().map(|(_, rule)| rule.as_str()).collect();
    for rule in rules {
        assert!(found.contains(rule.as_str()), "{rule}: {found:?}");
    }
}

#[test]
fn an_entry_that_says_something_else_breaks_a_rule() {
    use HistoryRule as R;
    check_field("campaign_moved", "v", &json!(2), &[R::Readable, R::Plan]);
    check_field("account_sealed", "event", &json!("account_sung"), &[R::Readable, R::Untold]);
    check_field("account_sealed", "subject", &json!(9999), &[R::Intent, R::Untold]);
    check_field("account_sealing", "swap", &json!(9999), &[]);
    check_field("account_sealing", "subject", &json!(9999), &[R::Evidence, R::Intent]);
    check_field("campaign_frozen", "targets", &json!(0), &[]);
    check_field("campaign_frozen", "round", &json!(7), &[R::Plan, R::Approvals, R::Signed]);
    check_field("campaign_written", "operator", &json!("bob"), &[R::Approvals]);
    check_field("campaign_approved", "operator", &json!("ana"), &[R::Approvals]);
    check_field("notice_begun", "attempt", &json!(2), &[R::Attempts, R::Ended]);
    check_field("notice_begun", "campaign", &json!(null), &[R::Attempts]);
    check_field("notice_ended", "state", &json!("lost"), &[R::Readable]);
    check_field("address_done", "address", &json!(9999), &[R::Address]);
}

#[test]
fn a_key_comes_into_force_once() {
    let key = |id: &str| {
        json!({"v": 1, "at": "1970-01-01T00:00:00Z", "event": "key_rotated",
        "key": id, "verifier": "countersign/0/audit+0+A"})
    };
    let made = rich_log().remove(0);
    assert_eq!(assert_twins_agree(&[made.clone(), key("aa"), key("bb")]), BTreeSet::new());
    let again = assert_twins_agree(&[made, key("aa"), key("bb"), key("aa")]);
    assert_eq!(again, BTreeSet::from([(3, "keys".to_owned())]));
    let (made, nameless) = (rich_log().remove(0), json!({"v": 1, "event": "key_rotated"}));
    let unread = assert_twins_agree(&[made, nameless]);
    assert_eq!(unread, BTreeSet::from([(1, "readable".to_owned())]));
}

fn line(event: &str, fields: &Value) -> Value {
    let mut line = json!({"v": 1, "at": "1970-01-01T00:00:00Z", "event": event, "campaign": 1});
    for (name, value) in fields.as_object().unwrap() {
        line[name] = value.clone();
    }
    line
}

#[test]
fn what_a_person_sets_is_intended_before_it_ends() {
    use HistoryRule as R;
    let choice = |event: &str, swap: u64, more: &Value| {
        let mut line = line(event, &json!({"subject": 5, "swap": swap, "campaign": null}));
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        line
    };
    let made = json!({"v": 1, "event": "store_made"});
    let intended = |swap| choice("choice_intended", swap, &json!({"row": "00"}));
    let taken = |attempt: u64| choice("choice_taken", 7, &json!({"attempt": attempt}));
    let ended = |swap| choice("choice_ended", swap, &json!({"end": "done"}));
    for (lines, rules) in [
        (vec![intended(7), taken(2), ended(7), intended(8)], vec![]),
        (vec![intended(7), intended(8)], vec![R::OneSwap]),
        (vec![intended(7), ended(7), intended(7)], vec![R::OneSwap]),
        (vec![intended(7), taken(3)], vec![R::Intent]),
        (vec![intended(7), ended(8)], vec![R::Intent]),
        (vec![taken(2), ended(8)], vec![R::Intent]),
        (vec![ended(7)], vec![R::Intent]),
        (vec![choice("choice_ended", 7, &json!({}))], vec![R::Readable]),
    ] {
        let log = [vec![made.clone()], lines].concat();
        let found = assert_twins_agree(&log);
        let found: BTreeSet<_> = found.iter().map(|(_, rule)| rule.as_str()).collect();
        let rules: BTreeSet<_> = rules.into_iter().map(R::as_str).collect();
        assert_eq!(found, rules, "{log:#?}");
    }
}

/// What version 0.1.0 wrote is gone on with.
fn old_log() -> Vec<Value> {
    let log = log_of(&[Vec::new()]);
    let until = log.iter().position(|entry| entry["to"] == "canary").unwrap();
    let mut log = log[..=until].to_vec();
    let version = "ab".repeat(32);
    let sealing = json!({"account": "12", "credential_version": version, "findings": [1]});
    log.push(line("account_sealing", &sealing));
    log.push(line("account_sealed", &json!({"account": "12", "address": 0})));
    log.push(line("address_done", &json!({"address": 0, "notice": 1})));
    log.push(line("account_reset", &json!({"subject": 5, "password": "another"})));
    log
}

#[test]
fn entries_of_version_0_1_0_are_one_history_with_later_ones() {
    assert_eq!(assert_twins_agree(&old_log()), BTreeSet::new());
    let mut history = History::default();
    for entry in old_log() {
        history.take(entry.to_string().as_bytes(), Some(SubjectId(5)));
    }
    let report = history.finish();
    let rules: Vec<_> = report.faults.iter().map(|fault| fault.rule).collect();
    assert_eq!(rules, [HistoryRule::Evidence], "once all are named, its finding is missed");
    assert_eq!((report.campaigns[0].sealed, report.campaigns[0].reset_since), (1, 1));
}

#[test]
fn a_fault_names_entry_and_rule() {
    let log = [line("account_sealed", &json!({"subject": 12, "address": 0}))];
    let faults: Vec<_> = judged(&log).faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "entry 0 breaks the rule `beginning`: a log begins with the making of its store",
            "entry 0 breaks the rule `drafted`: campaign 1 is drafted by its first entry",
            "entry 0 breaks the rule `intent`: no intent is open for the account",
        ]
    );
}

/// A store that was restored and armed anew, and somebody who then asks for a mail.
fn restored_log() -> Vec<Value> {
    let mut log = log_of(&[Vec::new()]);
    let mut write = |event: &str, fields: &Value| {
        let mut line = line(event, fields);
        line.as_object_mut().unwrap().remove("campaign");
        log.push(line);
    };
    write("backup_made", &json!({"entries": 3, "root": "00"}));
    write("store_restored", &json!({}));
    write("sending_armed", &json!({"database": "here", "signers": ["ana"], "restored": true}));
    write("requested_notice_made", &json!({"notice": 900, "kind": "reset_link", "subject": 5}));
    write("notice_begun", &json!({"notice": 900, "attempt": 1}));
    write("notice_ended", &json!({"notice": 900, "attempt": 1, "state": "sent"}));
    let at = place_of(&log, "store_restored");
    log[at]["entries"] = json!(at);
    log[at]["root"] = json!("00");
    log[at]["backup_at"] = json!("1970-01-01T00:00:00Z");
    log
}

fn place_of(log: &[Value], of: &str) -> usize {
    log.iter().rposition(|entry| event(entry) == of).unwrap()
}

#[test]
fn nothing_is_begun_after_a_restore_before_its_operators_know_of_it() {
    let log = restored_log();
    assert_eq!(assert_twins_agree(&log), BTreeSet::new());
    let [restored, armed, begun] =
        ["store_restored", "sending_armed", "notice_begun"].map(|event| place_of(&log, event));
    let breaks = |log: &[Value], at: usize| {
        assert!(assert_twins_agree(log).contains(&(at as u64, "restored".to_owned())), "{log:?}");
    };
    breaks(&without(&log, armed), begun - 1);
    let mut unknowing = log.clone();
    unknowing[armed].as_object_mut().unwrap().remove("restored");
    breaks(&unknowing, armed);
    breaks(&unknowing, begun);
    let mut longer = log.clone();
    longer[restored]["entries"] = json!(restored + 1);
    breaks(&longer, restored);
    let mut untold = log;
    untold[restored].as_object_mut().unwrap().remove("entries");
    assert!(assert_twins_agree(&untold).contains(&(restored as u64, "readable".to_owned())));
}
