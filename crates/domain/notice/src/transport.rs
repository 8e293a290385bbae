use std::fmt;

use futures_util::future::BoxFuture;

use crate::{Address, Composed, DeliveryOutcome, Failure, Greeting, Maildir, Relay};

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

    /// Asks whether mail would leave, without sending any; `None` for a folder, which greets
    /// nobody.
    #[must_use = "a future does nothing until it is awaited"]
    pub fn greet<'a>(
        &'a self,
        bounces: &'a Address,
        own: &'a Address,
    ) -> BoxFuture<'a, Result<Option<Greeting>, Failure>> {
        Box::pin(async move {
            match self {
                Self::Relay(relay) => relay.greet(bounces, own).await.map(Some),
                Self::Maildir(_) => Ok(None),
            }
        })
    }

    /// Whether mail can go to addresses beyond ASCII; `None` if it cannot be told now.
    #[must_use = "a future does nothing until it is awaited"]
    pub fn takes_international(&self) -> BoxFuture<'_, Option<bool>> {
        match self {
            Self::Relay(relay) => relay.takes_international(),
            Self::Maildir(_) => Box::pin(async { Some(true) }),
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
