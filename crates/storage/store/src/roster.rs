//! The documents that say who may sign. What they mean is the `campaign` crate's to know.

use crate::{StoreError, Tx, cell::Cell};

sql::queries! {
    ADD = ["INSERT INTO roster_document (position, at, body) VALUES ($1, " NOW ", $2)"];
    ALL_IN_ORDER = ["SELECT body FROM roster_document ORDER BY position"];
}

impl Tx {
    /// Appends a document behind the `position` documents that it was checked against. The schema
    /// refuses a second one in the same place.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn add_roster_document(
        &mut self,
        position: u64,
        body: &[u8],
    ) -> Result<(), StoreError> {
        let query = self.0.run(&ADD).bind(Cell(position)).bind(body.to_owned());
        Ok(query.exactly_one().await?)
    }

    /// Every document, the founding one first.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn roster_documents(&mut self) -> Result<Vec<Vec<u8>>, StoreError> {
        let bodies = self.0.run(&ALL_IN_ORDER).all::<(Vec<u8>,)>().await?;
        Ok(bodies.into_iter().map(|(body,)| body).collect())
    }
}
