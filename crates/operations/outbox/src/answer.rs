use instance::failpoint::mutant;
use notice::{DeliveryOutcome, Phase, SmtpOutcome};

use crate::limits::ANSWER_CHARS_MAX;

/// How an attempt ended, for the notice's row and for whoever asks why.
#[derive(Debug)]
pub(crate) struct Attempted {
    pub(crate) outcome: SmtpOutcome,
    pub(crate) phase: Phase,
    pub(crate) code: Option<u16>,
    /// As it may stand in a list: foreign text, without anybody's address.
    pub(crate) answer: String,
}

impl From<&DeliveryOutcome> for Attempted {
    fn from(outcome: &DeliveryOutcome) -> Self {
        let (phase, code, answer) = match outcome {
            DeliveryOutcome::Accepted { reply } => (Phase::EndOfData, None, reply.clone()),
            DeliveryOutcome::Refused { code, reply, phase, .. } => {
                (*phase, Some(*code), format!("{phase}: {code} {reply}"))
            }
            DeliveryOutcome::FailedBeforeDot { reason }
            | DeliveryOutcome::LostAfterDot { reason } => {
                (reason.phase(), reason.code(), reason.to_string())
            }
        };
        let answer = answer.chars().filter(|c| !c.is_control()).take(ANSWER_CHARS_MAX).collect();
        Self { outcome: outcome_of(outcome), phase, code, answer }
    }
}

fn outcome_of(outcome: &DeliveryOutcome) -> SmtpOutcome {
    match (outcome, outcome.into()) {
        (_, SmtpOutcome::LostAfterDot) if mutant::is_on("lost_is_put_off") => SmtpOutcome::PutOff,
        (DeliveryOutcome::Refused { permanent: true, .. }, _)
            if mutant::is_on("every_no_is_final") =>
        {
            SmtpOutcome::Refused
        }
        (_, outcome) => outcome,
    }
}
