//! What stands before every handler: time, headers, the log, and how many forms may come.

mod access;
mod admit;
mod client;
mod headers;
pub(crate) mod host;
mod origin;
mod throttle;
mod time;

pub(crate) use access::log_access;
pub(crate) use admit::{PeopleGate, admit};
pub(crate) use client::Household;
pub(crate) use headers::{IsPrivate, SANDBOX, keep_private, secure};
pub(crate) use host::only_this_host;
pub(crate) use throttle::Throttle;
pub(crate) use time::{in_time, in_time_for_staff};
