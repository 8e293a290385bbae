use std::time::Duration;

use super::*;
use crate::{
    Draft,
    testing::{self, draft, targets},
};

const NOW: Timestamp = Timestamp::from_micros(1_352_332_800_000_000);

fn later(seconds: u64) -> Timestamp {
    NOW.after(Duration::from_secs(seconds))
}

fn plan(round: u32) -> Plan {
    Plan::freeze(Draft { accounts: 100_000, ..draft(200) }, &targets(200), round, NOW).unwrap()
}

fn signed(plan: &Plan) -> SignedPlan {
    testing::signed(plan, &["bob", "cleo"], NOW)
}

fn after(campaign: &Campaign, event: Event<'_>, now: Timestamp) -> Campaign {
    step(campaign, event, now).unwrap().0
}

fn running() -> Campaign {
    let draft = Campaign::draft(CampaignId(7), NOW);
    let plan = plan(1);
    let frozen = after(&draft, Event::Freeze(&plan), NOW);
    let ready = after(&frozen, Event::Sign(&signed(&plan)), NOW);
    after(&ready, Event::Start, NOW)
}

fn settled(addresses: u64) -> StageProgress {
    StageProgress { settled_addresses: addresses, ..StageProgress::default() }
}

#[track_caller]
fn refused(campaign: &Campaign, event: Event<'_>, now: Timestamp, expected: &str) {
    assert_eq!(step(campaign, event, now).unwrap_err().to_string(), expected);
}

#[test]
fn nothing_is_allowed_before_the_start() {
    let plan = plan(1);
    let frozen = after(&Campaign::draft(CampaignId(7), NOW), Event::Freeze(&plan), NOW);
    assert_eq!(allowed_addresses(&frozen), 0);
    refused(&frozen, Event::Start, NOW, "campaign 7 is frozen: it cannot be started now");
    assert_eq!(allowed_addresses(&running()), 100);
}

#[test]
fn a_stage_ends_when_all_of_it_is_settled_and_has_soaked() {
    let canary = running();
    assert_eq!(after(&canary, Event::Tick(&settled(99)), NOW).state().as_str(), "canary");
    let soak = after(&canary, Event::Tick(&settled(100)), NOW);
    assert_eq!((soak.state().as_str(), allowed_addresses(&soak)), ("soak", 100));
    let early = after(&soak, Event::Tick(&settled(100)), later(24 * 3600 - 1));
    assert_eq!(early, soak);
    let ramp = after(&soak, Event::Tick(&settled(100)), later(24 * 3600));
    assert_eq!((ramp.state().as_str(), allowed_addresses(&ramp)), ("ramp", 200));
    let done = after(&ramp, Event::Tick(&settled(200)), later(24 * 3600));
    assert_eq!(done.state(), State::Done);
}

#[test]
fn an_unsigned_or_unstarted_plan_lapses() {
    let plan = plan(1);
    let frozen = after(&Campaign::draft(CampaignId(7), NOW), Event::Freeze(&plan), NOW);
    let late = later(4 * 3600 + 1);
    assert!(matches!(
        step(&frozen, Event::Sign(&signed(&plan)), late),
        Err(StepError::Expired { .. })
    ));
    let (lapsed, commands) = step(&frozen, Event::Tick(&settled(0)), late).unwrap();
    assert_eq!((lapsed.state(), lapsed.plan()), (State::Draft, None));
    assert_eq!(commands, [Command::ReleaseUntouched]);
}

#[test]
fn a_started_campaign_does_not_expire() {
    let canary = running();
    let much_later = later(30 * 24 * 3600);
    assert_eq!(after(&canary, Event::Tick(&settled(3)), much_later), canary);
}

#[test]
fn a_halt_voids_every_signature_until_a_new_round_is_signed() {
    let canary = running();
    let (old, halted) = (plan(1), after(&canary, Event::Halt(HaltReason::Operator), NOW));
    assert_eq!((halted.round(), allowed_addresses(&halted), halted.plan()), (2, 0, None));
    assert!(step(&halted, Event::Resume(&signed(&old)), NOW).is_err());
    refused(
        &halted,
        Event::Freeze(&old),
        NOW,
        "the plan is of round 1, the campaign's next round is 3",
    );
    let renewed = old.renew("ana".parse().unwrap(), halted.next_round(), NOW);
    let frozen = after(&halted, Event::Freeze(&renewed), NOW);
    assert_eq!(frozen.state().as_str(), "halted");
    assert!(step(&frozen, Event::Resume(&signed(&old)), NOW).is_err());
    let resumed = after(&frozen, Event::Resume(&signed(&renewed)), NOW);
    assert_eq!((resumed.state(), resumed.round()), (canary.state(), 3));
}

#[test]
fn a_halted_campaign_does_not_go_on_with_other_people() {
    let halted = after(&running(), Event::Halt(HaltReason::Operator), NOW);
    let other = Draft { accounts: 100_000, ..draft(199) };
    let other = Plan::freeze(other, &targets(199), halted.next_round(), NOW).unwrap();
    let error = step(&halted, Event::Freeze(&other), NOW).unwrap_err();
    assert!(matches!(error, StepError::OtherTargets { .. }));
}

#[test]
fn it_halts_by_itself_when_mail_goes_wrong() {
    let lost = StageProgress { final_notices: 20, uncertain: 4, ..settled(20) };
    let halted = after(&running(), Event::Tick(&lost), NOW);
    let reason = HaltReason::Uncertain;
    assert_eq!(halted.state(), State::Halted { stage: Stage::Canary, reason });
}

#[test]
fn the_last_step_is_signed_for_again() {
    let reapproval = crate::RampStep { reach: crate::Reach::Permille(1000), reapproval: true };
    let policy = Policy { ramp: vec![reapproval], ..Policy::default() };
    let plan = Draft { accounts: 100_000, policy, ..draft(200) };
    let plan = Plan::freeze(plan, &targets(200), 1, NOW).unwrap();
    let frozen = after(&Campaign::draft(CampaignId(7), NOW), Event::Freeze(&plan), NOW);
    let ready = after(&frozen, Event::Sign(&signed(&plan)), NOW);
    let soak = after(&after(&ready, Event::Start, NOW), Event::Tick(&settled(100)), NOW);
    let halted = after(&soak, Event::Tick(&settled(100)), later(24 * 3600));
    let (stage, reason) = (Stage::Ramp { step: 0 }, HaltReason::ReapprovalDue);
    assert_eq!(halted.state(), State::Halted { stage, reason });
    let renewed = plan.renew("ana".parse().unwrap(), halted.next_round(), NOW);
    let frozen = after(&halted, Event::Freeze(&renewed), NOW);
    let resumed = after(&frozen, Event::Resume(&signed(&renewed)), NOW);
    assert_eq!(allowed_addresses(&resumed), 200);
}

#[test]
fn a_running_campaign_is_halted_before_it_is_closed() {
    refused(&running(), Event::Close, NOW, "campaign 7 is canary: it cannot be closed now");
    let halted = after(&running(), Event::Halt(HaltReason::Operator), NOW);
    let closed = after(&halted, Event::Close, NOW);
    assert!(!closed.state().is_open());
    assert!(step(&closed, Event::Close, NOW).is_err());
}

#[test]
fn a_row_survives_the_store() {
    let text = serde_json::to_string(&running()).unwrap();
    assert_eq!(serde_json::from_str::<Campaign>(&text).unwrap(), running());
}
