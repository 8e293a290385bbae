//! Notices: composed from evidence, linted, signed, and delivered so that we know what became of
//! each.
//!
//! [`Composer`] makes a [`Composed`] message of [`Facts`], of which each kind of notice has its own,
//! as it has its own templates ([`TEMPLATES`]). [`lint()`] holds what it says against rules,
//! [`DkimKey`] signs it, and a [`Transport`] delivers it. Its [`DeliveryOutcome`] is as exact as the
//! network allows: accepted, refused, surely not sent, or lost where nobody can tell.

mod about;
mod address;
mod browser;
mod code;
mod compose;
mod dkim;
mod exposure;
mod exposure_answer;
mod facts;
mod german;
mod language;
pub mod limits;
mod link;
mod lint;
mod maildir;
mod message;
mod moment;
mod outcome;
mod pause;
mod phase;
mod redact;
mod render;
mod reset_done;
mod reset_link;
mod reset_required;
mod site;
mod smtp;
mod state;
mod text;
mod transport;

pub use about::About;
pub use address::{Address, AddressError};
pub use browser::Browser;
pub use code::{CodeError, NoticeCode, NoticeToken};
pub use compose::{ComposeError, Composer, Posting};
pub use dkim::{DkimKey, DkimKeyError, MalformedMessage, SIGNED_HEADERS, SignError, Signer};
pub use exposure::Exposure;
pub use exposure_answer::{Answer, ExposureAnswer};
pub use facts::{AccountName, Facts, FactsError};
pub use language::Language;
pub use link::{BaseUrl, BaseUrlError, ResetUrl, ResetUrlError};
pub use lint::{Fault, lint};
pub use maildir::{Maildir, MaildirError};
pub use message::{Composed, MessageError, ShownText, SignMessageError};
pub use moment::{Moment, MomentError};
pub use outcome::{DeliveryOutcome, Failure};
pub use pause::{
    PauseChange, PauseClock, is_of_everybody, is_time_for_another, pause_after, repeats,
};
pub use phase::Phase;
pub use render::{RenderError, Rendered, Renderer, TEMPLATES};
pub use reset_done::ResetDone;
pub use reset_link::SelfRequestedLink;
pub use reset_required::ResetRequired;
pub use site::{Sender, SenderError, Site};
pub use smtp::{
    Credentials, EnhancedStatus, Greeting, Relay, RelayError, RelayOptions, Reply, Roots,
    RootsError, Security, TimeLimits,
};
pub use state::{
    NoticeError, NoticeEvent, NoticeRow, PutOffs, RelayRecord, SmtpOutcome, notice_after,
    retry_delay,
};
pub use text::{MenuPath, SiteName, TextError};
pub use transport::Transport;
