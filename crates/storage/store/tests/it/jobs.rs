use std::{collections::HashSet, sync::Arc, time::Duration};

use model::LeakId;
use sql::Constraint;
use store::{
    Batch, JobCounts, JobId, JobKind, NewPiece, Piece, Store, StoreError, Work, WorkerName,
};
use tokio::sync::Barrier;

use crate::support::{
    LONG, TestStore, account, broken, candidate, leak, leak_in_pieces, take, worker,
};

/// A lease that is over as soon as it is given.
const OVER: Duration = Duration::ZERO;

on_both! {
    jobs_are_taken_in_order_until_none_is_left,
    a_batch_comes_back_as_it_was_added,
    jobs_of_another_kind_or_leak_are_not_taken,
    a_file_is_cut_into_pieces_once,
    counts_follow_a_job,
    who_waits_learns_for_how_long,
    a_lease_that_ran_out_is_taken_over,
    the_attempt_is_the_fence,
    a_lease_that_ran_out_is_not_renewed,
    a_job_ends_once,
    the_result_of_a_lost_lease_is_taken_back,
    a_piece_that_is_taken_over_begins_anew,
    two_workers_never_hold_one_job,
    stolen_jobs_give_one_result_each,
}

async fn jobs_are_taken_in_order_until_none_is_left(store: TestStore) {
    let leak = leak_in_pieces(&store, "Example", 450).await;
    let mut tx = store.tx().await;
    let file = tx.leak_files(leak).await.unwrap()[0].id;
    for n in 0..450 {
        let lease = take(&mut tx, JobKind::Screen, leak).await;
        let expected = Piece { file, start: n * 100, end: n * 100 + 100 };
        assert_eq!((lease.work, lease.attempt), (Work::Screen(expected), 1));
    }
    let none = tx.take_job(JobKind::Screen, leak, &worker(2), LONG).await.unwrap();
    assert_eq!(none, None);
}

async fn a_batch_comes_back_as_it_was_added(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, _) = leak(&mut tx, "Example", &["a"]).await;
    let bounds = [(account("10"), account("9")), (account("Z"), account("a"))];
    tx.add_batches(leak, &bounds).await.unwrap();
    for (from, to) in bounds {
        let lease = take(&mut tx, JobKind::Verify, leak).await;
        assert_eq!(lease.work, Work::Verify(Batch { from, to }));
    }
    let backwards = tx.add_batches(leak, &[(account("a"), account("Z"))]).await;
    assert_eq!(broken(backwards), Constraint::Check);
}

async fn jobs_of_another_kind_or_leak_are_not_taken(store: TestStore) {
    let screened = leak_in_pieces(&store, "To screen", 1).await;
    let mut tx = store.tx().await;
    let (verified, _) = leak(&mut tx, "To verify", &["a"]).await;
    tx.add_batches(verified, &[(account("a"), account("b"))]).await.unwrap();
    for (kind, leak) in [(JobKind::Verify, screened), (JobKind::Screen, verified)] {
        assert_eq!(tx.take_job(kind, leak, &worker(1), LONG).await.unwrap(), None);
        assert_eq!(tx.job_counts(kind, leak).await.unwrap(), JobCounts::default());
        assert_eq!(tx.next_expiry(kind, leak).await.unwrap(), None);
    }
    take(&mut tx, JobKind::Screen, screened).await;
    take(&mut tx, JobKind::Verify, verified).await;
}

async fn a_file_is_cut_into_pieces_once(store: TestStore) {
    let leak = leak_in_pieces(&store, "Example", 2).await;
    let mut tx = store.tx().await;
    let file = tx.leak_files(leak).await.unwrap()[0].id;
    let again = tx.add_pieces(leak, &[NewPiece { file, start: 100, end: 150 }]).await;
    assert_eq!(broken(again), Constraint::Unique);
}

async fn counts_follow_a_job(store: TestStore) {
    let leak = leak_in_pieces(&store, "Example", 3).await;
    let mut tx = store.tx().await;
    assert_eq!(counts(&mut tx, leak).await, [3, 0, 0]);
    let held = take(&mut tx, JobKind::Screen, leak).await;
    assert_eq!(counts(&mut tx, leak).await, [2, 1, 0]);
    tx.finish(&held).await.unwrap();
    assert_eq!(counts(&mut tx, leak).await, [2, 0, 1]);
    tx.take_job(JobKind::Screen, leak, &worker(1), OVER).await.unwrap();
    assert_eq!(counts(&mut tx, leak).await, [2, 0, 1]);
}

async fn who_waits_learns_for_how_long(store: TestStore) {
    let leak = leak_in_pieces(&store, "Example", 1).await;
    let mut tx = store.tx().await;
    assert_eq!(tx.next_expiry(JobKind::Verify, leak).await.unwrap(), None);
    assert_eq!(tx.next_expiry(JobKind::Screen, leak).await.unwrap(), Some(Duration::ZERO));
    let held = take(&mut tx, JobKind::Screen, leak).await;
    let wait = tx.next_expiry(JobKind::Screen, leak).await.unwrap().unwrap();
    assert!(LONG < wait + Duration::from_mins(1) && wait <= LONG, "{wait:?}");
    tx.finish(&held).await.unwrap();
    assert_eq!(tx.next_expiry(JobKind::Screen, leak).await.unwrap(), None);
}

async fn a_lease_that_ran_out_is_taken_over(store: TestStore) {
    let leak = leak_in_pieces(&store, "Example", 1).await;
    let mut tx = store.tx().await;
    let kind = JobKind::Screen;
    let dead = tx.take_job(kind, leak, &worker(1), OVER).await.unwrap().unwrap();
    let heir = tx.take_job(kind, leak, &worker(2), LONG).await.unwrap().unwrap();
    assert_eq!((heir.job, heir.attempt), (dead.job, 2));
    assert!(!tx.renew(&dead, LONG).await.unwrap());
    let error = tx.finish(&dead).await.unwrap_err().to_string();
    assert_eq!(error, format!("worker {} has lost job 1, which it took at attempt 1", worker(1)));
    assert!(tx.renew(&heir, LONG).await.unwrap());
    tx.finish(&heir).await.unwrap();
}

/// The same owner may take its own job again; the attempt tells the two apart.
async fn the_attempt_is_the_fence(store: TestStore) {
    let leak = leak_in_pieces(&store, "Example", 1).await;
    let mut tx = store.tx().await;
    let kind = JobKind::Screen;
    let first = tx.take_job(kind, leak, &worker(1), OVER).await.unwrap().unwrap();
    let second = tx.take_job(kind, leak, &worker(1), LONG).await.unwrap().unwrap();
    assert!(matches!(tx.finish(&first).await, Err(StoreError::LeaseLost { attempt: 1, .. })));
    tx.finish(&second).await.unwrap();
}

async fn a_lease_that_ran_out_is_not_renewed(store: TestStore) {
    let leak = leak_in_pieces(&store, "Example", 1).await;
    let mut tx = store.tx().await;
    let kind = JobKind::Screen;
    let held = tx.take_job(kind, leak, &worker(1), LONG).await.unwrap().unwrap();
    assert!(tx.renew(&held, LONG).await.unwrap());
    assert_eq!(tx.take_job(kind, leak, &worker(2), LONG).await.unwrap(), None);
    assert!(tx.renew(&held, OVER).await.unwrap());
    assert!(!tx.renew(&held, LONG).await.unwrap());
    assert!(tx.take_job(kind, leak, &worker(2), LONG).await.unwrap().is_some());
}

async fn a_job_ends_once(store: TestStore) {
    let leak = leak_in_pieces(&store, "Example", 1).await;
    let mut tx = store.tx().await;
    let held = take(&mut tx, JobKind::Screen, leak).await;
    tx.finish(&held).await.unwrap();
    assert!(matches!(tx.finish(&held).await, Err(StoreError::LeaseLost { .. })));
    assert!(!tx.renew(&held, LONG).await.unwrap());
    assert_eq!(tx.take_job(JobKind::Screen, leak, &worker(2), OVER).await.unwrap(), None);
}

async fn the_result_of_a_lost_lease_is_taken_back(store: TestStore) {
    let leak = leak_in_pieces(&store, "Example", 1).await;
    let mut tx = store.tx().await;
    let lost = tx.take_job(JobKind::Screen, leak, &worker(1), OVER).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.tx().await;
    let held = take(&mut tx, JobKind::Screen, leak).await;
    tx.commit().await.unwrap();

    assert!(deliver(&store, leak, &lost, 1).await.is_err());
    assert_eq!(store.tx().await.candidate_count(leak).await.unwrap(), 0);
    deliver(&store, leak, &held, 2).await.unwrap();
    let found = store.ask::<(i64,)>("SELECT byte_offset FROM candidate").await;
    assert_eq!(found, [(2,)]);
}

async fn a_piece_that_is_taken_over_begins_anew(store: TestStore) {
    let leak = leak_in_pieces(&store, "Example", 2).await;
    let mut tx = store.tx().await;
    let done = take(&mut tx, JobKind::Screen, leak).await;
    tx.add_candidates(leak, done.job, [candidate("a", 1, 0)]).await.unwrap();
    tx.finish(&done).await.unwrap();
    let dead = tx.take_job(JobKind::Screen, leak, &worker(1), OVER).await.unwrap().unwrap();
    let left = [candidate("a", 1, 100), candidate("b", 2, 120)];
    tx.add_candidates(leak, dead.job, left).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = store.tx().await;
    assert_eq!(tx.candidate_count(leak).await.unwrap(), 3);
    let heir = take(&mut tx, JobKind::Screen, leak).await;
    assert_eq!(heir.job, dead.job);
    assert_eq!(tx.candidate_count(leak).await.unwrap(), 1);
    tx.add_candidates(leak, heir.job, [candidate("a", 1, 100)]).await.unwrap();
    tx.finish(&heir).await.unwrap();
    assert_eq!(tx.candidate_count(leak).await.unwrap(), 2);
}

async fn two_workers_never_hold_one_job(store: TestStore) {
    let leak = leak_in_pieces(&store, "Example", 60).await;
    let workers: Vec<_> =
        (0..4).map(|n| tokio::spawn(take_all(store.store.clone(), leak, worker(n)))).collect();
    let mut taken = Vec::new();
    for worker in workers {
        taken.extend(worker.await.unwrap());
    }
    let distinct: HashSet<_> = taken.iter().collect();
    assert_eq!((taken.len(), distinct.len()), (60, 60));
}

/// Leases end at once, and everybody takes as many as there are jobs before anybody delivers: of a
/// hundred leases on 25 jobs, at least 75 are stolen.
async fn stolen_jobs_give_one_result_each(store: TestStore) {
    let leak = leak_in_pieces(&store, "Example", 25).await;
    let all_took = Arc::new(Barrier::new(4));
    let workers: Vec<_> = (0..4)
        .map(|n| tokio::spawn(steal_all(store.store.clone(), leak, worker(n), all_took.clone())))
        .collect();
    let mut delivered = 0;
    for worker in workers {
        delivered += worker.await.unwrap();
    }
    assert_eq!(delivered, 25);
    let mut tx = store.tx().await;
    assert_eq!(tx.candidate_count(leak).await.unwrap(), 25);
    assert_eq!(counts(&mut tx, leak).await, [0, 0, 25]);
}

async fn counts(tx: &mut store::Tx, leak: LeakId) -> [u64; 3] {
    let counts = tx.job_counts(JobKind::Screen, leak).await.unwrap();
    [counts.open, counts.leased, counts.done]
}

/// Writes a result and ends the job, in one transaction.
async fn deliver(
    store: &Store,
    leak: LeakId,
    lease: &store::Lease,
    offset: u64,
) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    tx.add_candidates(leak, lease.job, [candidate("a", 1, offset)]).await?;
    tx.finish(lease).await?;
    tx.commit().await
}

/// Takes jobs until none is left, or far too many were taken.
async fn take_all(store: Store, leak: LeakId, owner: WorkerName) -> Vec<JobId> {
    let mut taken = Vec::new();
    while taken.len() < 100 {
        let mut tx = store.begin().await.unwrap();
        let lease = tx.take_job(JobKind::Screen, leak, &owner, LONG).await.unwrap();
        tx.commit().await.unwrap();
        let Some(lease) = lease else { break };
        taken.push(lease.job);
    }
    taken
}

/// Takes 25 leases, waits until everybody has, and returns how many results it delivered. The place
/// of a result is its attempt's, so that no key but the fence refuses a second one.
async fn steal_all(store: Store, leak: LeakId, owner: WorkerName, all_took: Arc<Barrier>) -> u64 {
    let mut leases = Vec::new();
    while leases.len() < 25 {
        let mut tx = store.begin().await.unwrap();
        leases.extend(tx.take_job(JobKind::Screen, leak, &owner, OVER).await.unwrap());
        tx.commit().await.unwrap();
    }
    all_took.wait().await;
    let mut delivered = 0;
    for lease in leases {
        match deliver(&store, leak, &lease, lease.attempt.unsigned_abs()).await {
            Ok(()) => delivered += 1,
            Err(error) => assert!(matches!(error, StoreError::LeaseLost { .. }), "{error}"),
        }
    }
    delivered
}
