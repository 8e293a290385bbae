use jiff::civil::Date;
use model::{LeakDate, LeakName, Provenance, Tier, Timestamp};
use serde::Serialize;

use crate::{
    FactsError, Language, MomentError, limits::EXPOSURES_NAMED_MAX, moment::Moment, text::shown,
};

/// One reason for a notice: where a password was found, and by which name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exposure {
    found: Date,
    tier: Tier,
    leak: LeakName,
    leak_date: Option<LeakDate>,
    provenance: Provenance,
}

impl Exposure {
    /// From a finding and its leak. Only the day of `found` is told, in UTC.
    ///
    /// # Errors
    /// [`MomentError`] if the calendar does not reach that far.
    pub fn new(
        found: Timestamp,
        tier: Tier,
        leak: LeakName,
        leak_date: Option<LeakDate>,
        provenance: Provenance,
    ) -> Result<Self, MomentError> {
        let found = Moment::new(found)?.date();
        Ok(Self { found, tier, leak, leak_date, provenance })
    }

    fn words(&self, language: Language) -> ExposureWords {
        ExposureWords {
            found: language.day(self.found),
            tier: self.tier,
            provenance: self.provenance,
            // An operator's name for the leak, without what would become a link.
            leak: shown(self.leak.as_str()).unwrap_or_default(),
            when: self.leak_date.as_ref().map(|date| language.when(date)),
        }
    }
}

/// All reasons for one notice: at least one, and each of them once.
#[derive(Debug, Clone)]
pub(crate) struct Exposures(Vec<Exposure>);

impl Exposures {
    pub(crate) fn new(mut exposures: Vec<Exposure>) -> Result<Self, FactsError> {
        if exposures.is_empty() {
            return Err(FactsError::NoExposure);
        }
        exposures.sort();
        // Two accounts of one address often stand in the same leak. It is told once.
        exposures.dedup();
        Ok(Self(exposures))
    }

    pub(crate) fn words(&self, language: Language) -> ExposuresWords {
        let named = &self.0[..self.0.len().min(EXPOSURES_NAMED_MAX)];
        ExposuresWords {
            exposures: named.iter().map(|exposure| exposure.words(language)).collect(),
            exposures_more: self.0.len() - named.len(),
            not_ours: self.all_confirmed(),
        }
    }

    /// Whether each place is known to be another company's.
    fn all_confirmed(&self) -> bool {
        self.0.iter().all(|exposure| exposure.provenance == Provenance::Confirmed)
    }
}

/// What the templates' part `found` speaks of.
#[derive(Serialize)]
pub(crate) struct ExposuresWords {
    exposures: Vec<ExposureWords>,
    exposures_more: usize,
    not_ours: bool,
}

#[derive(Serialize)]
struct ExposureWords {
    found: String,
    tier: Tier,
    provenance: Provenance,
    leak: String,
    when: Option<String>,
}
