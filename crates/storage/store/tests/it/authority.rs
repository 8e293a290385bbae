//! Who may sign, and whether this database may send.

use std::{fs, time::Duration};

use sql::Constraint;

use crate::support::{LONG, TestStore, broken, open, sqlite_url};

on_both! {
    documents_are_read_in_their_order,
    no_document_takes_the_place_of_another,
    a_lease_runs_by_the_databases_clock,
    a_lease_that_is_over_stays_over,
    a_new_arming_replaces_the_last,
    a_database_knows_itself,
}

async fn documents_are_read_in_their_order(store: TestStore) {
    let mut tx = store.tx().await;
    assert!(tx.roster_documents().await.unwrap().is_empty());
    for (position, body) in [(1, "changed"), (0, "founded"), (2, "changed again")] {
        tx.add_roster_document(position, body.as_bytes()).await.unwrap();
    }
    let documents = tx.roster_documents().await.unwrap();
    assert_eq!(documents, [&b"founded"[..], b"changed", b"changed again"]);
}

async fn no_document_takes_the_place_of_another(store: TestStore) {
    let mut tx = store.tx().await;
    tx.add_roster_document(0, b"founded").await.unwrap();
    let again = tx.add_roster_document(0, b"founded by others").await;
    assert_eq!(broken(again), Constraint::Unique);
}

async fn a_lease_runs_by_the_databases_clock(store: TestStore) {
    let mut tx = store.tx().await;
    assert_eq!(tx.arming().await.unwrap(), None);
    let before = tx.now().await.unwrap();
    tx.put_arming(b"signed", LONG).await.unwrap();
    let armed = tx.arming().await.unwrap().unwrap();
    let after = tx.now().await.unwrap();
    assert_eq!(armed.document, b"signed");
    assert!((before..=after).contains(&armed.armed_at), "{armed:?}");
    let lease = before.after(LONG)..=after.after(LONG);
    assert!(lease.contains(&armed.lease_until), "{armed:?}");

    assert!(tx.renew_arming(armed.armed_at, 2 * LONG).await.unwrap());
    let renewed = tx.arming().await.unwrap().unwrap();
    assert!(renewed.lease_until >= armed.lease_until.after(LONG), "{renewed:?}");
    assert_eq!(renewed.armed_at, armed.armed_at);
}

async fn a_lease_that_is_over_stays_over(store: TestStore) {
    let mut tx = store.tx().await;
    tx.put_arming(b"signed", Duration::ZERO).await.unwrap();
    let armed = tx.arming().await.unwrap().unwrap();
    assert!(!tx.renew_arming(armed.armed_at, LONG).await.unwrap());
    assert_eq!(tx.arming().await.unwrap().unwrap(), armed);
}

async fn a_new_arming_replaces_the_last(store: TestStore) {
    let mut tx = store.tx().await;
    tx.put_arming(b"first", LONG).await.unwrap();
    let first = tx.arming().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    tx.put_arming(b"second", LONG).await.unwrap();
    assert_eq!(tx.arming().await.unwrap().unwrap().document, b"second");
    assert!(!tx.renew_arming(first.armed_at, LONG).await.unwrap(), "its holder is too late");
}

async fn a_database_knows_itself(store: TestStore) {
    let again = open(&store.url).await;
    assert_eq!(again.identity().await.unwrap(), store.identity().await.unwrap());
    let other = TestStore::sqlite().await;
    assert_ne!(other.identity().await.unwrap(), store.identity().await.unwrap());
}

#[tokio::test]
async fn two_databases_of_one_server_differ() {
    let (one, other) = (TestStore::postgres().await, TestStore::postgres().await);
    assert_ne!(one.identity().await.unwrap(), other.identity().await.unwrap());
}

#[tokio::test]
async fn a_copied_file_is_another_database() {
    let (url, folder) = sqlite_url();
    let store = open(&url).await;
    store.migrate().await.unwrap();
    let original = store.identity().await.unwrap();
    store.close().await;

    let (file, copy) = (folder.path().join("store.db"), folder.path().join("copy.db"));
    fs::copy(&file, &copy).unwrap();
    let copied = open(&format!("sqlite:{}", copy.display())).await;
    assert_ne!(copied.identity().await.unwrap(), original);
    copied.close().await;

    fs::rename(&copy, &file).unwrap();
    let restored = open(&url).await;
    assert_ne!(restored.identity().await.unwrap(), original, "a restored file is a copy");
}
