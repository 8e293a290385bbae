use std::{future::Future, num::NonZero, thread};

use futures_util::future::try_join_all;
use model::LeakId;
use store::{JobKind, Lease, StoreError, WorkerName};
use tokio::time;

use instance::{Instance, Progress, while_renewing};

use crate::limits::LEASE_POLL;

/// Does the jobs of one kind until every one of them is done, by whomever.
///
/// A job that another worker holds is waited for: if that worker is dead, its lease ends and the
/// job is taken over. `lanes` jobs run at the same time.
pub(crate) async fn work_off<E, F>(
    instance: &Instance,
    kind: JobKind,
    leak: LeakId,
    lanes: usize,
    progress: &dyn Progress,
    job: impl Fn(Lease) -> F,
) -> Result<(), E>
where
    E: From<StoreError> + LostLease,
    F: Future<Output = Result<(), E>>,
{
    let lane = || async {
        let owner = WorkerName::from_random(instance.randomness().array());
        while let Some(lease) = next_job(instance, kind, leak, &owner, progress).await? {
            match while_renewing(instance, &lease, job(lease.clone())).await {
                Err(error) if error.is_lost_lease() => {}
                done => done?,
            }
        }
        Ok::<_, E>(())
    };
    try_join_all((0..lanes).map(|_| lane())).await?;
    Ok(())
}

/// One lane a core.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Whether an error only says that another worker has taken the job over. What that worker does
/// counts; what this one did has been rolled back.
pub(crate) trait LostLease {
    fn is_lost_lease(&self) -> bool;
}

async fn next_job(
    instance: &Instance,
    kind: JobKind,
    leak: LeakId,
    owner: &WorkerName,
    progress: &dyn Progress,
) -> Result<Option<Lease>, StoreError> {
    loop {
        let mut tx = instance.store().begin().await?;
        let lease = tx.take_job(kind, leak, owner, instance.options().lease).await?;
        let counts = tx.job_counts(kind, leak).await?;
        tx.commit().await?;
        if lease.is_some() || counts.open + counts.leased == 0 {
            return Ok(lease);
        }
        progress.note(&format!("Waiting for {} more", counts.open + counts.leased));
        time::sleep(LEASE_POLL).await;
    }
}
