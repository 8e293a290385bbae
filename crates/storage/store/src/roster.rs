//! The documents that say who may sign. What they mean is the `campaign` crate's to know.

use crate::{StoreFuture, Tx, cell::Cell};

sql::queries! {
    ADD = ["INSERT INTO roster_document (position, at, body) VALUES ($1, " NOW ", $2)"];
    ALL_IN_ORDER = ["SELECT body FROM roster_document ORDER BY position"];
}

impl Tx {
    /// Appends a document behind the `position` documents that it was checked against. The schema
    /// refuses a second one in the same place.
    pub fn add_roster_document<'c>(
        &'c mut self,
        position: u64,
        body: &'c [u8],
    ) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            let query = self.0.run(&ADD).bind(Cell(position)).bind(body.to_owned());
            Ok(query.exactly_one().await?)
        })
    }

    /// Every document, the founding one first.
    pub fn roster_documents(&mut self) -> StoreFuture<'_, Vec<Vec<u8>>> {
        Box::pin(async move {
            let bodies = self.0.run(&ALL_IN_ORDER).all::<(Vec<u8>,)>().await?;
            Ok(bodies.into_iter().map(|(body,)| body).collect())
        })
    }
}
