use mail_builder::{
    MessageBuilder,
    headers::{address::Address as Mailbox, content_type::ContentType, date::Date, raw::Raw},
    mime::MimePart,
};
use model::Timestamp;

use crate::{
    Address, AddressError, Facts, Language, NoticeToken, RenderError, Rendered, Renderer, Site,
    link::ResetUrl,
    message::{Composed, MessageError, ShownText},
};

const MICROS_PER_SECOND: i64 = 1_000_000;

/// Makes notices of facts.
#[derive(Debug)]
pub struct Composer {
    site: Site,
    renderer: Renderer,
}

/// What a notice's row says of its sending.
#[derive(Debug, Clone)]
pub struct Posting {
    /// Stands in the Message-ID, so that every attempt has the same.
    pub token: NoticeToken,
    /// When it was first made. Every attempt says the same.
    pub date: Timestamp,
    /// Where bounces go, before the notice's token is added; `None` for the sender's own address.
    pub bounces: Option<Address>,
}

impl Composer {
    /// For one site.
    ///
    /// # Errors
    /// [`ComposeError`] if a template is broken.
    pub fn new(site: Site) -> Result<Self, ComposeError> {
        Ok(Self { site, renderer: Renderer::new()? })
    }

    /// A notice of any kind, as it is sent. Equal input gives equal bytes.
    ///
    /// # Errors
    /// [`ComposeError`] if a template or an address does not allow it.
    pub fn compose<F: Facts>(
        &self,
        facts: &F,
        language: Language,
        posting: &Posting,
    ) -> Result<Composed, ComposeError> {
        let rendered = self.preview(facts, language)?;
        let bytes = self.assemble(facts.recipient(), &rendered, language, posting)?;
        let envelope_from = self.envelope_from(posting)?;
        let composed = Composed::new(envelope_from, facts.recipient().clone(), bytes)?;
        Ok(composed.showing(without_link(rendered, facts.link())))
    }

    /// What the recipient will see, for reviewers and for the linter.
    ///
    /// # Errors
    /// [`ComposeError`] if a template does not allow it.
    pub fn preview<F: Facts>(
        &self,
        facts: &F,
        language: Language,
    ) -> Result<Rendered, ComposeError> {
        Ok(self.renderer.render(&self.site, facts, language)?)
    }

    fn envelope_from(&self, posting: &Posting) -> Result<Address, ComposeError> {
        match &posting.bounces {
            Some(bounces) => Ok(bounces.tagged(&posting.token.to_string())?),
            None => Ok(self.site.sender.from().clone()),
        }
    }

    fn assemble(
        &self,
        recipient: &Address,
        rendered: &Rendered,
        language: Language,
        posting: &Posting,
    ) -> Result<Vec<u8>, ComposeError> {
        let sender = &self.site.sender;
        let from = sender.from();
        let message = MessageBuilder::new()
            .from((sender.name().as_str(), from.as_str()))
            .to(Mailbox::new_address(None::<&str>, recipient.as_str()))
            .subject(rendered.subject.as_str())
            .date(Date::new(posting.date.as_micros().div_euclid(MICROS_PER_SECOND)))
            .message_id(format!("{}@{}", posting.token, from.domain()))
            .header("Auto-Submitted", Raw::new("auto-generated"))
            .header("Content-Language", Raw::new(language.as_str()))
            .body(alternatives(rendered, &posting.token));
        let message = match sender.reply_to() {
            Some(reply_to) => {
                message.reply_to(Mailbox::new_address(None::<&str>, reply_to.as_str()))
            }
            None => message,
        };
        message.write_to_vec().map_err(ComposeError::Write)
    }
}

/// Whoever sees the text later must not be able to use the link.
fn without_link(rendered: Rendered, link: Option<&ResetUrl>) -> ShownText {
    let Rendered { subject, text, .. } = rendered;
    let text = match link {
        Some(link) => text.replace(link.as_str(), HIDDEN_LINK),
        None => text,
    };
    ShownText { subject, text }
}

/// Stands where the link was.
const HIDDEN_LINK: &str = "[...]";

/// Why a notice could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// A template's fault.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The address for bounces cannot carry a token.
    #[error("no bounce address can be made: {0}")]
    Bounces(#[from] AddressError),
    /// What was written is no message that may be sent.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// Out of memory, or a fault of the library.
    #[error("the message could not be written: {0}")]
    Write(std::io::Error),
}

/// Text first: mail programs show the last part that they can.
fn alternatives<'a>(rendered: &'a Rendered, token: &NoticeToken) -> MimePart<'a> {
    let content_type = ContentType::new("multipart/alternative");
    // `=_` can stand in no quoted-printable text, and nobody knows the token before it is sent.
    let content_type = content_type.attribute("boundary", format!("=_{token}"));
    let text = MimePart::new("text/plain", rendered.text.as_str());
    let html = MimePart::new("text/html", rendered.html.as_str());
    MimePart::new(content_type, vec![text, html])
}
