use model::NoticeKind;
use serde::Serialize;

use crate::{
    AccountName, Address, Exposure, Facts, FactsError, Language, NoticeCode, Site,
    exposure::Exposures,
};

/// The facts of one notice that passwords were reset: all of them from findings.
#[derive(Debug, Clone)]
pub struct ResetRequired {
    recipient: Address,
    accounts: Vec<AccountName>,
    exposures: Exposures,
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
        exposures: Vec<Exposure>,
        code: NoticeCode,
    ) -> Result<Self, FactsError> {
        if accounts.is_empty() {
            return Err(FactsError::NoAccount);
        }
        Ok(Self { recipient, accounts, exposures: Exposures::new(exposures)?, code })
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

    fn has_steps(&self) -> bool {
        true
    }

    fn words(&self, language: Language) -> impl Serialize {
        self.exposures.words(language)
    }

    fn essentials(&self, site: &Site, language: Language) -> Vec<String> {
        vec![language.path(&site.reset_path)]
    }
}
