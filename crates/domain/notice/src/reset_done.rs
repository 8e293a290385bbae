use std::slice;

use model::{NoticeKind, Timestamp};
use serde::Serialize;

use crate::{
    AccountName, Address, Browser, Facts, Language, MomentError, NoticeCode, Site, moment::Moment,
};

/// The facts of the mail that follows every new password (NIST SP 800-63B-4, section 4.6; ASVS
/// 6.3.7), so that a person hears of one that they did not choose.
#[derive(Debug, Clone)]
pub struct ResetDone {
    recipient: Address,
    account: AccountName,
    at: Moment,
    browser: Option<Browser>,
    others_signed_out: bool,
    code: NoticeCode,
}

impl ResetDone {
    /// One mail about one account. `others_signed_out` only if all other devices surely were.
    ///
    /// # Errors
    /// [`MomentError`] if the calendar does not reach that far.
    pub fn new(
        recipient: Address,
        account: AccountName,
        at: Timestamp,
        browser: Option<Browser>,
        others_signed_out: bool,
        code: NoticeCode,
    ) -> Result<Self, MomentError> {
        let at = Moment::new(at)?;
        Ok(Self { recipient, account, at, browser, others_signed_out, code })
    }
}

impl Facts for ResetDone {
    const KIND: NoticeKind = NoticeKind::ResetDone;

    fn recipient(&self) -> &Address {
        &self.recipient
    }

    fn code(&self) -> NoticeCode {
        self.code
    }

    fn accounts(&self) -> &[AccountName] {
        slice::from_ref(&self.account)
    }

    fn has_steps(&self) -> bool {
        true
    }

    fn words(&self, language: Language) -> impl Serialize {
        DoneWords {
            at: language.moment(self.at),
            browser: self.browser.map(|browser| language.browser(browser)),
            others_signed_out: self.others_signed_out,
        }
    }

    fn essentials(&self, site: &Site, language: Language) -> Vec<String> {
        vec![language.moment(self.at), language.path(&site.reset_path)]
    }
}

#[derive(Serialize)]
struct DoneWords {
    at: String,
    browser: Option<String>,
    others_signed_out: bool,
}
