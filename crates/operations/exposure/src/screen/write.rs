use instance::Instance;
use model::LeakId;
use store::{Lease, NewCandidate, StoreError};
use tokio::sync::mpsc::Receiver;

use super::read::ReadPiece;

/// Writes down what one piece of a leak gives, for as long as its lease is ours.
pub(super) struct PieceWriter<'a> {
    pub(super) instance: &'a Instance,
    pub(super) leak: LeakId,
    pub(super) lease: &'a Lease,
}

impl PieceWriter<'_> {
    /// Writes every portion as it comes, before the piece is done.
    pub(super) async fn write_all(
        &self,
        mut portions: Receiver<Vec<NewCandidate>>,
    ) -> Result<(), StoreError> {
        while let Some(rows) = portions.recv().await {
            self.write(rows).await?;
        }
        Ok(())
    }

    /// Whoever takes the piece over after us reads the same candidates and writes the same rows.
    async fn write(&self, rows: Vec<NewCandidate>) -> Result<(), StoreError> {
        let mut tx = self.instance.store().begin().await?;
        if !tx.renew(self.lease, self.instance.options().lease).await? {
            let Lease { job, attempt, owner, .. } = self.lease.clone();
            return Err(StoreError::LeaseLost { job, owner, attempt });
        }
        tx.add_candidates(self.leak, self.lease.job, rows).await?;
        tx.commit().await
    }

    /// The tally of a piece and its end are one transaction: a piece is counted once or not at
    /// all.
    pub(super) async fn finish(&self, read: ReadPiece) -> Result<(), StoreError> {
        let ReadPiece { screened, rest } = read;
        let job = self.lease.job;
        let mut tx = self.instance.store().begin().await?;
        tx.finish(self.lease).await?;
        tx.add_candidates(self.leak, job, rest).await?;
        tx.record_screened(job, &screened.tally, screened.complete, &screened.rejects).await?;
        tx.commit().await
    }
}
