use std::slice;

use jiff::civil::Date;
use model::{NoticeKind, Timestamp};
use serde::Serialize;

use crate::{
    AccountName, Address, Exposure, Facts, FactsError, Language, NoticeCode, Site,
    exposure::{Exposures, ExposuresWords},
    moment::Moment,
};

/// The facts of the mail that answers whether an account was affected.
///
/// Anybody can ask for any address, on a public page that says the same to all. So the answer goes
/// by mail, to the address of the account, and its subject gives nothing away.
#[derive(Debug, Clone)]
pub struct ExposureAnswer {
    recipient: Address,
    account: AccountName,
    told: Told,
    code: NoticeCode,
}

/// What there is to tell of one account.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Its password was not found. Of data that nobody has shown us, this says nothing.
    NothingFound {
        /// When it was compared last. A password that was chosen later was not.
        until: Timestamp,
        /// Whether stolen data names the account. If not, there was nothing to compare.
        is_compared: bool,
    },
    /// Nobody can tell whether it was found.
    NotChecked {
        /// Whether stolen data names the account. If not, it may do so in what could not be read.
        is_named: bool,
        /// Whether some of the stolen data could not be compared with the account. If neither, there was
        /// none to compare with.
        is_partial: bool,
    },
    /// Its password was found, and is not dealt with yet.
    UnderReview,
    /// Its password was found and taken out of use.
    SwitchedOff {
        /// When. Only the day is told, in UTC.
        at: Timestamp,
        /// Where it was found.
        exposures: Vec<Exposure>,
        /// Whether the account has had a new one since.
        chosen_since: bool,
    },
}

impl ExposureAnswer {
    /// One mail about one account.
    ///
    /// # Errors
    /// [`FactsError`] if there is no evidence to name for what was switched off, or the calendar
    /// does not reach that far.
    pub fn new(
        recipient: Address,
        account: AccountName,
        answer: Answer,
        code: NoticeCode,
    ) -> Result<Self, FactsError> {
        Ok(Self { recipient, account, told: answer.try_into()?, code })
    }
}

impl Facts for ExposureAnswer {
    const KIND: NoticeKind = NoticeKind::ExposureAnswer;

    fn recipient(&self) -> &Address {
        &self.recipient
    }

    fn code(&self) -> NoticeCode {
        self.code
    }

    fn accounts(&self) -> &[AccountName] {
        slice::from_ref(&self.account)
    }

    /// Only a password that was found or may have been, and is still the account's, is to be replaced.
    fn has_steps(&self) -> bool {
        match self.told {
            Told::NothingFound { .. } => false,
            Told::NotChecked { is_named, .. } => is_named,
            Told::UnderReview => true,
            Told::SwitchedOff { chosen_since, .. } => !chosen_since,
        }
    }

    fn words(&self, language: Language) -> impl Serialize {
        AnswerWords { steps: self.has_steps(), told: self.told.words(language) }
    }

    fn essentials(&self, site: &Site, language: Language) -> Vec<String> {
        let path = self.has_steps().then(|| language.path(&site.reset_path));
        self.told.date(language).into_iter().chain(path).collect()
    }
}

/// An answer that can be told: its moments are on the calendar, and evidence is named.
#[derive(Debug, Clone)]
enum Told {
    NothingFound { until: Moment, is_compared: bool },
    NotChecked { is_named: bool, is_partial: bool },
    UnderReview,
    SwitchedOff { on: Date, exposures: Exposures, chosen_since: bool },
}

impl Told {
    fn words(&self, language: Language) -> ToldWords {
        match self {
            Self::NothingFound { until, is_compared } => ToldWords::NothingFound {
                until: language.moment(*until),
                is_compared: *is_compared,
            },
            Self::NotChecked { is_named, is_partial } => {
                ToldWords::NotChecked { is_named: *is_named, is_partial: *is_partial }
            }
            Self::UnderReview => ToldWords::UnderReview,
            Self::SwitchedOff { on, exposures, chosen_since } => ToldWords::SwitchedOff {
                on: language.day(*on),
                exposures: exposures.words(language),
                chosen_since: *chosen_since,
            },
        }
    }

    /// The date that a reader must find in it.
    fn date(&self, language: Language) -> Option<String> {
        match self {
            Self::NothingFound { until, .. } => Some(language.moment(*until)),
            Self::NotChecked { .. } | Self::UnderReview => None,
            Self::SwitchedOff { on, .. } => Some(language.day(*on)),
        }
    }
}

impl TryFrom<Answer> for Told {
    type Error = FactsError;

    fn try_from(answer: Answer) -> Result<Self, Self::Error> {
        Ok(match answer {
            Answer::NothingFound { until, is_compared } => {
                Self::NothingFound { until: Moment::new(until)?, is_compared }
            }
            Answer::NotChecked { is_named, is_partial } => {
                Self::NotChecked { is_named, is_partial }
            }
            Answer::UnderReview => Self::UnderReview,
            Answer::SwitchedOff { at, exposures, chosen_since } => {
                let (on, exposures) = (Moment::new(at)?.date(), Exposures::new(exposures)?);
                Self::SwitchedOff { on, exposures, chosen_since }
            }
        })
    }
}

#[derive(Serialize)]
struct AnswerWords {
    steps: bool,
    #[serde(flatten)]
    told: ToldWords,
}

#[derive(Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
enum ToldWords {
    NothingFound {
        until: String,
        is_compared: bool,
    },
    NotChecked {
        is_named: bool,
        is_partial: bool,
    },
    UnderReview,
    SwitchedOff {
        on: String,
        #[serde(flatten)]
        exposures: ExposuresWords,
        chosen_since: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(answer: Answer, expected: FactsError) {
        let (recipient, account) = ("jane@example.net".parse().unwrap(), AccountName::of(None));
        let code = NoticeCode::derive(&[1; 32], 1, &[1; 32]);
        assert_eq!(ExposureAnswer::new(recipient, account, answer, code).unwrap_err(), expected);
    }

    fn switched_off(at: Timestamp) -> Answer {
        Answer::SwitchedOff { at, exposures: Vec::new(), chosen_since: true }
    }

    #[test]
    fn what_was_switched_off_has_a_reason() {
        refused(switched_off(Timestamp::from_micros(0)), FactsError::NoExposure);
    }

    #[test]
    fn no_answer_tells_a_date_that_no_calendar_has() {
        let never = Timestamp::from_micros(i64::MAX);
        let expected = FactsError::Moment(Moment::new(never).unwrap_err());
        refused(Answer::NothingFound { until: never, is_compared: true }, expected);
        refused(switched_off(never), expected);
    }
}
