use std::fmt;

use futures_util::future::BoxFuture;

use crate::{Composed, DeliveryOutcome, Maildir, Relay};

/// How mail leaves: through the site's relay, or into a folder.
pub trait Transport: fmt::Debug + Send + Sync {
    /// Makes one attempt. Whoever calls it has a durable record that says so.
    #[must_use = "a future does nothing until it is awaited"]
    fn deliver<'a>(&'a self, message: &'a Composed) -> BoxFuture<'a, DeliveryOutcome>;
}

impl Transport for Relay {
    fn deliver<'a>(&'a self, message: &'a Composed) -> BoxFuture<'a, DeliveryOutcome> {
        self.deliver(message)
    }
}

impl Transport for Maildir {
    fn deliver<'a>(&'a self, message: &'a Composed) -> BoxFuture<'a, DeliveryOutcome> {
        Box::pin(self.deliver(message))
    }
}
