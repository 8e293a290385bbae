//! Speaking with the relay before anybody's mail depends on it.

use futures_util::future::BoxFuture;
use notice::{Address, AddressError, Failure, Greeting, NoticeToken};

use crate::{Mail, remedy::remedy};

/// What stands in the bounce address of a mail that is never sent.
const NO_KEY: [u8; 32] = [0; 32];

/// Asks the relay whether it would take a notice of ours, by all commands but DATA and with our own
/// addresses alone. `None` for a folder, which needs no asking.
///
/// # Errors
/// [`GreetError`] if nobody could be told through this relay.
pub fn greet_relay<'a>(
    mail: &'a Mail,
    from: &'a Address,
) -> BoxFuture<'a, Result<Option<Greeting>, GreetError>> {
    Box::pin(async move {
        let token = NoticeToken::derive(&NO_KEY, 0).to_string();
        let bounces = match &mail.bounces {
            Some(bounces) => bounces.tagged(&token)?,
            None => from.clone(),
        };
        let greeted = mail.transport.greet(&bounces, from).await;
        greeted.map_err(|failure| GreetError::Relay { failure })
    })
}

/// Why nobody could be told.
#[derive(Debug, thiserror::Error)]
pub enum GreetError {
    /// The relay is not there, or would take no mail.
    #[error("{failure}; {}", remedy(failure.phase(), failure.code().map(u32::from)))]
    Relay {
        /// What it said, or what went wrong.
        failure: Failure,
    },
    /// The bounce address cannot carry a notice's token.
    #[error("`mail.bounces`: {0}")]
    Bounces(#[from] AddressError),
}
