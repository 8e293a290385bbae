use jiff::civil::Date;
use model::{LeakDate, LeakName, NoticeKind, Provenance, Tier, Timestamp};
use serde::Serialize;

use crate::{
    AccountName, Address, Facts, Language, MomentError, NoticeCode, Site,
    limits::EXPOSURES_NAMED_MAX, moment::Moment, text::shown,
};

/// The facts of one notice that passwords were reset: all of them from findings.
#[derive(Debug, Clone)]
pub struct ResetRequired {
    recipient: Address,
    accounts: Vec<AccountName>,
    exposures: Vec<Exposure>,
    code: NoticeCode,
}

impl ResetRequired {
    /// One mail to one address about its accounts, for the reasons given.
    ///
    /// # Errors
    /// [`FactsError`] if there is no account to speak of, or no evidence to name.
    pub fn new(
        recipient: Address,
        accounts: Vec<AccountName>,
        mut exposures: Vec<Exposure>,
        code: NoticeCode,
    ) -> Result<Self, FactsError> {
        if accounts.is_empty() {
            return Err(FactsError::NoAccount);
        }
        if exposures.is_empty() {
            return Err(FactsError::NoExposure);
        }
        exposures.sort();
        // Two accounts of one address often stand in the same leak. It is told once.
        exposures.dedup();
        Ok(Self { recipient, accounts, exposures, code })
    }

    /// Whether each place is known to be another company's.
    fn all_confirmed(&self) -> bool {
        self.exposures.iter().all(|exposure| exposure.provenance == Provenance::Confirmed)
    }
}

impl Facts for ResetRequired {
    const KIND: NoticeKind = NoticeKind::ResetRequired;

    fn recipient(&self) -> &Address {
        &self.recipient
    }

    fn code(&self) -> NoticeCode {
        self.code
    }

    fn accounts(&self) -> &[AccountName] {
        &self.accounts
    }

    fn words(&self, language: Language) -> impl Serialize {
        let named = &self.exposures[..self.exposures.len().min(EXPOSURES_NAMED_MAX)];
        Words {
            exposures: named.iter().map(|exposure| exposure.words(language)).collect(),
            exposures_more: self.exposures.len() - named.len(),
            not_ours: self.all_confirmed(),
        }
    }

    fn essentials(&self, site: &Site, language: Language) -> Vec<String> {
        vec![language.path(&site.reset_path)]
    }
}

/// Why no notice can be made of these facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FactsError {
    /// Nobody would know what it is about.
    #[error("a notice names at least one account")]
    NoAccount,
    /// Nobody is told without evidence.
    #[error("a notice names at least one exposure")]
    NoExposure,
}

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

#[derive(Serialize)]
struct Words {
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
