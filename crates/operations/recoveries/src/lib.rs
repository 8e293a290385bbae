//! The way back in: somebody asks for a mail, opens the link in it, and chooses a new password.
//!
//! A request is written down before anybody looks whom it concerns: the page does the same for an
//! account that exists and for one that does not. A worker looks, and mails. A link is used up by
//! the transaction that records its new password, and by nothing else.

mod answer;
mod ask;
mod choose;
mod failure;
mod finish;
mod letter;
pub mod limits;
mod link;
mod means;
mod resolve;
mod send;

pub use ask::{AskError, MailAsked, Wanted, ask_for_mail};
pub use choose::{Choice, ChooseError, Chosen, choose_password, open_link};
pub use failure::RequestError;
pub use finish::{ConcludeError, finish_resets};
pub use means::Recovery;
pub use resolve::{
    WaitingRequests, is_request_due, is_request_left, resolve_next, waiting_requests,
};
pub use send::send_requested;
