//! Walks through every order of events that a small campaign can take, and holds the very code
//! that production runs to what may never happen.

#![expect(clippy::unwrap_used, reason = "a test whose town cannot be built must panic")]

mod office;
mod world;

use std::collections::BTreeSet;

use stateright::{Checker, HasDiscoveries, Model};
use world::{
    CANARY, CLOSED_TOLD, DELIVERED_IS_KNOWN, EVIDENCE, HALTED, HALTS_FOR_NEWS, NOTHING_PASSES,
    ONCE, Rule, SEALED_FIRST, SEALED_IS_COUNTED, SENT_IS_TRUE, SIGNED, Town,
};

/// Far above what is found; a smaller model would not need the second worker.
const STATES_MIN: usize = 50_000;

#[test]
fn no_order_of_events_breaks_a_promise() {
    let checker = Town::new(Rule::Right).checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    assert!(checker.unique_state_count() > STATES_MIN, "{}", checker.unique_state_count());
}

/// The check itself is checked: a program with this fault must not pass.
#[track_caller]
fn caught(rule: Rule, promise: &'static str) {
    let wanted = HasDiscoveries::AllOf(BTreeSet::from([promise]));
    let checker = Town::new(rule).checker().finish_when(wanted).spawn_bfs().join();
    checker.assert_any_discovery(promise);
}

#[test]
fn a_queue_that_delivers_again_is_caught() {
    caught(Rule::RequeueInflight, ONCE);
    caught(Rule::RequeueInflight, DELIVERED_IS_KNOWN);
}

#[test]
fn signatures_that_survive_an_edit_are_caught() {
    caught(Rule::SignaturesSurvive, SIGNED);
}

#[test]
fn a_worker_that_ignores_the_halt_is_caught() {
    caught(Rule::IgnoreHalt, HALTED);
}

#[test]
fn telling_before_sealing_is_caught() {
    caught(Rule::TellFirst, SEALED_FIRST);
}

#[test]
fn sealing_without_evidence_is_caught() {
    caught(Rule::TrustTheList, EVIDENCE);
}

#[test]
fn a_canary_without_a_cap_is_caught() {
    caught(Rule::NoCap, CANARY);
}

#[test]
fn a_lost_answer_taken_for_a_yes_is_caught() {
    caught(Rule::SilenceIsYes, SENT_IS_TRUE);
}

#[test]
fn a_gate_that_is_read_at_the_claim_alone_is_caught() {
    caught(Rule::GateAtClaimOnly, NOTHING_PASSES);
}

#[test]
fn another_password_taken_for_never_ours_is_caught() {
    caught(Rule::OtherIsNeverOurs, SEALED_IS_COUNTED);
}

#[test]
fn a_swap_without_a_fence_is_caught() {
    caught(Rule::UnfencedSwap, SEALED_IS_COUNTED);
}

#[test]
fn closing_over_somebody_untold_is_caught() {
    caught(Rule::CloseUntold, CLOSED_TOLD);
}

#[test]
fn thresholds_that_count_what_was_signed_away_are_caught() {
    caught(Rule::CountSinceStart, HALTS_FOR_NEWS);
}
