use std::fmt;

use futures_util::future::BoxFuture;

use crate::{Composed, DeliveryOutcome, Maildir, Relay};

/// How mail leaves.
pub enum Transport {
    /// Through the site's relay.
    Relay(Box<Relay>),
    /// Into a folder.
    Maildir(Maildir),
}

impl Transport {
    /// Makes one attempt. Whoever calls it has a durable record that says so.
    #[must_use = "a future does nothing until it is awaited"]
    pub fn deliver<'a>(&'a self, message: &'a Composed) -> BoxFuture<'a, DeliveryOutcome> {
        match self {
            Self::Relay(relay) => relay.deliver(message),
            Self::Maildir(maildir) => Box::pin(maildir.deliver(message)),
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relay(relay) => relay.fmt(f),
            Self::Maildir(maildir) => maildir.fmt(f),
        }
    }
}
