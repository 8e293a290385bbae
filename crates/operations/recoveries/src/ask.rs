use futures_util::future::BoxFuture;
use instance::{DecryptError, Encrypted, Instance, purpose::MAIL_REQUEST};
use model::{NoticeKind, canonical::hex_of};
use notice::Language;
use serde::{Deserialize, Serialize};
use store::{MailRequest, NewMailRequest, StoreError};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::limits::REQUESTS_WAITING_MAX;

/// What its text is bound to: it asks for no other mail, and for nobody else.
fn request_context(kind: NoticeKind, source: &[u8; 32]) -> String {
    format!("{MAIL_REQUEST} for {kind} from {}", hex_of(source))
}

/// A mail that somebody asks for on a page.
#[derive(Debug)]
pub struct MailAsked<'a> {
    /// Which mail.
    pub wanted: Wanted,
    /// What they typed: an address or a username, or anything else.
    pub typed: &'a str,
    /// The language of the page.
    pub language: Language,
    /// Where they came from, as far as clients are told apart.
    pub source: &'a [u8],
}

/// Which mail somebody may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A link to a new password.
    Link,
    /// Whether their password stands in stolen data.
    Answer,
}

impl Wanted {
    const fn kind(self) -> NoticeKind {
        match self {
            Self::Link => NoticeKind::ResetLink,
            Self::Answer => NoticeKind::ExposureAnswer,
        }
    }
}

/// Writes a request down. Nobody looks whom it concerns before a worker does, so that it takes the
/// same time, and leaves the same behind, for everything that can be typed.
///
/// # Errors
/// [`AskError`] for everybody alike.
pub fn ask_for_mail<'a>(
    instance: &'a Instance,
    asked: &'a MailAsked<'a>,
) -> BoxFuture<'a, Result<(), AskError>> {
    Box::pin(async move {
        let typed = Typed { text: asked.typed.to_owned(), language: asked.language.to_string() };
        let (kind, source) = (asked.wanted.kind(), instance.keys().source_key(asked.source));
        let Encrypted { wrapped_key, body } =
            instance.encrypt(MAIL_REQUEST, &request_context(kind, &source), &typed)?;
        let request = NewMailRequest { kind, source, wrapped_key, asked: body };
        let mut tx = instance.store().begin().await?;
        if tx.mail_requests_waiting().await? >= REQUESTS_WAITING_MAX {
            return Err(AskError::TooMany);
        }
        tx.add_mail_request(request).await?;
        Ok(tx.commit().await?)
    })
}

/// What somebody typed, and in which language the page was.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Typed {
    pub(crate) text: String,
    pub(crate) language: String,
}

impl Typed {
    pub(crate) fn decrypt(
        instance: &Instance,
        request: &MailRequest,
    ) -> Result<Self, DecryptError> {
        let context = request_context(request.kind, &request.source);
        instance.decrypt(MAIL_REQUEST, &context, &request.wrapped_key, &request.asked)
    }
}

/// Why nobody can ask for a mail now.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Workers do not keep up, or none is running.
    #[error(
        "{REQUESTS_WAITING_MAX} requests for mails wait already: look whether a worker runs, and \
         whether this instance may send (`countersign sending status`)"
    )]
    TooMany,
    /// It cannot be written.
    #[error("a request cannot be written: {0}")]
    Typed(#[from] serde_json::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
