use instance::{Instance, SendingPermission};
use notice::{
    Address, BaseUrl, Composed, Facts, Language, NoticeToken, Posting, Signer, Transport,
};
use store::{Notice, WorkerName};

use crate::{TellError, Words};

/// What this host writes notices with, and what it may send them by.
#[derive(Debug)]
pub struct Outbox {
    /// The words of the notices.
    pub words: Words,
    /// How mail leaves.
    pub mail: Mail,
    /// Where reset links lead; `None` where people reset their passwords on the site's own pages.
    pub pages: Option<BaseUrl>,
    /// What this host may send by.
    pub permission: SendingPermission,
}

/// How mail leaves.
#[derive(Debug)]
pub struct Mail {
    /// The site's relay, or a folder.
    pub transport: Box<dyn Transport>,
    /// Signs every mail, unless the relay does.
    pub signer: Option<Box<dyn Signer>>,
    /// Where bounces go; the sender's own address if `None`.
    pub bounces: Option<Address>,
}

/// One worker that sends notices, of any number.
#[derive(Debug, Clone, Copy)]
pub struct SendingContext<'a> {
    /// Whose notices.
    pub instance: &'a Instance,
    /// What they are written and sent with.
    pub outbox: &'a Outbox,
    /// Who says that it is alive while it sends.
    pub worker: &'a WorkerName,
}

impl SendingContext<'_> {
    /// What its recipient gets: equal facts make equal bytes, so that every attempt is one mail.
    ///
    /// # Errors
    /// [`TellError`] if the facts cannot be put into words, or the mail cannot be signed.
    pub fn write<F: Facts>(
        &self,
        notice: &Notice,
        facts: &F,
        language: Language,
    ) -> Result<Composed, TellError> {
        let posting = Posting {
            token: NoticeToken::derive(&*self.instance.keys().notice_key(notice.key)?, notice.id.0),
            date: notice.made_at,
            bounces: self.outbox.mail.bounces.clone(),
        };
        let mail = self.outbox.words.composer().compose(facts, language, &posting)?;
        match &self.outbox.mail.signer {
            Some(signer) => Ok(mail.signed(&**signer)?),
            None => Ok(mail),
        }
    }
}
