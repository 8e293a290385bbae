use std::{convert::Infallible, time::Duration};

use futures_util::future::BoxFuture;
use model::NoticeId;
use store::{AddressLease, Lease, ReconciliationLease, StoreError, Tx, WorkerName};

use crate::{Instance, limits::RENEWALS_PER_LEASE};

/// Keeps what a worker holds alive for as long as its job runs. Both go on side by side: a job that
/// holds a transaction open must never wait for the renewal, nor the renewal for a job that stands
/// still.
///
/// A lease that another worker has taken over cannot be renewed, and that is no error here: the
/// job finds out when it records its result.
///
/// # Errors
/// What the job returns, or the fault of the store that kept the lease from being renewed.
pub async fn while_renewing<T, E: From<StoreError>>(
    instance: &Instance,
    held: &dyn Renewable,
    job: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    tokio::select! {
        biased;
        done = job => done,
        failed = failpoint::beside(keep_renewing(instance, held)) => Err(failed.into()),
    }
}

/// As [`while_renewing`], for a job that must come to its end: a store that is away for a while
/// must not break off what somebody else takes for a promise.
pub async fn while_kept<T>(
    instance: &Instance,
    held: &dyn Renewable,
    job: impl Future<Output = T>,
) -> T {
    tokio::select! {
        biased;
        done = job => done,
        never = failpoint::beside(keep_trying(instance, held)) => match never {},
    }
}

/// Something that stays with a worker only while the worker says that it is alive.
pub trait Renewable: Sync {
    /// Prolongs it by `lease` from now, by the database's clock.
    fn renew<'a>(
        &'a self,
        tx: &'a mut Tx,
        lease: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
}

impl Renewable for Lease {
    fn renew<'a>(
        &'a self,
        tx: &'a mut Tx,
        lease: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { tx.renew(self, lease).await.map(drop) })
    }
}

impl Renewable for Vec<AddressLease> {
    fn renew<'a>(
        &'a self,
        tx: &'a mut Tx,
        lease: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            for address in self {
                tx.renew_address(address, lease).await?;
            }
            Ok(())
        })
    }
}

impl Renewable for ReconciliationLease {
    fn renew<'a>(
        &'a self,
        tx: &'a mut Tx,
        lease: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { tx.renew_reconciliation(self, lease).await.map(drop) })
    }
}

/// A notice that a worker is sending.
#[derive(Debug, Clone, Copy)]
pub struct NoticeLease<'a> {
    /// Which notice.
    pub notice: NoticeId,
    /// The attempt that was begun: the fence.
    pub attempt: u32,
    /// Who sends it.
    pub owner: &'a WorkerName,
}

impl Renewable for NoticeLease<'_> {
    fn renew<'a>(
        &'a self,
        tx: &'a mut Tx,
        lease: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let Self { notice, attempt, owner } = *self;
        Box::pin(async move { tx.renew_notice(notice, attempt, owner, lease).await.map(drop) })
    }
}

async fn keep_trying(instance: &Instance, held: &dyn Renewable) -> Infallible {
    loop {
        let error = keep_renewing(instance, held).await;
        tracing::warn!(%error, "a lease could not be renewed");
    }
}

/// Ends only with a fault of the store.
fn keep_renewing<'a>(instance: &'a Instance, held: &'a dyn Renewable) -> BoxFuture<'a, StoreError> {
    Box::pin(async move {
        loop {
            failpoint::sleep(instance.options().lease / RENEWALS_PER_LEASE).await;
            if let Err(failed) = renew(instance, held).await {
                return failed;
            }
        }
    })
}

async fn renew(instance: &Instance, held: &dyn Renewable) -> Result<(), StoreError> {
    let mut tx = instance.store().begin().await?;
    held.renew(&mut tx, instance.options().lease).await?;
    tx.commit().await
}
