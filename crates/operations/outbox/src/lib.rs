//! The outbox: one path for every notice, whoever has it sent.
//!
//! A notice is claimed, begun on record, composed, delivered, and what became of it is recorded
//! ([`send_next`]). What differs between a campaign's notices and those that people ask for is a
//! [`NoticeSource`]: which notice is next, whether it may go, and what it says. A recipient checks
//! a notice by its code ([`check_notice`]).
#![expect(
    clippy::must_use_candidate,
    reason = "operations return futures, and the compiler warns of those that nobody awaits"
)]

mod addressee;
mod answer;
mod check;
mod code;
mod code_watch;
mod context;
mod failure;
mod greet;
mod kept;
pub mod limits;
mod parts;
mod pause;
mod remedy;
mod requested;
mod send;
mod shown;
mod specimen;
mod words;

pub use addressee::{Addressee, masked_address, masked_id};
pub use check::{CheckError, CheckedNotice, check_notice, dispute_notice};
pub use code_watch::{CodeWatch, DeniedNotice, check_codes, watch_codes};
pub use context::{Mail, Outbox, SendingContext};
pub use failure::{SendError, TellError, WordsError};
pub use greet::{GreetError, greet_relay};
pub use kept::Kept;
pub use pause::{PausedSending, hasten_sending, paused_sending};
pub use remedy::remedy;
pub use requested::requested_digest;
pub use send::{NoticeSource, send_next};
pub use words::Words;
