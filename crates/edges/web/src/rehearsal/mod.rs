//! What a rehearsal shows to whoever tries the program: the mails that it sent, and the report of
//! each campaign.
//!
//! A mail here may hold a link that chooses a password. So these pages are for this host alone,
//! and only a rehearsal is given a console.

mod campaign;
pub(crate) mod console;
mod home;
mod letter;
mod mailbox;
mod mails;
pub(crate) mod routes;
