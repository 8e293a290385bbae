use std::time::Duration;

use model::Timestamp;

use crate::{
    NoticeRow, RelayRecord, SmtpOutcome,
    limits::{PAUSE_FIRST_MAX, PAUSE_MAX},
};

/// What an answer does to the sending as a whole, of whoever it was asked. `retry` is how long a
/// first retry waits: a pause begins no longer than that.
#[must_use]
pub fn pause_after(
    pause: Option<PauseClock>,
    outcome: SmtpOutcome,
    is_probe: bool,
    retry: Duration,
    now: Timestamp,
) -> PauseChange {
    match outcome {
        SmtpOutcome::Accepted | SmtpOutcome::PutOff | SmtpOutcome::Refused => PauseChange::End,
        SmtpOutcome::Deferred | SmtpOutcome::Unwritten => PauseChange::Keep,
        SmtpOutcome::Hindered { .. } | SmtpOutcome::LostAfterDot => match pause {
            None => PauseChange::Set(begun(outcome, retry.min(PAUSE_FIRST_MAX), now)),
            Some(pause) if is_probe => PauseChange::Set(pause.longer(now)),
            Some(pause) if pause.probe_at <= now => PauseChange::Set(pause.again(now)),
            // Begun before the pause: it tells nothing new.
            Some(_) => PauseChange::Keep,
        },
    }
}

/// Whether an answer may tell of a fault that others would meet as well. What the relay says of
/// somebody whom it passed over while it took others' mail is theirs alone.
#[must_use]
pub fn is_of_everybody(notice: NoticeRow, outcome: SmtpOutcome, relay: RelayRecord) -> bool {
    let is_known = notice.put_offs().count > 0 || notice.is_passed_over(relay);
    outcome != (SmtpOutcome::Hindered { heard: true }) || !is_known
}

/// Whether a relay says the same of an address as before. Words that hold a digit, but for codes, name
/// this one attempt: a connection, a moment, a place in a queue.
#[must_use]
pub fn repeats(earlier: &str, answer: &str) -> bool {
    lasting(earlier).eq(lasting(answer))
}

fn lasting(answer: &str) -> impl Iterator<Item = &str> {
    let is_code = |word: &str| word.chars().all(|c| c.is_ascii_digit() || c == '.');
    let has_digit = |word: &str| word.contains(|c: char| c.is_ascii_digit());
    answer.split_whitespace().filter(move |word| is_code(word) || !has_digit(word))
}

/// Whether somebody new may be tried in a pause, though others wait whom the relay has said no to:
/// it may say so of them alone. As long as it does not, a new one is sealed for it each time that the
/// pause has lasted twice as long.
#[must_use]
pub fn is_time_for_another(
    since: Timestamp,
    last_tried: Option<Timestamp>,
    now: Timestamp,
) -> bool {
    let lasted = |at: Timestamp| at.as_micros().saturating_sub(since.as_micros()).max(0);
    lasted(now) >= last_tried.map_or(0, lasted).saturating_mul(2)
}

/// Where the relay had heard of the recipient, another one is asked at once: their address alone
/// may be at fault.
fn begun(outcome: SmtpOutcome, step: Duration, now: Timestamp) -> PauseClock {
    let is_heard = outcome == SmtpOutcome::Hindered { heard: true };
    PauseClock { step, probe_at: if is_heard { now } else { now.after(step) } }
}

/// How long sending pauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PauseClock {
    /// From one probe to the next.
    pub step: Duration,
    /// When one notice may be tried.
    pub probe_at: Timestamp,
}

impl PauseClock {
    fn longer(self, now: Timestamp) -> Self {
        let step = self.step.saturating_mul(2).min(PAUSE_MAX);
        Self { step, probe_at: now.after(step) }
    }

    fn again(self, now: Timestamp) -> Self {
        Self { probe_at: now.after(self.step), ..self }
    }
}

/// What becomes of the pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PauseChange {
    /// As it is, or none.
    Keep,
    /// Sending goes on.
    End,
    /// Nothing is sent until then.
    Set(PauseClock),
}

#[cfg(test)]
mod tests {
    use model::NoticeState;

    use super::*;
    use crate::PutOffs;

    const NOW: Timestamp = Timestamp::from_micros(0);
    const RETRY: Duration = Duration::from_mins(5);
    const UNHEARD: SmtpOutcome = SmtpOutcome::Hindered { heard: false };
    const HEARD: SmtpOutcome = SmtpOutcome::Hindered { heard: true };

    fn set(pause: Option<PauseClock>, outcome: SmtpOutcome, is_probe: bool) -> PauseClock {
        match pause_after(pause, outcome, is_probe, RETRY, NOW) {
            PauseChange::Set(pause) => pause,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_what_hinders_everybody_pauses() {
        for outcome in [UNHEARD, SmtpOutcome::LostAfterDot] {
            let begun = set(None, outcome, false);
            assert_eq!((begun.step, begun.probe_at), (PAUSE_FIRST_MAX, NOW.after(PAUSE_FIRST_MAX)));
        }
        for outcome in [SmtpOutcome::Deferred, SmtpOutcome::Unwritten] {
            assert_eq!(pause_after(None, outcome, false, RETRY, NOW), PauseChange::Keep);
        }
        for outcome in [SmtpOutcome::Accepted, SmtpOutcome::PutOff, SmtpOutcome::Refused] {
            let pause = Some(set(None, UNHEARD, false));
            assert_eq!(pause_after(pause, outcome, true, RETRY, NOW), PauseChange::End);
        }
    }

    #[test]
    fn one_persons_refusal_is_held_against_anothers_at_once() {
        let begun = set(None, HEARD, false);
        assert_eq!(begun.probe_at, NOW);
        assert_eq!(set(Some(begun), HEARD, true).probe_at, NOW.after(PAUSE_FIRST_MAX * 2));
    }

    #[test]
    fn whoever_was_passed_over_pauses_nothing() {
        let put_off = |count, last_at| {
            let put_offs = PutOffs { count, last_at: Some(last_at) };
            NoticeRow::restore(NoticeState::Inflight, 2, NOW, put_offs)
        };
        let (sent, later) = (NOW.after(RETRY), NOW.after(Duration::from_hours(9)));
        let relay = RelayRecord { last_sent: Some(sent), is_in_doubt: false };
        assert!(!is_of_everybody(put_off(0, NOW), HEARD, relay));
        assert!(!is_of_everybody(put_off(1, later), HEARD, relay));
        assert!(is_of_everybody(put_off(0, later), HEARD, relay));
        assert!(is_of_everybody(put_off(0, NOW), UNHEARD, relay));
        assert!(is_of_everybody(NoticeRow::pending(NOW), HEARD, relay));
    }

    #[test]
    fn a_relay_repeats_itself_whatever_it_calls_the_attempt() {
        let answer = "recipient: 550 5.7.1 no mail from outside [192.0.2.1] 4bKx9f - gsmtp";
        assert!(repeats(answer, answer));
        assert!(repeats(answer, &answer.replace("4bKx9f", "4bKx77").replace(".1]", ".2]")));
        assert!(!repeats(answer, &answer.replace("550", "554")));
        assert!(!repeats(answer, "recipient: 550 5.7.1 relaying denied"));
        assert!(!repeats("", answer));
    }

    #[test]
    fn however_long_a_pause_is_hardly_anybody_new_is_tried() {
        let minute = |minutes| NOW.after(Duration::from_mins(minutes));
        let mut tried = vec![None];
        for minutes in 0..2 * 24 * 60 {
            if is_time_for_another(NOW, *tried.last().unwrap(), minute(minutes)) {
                tried.push(Some(minute(minutes)));
            }
        }
        // At once, after the first minute, and after each doubling.
        assert_eq!(tried.len() - 1, 13, "{tried:?}");
        assert!(is_time_for_another(minute(9), Some(minute(5)), minute(9)), "before the pause");
    }

    #[test]
    fn a_pause_grows_by_its_probes_alone() {
        let mut pause = set(None, UNHEARD, false);
        let others = pause_after(Some(pause), UNHEARD, false, RETRY, NOW);
        assert_eq!(others, PauseChange::Keep);
        let mut steps = Vec::new();
        for _ in 0..12 {
            pause = set(Some(pause), UNHEARD, true);
            steps.push(pause.step);
        }
        assert!(steps.is_sorted() && steps[0] == PAUSE_FIRST_MAX * 2, "{steps:?}");
        assert_eq!(pause.step, PAUSE_MAX);
    }
}
