//! What stands before every handler: time, headers, the log, and how many forms may come.

mod access;
mod admit;
mod body;
mod client;
mod headers;
pub(crate) mod host;
mod origin;
mod throttle;
mod time;

pub(crate) use admit::{PeopleGate, admit};
pub(crate) use client::Household;
pub(crate) use headers::SANDBOX;
pub(crate) use host::only_this_host;
pub(crate) use throttle::Throttle;
pub(crate) use time::{in_time, in_time_for_staff};

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
};
use headers::IsPrivate;

/// Puts around a listener's routes what all need, the outermost last.
pub(crate) fn guarded(routes: Router, is_private: bool) -> Router {
    routes
        .layer(from_fn(body::read_whole))
        .layer(from_fn(headers::keep_private))
        .layer(from_fn_with_state(IsPrivate(is_private), headers::secure))
        .layer(from_fn(access::log_access))
}
