use std::time::Duration;

use model::{NoticeState, Timestamp};

use crate::{
    About, DeliveryOutcome, Failure, Phase,
    limits::{PUT_OFFS_MAX, RETRY_DELAY_MAX},
};

/// What becomes of a notice's row. `retry` is how long the first retry waits; each further one
/// waits twice as long.
///
/// # Errors
/// [`NoticeError`] for what cannot happen to it; the row is then as it was.
pub fn notice_after(
    row: NoticeRow,
    event: NoticeEvent,
    retry: Duration,
    now: Timestamp,
) -> Result<NoticeRow, NoticeError> {
    match (row.state, event) {
        (NoticeState::Pending, NoticeEvent::Taken) => Ok(row.taken()),
        (NoticeState::Inflight, NoticeEvent::FoundInflight) => Ok(row.to(NoticeState::Uncertain)),
        (NoticeState::Inflight, NoticeEvent::Answered { attempt, outcome, relay })
            if attempt == row.attempts =>
        {
            Ok(row.answered(outcome, relay, retry, now))
        }
        (NoticeState::Uncertain, NoticeEvent::Answered { attempt, outcome, .. })
            if attempt == row.attempts =>
        {
            Ok(row.answered_late(outcome))
        }
        _ => Err(NoticeError { state: row.state, attempts: row.attempts, event }),
    }
}

/// How long to wait after having been put off so often.
#[must_use]
pub fn retry_delay(put_offs: u32, first: Duration) -> Duration {
    let factor = 2_u32.saturating_pow(put_offs.saturating_sub(1));
    first.saturating_mul(factor).min(RETRY_DELAY_MAX)
}

/// One notice as the store keeps it: one mail to one address, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NoticeRow {
    state: NoticeState,
    attempts: u32,
    not_before: Timestamp,
    put_offs: PutOffs,
}

/// How often a notice was put off for its address's sake, which ends its attempts in the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct PutOffs {
    /// How often.
    pub count: u32,
    /// When the relay last said no to it, for whatever reason.
    pub last_at: Option<Timestamp>,
}

/// What happens to a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeEvent {
    /// A worker was told to proceed: commit this before the first byte of SMTP.
    Taken,
    /// The worker of this attempt knows how it ended, if late.
    Answered {
        /// What [`NoticeRow::attempts`] was when it took the row.
        attempt: u32,
        /// How it ended.
        outcome: SmtpOutcome,
        /// What the relay did before, with anybody's mail.
        relay: RelayRecord,
    },
    /// Another attempt finds the row in flight: its worker died, or is slower than its lease.
    FoundInflight,
}

/// What the relay has done lately, with anybody's mail: it tells a fault of ours from an address's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RelayRecord {
    /// When it last took a mail.
    pub last_sent: Option<Timestamp>,
    /// Whether the relay may mean us, and not this notice's address: sending pauses for others, and
    /// the relay says something else of the address than before.
    pub is_in_doubt: bool,
}

/// How an attempt at handing over a mail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SmtpOutcome {
    /// A reply of 2xx to the final dot.
    Accepted,
    /// Not now, by what is surely about the address.
    PutOff,
    /// Not now, by what may be greylisting.
    Deferred,
    /// Never, by what is surely about the address.
    Refused,
    /// The relay, the network or a setting of ours was in the way: they cannot have it.
    Hindered {
        /// Whether the relay had heard for whom it is: then the address may still be the reason.
        heard: bool,
    },
    /// It could not be written: nobody was asked.
    Unwritten,
    /// The connection failed once the final dot was, or may have been, written.
    LostAfterDot,
}

impl From<&DeliveryOutcome> for SmtpOutcome {
    fn from(outcome: &DeliveryOutcome) -> Self {
        match outcome {
            DeliveryOutcome::Accepted { .. } => Self::Accepted,
            DeliveryOutcome::Refused { about, permanent, phase, .. } => match (about, permanent) {
                (About::Address, true) => Self::Refused,
                (About::Address, false) => Self::PutOff,
                (About::Attempt, _) => Self::Deferred,
                (About::Us, _) => Self::Hindered { heard: phase.has_recipient() },
            },
            // Another message may need less of the relay.
            DeliveryOutcome::FailedBeforeDot {
                reason: Failure::NotOffered { phase: Phase::Mail, .. },
            } => Self::Deferred,
            DeliveryOutcome::FailedBeforeDot { reason } => {
                Self::Hindered { heard: reason.phase().has_recipient() }
            }
            DeliveryOutcome::LostAfterDot { .. } => Self::LostAfterDot,
        }
    }
}

impl NoticeRow {
    /// A notice that is to be sent.
    #[must_use]
    pub const fn pending(now: Timestamp) -> Self {
        let put_offs = PutOffs { count: 0, last_at: None };
        Self { state: NoticeState::Pending, attempts: 0, not_before: now, put_offs }
    }

    /// A row that was read back from the store.
    #[must_use]
    pub const fn restore(
        state: NoticeState,
        attempts: u32,
        not_before: Timestamp,
        put_offs: PutOffs,
    ) -> Self {
        Self { state, attempts, not_before, put_offs }
    }

    /// How far it is.
    #[must_use]
    pub const fn state(self) -> NoticeState {
        self.state
    }

    /// Attempts begun. It tells a late worker's answer from that of the present one.
    #[must_use]
    pub const fn attempts(self) -> u32 {
        self.attempts
    }

    /// When the next attempt may begin.
    #[must_use]
    pub const fn not_before(self) -> Timestamp {
        self.not_before
    }

    /// How often it was put off.
    #[must_use]
    pub const fn put_offs(self) -> PutOffs {
        self.put_offs
    }

    const fn to(self, state: NoticeState) -> Self {
        Self { state, ..self }
    }

    const fn taken(self) -> Self {
        let attempts = self.attempts.saturating_add(1);
        Self { attempts, ..self.to(NoticeState::Inflight) }
    }

    fn answered(
        self,
        outcome: SmtpOutcome,
        relay: RelayRecord,
        retry: Duration,
        now: Timestamp,
    ) -> Self {
        match outcome {
            SmtpOutcome::Accepted => self.to(NoticeState::Sent),
            SmtpOutcome::Refused => self.to(NoticeState::Refused),
            SmtpOutcome::LostAfterDot => self.to(NoticeState::Uncertain),
            SmtpOutcome::PutOff => self.put_off(true, retry, now),
            SmtpOutcome::Deferred => self.put_off(self.is_passed_over(relay), retry, now),
            SmtpOutcome::Hindered { heard: true } => {
                let is_known = self.put_offs.count > 0 && !relay.is_in_doubt;
                self.put_off(is_known || self.is_passed_over(relay), retry, now)
            }
            SmtpOutcome::Hindered { heard: false } => self.again(now),
            SmtpOutcome::Unwritten => self.again(now.after(retry_delay(self.attempts, retry))),
        }
    }

    /// Whether the relay has taken others' mail since it said no to this one. Once it says no again,
    /// that is the address's fault, whatever it says.
    pub(crate) fn is_passed_over(self, relay: RelayRecord) -> bool {
        self.put_offs.last_at.is_some_and(|at| relay.last_sent > Some(at))
    }

    /// Only a clear reply ends the uncertainty. Nothing makes the row `pending` again: it was
    /// counted as final, and a second worker may have told so.
    const fn answered_late(self, outcome: SmtpOutcome) -> Self {
        match outcome {
            SmtpOutcome::Accepted => self.to(NoticeState::Sent),
            SmtpOutcome::Refused => self.to(NoticeState::Refused),
            _ => self,
        }
    }

    fn put_off(self, counts: bool, retry: Duration, now: Timestamp) -> Self {
        let count = self.put_offs.count + u32::from(counts);
        let row = Self { put_offs: PutOffs { count, last_at: Some(now) }, ..self };
        if count >= PUT_OFFS_MAX {
            return row.to(NoticeState::Refused);
        }
        row.again(now.after(retry_delay(count, retry)))
    }

    fn again(self, not_before: Timestamp) -> Self {
        Self { not_before, ..self.to(NoticeState::Pending) }
    }
}

/// Something that cannot happen to a notice, or comes too late.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a notice that is {state} after {attempts} attempts takes no {event:?}")]
pub struct NoticeError {
    state: NoticeState,
    attempts: u32,
    event: NoticeEvent,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(0);
    const RETRY: Duration = Duration::from_mins(5);
    const NOTHING: RelayRecord = RelayRecord { last_sent: None, is_in_doubt: false };

    fn inflight() -> NoticeRow {
        notice_after(NoticeRow::pending(NOW), NoticeEvent::Taken, RETRY, NOW).unwrap()
    }

    fn answered(row: NoticeRow, outcome: SmtpOutcome) -> NoticeState {
        let event = NoticeEvent::Answered { attempt: row.attempts, outcome, relay: NOTHING };
        notice_after(row, event, RETRY, NOW).unwrap().state
    }

    /// Takes and answers it until it is final, at most so often. `works` says whether the relay
    /// accepts other mail in between.
    fn tried(outcome: SmtpOutcome, works: bool, times: u32) -> NoticeRow {
        let mut row = NoticeRow::pending(NOW);
        for _ in 0..times {
            let now = row.not_before.after(Duration::from_secs(2));
            if row.state != NoticeState::Pending {
                break;
            }
            row = notice_after(row, NoticeEvent::Taken, RETRY, now).unwrap();
            let last_sent = works.then_some(row.not_before.after(Duration::from_secs(1)));
            let relay = RelayRecord { last_sent, ..NOTHING };
            let event = NoticeEvent::Answered { attempt: row.attempts, outcome, relay };
            row = notice_after(row, event, RETRY, now).unwrap();
        }
        row
    }

    #[test]
    fn a_reply_is_taken_at_its_word() {
        assert_eq!(answered(inflight(), SmtpOutcome::Accepted), NoticeState::Sent);
        assert_eq!(answered(inflight(), SmtpOutcome::Refused), NoticeState::Refused);
        assert_eq!(answered(inflight(), SmtpOutcome::PutOff), NoticeState::Pending);
        assert_eq!(answered(inflight(), SmtpOutcome::Deferred), NoticeState::Pending);
        assert_eq!(answered(inflight(), SmtpOutcome::Unwritten), NoticeState::Pending);
        for heard in [true, false] {
            assert_eq!(answered(inflight(), SmtpOutcome::Hindered { heard }), NoticeState::Pending);
        }
        assert_eq!(answered(inflight(), SmtpOutcome::LostAfterDot), NoticeState::Uncertain);
    }

    #[test]
    fn what_is_found_in_flight_is_never_sent_again() {
        let found = notice_after(inflight(), NoticeEvent::FoundInflight, RETRY, NOW).unwrap();
        assert_eq!(found.state, NoticeState::Uncertain);
        assert!(notice_after(found, NoticeEvent::Taken, RETRY, NOW).is_err());
        assert_eq!(answered(found, SmtpOutcome::PutOff), NoticeState::Uncertain);
        assert_eq!(answered(found, SmtpOutcome::Accepted), NoticeState::Sent);
    }

    #[test]
    fn another_attempts_answer_is_refused() {
        let outcome = SmtpOutcome::Accepted;
        let event = NoticeEvent::Answered { attempt: 2, outcome, relay: NOTHING };
        let error = notice_after(inflight(), event, RETRY, NOW).unwrap_err().to_string();
        let expected = "a notice that is inflight after 1 attempts takes no \
                        Answered { attempt: 2, outcome: Accepted, relay: RelayRecord { \
                        last_sent: None, is_in_doubt: false } }";
        assert_eq!(error, expected);
    }

    #[test]
    fn an_address_that_never_takes_it_has_refused_it_after_two_days() {
        let row = tried(SmtpOutcome::PutOff, false, 100);
        assert_eq!((row.state, row.attempts), (NoticeState::Refused, PUT_OFFS_MAX));
        let hours = row.not_before.as_micros() / 3_600_000_000;
        assert!((40..60).contains(&hours), "{hours}");
    }

    #[test]
    fn a_relay_that_never_works_has_refused_nobody() {
        for outcome in [
            SmtpOutcome::Hindered { heard: true },
            SmtpOutcome::Hindered { heard: false },
            SmtpOutcome::Deferred,
            SmtpOutcome::Unwritten,
        ] {
            let row = tried(outcome, false, 10_000);
            assert_eq!((row.state, row.put_offs.count), (NoticeState::Pending, 0), "{outcome:?}");
        }
    }

    #[test]
    fn who_alone_is_never_reached_is_refused_in_the_end() {
        for outcome in [SmtpOutcome::Hindered { heard: true }, SmtpOutcome::Deferred] {
            let row = tried(outcome, true, 100);
            assert_eq!((row.state, row.put_offs.count), (NoticeState::Refused, PUT_OFFS_MAX));
        }
        let unheard = tried(SmtpOutcome::Hindered { heard: false }, true, 100);
        assert_eq!(unheard.state, NoticeState::Pending);
    }

    /// Refused, others are taken, and refused again: from then on nobody else may be left to be told.
    #[test]
    fn who_was_passed_over_once_is_refused_in_the_end_though_nobody_else_is_left() {
        let outcome = SmtpOutcome::Hindered { heard: true };
        let ends_as = |is_in_doubt| {
            let (mut row, mut now) = (NoticeRow::pending(NOW), NOW);
            let last_sent = Some(NOW.after(Duration::from_secs(1)));
            let relay = RelayRecord { last_sent, is_in_doubt };
            while row.state == NoticeState::Pending && row.attempts < 100 {
                row = notice_after(row, NoticeEvent::Taken, RETRY, now).unwrap();
                let event = NoticeEvent::Answered { attempt: row.attempts, outcome, relay };
                row = notice_after(row, event, RETRY, now).unwrap();
                now = row.not_before.after(Duration::from_secs(2));
            }
            row
        };
        let refused = ends_as(false);
        assert_eq!((refused.state, refused.put_offs.count), (NoticeState::Refused, PUT_OFFS_MAX));
        let in_doubt = ends_as(true);
        assert_eq!((in_doubt.state, in_doubt.put_offs.count), (NoticeState::Pending, 1));
    }

    proptest! {
        #[test]
        fn delays_grow_to_their_bound(put_offs: u32) {
            let next = retry_delay(put_offs.saturating_add(1), RETRY);
            prop_assert!(retry_delay(put_offs, RETRY) <= next && next <= RETRY_DELAY_MAX);
        }
    }
}
