use std::slice;

use model::{NoticeKind, Timestamp};
use serde::Serialize;

use crate::{
    AccountName, Address, Facts, Language, MomentError, NoticeCode, ResetUrl, Site, moment::Moment,
};

/// The facts of the mail with the link to a new password, which somebody asked for.
///
/// It is the only kind that holds a link, and it holds one. It never says whether the account was
/// sealed: whoever asked does not need to be told by this mail.
#[derive(Debug, Clone)]
pub struct SelfRequestedLink {
    recipient: Address,
    account: AccountName,
    url: ResetUrl,
    until: Moment,
    code: NoticeCode,
}

impl SelfRequestedLink {
    /// One mail about one account. The link works once, and until the moment given.
    ///
    /// # Errors
    /// [`MomentError`] if the calendar does not reach that far.
    pub fn new(
        recipient: Address,
        account: AccountName,
        url: ResetUrl,
        until: Timestamp,
        code: NoticeCode,
    ) -> Result<Self, MomentError> {
        Ok(Self { recipient, account, url, until: Moment::new(until)?, code })
    }
}

impl Facts for SelfRequestedLink {
    const KIND: NoticeKind = NoticeKind::ResetLink;

    fn recipient(&self) -> &Address {
        &self.recipient
    }

    fn code(&self) -> NoticeCode {
        self.code
    }

    fn accounts(&self) -> &[AccountName] {
        slice::from_ref(&self.account)
    }

    fn link(&self) -> Option<&ResetUrl> {
        Some(&self.url)
    }

    fn has_steps(&self) -> bool {
        false
    }

    fn words(&self, language: Language) -> impl Serialize {
        LinkWords { link: self.url.as_str(), until: language.moment(self.until) }
    }

    fn essentials(&self, _: &Site, language: Language) -> Vec<String> {
        vec![language.moment(self.until)]
    }
}

#[derive(Serialize)]
struct LinkWords<'a> {
    link: &'a str,
    until: String,
}
