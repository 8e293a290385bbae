//! Notices: composed from evidence, linted, signed, and delivered so that we know what became of
//! each.
//!
//! [`Composer`] makes a [`Composed`] message of facts, [`lint()`] holds what it says against rules,
//! [`DkimKey`] signs it, and a [`Transport`] delivers it. Its [`Outcome`] is as exact as the
//! network allows: accepted, refused, surely not sent, or lost where nobody can tell.

mod address;
mod code;
mod compose;
mod dkim;
mod facts;
mod german;
mod language;
pub mod limits;
mod lint;
mod maildir;
mod message;
mod render;
mod smtp;
mod text;
mod transport;

pub use address::{Address, AddressError};
pub use code::{CodeError, NoticeCode, NoticeToken};
pub use compose::{ComposeError, Composer, Posting};
pub use dkim::{DkimKey, DkimKeyError, SIGNED_HEADERS, SignError, Signer};
pub use facts::{
    AccountName, Exposure, FactsError, MomentError, ResetRequired, Sender, SenderError, Site,
};
pub use language::Language;
pub use lint::{Fault, lint};
pub use maildir::{Maildir, MaildirError};
pub use message::{Composed, MessageError, SignMessageError};
pub use render::{RenderError, Rendered, Renderer, TEMPLATES};
pub use smtp::{
    Credentials, Relay, RelayError, RelayOptions, Reply, Roots, RootsError, Security, TimeLimits,
};
pub use text::{MenuPath, SiteName, TextError};
pub use transport::{Failure, Outcome, Phase, Transport};
