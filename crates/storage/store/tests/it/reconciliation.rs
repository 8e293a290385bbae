//! One process at a time compares the site's table.

use std::time::Duration;

use model::CredentialVersion;
use store::{ReconciliationLease, Tx};

use crate::support::{LONG, TestStore, version, worker};

on_both! {
    one_at_a_time_compares,
    the_next_one_waits_until_it_is_due,
    whoever_seems_dead_says_nothing_more,
    what_was_tried_is_kept_until_the_next_one_ends,
}

const NOW: Duration = Duration::ZERO;

async fn take(tx: &mut Tx, number: u8, lease: Duration) -> Option<ReconciliationLease> {
    tx.take_reconciliation(&worker(number), lease, NOW, NOW).await.unwrap()
}

async fn finish(tx: &mut Tx, held: &ReconciliationLease, tried: Option<CredentialVersion>) -> bool {
    tx.finish_reconciliation(held, tried).await.unwrap()
}

async fn one_at_a_time_compares(store: TestStore) {
    let mut tx = store.tx().await;
    assert!(!tx.reconciliation().await.unwrap().is_under_way);
    let held = take(&mut tx, 1, LONG).await.unwrap();
    assert!(tx.reconciliation().await.unwrap().is_under_way);
    assert_eq!(take(&mut tx, 2, LONG).await, None);
    assert!(tx.renew_reconciliation(&held, LONG).await.unwrap());
    assert!(finish(&mut tx, &held, None).await);
    assert!(!tx.reconciliation().await.unwrap().is_under_way);
    assert!(!tx.renew_reconciliation(&held, LONG).await.unwrap(), "it has ended");
    assert!(take(&mut tx, 2, LONG).await.is_some());
}

async fn the_next_one_waits_until_it_is_due(store: TestStore) {
    let mut tx = store.tx().await;
    let held = take(&mut tx, 1, LONG).await.unwrap();
    tx.fail_reconciliation(&held).await.unwrap();
    let due = async |tx: &mut Tx, every, again| {
        tx.take_reconciliation(&worker(2), LONG, every, again).await.unwrap()
    };
    assert_eq!(due(&mut tx, LONG, LONG).await, None, "it has just failed");
    let held = due(&mut tx, LONG, NOW).await.unwrap();
    assert!(finish(&mut tx, &held, None).await);
    assert_eq!(due(&mut tx, LONG, NOW).await, None, "it has just ended");
    assert!(due(&mut tx, NOW, LONG).await.is_some());
}

async fn whoever_seems_dead_says_nothing_more(store: TestStore) {
    let mut tx = store.tx().await;
    let dead = take(&mut tx, 1, NOW).await.unwrap();
    assert!(!tx.renew_reconciliation(&dead, LONG).await.unwrap(), "its lease is over");
    let next = take(&mut tx, 2, LONG).await.unwrap();
    assert!(!finish(&mut tx, &dead, None).await);
    tx.fail_reconciliation(&dead).await.unwrap();
    let kept = tx.reconciliation().await.unwrap();
    assert!(kept.is_under_way && kept.failed_at.is_none());
    assert!(finish(&mut tx, &next, None).await);
}

async fn what_was_tried_is_kept_until_the_next_one_ends(store: TestStore) {
    let mut tx = store.tx().await;
    let held = take(&mut tx, 1, LONG).await.unwrap();
    assert!(finish(&mut tx, &held, Some(version(7))).await);
    let held = take(&mut tx, 2, LONG).await.unwrap();
    tx.fail_reconciliation(&held).await.unwrap();
    let kept = tx.reconciliation().await.unwrap();
    assert_eq!(kept.tried, Some(version(7)));
    assert!(kept.ended_at.is_some() && kept.failed_at >= kept.ended_at);
    let held = take(&mut tx, 3, LONG).await.unwrap();
    assert!(finish(&mut tx, &held, None).await);
    let kept = tx.reconciliation().await.unwrap();
    assert_eq!((kept.failed_at, kept.tried), (None, Some(version(7))));
}
