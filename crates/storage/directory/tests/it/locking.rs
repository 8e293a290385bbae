//! A row that is held, beside others who want it.

use std::{sync::Arc, time::Duration};

use directory::{Ability, Directory, LockedRow, RowNow, TransactionFate, WriteError};
use model::{SiteTransaction, StoredHash};
use sql::{Access, Db, OpenOptions, QueryText, SqlTx};
use tokio::{task::JoinHandle, time::sleep};

use crate::site::{Site, id, replace_if, small, small_from};

const USERS: [&str; 2] = [
    "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT)",
    "INSERT INTO users VALUES (1, 'a@b.example', 'old'), (2, 'c@d.example', '!'),
     (3, 'e@f.example', 'other')",
];

fn hash(text: &str) -> StoredHash {
    StoredHash::from_column(Some(text.to_owned())).unwrap()
}

async fn with_users(site: &Site) -> Arc<dyn Directory> {
    site.run(&USERS).await;
    site.open_writable(small()).await
}

/// A transaction of the site's own that has run this and is not over.
async fn beside(site: &Site, text: &str) -> SqlTx {
    let options = OpenOptions { access: Access::Write, connections_max: 1 };
    let mut tx = Db::open(&site.url, options).await.unwrap().begin().await.unwrap();
    tx.run(&QueryText::composed(text.to_owned())).execute().await.unwrap();
    tx
}

type Waiting = JoinHandle<Result<Box<dyn LockedRow>, WriteError>>;

/// Somebody who wants the row of account 1, and does not get it yet.
async fn waiting(directory: &Arc<dyn Directory>) -> Waiting {
    let directory = directory.clone();
    let waiting = tokio::spawn(async move { directory.lock(&id("1")).await });
    sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished());
    waiting
}

async fn got(waiting: Waiting) -> Box<dyn LockedRow> {
    waiting.await.unwrap().unwrap()
}

/// A change of account 1 that is not committed.
async fn changed(directory: &Arc<dyn Directory>) -> (Box<dyn LockedRow>, Option<SiteTransaction>) {
    let mut row = directory.lock(&id("1")).await.unwrap();
    row.replace(&hash("new")).await.unwrap();
    let transaction = row.transaction();
    (row, transaction)
}

#[tokio::test]
async fn a_row_is_seen_as_it_is() {
    for site in Site::each() {
        let directory = with_users(&site).await;
        for look in [directory.look(&id("1")).await.unwrap(), {
            directory.lock(&id("1")).await.unwrap().now().clone()
        }] {
            assert!(look.is(&hash("old")));
        }
        for (account, is_gone) in [("2", false), ("9", true), ("x", true)] {
            let mut row = directory.lock(&id(account)).await.unwrap();
            assert_eq!(matches!(row.now(), RowNow::Gone), is_gone, "{account}");
            assert_eq!(matches!(row.now(), RowNow::Empty), !is_gone, "{account}");
            let refused = row.replace(&hash("new")).await;
            assert!(matches!(refused, Err(WriteError::NoHash { .. })));
            row.roll_back().await.unwrap();
            let look = directory.look(&id(account)).await.unwrap();
            assert_eq!(matches!(look, RowNow::Gone), is_gone, "{account}");
        }
        assert!(!directory.capabilities().can(Ability::SharesStore));
    }
}

#[tokio::test]
async fn a_lock_waits_for_the_owners_own_change_and_sees_it() {
    for site in Site::each() {
        let directory = with_users(&site).await;
        let owner = beside(&site, "UPDATE users SET hash = 'theirs' WHERE id = 1").await;
        let waiting = waiting(&directory).await;
        owner.commit().await.unwrap();
        assert!(got(waiting).await.now().is(&hash("theirs")));
    }
}

#[tokio::test]
async fn a_second_lock_waits_for_the_end_of_the_first() {
    for site in Site::each() {
        let directory = with_users(&site).await;
        let (first, _) = changed(&directory).await;
        let second = waiting(&directory).await;
        first.roll_back().await.unwrap();
        let second = got(second).await;
        assert!(second.now().is(&hash("old")));
        drop(second);
        let (first, _) = changed(&directory).await;
        let second = waiting(&directory).await;
        first.commit().await.unwrap();
        assert!(got(second).await.now().is(&hash("new")));
    }
}

#[tokio::test]
async fn a_row_that_is_dropped_is_as_it_was() {
    for site in Site::each() {
        let directory = with_users(&site).await;
        drop(changed(&directory).await);
        let again = directory.lock(&id("1")).await.unwrap();
        assert!(again.now().is(&hash("old")));
    }
}

#[tokio::test]
async fn other_rows_are_free_meanwhile_and_nobody_waits_for_ever() {
    let site = Site::postgres();
    let directory = with_users(&site).await;
    let owner = beside(&site, "UPDATE users SET hash = 'theirs' WHERE id = 1").await;
    assert!(replace_if(&directory, &id("3"), &hash("other"), &hash("new")).await.unwrap());
    let error = directory.lock(&id("1")).await.err().unwrap();
    assert!(matches!(error, WriteError::Held { .. }), "{error}");
    assert!(error.to_string().contains("lock timeout"), "{error}");
    drop(owner);
}

#[tokio::test]
async fn the_fate_of_a_change_is_known_later() {
    let site = Site::postgres();
    let directory = with_users(&site).await;
    let (row, undone) = changed(&directory).await;
    let undone = undone.unwrap();
    let fate = async |of: &SiteTransaction| directory.fate(of).await.unwrap();
    assert_eq!(fate(&undone).await, TransactionFate::Unknown);
    row.roll_back().await.unwrap();
    assert_eq!(fate(&undone).await, TransactionFate::Aborted);

    let (row, done) = changed(&directory).await;
    let done = done.unwrap();
    row.commit().await.unwrap();
    assert_eq!(fate(&done).await, TransactionFate::Committed);
    site.run(&["UPDATE users SET hash = 'theirs' WHERE id = 1"]).await;
    assert_eq!(fate(&done).await, TransactionFate::Committed);

    let elsewhere = SiteTransaction::new("1/2/00000001".into(), done.number());
    assert_eq!(fate(&elsewhere).await, TransactionFate::Unknown);
    for number in [done.number() + 1_000_000, u64::MAX] {
        let to_come = SiteTransaction::new(done.database().into(), number);
        assert_eq!(fate(&to_come).await, TransactionFate::Unknown);
    }
}

#[tokio::test]
async fn a_file_keeps_no_record_of_its_transactions() {
    let site = Site::sqlite();
    let directory = with_users(&site).await;
    let (row, transaction) = changed(&directory).await;
    assert_eq!(transaction, None);
    row.commit().await.unwrap();
    let some = SiteTransaction::new("1/2/00000001".into(), 7);
    assert_eq!(directory.fate(&some).await.unwrap(), TransactionFate::Unknown);
}

#[tokio::test]
async fn a_change_whose_connection_is_cut_off_has_not_happened() {
    let site = Site::postgres();
    let directory = with_users(&site).await;
    let (row, transaction) = changed(&directory).await;
    let others = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND state = 'idle in transaction'";
    assert_eq!(site.number(others).await, 1);
    assert!(matches!(row.commit().await, Err(WriteError::Hash { .. })));
    let fate = directory.fate(&transaction.unwrap()).await.unwrap();
    assert_eq!(fate, TransactionFate::Aborted);
    assert!(directory.look(&id("1")).await.unwrap().is(&hash("old")));
}

#[tokio::test]
async fn a_grant_on_the_hash_is_enough_to_lock_and_to_ask() {
    let site = Site::postgres();
    site.run(&USERS).await;
    site.run(&["CREATE ROLE holder LOGIN", "GRANT SELECT ON users TO holder"]).await;
    let url = site.url.replace("postgres@", "holder@");
    let directory = directory::open(&url, Some(&url), small()).await.unwrap();
    let refused = directory.lock(&id("1")).await.err().unwrap();
    assert!(refused.to_string().contains("permission denied"), "{refused}");
    site.run(&["GRANT UPDATE (hash) ON users TO holder"]).await;
    let (row, transaction) = changed(&directory).await;
    row.commit().await.unwrap();
    let fate = directory.fate(&transaction.unwrap()).await.unwrap();
    assert_eq!(fate, TransactionFate::Committed);
}

#[tokio::test]
async fn what_cannot_be_written_to_cannot_be_locked_and_can_be_looked_at() {
    for site in Site::each() {
        site.run(&USERS).await;
        let query = site.open_writable(small_from("SELECT * FROM users")).await;
        assert!(matches!(query.lock(&id("1")).await, Err(WriteError::Query)));
        let read_only = site.open(small()).await;
        assert!(matches!(read_only.lock(&id("1")).await, Err(WriteError::NotConfigured)));
        for directory in [query, read_only] {
            assert!(directory.look(&id("1")).await.unwrap().is(&hash("old")));
            assert!(matches!(directory.look(&id("9")).await.unwrap(), RowNow::Gone));
        }
    }
}
