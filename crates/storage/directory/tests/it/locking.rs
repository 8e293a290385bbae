//! A row that nobody else can change, and what became of the transaction that held it.

use std::{sync::Arc, time::Duration};

use directory::{Directory, Fate, RowNow};
use model::StoredHash;
use tokio::time::timeout;

use crate::site::{Site, id, small};

const OLD: &str = "$2b$10$old-old-old-old";
const NEW: &str = "$2b$10$new-new-new-new";
const OTHER: &str = "$2b$10$other-other-other";

fn hash(text: &str) -> StoredHash {
    StoredHash::from_column(Some(text.to_owned())).unwrap()
}

async fn with_user(site: &Site) -> Arc<dyn Directory> {
    site.run(&[
        "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT)",
        &format!("INSERT INTO users VALUES (1, 'a@b.example', '{OLD}')"),
        "INSERT INTO users VALUES (2, 'c@d.example', NULL)",
    ])
    .await;
    site.open_writable(small()).await
}

fn holds(now: &RowNow, expected: &str) -> bool {
    matches!(now, RowNow::Present(hash) if hash.expose() == expected)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_later_waits_and_sees_what_was_done() {
    for site in Site::both() {
        let directory = with_user(&site).await;
        let account = id("1");
        for (end, expected) in [(false, OLD), (true, NEW)] {
            let mut first = directory.lock(&account).await.unwrap();
            assert!(holds(first.now(), OLD));
            first.replace(&hash(NEW)).await.unwrap();
            let second = directory.lock(&account);
            tokio::pin!(second);
            let waits = timeout(Duration::from_millis(300), &mut second).await;
            assert!(waits.is_err(), "the row is locked");
            if end {
                first.commit().await.unwrap();
            } else {
                first.roll_back().await;
            }
            let second = timeout(Duration::from_secs(10), second).await.unwrap().unwrap();
            assert!(holds(second.now(), expected));
            second.roll_back().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owners_own_change_is_waited_for() {
    let site = Site::postgres();
    let directory = with_user(&site).await;
    let account = id("1");
    let owner = site.hold(&format!("UPDATE users SET hash = '{OTHER}' WHERE id = 1")).await;
    let locked = directory.lock(&account);
    tokio::pin!(locked);
    assert!(timeout(Duration::from_millis(300), &mut locked).await.is_err());
    owner.commit().await.unwrap();
    let locked = timeout(Duration::from_secs(10), locked).await.unwrap().unwrap();
    assert!(holds(locked.now(), OTHER), "{:?}", locked.now());
}

#[tokio::test]
async fn a_row_is_shown_as_it_is() {
    for site in Site::both() {
        let directory = with_user(&site).await;
        let empty = directory.lock(&id("2")).await.unwrap();
        assert!(matches!(empty.now(), RowNow::Empty));
        empty.roll_back().await;
        for nobody in ["3", "01", "x"] {
            let gone = directory.lock(&id(nobody)).await.unwrap();
            assert!(matches!(gone.now(), RowNow::Gone), "{nobody}");
            gone.roll_back().await;
        }
    }
}

#[tokio::test]
async fn a_database_tells_afterwards_what_became_of_a_transaction() {
    let site = Site::postgres();
    let directory = with_user(&site).await;
    let account = id("1");
    let mut row = directory.lock(&account).await.unwrap();
    let aborted = row.transaction().unwrap().clone();
    row.replace(&hash(NEW)).await.unwrap();
    assert_eq!(directory.fate(&aborted).await.unwrap(), Fate::Unknown, "it is under way");
    row.roll_back().await;
    assert_eq!(directory.fate(&aborted).await.unwrap(), Fate::Aborted);

    let mut row = directory.lock(&account).await.unwrap();
    let committed = row.transaction().unwrap().clone();
    row.replace(&hash(NEW)).await.unwrap();
    row.commit().await.unwrap();
    site.run(&[&format!("UPDATE users SET hash = '{OTHER}' WHERE id = 1")]).await;
    assert_eq!(directory.fate(&committed).await.unwrap(), Fate::Committed);
    let elsewhere = model::SiteTransaction { database: "1/1".to_owned(), ..committed };
    assert_eq!(directory.fate(&elsewhere).await.unwrap(), Fate::Unknown);
}

#[tokio::test]
async fn a_connection_that_is_cut_off_has_changed_nothing() {
    let site = Site::postgres();
    let directory = with_user(&site).await;
    let mut row = directory.lock(&id("1")).await.unwrap();
    let cut = row.transaction().unwrap().clone();
    row.replace(&hash(NEW)).await.unwrap();
    site.run(&["SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND state = 'idle in transaction'"])
        .await;
    row.commit().await.unwrap_err();
    assert_eq!(directory.fate(&cut).await.unwrap(), Fate::Aborted);
    assert!(holds(directory.lock(&id("1")).await.unwrap().now(), OLD));
}

#[tokio::test]
async fn a_file_cannot_tell() {
    let directory = with_user(&Site::sqlite()).await;
    let row = directory.lock(&id("1")).await.unwrap();
    assert!(row.transaction().is_none());
    row.roll_back().await;
    let any = model::SiteTransaction { database: "x".to_owned(), id: 1 };
    assert_eq!(directory.fate(&any).await.unwrap(), Fate::Unknown);
}
