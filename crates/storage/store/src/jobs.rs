//! Leased work. The rules that make it safe under kill -9:
//!
//! - the database's clock times a lease, never a worker's;
//! - an owner's name is never used again;
//! - the attempt number is the fence: whoever lost a job cannot finish it;
//! - a job's result and its end are one transaction.

use std::time::Duration;

use model::{AccountId, FileId, LeakId};

use crate::{
    JobId, JobKind, StoreError, StoreFuture, Tx, WorkerName, cell::Cell, limits::JOBS_PER_STATEMENT,
};

sql::queries! {
    ADD_JOBS = ["INSERT INTO job (kind, leak) VALUES {rows} RETURNING id"];
    ADD_PIECES = ["INSERT INTO piece (job, file, range_start, range_end) VALUES {rows}"];
    ADD_BATCHES = ["INSERT INTO batch (job, account_from, account_to) VALUES {rows}"];
    TAKE = ["UPDATE job SET lease_owner = $1, lease_until = " NOW " + $2, attempts = attempts + 1
        WHERE id = (SELECT id FROM job
            WHERE leak = $3 AND kind = $4 AND done_at IS NULL AND lease_until <= " NOW "
            ORDER BY lease_until, id LIMIT 1" SKIP_LOCKED ")
        RETURNING id, attempts"];
    DROP_LEFT_OVER = ["DELETE FROM candidate WHERE job = $1"];
    PIECE = ["SELECT file, range_start, range_end FROM piece WHERE job = $1"];
    // An account has an id: a batch without one is done.
    CLEAR_BATCH = ["UPDATE batch SET account_from = '', account_to = '' WHERE job = $1"];
    BATCH = ["SELECT account_from, account_to FROM batch WHERE job = $1"];
    RENEW = ["UPDATE job SET lease_until = " NOW " + $1
        WHERE id = $2 AND lease_owner = $3 AND attempts = $4 AND done_at IS NULL
            AND lease_until > " NOW];
    FINISH = ["UPDATE job SET done_at = " NOW "
        WHERE id = $1 AND lease_owner = $2 AND attempts = $3 AND done_at IS NULL"];
    COUNTS = ["SELECT COUNT(*) FILTER (WHERE done_at IS NULL AND lease_until <= " NOW ") AS open,
        COUNT(*) FILTER (WHERE done_at IS NULL AND lease_until > " NOW ") AS leased,
        COUNT(*) FILTER (WHERE done_at IS NOT NULL) AS done
        FROM job WHERE leak = $1 AND kind = $2"];
    NEXT_EXPIRY = ["SELECT MIN(lease_until) - " NOW " FROM job
        WHERE leak = $1 AND kind = $2 AND done_at IS NULL"];
}

/// A job that one worker holds for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// How many times it was taken, this one included. It is the fence.
    pub attempt: i64,
    /// Who holds it.
    pub owner: WorkerName,
    /// What is to be done.
    pub work: Work,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Compare with the accounts.
    Screen(Piece),
    /// Try on the stored hashes.
    Verify(Batch),
}

/// A range of bytes of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// The file.
    pub file: FileId,
    /// Its first byte.
    pub start: u64,
    /// The byte after its last.
    pub end: u64,
}

record!(Piece { file, start = "range_start", end = "range_end" });

/// A range of accounts, both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The first.
    pub from: AccountId,
    /// The last.
    pub to: AccountId,
}

record!(Batch { from = "account_from", to = "account_to" });

/// A piece to be screened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewPiece {
    /// The file.
    pub file: FileId,
    /// Its first byte.
    pub start: u64,
    /// The byte after its last.
    pub end: u64,
}

/// How far the jobs of one kind have come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// Nobody holds them.
    pub open: u64,
    /// Somebody holds them.
    pub leased: u64,
    /// Finished.
    pub done: u64,
}

record!(JobCounts { open, leased, done });

impl Tx {
    /// Takes the job that has waited longest; `None` if there is none to take now.
    ///
    /// Candidates that an earlier attempt at a piece has written are destroyed, so that every
    /// attempt begins with none.
    pub fn take_job<'c>(
        &'c mut self,
        kind: JobKind,
        leak: LeakId,
        owner: &'c WorkerName,
        lease: Duration,
    ) -> StoreFuture<'c, Option<Lease>> {
        Box::pin(async move {
            let query = self.0.run(&TAKE).bind(owner.0.clone()).bind(Cell(lease));
            let query = query.bind(Cell(leak)).bind(Cell(kind));
            let Some((Cell(job), attempt)) = query.optional::<(Cell<JobId>, i64)>().await? else {
                return Ok(None);
            };
            if attempt > 1 {
                self.0.run(&DROP_LEFT_OVER).bind(Cell(job)).execute().await?;
            }
            let work = self.work(kind, job).await?;
            Ok(Some(Lease { job, attempt, owner: owner.clone(), work }))
        })
    }

    async fn work(&mut self, kind: JobKind, job: JobId) -> Result<Work, StoreError> {
        Ok(match kind {
            JobKind::Screen => Work::Screen(self.0.run(&PIECE).bind(Cell(job)).one().await?),
            JobKind::Verify => Work::Verify(self.0.run(&BATCH).bind(Cell(job)).one().await?),
        })
    }

    /// Holds on to a job from now on; `false` if it is lost. Renew at a third of the lease.
    pub fn renew<'c>(&'c mut self, held: &'c Lease, lease: Duration) -> StoreFuture<'c, bool> {
        Box::pin(async move {
            let query = self.0.run(&RENEW).bind(Cell(lease)).bind(Cell(held.job));
            let query = query.bind(held.owner.0.clone()).bind(held.attempt);
            Ok(query.execute().await? == 1)
        })
    }

    /// Ends a job. Belongs into the transaction that writes its result, and best before it: then a
    /// worker that lost the job waits and stops here, instead of meeting the result of another.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    pub fn finish<'c>(&'c mut self, held: &'c Lease) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            let query = self.0.run(&FINISH).bind(Cell(held.job));
            let query = query.bind(held.owner.0.clone()).bind(held.attempt);
            match query.execute().await? {
                1 => Ok(()),
                _ => Err(StoreError::LeaseLost {
                    job: held.job,
                    owner: held.owner.clone(),
                    attempt: held.attempt,
                }),
            }
        })
    }

    /// Adds pieces of a leak's files to be screened, to be taken in this order.
    pub fn add_pieces<'c>(
        &'c mut self,
        leak: LeakId,
        pieces: &'c [NewPiece],
    ) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            let jobs = self.add_jobs(JobKind::Screen, leak, pieces.len()).await?;
            let rows = jobs.into_iter().zip(pieces.iter().copied());
            self.0
                .insert_all(&ADD_PIECES, rows, |query, (job, piece)| {
                    let query = query.bind(Cell(job)).bind(Cell(piece.file));
                    query.bind(Cell(piece.start)).bind(Cell(piece.end))
                })
                .await?;
            Ok(())
        })
    }

    /// Forgets which accounts a batch that is done was about.
    pub fn clear_batch(&mut self, job: JobId) -> StoreFuture<'_, ()> {
        Box::pin(async move { Ok(self.0.run(&CLEAR_BATCH).bind(Cell(job)).exactly_one().await?) })
    }

    /// Adds ranges of accounts to be verified, both ends included, to be taken in this order.
    pub fn add_batches<'c>(
        &'c mut self,
        leak: LeakId,
        batches: &'c [(AccountId, AccountId)],
    ) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            let jobs = self.add_jobs(JobKind::Verify, leak, batches.len()).await?;
            let rows = jobs.into_iter().zip(batches.iter().cloned());
            self.0
                .insert_all(&ADD_BATCHES, rows, |query, (job, (from, to))| {
                    query.bind(Cell(job)).bind(Cell(from)).bind(Cell(to))
                })
                .await?;
            Ok(())
        })
    }

    /// Makes so many jobs; their ids rise.
    async fn add_jobs(
        &mut self,
        kind: JobKind,
        leak: LeakId,
        count: usize,
    ) -> Result<Vec<JobId>, StoreError> {
        let mut jobs = Vec::with_capacity(count);
        while jobs.len() < count {
            let rows = JOBS_PER_STATEMENT.min(count - jobs.len());
            let statement = ADD_JOBS.with_rows(rows);
            let query = (0..rows)
                .fold(self.0.run(&statement), |query, _| query.bind(Cell(kind)).bind(Cell(leak)));
            let added = query.all::<(Cell<JobId>,)>().await?;
            jobs.extend(added.into_iter().map(|(Cell(job),)| job));
        }
        // No database promises the order of what an insertion returns.
        jobs.sort_unstable();
        Ok(jobs)
    }

    /// How many jobs of one kind are open, held and done.
    pub fn job_counts(&mut self, kind: JobKind, leak: LeakId) -> StoreFuture<'_, JobCounts> {
        Box::pin(async move {
            let query = self.0.run(&COUNTS).bind(Cell(leak)).bind(Cell(kind));
            Ok(query.one().await?)
        })
    }

    /// How long until a job may be there to take: zero if one is, `None` if all are done.
    pub fn next_expiry(
        &mut self,
        kind: JobKind,
        leak: LeakId,
    ) -> StoreFuture<'_, Option<Duration>> {
        Box::pin(async move {
            let query = self.0.run(&NEXT_EXPIRY).bind(Cell(leak)).bind(Cell(kind));
            let (micros,) = query.one::<(Option<i64>,)>().await?;
            Ok(micros.map(|micros| Duration::from_micros(micros.try_into().unwrap_or(0))))
        })
    }
}
