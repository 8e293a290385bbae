use std::time::Duration;

use model::Timestamp;

use crate::{
    AddressGroup, Campaign, NoticeRow, NoticeState, SignedPlan, State, TargetState,
    allowed_addresses,
};

/// Decides whether a worker may take up one address, that is, seal its accounts.
///
/// Everything in `facts` is read in the transaction that takes the address.
#[must_use]
pub fn decide_claim(group: &AddressGroup, facts: &Facts<'_>) -> Claim {
    if let Some(refused) = refused(facts) {
        return Claim::Refuse(refused);
    }
    if group.plan() != facts.signed.digest() {
        return Claim::Refuse(Refusal::OtherGroup);
    }
    let allowed = allowed_addresses(facts.campaign);
    if group.address() >= allowed {
        return Claim::Wait { reason: Waiting::NotItsTurn, until: None };
    }
    if facts.sealed_untold > facts.signed.plan().policy().sealed_untold_max {
        return Claim::Wait { reason: Waiting::SealedUntold, until: None };
    }
    rate_wait(facts).unwrap_or(Claim::Proceed)
}

/// Decides whether a worker may begin to send one notice: right before its row is committed as
/// `inflight`. `accounts` are the states of the address's accounts, all of them.
#[must_use]
pub fn decide_send(notice: &NoticeRow, accounts: &[TargetState], facts: &Facts<'_>) -> Claim {
    if let Some(refused) = refused(facts) {
        return Claim::Refuse(refused);
    }
    if notice.state() != NoticeState::Pending {
        return Claim::Refuse(Refusal::NotPending(notice.state()));
    }
    match notice_due(accounts) {
        NoticeDue::NotYet => Claim::Wait { reason: Waiting::NotSealed, until: None },
        NoticeDue::Never => Claim::Refuse(Refusal::NobodySealed),
        NoticeDue::Now if notice.not_before() > facts.now => {
            Claim::Wait { reason: Waiting::BackOff, until: Some(notice.not_before()) }
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
pub struct Facts<'a> {
    /// The campaign's row.
    pub campaign: &'a Campaign,
    /// Its plan, with signatures checked against the roster of this moment.
    pub signed: &'a SignedPlan,
    /// The instance's kill switch.
    pub kill_switch: KillSwitch,
    /// Addresses taken up lately, by all workers.
    pub rate: RateUsed,
    /// Accounts that are sealed while their notice is not final.
    pub sealed_untold: u64,
    /// The database's clock.
    pub now: Timestamp,
}

model::text_enum! {
    /// The one row that stops everything at once.
    pub enum KillSwitch {
        /// Work may go on.
        Released = "released",
        /// Nothing begins, in no campaign.
        Pulled = "pulled",
    }
}

/// Addresses taken up in the current minute and hour of the clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RateUsed {
    /// Since the minute began.
    pub this_minute: u64,
    /// Since the hour began.
    pub this_hour: u64,
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
        /// Too many are sealed and not told: mail does not get through.
        SealedUntold = "sealed_untold",
        /// This minute's or this hour's share is used up.
        Rate = "rate",
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

fn refused(facts: &Facts<'_>) -> Option<Refusal> {
    if facts.kill_switch == KillSwitch::Pulled {
        return Some(Refusal::KillSwitch);
    }
    let state = facts.campaign.state();
    if !matches!(state, State::Running(_)) {
        return Some(Refusal::NotRunning(state));
    }
    (!facts.campaign.is_ordered_by(facts.signed)).then_some(Refusal::NotSigned)
}

fn rate_wait(facts: &Facts<'_>) -> Option<Claim> {
    let policy = facts.signed.plan().policy();
    let full_hour = facts.rate.this_hour >= policy.rate_per_hour_max;
    let full_minute = facts.rate.this_minute >= policy.rate_per_minute_max;
    let window = match (full_hour, full_minute) {
        (true, _) => Duration::from_hours(1),
        (false, true) => Duration::from_mins(1),
        (false, false) => return None,
    };
    Some(Claim::Wait { reason: Waiting::Rate, until: Some(next_window(facts.now, window)) })
}

/// Windows begin where the clock's minutes and hours do, so that every worker counts alike.
fn next_window(now: Timestamp, window: Duration) -> Timestamp {
    let length = i64::try_from(window.as_micros()).unwrap_or(i64::MAX);
    let begun = now.as_micros().div_euclid(length).saturating_mul(length);
    Timestamp::from_micros(begun).after(window)
}
