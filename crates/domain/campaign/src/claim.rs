use std::time::Duration;

use model::{KillSwitch, NoticeState, TargetState, Timestamp};

use crate::{AddressGroup, Campaign, SignedPlan, State, allowed_addresses};

/// Decides whether a worker may take up one address, that is, seal its accounts.
///
/// Everything in `facts` is read in the transaction that takes the address, and so are `accounts`,
/// the states of the group's accounts. An address that another worker began and left is finished
/// at once: until then nobody there can be told.
#[must_use]
pub fn decide_claim(
    group: &AddressGroup,
    accounts: &[TargetState],
    facts: &ClaimFacts<'_>,
) -> Claim {
    if let Some(refused) = refused(facts) {
        return Claim::Refuse(refused);
    }
    if group.plan() != facts.signed.digest() {
        return Claim::Refuse(Refusal::OtherGroup);
    }
    if accounts.iter().any(|state| *state != TargetState::Pending) {
        return Claim::Proceed;
    }
    if group.address() >= allowed_addresses(facts.campaign) {
        return Claim::Wait { reason: Waiting::NotItsTurn, until: None };
    }
    if let Sending::Paused { until } = facts.sending {
        return Claim::Wait { reason: Waiting::SendingPaused, until: Some(until) };
    }
    wait_of_fresh(facts).unwrap_or(Claim::Proceed)
}

/// What keeps this campaign from sealing anybody else, whether or not mail leaves.
#[must_use]
pub fn wait_of_fresh(facts: &ClaimFacts<'_>) -> Option<Claim> {
    if facts.is_earlier_unsettled {
        return Some(Claim::Wait { reason: Waiting::EarlierRound, until: None });
    }
    if facts.sealed_untold > facts.signed.plan().policy().sealed_untold_max {
        return Some(Claim::Wait { reason: Waiting::SealedUntold, until: None });
    }
    rate_wait(facts, facts.taken.or_more(facts.begun).plus(1))
}

/// Decides whether a worker that has taken an address up may still seal its accounts: everything in
/// `facts` is read again in the transaction that commits the intent. Hashing may have taken long
/// enough for a halt, for a new round, or for somebody to pull the switch. `addresses` are those where
/// nobody is begun.
#[must_use]
pub fn decide_intent(facts: &ClaimFacts<'_>, addresses: u64) -> Claim {
    if let Some(refused) = refused(facts) {
        return Claim::Refuse(refused);
    }
    // They were counted when they were taken up, and are not begun yet.
    let used = facts.taken.or_more(facts.begun.plus(addresses));
    rate_wait(facts, used).unwrap_or(Claim::Proceed)
}

/// Whether an address that a worker has taken up is left for later: sending has paused since, and
/// nobody there is sealed yet. The one by which the pause is tried goes on.
#[must_use]
pub fn is_left_for_later(facts: &ClaimFacts<'_>, is_fresh: bool, is_probe: bool) -> bool {
    facts.sending != Sending::Open && is_fresh && !is_probe
}

/// Decides whether a swap may be committed on the site: right before it is, while the site's row is
/// locked. `round` is the round by whose signatures it was intended.
///
/// # Errors
/// [`Refusal`] says what has changed since the intent.
pub fn decide_pass(
    campaign: &Campaign,
    round: u32,
    kill_switch: KillSwitch,
) -> Result<(), Refusal> {
    match campaign.state() {
        _ if kill_switch == KillSwitch::Pulled => Err(Refusal::KillSwitch),
        State::Running(_) if campaign.round() == round => Ok(()),
        State::Running(_) => Err(Refusal::NotSigned),
        state => Err(Refusal::NotRunning(state)),
    }
}

/// Decides whether a worker may begin to send one notice: right before its row is committed as
/// `inflight`. It is in this state, and its next attempt may begin at `not_before`. `accounts` are
/// the states of the address's accounts, all of them.
#[must_use]
pub fn decide_send(
    state: NoticeState,
    not_before: Timestamp,
    accounts: &[TargetState],
    facts: &ClaimFacts<'_>,
) -> Claim {
    if let Some(refused) = refused(facts) {
        return Claim::Refuse(refused);
    }
    if state != NoticeState::Pending {
        return Claim::Refuse(Refusal::NotPending(state));
    }
    match notice_due(accounts) {
        NoticeDue::NotYet => Claim::Wait { reason: Waiting::NotSealed, until: None },
        NoticeDue::Never => Claim::Refuse(Refusal::NobodySealed),
        NoticeDue::Now if not_before > facts.now => {
            Claim::Wait { reason: Waiting::BackOff, until: Some(not_before) }
        }
        NoticeDue::Now => Claim::Proceed,
    }
}

/// Whether the people at an address are to be told, by the states of all their accounts.
#[must_use]
pub fn notice_due(accounts: &[TargetState]) -> NoticeDue {
    if accounts.iter().any(|state| !state.is_settled()) {
        return NoticeDue::NotYet;
    }
    let reinstated = accounts.contains(&TargetState::Reinstated);
    if reinstated || !accounts.iter().any(|state| state.was_sealed()) {
        return NoticeDue::Never;
    }
    NoticeDue::Now
}

/// The answers of [`notice_due`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeDue {
    /// Some account is neither sealed nor skipped.
    NotYet,
    /// Every account was skipped, or one was given back: a correction says so, not this notice.
    Never,
    /// All are settled and at least one was sealed.
    Now,
}

/// What is read in the transaction that claims something.
#[derive(Debug, Clone, Copy)]
pub struct ClaimFacts<'a> {
    /// The campaign's row.
    pub campaign: &'a Campaign,
    /// Its plan, with signatures checked against the roster of this moment.
    pub signed: &'a SignedPlan,
    /// The instance's kill switch.
    pub kill_switch: KillSwitch,
    /// Addresses taken up lately, by all workers, as rows say.
    pub taken: RateUsed,
    /// Those of them where somebody is begun, as the audit log says.
    pub begun: RateUsed,
    /// Accounts that are sealed while their notice is not final.
    pub sealed_untold: u64,
    /// Whether somebody who was begun before the campaign was resumed is still to be sealed or told,
    /// and the relay has not put them off.
    pub is_earlier_unsettled: bool,
    /// Whether anybody could be told.
    pub sending: Sending,
    /// The database's clock.
    pub now: Timestamp,
}

/// Whether mail leaves, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// As it should.
    Open,
    /// Nobody is told until then: nobody is sealed either.
    Paused {
        /// When one address may be tried.
        until: Timestamp,
    },
    /// It failed, and nobody waits for a mail that would show whether it still does: one more
    /// address does.
    Untried,
}

/// Addresses of the current minute and hour of the clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RateUsed {
    /// Since the minute began.
    pub this_minute: u64,
    /// Since the hour began.
    pub this_hour: u64,
}

impl RateUsed {
    /// With so many more.
    #[must_use]
    pub const fn plus(self, addresses: u64) -> Self {
        Self { this_minute: self.this_minute + addresses, this_hour: self.this_hour + addresses }
    }

    fn or_more(self, other: Self) -> Self {
        Self {
            this_minute: self.this_minute.max(other.this_minute),
            this_hour: self.this_hour.max(other.this_hour),
        }
    }
}

/// The answer to a worker that wants to begin something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Commit the intent, then do it.
    Proceed,
    /// Not now.
    Wait {
        /// Why.
        reason: Waiting,
        /// Until when, where that is known.
        until: Option<Timestamp>,
    },
    /// No, whatever the time.
    Refuse(Refusal),
}

model::text_enum! {
    /// What a worker waits for.
    pub enum Waiting {
        /// The stage does not reach this address yet.
        NotItsTurn = "not_its_turn",
        /// Those who were begun before the campaign was resumed come first.
        EarlierRound = "earlier_round",
        /// Too many are sealed and not told: mail does not get through.
        SealedUntold = "sealed_untold",
        /// This minute's or this hour's share is used up.
        Rate = "rate",
        /// Mail does not leave at all.
        SendingPaused = "sending_paused",
        /// Some account of the address is not settled.
        NotSealed = "not_sealed",
        /// The notice was put off by the mail server.
        BackOff = "back_off",
    }
}

/// Why a worker must not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Somebody pulled it.
    #[error("the kill switch is pulled")]
    KillSwitch,
    /// Not started, halted, or over.
    #[error("the campaign is {0}")]
    NotRunning(State),
    /// The signatures are not under the plan and round that the campaign is in.
    #[error("the signatures are not under the campaign's plan and round")]
    NotSigned,
    /// The accounts were proved to stand in another plan.
    #[error("the accounts do not stand in the signed plan")]
    OtherGroup,
    /// Somebody else has it, or had it.
    #[error("the notice is {0}")]
    NotPending(NoticeState),
    /// There is nothing to tell.
    #[error("no account of the address is sealed")]
    NobodySealed,
}

fn refused(facts: &ClaimFacts<'_>) -> Option<Refusal> {
    if facts.kill_switch == KillSwitch::Pulled {
        return Some(Refusal::KillSwitch);
    }
    let state = facts.campaign.state();
    if !matches!(state, State::Running(_)) {
        return Some(Refusal::NotRunning(state));
    }
    (!facts.campaign.is_ordered_by(facts.signed)).then_some(Refusal::NotSigned)
}

fn rate_wait(facts: &ClaimFacts<'_>, used: RateUsed) -> Option<Claim> {
    let policy = facts.signed.plan().policy();
    let over_hour = used.this_hour > policy.rate_per_hour_max;
    let over_minute = used.this_minute > policy.rate_per_minute_max;
    let window = match (over_hour, over_minute) {
        (true, _) => Duration::from_hours(1),
        (false, true) => Duration::from_mins(1),
        (false, false) => return None,
    };
    // Windows begin where the clock's minutes and hours do, so that every worker counts alike.
    let until = Some(facts.now.begin_of(window).after(window));
    Some(Claim::Wait { reason: Waiting::Rate, until })
}

#[cfg(test)]
mod tests {
    use model::CampaignId;

    use super::*;
    use crate::{
        Event, HaltReason, Plan, TargetTree, Targets, step,
        testing::{self, draft, target},
    };

    const NOW: Timestamp = Timestamp::from_micros(1_352_332_861_000_000);

    struct Case {
        campaign: Campaign,
        signed: SignedPlan,
        targets: Targets,
    }

    impl Case {
        /// Two accounts at one address, one at another; the canary is running.
        fn new() -> Self {
            let accounts = vec![target("a", 1), target("b", 1), target("c", 2)];
            let targets = Targets::new(accounts).unwrap();
            let plan = Plan::freeze(draft(3), &targets, 1, NOW).unwrap();
            let signed = testing::signed(&plan, &["bob", "cleo"], NOW);
            let events = [Event::Freeze(&plan), Event::Sign(&signed), Event::Start];
            let draft = Campaign::draft(CampaignId(7), NOW);
            let take = |campaign: Campaign, event| step(&campaign, event, NOW).unwrap().0;
            let campaign = events.into_iter().fold(draft, take);
            Self { campaign, signed, targets }
        }

        fn members(&self) -> Vec<(crate::Target, crate::InclusionProof)> {
            let tree = TargetTree::new(&self.targets);
            let member =
                |(at, target): (u64, &crate::Target)| (target.clone(), tree.prove(at).unwrap());
            (0..).zip(self.targets.iter()).map(member).collect()
        }

        fn facts(&self) -> ClaimFacts<'_> {
            ClaimFacts {
                campaign: &self.campaign,
                signed: &self.signed,
                kill_switch: KillSwitch::Released,
                taken: RateUsed::default(),
                begun: RateUsed::default(),
                sealed_untold: 0,
                is_earlier_unsettled: false,
                sending: Sending::Open,
                now: NOW,
            }
        }

        #[track_caller]
        fn check(&self, facts: ClaimFacts<'_>, expected: Claim) {
            let members = self.members().into_iter().take(2).collect();
            let group = AddressGroup::verify(&self.signed, members).unwrap();
            assert_eq!(decide_claim(&group, &[TargetState::Pending; 2], &facts), expected);
        }
    }

    #[test]
    fn a_group_is_all_of_one_address_and_nobody_else() {
        let case = Case::new();
        let verify = |members| AddressGroup::verify(&case.signed, members).map(|_| ());
        assert_eq!(verify(Vec::new()), Err(crate::GroupError::Nobody));
        let half = case.members().into_iter().take(1).collect();
        assert_eq!(verify(half), Err(crate::GroupError::NotWhole { found: 1, signed: 2 }));
        let mixed = verify(case.members());
        assert!(matches!(mixed, Err(crate::GroupError::OtherAddress { .. })));
        let mut forged: Vec<_> = case.members().into_iter().take(2).collect();
        forged[1].0.findings.push(8);
        assert!(matches!(verify(forged), Err(crate::GroupError::NotInPlan { .. })));
    }

    #[test]
    fn the_kill_switch_and_a_halt_stop_everything() {
        let case = Case::new();
        case.check(case.facts(), Claim::Proceed);
        let pulled = ClaimFacts { kill_switch: KillSwitch::Pulled, ..case.facts() };
        case.check(pulled, Claim::Refuse(Refusal::KillSwitch));
        let halted = step(&case.campaign, Event::Halt(HaltReason::Operator), NOW).unwrap().0;
        let state = halted.state();
        let halted = ClaimFacts { campaign: &halted, ..case.facts() };
        case.check(halted, Claim::Refuse(Refusal::NotRunning(state)));
        let send = decide_send(NoticeState::Pending, NOW, &[TargetState::Sealed], &halted);
        assert_eq!(send, Claim::Refuse(Refusal::NotRunning(state)));
    }

    #[test]
    fn what_was_claimed_is_asked_for_again() {
        let case = Case::new();
        assert_eq!(decide_intent(&case.facts(), 1), Claim::Proceed);
        let rate = |used| RateUsed { this_minute: used, this_hour: used };
        for (taken, begun, addresses, waits) in [
            (600, 0, 1, false),
            (601, 0, 1, true),
            (600, 599, 1, false),
            (600, 600, 0, false),
            (0, 599, 2, true),
            (0, 601, 0, true),
        ] {
            let facts = ClaimFacts { taken: rate(taken), begun: rate(begun), ..case.facts() };
            let answer = decide_intent(&facts, addresses);
            let has_to_wait = matches!(answer, Claim::Wait { reason: Waiting::Rate, .. });
            assert_eq!(has_to_wait, waits, "{taken} {begun} {addresses}");
        }
        let pulled = ClaimFacts { kill_switch: KillSwitch::Pulled, ..case.facts() };
        assert_eq!(decide_intent(&pulled, 1), Claim::Refuse(Refusal::KillSwitch));
    }

    #[test]
    fn nothing_passes_after_a_halt_or_in_another_round() {
        let case = Case::new();
        let round = case.campaign.round();
        let pass = |campaign, round| decide_pass(campaign, round, KillSwitch::Released);
        assert_eq!(pass(&case.campaign, round), Ok(()));
        assert_eq!(pass(&case.campaign, round - 1), Err(Refusal::NotSigned));
        let pulled = decide_pass(&case.campaign, round, KillSwitch::Pulled);
        assert_eq!(pulled, Err(Refusal::KillSwitch));
        let halted = step(&case.campaign, Event::Halt(HaltReason::Operator), NOW).unwrap().0;
        assert_eq!(pass(&halted, round), Err(Refusal::NotRunning(halted.state())));
    }

    #[test]
    fn sealing_waits_while_mail_does_not_get_through() {
        let case = Case::new();
        case.check(ClaimFacts { sealed_untold: 100, ..case.facts() }, Claim::Proceed);
        let wait = Claim::Wait { reason: Waiting::SealedUntold, until: None };
        let stuck = ClaimFacts { sealed_untold: 101, ..case.facts() };
        case.check(stuck, wait);
        let group = case.members().into_iter().take(2).collect();
        let group = AddressGroup::verify(&case.signed, group).unwrap();
        let begun = [TargetState::Sealed, TargetState::Pending];
        assert_eq!(decide_claim(&group, &begun, &stuck), Claim::Proceed);
    }

    #[test]
    fn an_address_that_was_taken_up_before_a_pause_is_left_for_later() {
        let case = Case::new();
        for sending in [Sending::Untried, Sending::Paused { until: NOW }] {
            let paused = ClaimFacts { sending, ..case.facts() };
            assert!(is_left_for_later(&paused, true, false));
            assert!(!is_left_for_later(&paused, false, false), "somebody there is sealed");
            assert!(!is_left_for_later(&paused, true, true), "it tries the pause");
        }
        assert!(!is_left_for_later(&case.facts(), true, false));
    }

    #[test]
    fn those_who_were_begun_before_a_halt_come_first() {
        let case = Case::new();
        let earlier = ClaimFacts { is_earlier_unsettled: true, ..case.facts() };
        case.check(earlier, Claim::Wait { reason: Waiting::EarlierRound, until: None });
        let group = case.members().into_iter().take(2).collect();
        let group = AddressGroup::verify(&case.signed, group).unwrap();
        let begun = [TargetState::Sealed, TargetState::Pending];
        assert_eq!(decide_claim(&group, &begun, &earlier), Claim::Proceed);
    }

    #[test]
    fn nobody_is_sealed_while_mail_does_not_leave_at_all() {
        let case = Case::new();
        let until = NOW.after(Duration::from_mins(1));
        let paused = ClaimFacts { sending: Sending::Paused { until }, ..case.facts() };
        case.check(paused, Claim::Wait { reason: Waiting::SendingPaused, until: Some(until) });
        case.check(ClaimFacts { sending: Sending::Untried, ..case.facts() }, Claim::Proceed);
        let group = case.members().into_iter().take(2).collect();
        let group = AddressGroup::verify(&case.signed, group).unwrap();
        let begun = [TargetState::Sealed, TargetState::Pending];
        assert_eq!(decide_claim(&group, &begun, &paused), Claim::Proceed);
    }

    #[test]
    fn a_full_minute_or_hour_is_waited_out() {
        let case = Case::new();
        let wait = |micros| {
            let until = Some(Timestamp::from_micros(micros));
            Claim::Wait { reason: Waiting::Rate, until }
        };
        let minute = RateUsed { this_minute: 600, this_hour: 600 };
        case.check(ClaimFacts { taken: minute, ..case.facts() }, wait(1_352_332_920_000_000));
        let hour = RateUsed { this_minute: 0, this_hour: 20_000 };
        for (taken, begun) in [(hour, RateUsed::default()), (RateUsed::default(), hour)] {
            case.check(ClaimFacts { taken, begun, ..case.facts() }, wait(1_352_336_400_000_000));
        }
    }

    #[test]
    fn a_notice_goes_out_once_all_its_accounts_are_settled() {
        use TargetState::{Pending, Reinstated, Sealed, Sealing, Skipped};
        for (accounts, expected) in [
            (&[Sealed, Skipped][..], NoticeDue::Now),
            (&[Sealed, Sealing], NoticeDue::NotYet),
            (&[Pending], NoticeDue::NotYet),
            (&[Skipped, Skipped], NoticeDue::Never),
            (&[Reinstated, Sealed], NoticeDue::Never),
            (&[], NoticeDue::Never),
        ] {
            assert_eq!(notice_due(accounts), expected, "{accounts:?}");
        }
    }

    #[test]
    fn a_notice_that_was_put_off_waits() {
        let case = Case::new();
        let again = NOW.after(Duration::from_mins(5));
        let send = |state, now| {
            decide_send(state, again, &[TargetState::Sealed], &ClaimFacts { now, ..case.facts() })
        };
        let wait = Claim::Wait { reason: Waiting::BackOff, until: Some(again) };
        assert_eq!(send(NoticeState::Pending, NOW), wait);
        assert_eq!(send(NoticeState::Pending, again), Claim::Proceed);
        let refused = Claim::Refuse(Refusal::NotPending(NoticeState::Inflight));
        assert_eq!(send(NoticeState::Inflight, NOW), refused);
    }
}
