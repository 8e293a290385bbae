use std::{future::Future, pin::Pin, sync::Arc};

use model::{NoticeKind, NoticeState, Timestamp};
use notice::{Language, ShownText};
use recovery::{NewPasswordError, Objection, ResetToken};
use zeroize::Zeroizing;

/// All that people's pages can have done. They hold no key and no connection: whoever answers may
/// run in another process.
///
/// What was asked for is done even if nobody waits for the answer any more.
pub trait People: Send + Sync {
    /// Answers one question.
    fn ask(&self, question: Question) -> Asked<'_>;
}

/// An answer on its way.
pub type Asked<'a> = Pin<Box<dyn Future<Output = Result<PeopleAnswer, Unanswered>> + Send + 'a>>;

/// What a page asks for.
pub enum Question {
    /// Whether a notice with this code was sent to this address.
    CheckNotice(TypedNotice),
    /// To note that its recipient says it is not right.
    DisputeNotice(TypedNotice),
    /// What the site says in public.
    Statements,
    /// A mail to whoever may have it.
    Mail(MailWish),
    /// Whether a link works now. Asking uses nothing up.
    Link(Arc<ResetToken>),
    /// A new password by a link.
    NewPassword(PasswordWish),
}

/// What came of it, a variant for each question.
pub enum PeopleAnswer {
    /// The notice; `None` whatever is wrong with what was typed.
    Notice(Option<NoticeFound>),
    /// It is noted, or there was nothing to note: nobody is told which.
    Disputed,
    /// The newest campaign first.
    Statements(Vec<PublicStatement>),
    /// The wish is written down. Nobody has looked yet whom it concerns.
    MailNoted,
    /// Whether the link works.
    Link(bool),
    /// What became of the wish.
    NewPassword(PasswordOutcome),
}

/// Nothing is known, since something of ours failed. The text is for our log alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unanswered(String);

/// What a recipient types of a notice, unchecked.
pub struct TypedNotice {
    /// The code that it bears.
    pub code: String,
    /// The address that it came to.
    pub address: String,
}

/// What a recipient is told of a notice that is ours. It names neither account nor address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeFound {
    /// What it says.
    pub kind: NoticeKind,
    /// What was sent; `None` if that was not kept.
    pub shown: Option<ShownText>,
    /// When it was written; `None` if nobody can tell any more.
    pub made_at: Option<Timestamp>,
    /// How far it is.
    pub status: NoticeState,
    /// When it came so far; `None` if nobody can tell any more.
    pub moved_at: Option<Timestamp>,
}

/// What the site says in public of one campaign, in numbers that name nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicStatement {
    /// When it said something of it for the first time.
    pub said_at: Timestamp,
    /// When it said this.
    pub updated_at: Timestamp,
    /// When the first password was taken out of use.
    pub began_at: Option<Timestamp>,
    /// The leaks that it was about, each with its date.
    pub leaks: Vec<(String, String)>,
    /// Whether the campaign is over.
    pub is_over: bool,
    /// Accounts whose password was taken out of use.
    pub sealed: u64,
    /// Of these, those whose owner has chosen a new one since.
    pub reset_since: u64,
    /// Accounts of which nobody can tell whether their password was taken out of use.
    pub perhaps_sealed: u64,
    /// Accounts that were left alone after all.
    pub skipped: u64,
    /// Mails that mail servers took.
    pub sent: u64,
    /// Mails that mail servers would not have.
    pub refused: u64,
    /// Mails of which nobody can tell.
    pub uncertain: u64,
}

/// A mail that somebody wants.
pub struct MailWish {
    /// Which one.
    pub kind: MailKind,
    /// What they typed: an address, a username, or anything else.
    pub typed: String,
    /// The language of the page.
    pub language: Language,
    /// Which household asks, as far as they are told apart.
    pub source: Vec<u8>,
}

/// Which mail somebody may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MailKind {
    /// A link to a new password.
    Link,
    /// Whether their password stands in stolen data.
    Answer,
}

/// A new password that somebody wants.
pub struct PasswordWish {
    /// The secret of the link that they opened.
    pub token: Arc<ResetToken>,
    /// What they typed.
    pub typed: Zeroizing<String>,
    /// What their browser calls itself.
    pub user_agent: Option<String>,
}

/// What became of a new password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordOutcome {
    /// The account has it, and nobody is signed in with the old one.
    Done,
    /// The link does not work.
    Dead,
    /// Somebody is using the same link, or has just changed the account.
    Busy,
    /// It cannot be a password.
    Unfit(NewPasswordError),
    /// It must not be the password.
    Refused(Objection),
}

impl Unanswered {
    /// Because of this error.
    pub fn because(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }

    fn off_topic() -> Self {
        Self("another question was answered".to_owned())
    }
}

/// One function for each question, which takes only the variant that answers it.
impl dyn People {
    pub(crate) async fn check_notice(
        &self,
        typed: TypedNotice,
    ) -> Result<Option<NoticeFound>, Unanswered> {
        match self.ask(Question::CheckNotice(typed)).await? {
            PeopleAnswer::Notice(found) => Ok(found),
            _ => Err(Unanswered::off_topic()),
        }
    }

    pub(crate) async fn dispute_notice(&self, typed: TypedNotice) -> Result<(), Unanswered> {
        match self.ask(Question::DisputeNotice(typed)).await? {
            PeopleAnswer::Disputed => Ok(()),
            _ => Err(Unanswered::off_topic()),
        }
    }

    pub(crate) async fn statements(&self) -> Result<Vec<PublicStatement>, Unanswered> {
        match self.ask(Question::Statements).await? {
            PeopleAnswer::Statements(statements) => Ok(statements),
            _ => Err(Unanswered::off_topic()),
        }
    }

    pub(crate) async fn ask_for_mail(&self, wish: MailWish) -> Result<(), Unanswered> {
        match self.ask(Question::Mail(wish)).await? {
            PeopleAnswer::MailNoted => Ok(()),
            _ => Err(Unanswered::off_topic()),
        }
    }

    pub(crate) async fn open_link(&self, token: Arc<ResetToken>) -> Result<bool, Unanswered> {
        match self.ask(Question::Link(token)).await? {
            PeopleAnswer::Link(works) => Ok(works),
            _ => Err(Unanswered::off_topic()),
        }
    }

    pub(crate) async fn choose_password(
        &self,
        wish: PasswordWish,
    ) -> Result<PasswordOutcome, Unanswered> {
        match self.ask(Question::NewPassword(wish)).await? {
            PeopleAnswer::NewPassword(outcome) => Ok(outcome),
            _ => Err(Unanswered::off_topic()),
        }
    }
}
