//! The comparison of the site's table with what is kept: one row says who is at it. What it finds, the
//! audit log says.

use std::time::Duration;

use model::{CredentialVersion, Timestamp};

use crate::{StoreFuture, Tx, WorkerName, cell::Cell};

sql::queries! {
    READ = ["SELECT started_at, ended_at, failed_at, tried,
            lease_until > " NOW " AS is_under_way
        FROM reconciliation"];
    TAKE = ["UPDATE reconciliation SET lease_owner = $1, lease_until = " NOW " + $2,
            attempts = attempts + 1, started_at = " NOW "
        WHERE lease_until <= " NOW " AND (ended_at IS NULL OR ended_at <= " NOW " - $3)
            AND (failed_at IS NULL OR failed_at <= " NOW " - $4)
        RETURNING attempts"];
    RENEW = ["UPDATE reconciliation SET lease_until = " NOW " + $1
        WHERE lease_owner = $2 AND attempts = $3 AND lease_until > " NOW];
    FINISH = ["UPDATE reconciliation SET lease_until = " NOW ", ended_at = " NOW ",
            failed_at = NULL, tried = COALESCE($1, tried)
        WHERE lease_owner = $2 AND attempts = $3 AND lease_until > " NOW];
    FAIL = ["UPDATE reconciliation SET lease_until = " NOW ", failed_at = " NOW "
        WHERE lease_owner = $1 AND attempts = $2"];
}

/// The hold of whoever compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconciliationLease {
    /// Who.
    pub owner: WorkerName,
    /// Which attempt: the fence.
    pub attempt: i64,
}

/// What is kept of the last comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciliation {
    /// When one began last.
    pub started_at: Option<Timestamp>,
    /// When the table was last read to its end.
    pub ended_at: Option<Timestamp>,
    /// When it could not be, if that was later.
    pub failed_at: Option<Timestamp>,
    /// The last credential version that was tried.
    pub tried: Option<CredentialVersion>,
    /// Whether somebody is at it now.
    pub is_under_way: bool,
}

record!(Reconciliation { started_at, ended_at, failed_at, tried, is_under_way });

impl Tx {
    /// What is kept of the last comparison.
    pub fn reconciliation(&mut self) -> StoreFuture<'_, Reconciliation> {
        Box::pin(async move { Ok(self.0.run(&READ).one().await?) })
    }

    /// Begins one; `None` while somebody else is at it, or if the last one ended less than `every`
    /// ago, or failed less than `again` ago.
    pub fn take_reconciliation<'c>(
        &'c mut self,
        owner: &'c WorkerName,
        lease: Duration,
        every: Duration,
        again: Duration,
    ) -> StoreFuture<'c, Option<ReconciliationLease>> {
        Box::pin(async move {
            let query = self.0.run(&TAKE).bind(owner.to_string()).bind(Cell(lease));
            let query = query.bind(Cell(every)).bind(Cell(again));
            let taken = query.optional::<(i64,)>().await?;
            Ok(taken.map(|(attempt,)| ReconciliationLease { owner: owner.clone(), attempt }))
        })
    }

    /// Holds on to it from now on; `false` if it is lost.
    pub fn renew_reconciliation<'c>(
        &'c mut self,
        held: &'c ReconciliationLease,
        lease: Duration,
    ) -> StoreFuture<'c, bool> {
        Box::pin(async move {
            let query = self.0.run(&RENEW).bind(Cell(lease)).bind(held.owner.to_string());
            Ok(query.bind(held.attempt).execute().await? == 1)
        })
    }

    /// Says that the table was read to its end; `false` if it is lost.
    pub fn finish_reconciliation<'c>(
        &'c mut self,
        held: &'c ReconciliationLease,
        tried: Option<CredentialVersion>,
    ) -> StoreFuture<'c, bool> {
        Box::pin(async move {
            let query = self.0.run(&FINISH).bind(tried.map(Cell)).bind(held.owner.to_string());
            Ok(query.bind(held.attempt).execute().await? == 1)
        })
    }

    /// Says that the table could not be read to its end.
    pub fn fail_reconciliation<'c>(
        &'c mut self,
        held: &'c ReconciliationLease,
    ) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            let query = self.0.run(&FAIL).bind(held.owner.to_string()).bind(held.attempt);
            query.execute().await?;
            Ok(())
        })
    }
}
