use std::fmt;

use futures_util::future::BoxFuture;

use crate::{Address, Composed, DeliveryOutcome, Failure, Greeting, Maildir, Relay};

/// How mail leaves: through the site's relay, or into a folder.
pub trait Transport: fmt::Debug + Send + Sync {
    /// Makes one attempt. Whoever calls it has a durable record that says so.
    #[must_use = "a future does nothing until it is awaited"]
    fn deliver<'a>(&'a self, message: &'a Composed) -> BoxFuture<'a, DeliveryOutcome>;

    /// Asks whether mail would leave, without sending any; `None` where there is nobody to greet,
    /// and yet it would leave.
    #[must_use = "a future does nothing until it is awaited"]
    fn greet<'a>(
        &'a self,
        bounces: &'a Address,
        own: &'a Address,
    ) -> BoxFuture<'a, Result<Option<Greeting>, Failure>>;

    /// Whether mail can go to addresses beyond ASCII; `None` if it cannot be told now.
    #[must_use = "a future does nothing until it is awaited"]
    fn takes_international(&self) -> BoxFuture<'_, Option<bool>>;
}

impl Transport for Relay {
    fn deliver<'a>(&'a self, message: &'a Composed) -> BoxFuture<'a, DeliveryOutcome> {
        self.deliver(message)
    }

    fn greet<'a>(
        &'a self,
        bounces: &'a Address,
        own: &'a Address,
    ) -> BoxFuture<'a, Result<Option<Greeting>, Failure>> {
        Box::pin(async move { self.greet(bounces, own).await.map(Some) })
    }

    fn takes_international(&self) -> BoxFuture<'_, Option<bool>> {
        self.takes_international()
    }
}

/// A folder greets nobody, and takes whatever can be put into it.
impl Transport for Maildir {
    fn deliver<'a>(&'a self, message: &'a Composed) -> BoxFuture<'a, DeliveryOutcome> {
        Box::pin(self.deliver(message))
    }

    fn greet<'a>(
        &'a self,
        _: &'a Address,
        _: &'a Address,
    ) -> BoxFuture<'a, Result<Option<Greeting>, Failure>> {
        Box::pin(async { self.try_storing().await.map(|()| None) })
    }

    fn takes_international(&self) -> BoxFuture<'_, Option<bool>> {
        Box::pin(async { Some(true) })
    }
}
