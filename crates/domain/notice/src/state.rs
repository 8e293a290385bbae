use std::time::Duration;

use model::{NoticeState, Timestamp};

use crate::{
    DeliveryOutcome,
    limits::{ATTEMPTS_MAX, RETRY_DELAY_MAX},
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
        (NoticeState::Inflight, NoticeEvent::Answered { attempt, outcome })
            if attempt == row.attempts =>
        {
            Ok(row.answered(outcome, retry, now))
        }
        (NoticeState::Uncertain, NoticeEvent::Answered { attempt, outcome })
            if attempt == row.attempts =>
        {
            Ok(row.answered_late(outcome))
        }
        _ => Err(NoticeError { state: row.state, attempts: row.attempts, event }),
    }
}

/// How long to wait after so many attempts; `None` when there were enough.
#[must_use]
pub fn retry_delay(attempts: u32, first: Duration) -> Option<Duration> {
    if attempts >= ATTEMPTS_MAX {
        return None;
    }
    let factor = 2_u32.saturating_pow(attempts.saturating_sub(1));
    Some(first.saturating_mul(factor).min(RETRY_DELAY_MAX))
}

/// One notice as the store keeps it: one mail to one address, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NoticeRow {
    state: NoticeState,
    attempts: u32,
    not_before: Timestamp,
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
    },
    /// Another attempt finds the row in flight: its worker died, or is slower than its lease.
    FoundInflight,
}

/// How an attempt at handing over a mail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SmtpOutcome {
    /// A reply of 2xx to the final dot.
    Accepted,
    /// A reply of 4xx, at any point.
    PutOff,
    /// A reply of 5xx, at any point.
    Refused,
    /// The connection failed, before the final dot was written: they cannot have it.
    LostBeforeDot,
    /// The connection failed once the final dot was, or may have been, written.
    LostAfterDot,
}

impl From<&DeliveryOutcome> for SmtpOutcome {
    fn from(outcome: &DeliveryOutcome) -> Self {
        match outcome {
            DeliveryOutcome::Accepted { .. } => Self::Accepted,
            DeliveryOutcome::Refused { permanent: true, .. } => Self::Refused,
            DeliveryOutcome::Refused { permanent: false, .. } => Self::PutOff,
            DeliveryOutcome::FailedBeforeDot { .. } => Self::LostBeforeDot,
            DeliveryOutcome::LostAfterDot { .. } => Self::LostAfterDot,
        }
    }
}

impl NoticeRow {
    /// A notice that is to be sent.
    #[must_use]
    pub const fn pending(now: Timestamp) -> Self {
        Self { state: NoticeState::Pending, attempts: 0, not_before: now }
    }

    /// A row that was read back from the store.
    #[must_use]
    pub const fn restore(state: NoticeState, attempts: u32, not_before: Timestamp) -> Self {
        Self { state, attempts, not_before }
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

    const fn to(self, state: NoticeState) -> Self {
        Self { state, ..self }
    }

    const fn taken(self) -> Self {
        let attempts = self.attempts.saturating_add(1);
        Self { attempts, ..self.to(NoticeState::Inflight) }
    }

    fn answered(self, outcome: SmtpOutcome, retry: Duration, now: Timestamp) -> Self {
        match outcome {
            SmtpOutcome::Accepted => self.to(NoticeState::Sent),
            SmtpOutcome::Refused => self.to(NoticeState::Refused),
            SmtpOutcome::LostAfterDot => self.to(NoticeState::Uncertain),
            SmtpOutcome::PutOff | SmtpOutcome::LostBeforeDot => self.put_off(retry, now),
        }
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

    fn put_off(self, retry: Duration, now: Timestamp) -> Self {
        match retry_delay(self.attempts, retry) {
            Some(delay) => Self { not_before: now.after(delay), ..self.to(NoticeState::Pending) },
            None => self.to(NoticeState::Refused),
        }
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

    fn inflight() -> NoticeRow {
        notice_after(NoticeRow::pending(NOW), NoticeEvent::Taken, RETRY, NOW).unwrap()
    }

    fn answered(row: NoticeRow, outcome: SmtpOutcome) -> NoticeState {
        let event = NoticeEvent::Answered { attempt: row.attempts, outcome };
        notice_after(row, event, RETRY, NOW).unwrap().state
    }

    #[test]
    fn a_reply_is_taken_at_its_word() {
        assert_eq!(answered(inflight(), SmtpOutcome::Accepted), NoticeState::Sent);
        assert_eq!(answered(inflight(), SmtpOutcome::Refused), NoticeState::Refused);
        assert_eq!(answered(inflight(), SmtpOutcome::PutOff), NoticeState::Pending);
        assert_eq!(answered(inflight(), SmtpOutcome::LostBeforeDot), NoticeState::Pending);
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
        let event = NoticeEvent::Answered { attempt: 2, outcome: SmtpOutcome::Accepted };
        let error = notice_after(inflight(), event, RETRY, NOW).unwrap_err().to_string();
        let expected = "a notice that is inflight after 1 attempts takes no \
                        Answered { attempt: 2, outcome: Accepted }";
        assert_eq!(error, expected);
    }

    #[test]
    fn a_server_that_never_takes_it_has_refused_it_after_two_days() {
        let mut row = NoticeRow::pending(NOW);
        while row.state == NoticeState::Pending {
            row = notice_after(row, NoticeEvent::Taken, RETRY, row.not_before).unwrap();
            let put_off = SmtpOutcome::PutOff;
            let event = NoticeEvent::Answered { attempt: row.attempts, outcome: put_off };
            row = notice_after(row, event, RETRY, row.not_before).unwrap();
        }
        assert_eq!((row.state, row.attempts), (NoticeState::Refused, ATTEMPTS_MAX));
        let hours = row.not_before.as_micros() / 3_600_000_000;
        assert!((40..60).contains(&hours), "{hours}");
    }

    proptest! {
        #[test]
        fn delays_grow_to_their_bound(attempts in 1_u32..ATTEMPTS_MAX - 1) {
            let (one, next) = (retry_delay(attempts, RETRY), retry_delay(attempts + 1, RETRY));
            prop_assert!(one <= next && next <= Some(RETRY_DELAY_MAX));
        }
    }
}
