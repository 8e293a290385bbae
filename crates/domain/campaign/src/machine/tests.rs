use std::time::Duration;

use super::*;
use crate::{
    Draft, Renewal,
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

fn ends(ended: u64, refused: u64, uncertain: u64) -> NoticeEnds {
    NoticeEnds { ended, refused, uncertain }
}

/// The plan of a halted campaign's next round.
fn renewed(plan: &Plan, halted: &Campaign, policy: Policy, scope: Scope) -> Plan {
    let (author, is_witnessed) = (plan.author().clone(), false);
    let renewal = Renewal { author, policy, others: None, scope, is_witnessed };
    plan.renew(renewal, halted.next_round(), NOW).unwrap()
}

/// It goes on by this plan.
fn resumed(halted: &Campaign, plan: &Plan, progress: &StageProgress) -> Campaign {
    let frozen = after(halted, Event::Freeze(plan), NOW);
    after(&frozen, Event::Resume(&signed(plan), progress), NOW)
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
    assert!(step(&halted, Event::Resume(&signed(&old), &settled(0)), NOW).is_err());
    refused(
        &halted,
        Event::Freeze(&old),
        NOW,
        "the plan is of round 1, the campaign's next round is 3",
    );
    let renewed = renewed(&old, &halted, Policy::default(), Scope::All);
    let frozen = after(&halted, Event::Freeze(&renewed), NOW);
    assert_eq!(frozen.state().as_str(), "halted");
    assert!(step(&frozen, Event::Resume(&signed(&old), &settled(0)), NOW).is_err());
    let resumed = after(&frozen, Event::Resume(&signed(&renewed), &settled(0)), NOW);
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
    let lost = StageProgress { notices: ends(20, 0, 4), ..settled(20) };
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
    let renewed = renewed(&plan, &halted, plan.policy().clone(), Scope::All);
    assert_eq!(allowed_addresses(&resumed(&halted, &renewed, &settled(100))), 200);
}

#[test]
fn a_running_campaign_is_halted_before_it_is_closed() {
    let close = Event::Close(&settled(0));
    refused(&running(), close, NOW, "campaign 7 is canary: it cannot be closed now");
    let halted = after(&running(), Event::Halt(HaltReason::Operator), NOW);
    let closed = after(&halted, close, NOW);
    assert!(!closed.state().is_open());
    assert!(step(&closed, close, NOW).is_err());
}

#[test]
fn nobody_is_left_sealed_and_untold_when_it_is_closed() {
    let halted = after(&running(), Event::Halt(HaltReason::Operator), NOW);
    for unsettled in [Unsettled { sealing: 1, untold: 0 }, Unsettled { sealing: 0, untold: 18 }] {
        let progress = StageProgress { unsettled, ..settled(0) };
        let error = step(&halted, Event::Close(&progress), NOW).unwrap_err();
        assert_eq!(error, StepError::Unsettled { id: CampaignId(7), unsettled });
    }
}

#[test]
fn those_who_were_begun_can_be_finished_and_nobody_else_is_touched() {
    let (canary, first) = (running(), plan(1));
    let halted = after(&canary, Event::Halt(HaltReason::Operator), NOW);
    let finishing = renewed(&first, &halted, Policy::default(), Scope::Begun);
    let untold = Unsettled { sealing: 0, untold: 1 };
    let progress = StageProgress { unsettled: untold, ..settled(3) };
    let going = resumed(&halted, &finishing, &progress);
    assert_eq!(allowed_addresses(&going), 0);
    assert_eq!(after(&going, Event::Tick(&progress), NOW), going);
    let (done, commands) = step(&going, Event::Tick(&settled(3)), NOW).unwrap();
    assert_eq!(done.state(), State::Done);
    assert!(commands.contains(&Command::ReleaseUntouched));
}

/// The site's table shows that somebody is sealed whom nobody has told.
#[test]
fn a_campaign_that_is_done_goes_on_if_somebody_turns_out_to_be_sealed() {
    let all = settled(200);
    let done = (0..6).fold(running(), |campaign, day| {
        after(&campaign, Event::Tick(&all), later(day * 24 * 3600))
    });
    assert_eq!(done.state(), State::Done);
    let reason = HaltReason::Operator;
    refused(&done, Event::Halt(reason), NOW, "campaign 7 is done: it cannot be halted now");
    let reason = HaltReason::Unreconciled;
    let halted = after(&done, Event::Halt(reason), NOW);
    assert_eq!(halted.state(), State::Halted { stage: Stage::Canary, reason });
    let old = plan(1);
    let renewed = renewed(&old, &halted, old.policy().clone(), Scope::Begun);
    let resumed = resumed(&halted, &renewed, &all);
    assert_eq!((resumed.state().as_str(), allowed_addresses(&resumed)), ("canary", 0));
    assert_eq!(after(&resumed, Event::Tick(&all), NOW).state(), State::Done);
    let closed = after(&done, Event::Close(&all), NOW);
    assert!(step(&closed, Event::Halt(reason), NOW).is_err(), "it is over for good");
}

#[test]
fn nobody_can_be_finished_in_a_campaign_that_has_begun_with_nobody() {
    let draft = Campaign::draft(CampaignId(7), NOW);
    let plan = renewed(&plan(1), &draft, Policy::default(), Scope::Begun);
    let expected = "campaign 7 is draft: there is nobody to finish with";
    refused(&draft, Event::Freeze(&plan), NOW, expected);
}

#[test]
fn thresholds_count_from_the_round_that_was_signed_last() {
    let before = StageProgress { notices: ends(60, 28, 0), ..settled(60) };
    let halted = after(&running(), Event::Tick(&before), NOW);
    let reason = HaltReason::Refused;
    assert_eq!(halted.state(), State::Halted { stage: Stage::Canary, reason });
    let renewed = renewed(&plan(1), &halted, Policy::default(), Scope::All);
    let going = resumed(&halted, &renewed, &before);
    assert_eq!(after(&going, Event::Tick(&before), NOW), going);
    let again = StageProgress { notices: ends(90, 56, 0), ..settled(90) };
    assert!(matches!(after(&going, Event::Tick(&again), NOW).state(), State::Halted { .. }));
}

#[test]
fn by_other_stages_it_begins_with_the_canary_again() {
    let soak = after(&running(), Event::Tick(&settled(100)), NOW);
    let ramp = after(&soak, Event::Tick(&settled(100)), later(24 * 3600));
    let halted = after(&ramp, Event::Halt(HaltReason::Operator), NOW);
    let slower = Policy { rate_per_minute_max: 5, ..Policy::default() };
    let same = resumed(&halted, &renewed(&plan(1), &halted, slower, Scope::All), &settled(100));
    assert_eq!(same.state(), ramp.state());
    let smaller = Policy { canary_addresses: 10, ..Policy::default() };
    let other = resumed(&halted, &renewed(&plan(1), &halted, smaller, Scope::All), &settled(100));
    assert_eq!((other.state(), allowed_addresses(&other)), (State::Running(Stage::Canary), 10));
}

#[test]
fn a_row_of_a_program_that_knew_no_rounds_to_count_from_is_read() {
    let text = serde_json::to_string(&running()).unwrap();
    let old = text.replace(r#","resumed":null"#, "").replace(r#""scope":"all","#, "");
    assert!(old.len() < text.len() - 20, "{old}");
    assert_eq!(serde_json::from_str::<Campaign>(&old).unwrap(), running());
}

#[test]
fn a_row_survives_the_store() {
    let text = serde_json::to_string(&running()).unwrap();
    assert_eq!(serde_json::from_str::<Campaign>(&text).unwrap(), running());
}
