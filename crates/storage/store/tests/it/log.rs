use model::CampaignId;
use sql::Constraint;
use store::{CheckpointRow, LogEntry, NewLogEntry, Store, StoreError};

use crate::support::{TestStore, broken, time};

on_both! {
    what_is_appended_is_read_back,
    entries_are_found_by_their_campaign,
    many_hashes_are_read_at_once,
    an_append_to_another_size_is_refused,
    of_two_who_append_to_one_size_one_succeeds,
    appenders_who_lock_the_head_all_succeed,
    what_is_written_stays,
    the_latest_checkpoint_covers_most,
}

async fn what_is_appended_is_read_back(store: TestStore) {
    let mut tx = store.tx().await;
    assert_eq!(tx.log_size_for_append().await.unwrap(), 0);
    let entries = [new_entry("one"), new_entry("two")];
    tx.append_log(0, time(1), &entries, 0, &[[0; 32], [1; 32], [2; 32]]).await.unwrap();
    tx.append_log(2, time(2), &[new_entry("three")], 3, &[[3; 32]]).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.log_size().await.unwrap(), 3);
    assert_eq!(tx.log_entries(0, 2).await.unwrap(), [entry(0, 1, "one"), entry(1, 1, "two")]);
    assert_eq!(tx.log_entries(2, 9).await.unwrap(), [entry(2, 2, "three")]);
    assert_eq!(tx.log_entries(3, 9).await.unwrap(), []);
    let hashes = tx.log_hashes(&[3, 0, 2, 0]).await.unwrap();
    assert_eq!(hashes, [[3; 32], [0; 32], [2; 32], [0; 32]]);
    assert_eq!(tx.log_hashes(&[]).await.unwrap(), [[0; 32]; 0]);
    let error = tx.log_hashes(&[1, 4, 5]).await.unwrap_err().to_string();
    assert_eq!(error, "the log's hash 4 is not there");
}

async fn entries_are_found_by_their_campaign(store: TestStore) {
    let mut tx = store.tx().await;
    let about = |campaign: Option<i64>| NewLogEntry {
        campaign: campaign.map(CampaignId),
        body: format!("about {campaign:?}").into_bytes(),
    };
    let entries = [Some(7), None, Some(8), Some(7), Some(7)].map(about);
    tx.append_log(0, time(1), &entries, 0, &[]).await.unwrap();
    let found = tx.log_entries_of(CampaignId(7), 1, 9).await.unwrap();
    let told = |entry: &LogEntry| (entry.position, entry.campaign);
    let expected = [(3, Some(CampaignId(7))), (4, Some(CampaignId(7)))];
    assert_eq!(found.iter().map(told).collect::<Vec<_>>(), expected);
    let first = tx.log_entries_of(CampaignId(7), 0, 1).await.unwrap();
    assert_eq!(first.iter().map(told).collect::<Vec<_>>(), [(0, Some(CampaignId(7)))]);
    assert_eq!(tx.log_entries_of(CampaignId(9), 0, 9).await.unwrap(), []);
}

async fn many_hashes_are_read_at_once(store: TestStore) {
    let mut tx = store.tx().await;
    let entries = vec![new_entry("entry"); 1500];
    let hashes: Vec<[u8; 32]> = (0..1500_u16).map(numbered).collect();
    tx.append_log(0, time(1), &entries, 0, &hashes).await.unwrap();
    let asked: Vec<u64> = (0..1500).rev().collect();
    let found = tx.log_hashes(&asked).await.unwrap();
    assert!(found.iter().eq(hashes.iter().rev()));
}

async fn an_append_to_another_size_is_refused(store: TestStore) {
    let mut tx = store.tx().await;
    append(&mut tx, 0).await.unwrap();
    for stale in [0, 2] {
        let error = append(&mut tx, stale).await.unwrap_err().to_string();
        assert_eq!(error, format!("the log should hold {stale} entries, but holds 1"));
    }
    append(&mut tx, 1).await.unwrap();
    assert_eq!(tx.log_entries(0, 9).await.unwrap().len(), 2);
}

/// Both have read the size before either appends.
async fn of_two_who_append_to_one_size_one_succeeds(store: TestStore) {
    let mut first = store.tx().await;
    append(&mut first, 0).await.unwrap();
    let second = tokio::spawn(append_once(store.store.clone(), 0));
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert!(!second.is_finished(), "it must wait for the first");
    first.commit().await.unwrap();
    let error = second.await.unwrap().unwrap_err();
    assert!(matches!(error, StoreError::LogMoved { expected: 0, found: 1 }), "{error}");
}

async fn appenders_who_lock_the_head_all_succeed(store: TestStore) {
    let appenders: Vec<_> =
        (0..4).map(|_| tokio::spawn(append_often(store.store.clone(), 15))).collect();
    for appender in appenders {
        appender.await.unwrap().unwrap();
    }
    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.log_size().await.unwrap(), 60);
    let positions: Vec<_> =
        tx.log_entries(0, 99).await.unwrap().iter().map(|entry| entry.position).collect();
    assert_eq!(positions, (0..60).collect::<Vec<_>>());
}

async fn what_is_written_stays(store: TestStore) {
    let mut tx = store.tx().await;
    append(&mut tx, 0).await.unwrap();
    tx.add_checkpoint(1, [0; 32], time(1), "note").await.unwrap();
    tx.commit().await.unwrap();
    let texts = [
        ("UPDATE log_entry SET body = body", "rows of log_entry are only added"),
        ("DELETE FROM log_entry", "rows of log_entry are only added"),
        ("UPDATE log_hash SET hash = hash", "rows of log_hash are only added"),
        ("DELETE FROM log_hash", "rows of log_hash are only added"),
        ("UPDATE log_checkpoint SET note = 'x'", "rows of log_checkpoint are only added"),
        ("DELETE FROM log_checkpoint", "rows of log_checkpoint are only added"),
        ("UPDATE log_head SET size = 0", "log_head only grows"),
        ("DELETE FROM log_head", "log_head only grows"),
    ];
    for (text, reason) in texts {
        let error = store.raw(text).await.unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.log_entries(0, 9).await.unwrap(), [entry(0, 1, "entry")]);
    assert_eq!(tx.log_size().await.unwrap(), 1);
}

async fn the_latest_checkpoint_covers_most(store: TestStore) {
    let mut tx = store.tx().await;
    assert_eq!(tx.latest_checkpoint().await.unwrap(), None);
    for size in [9, 10, 2] {
        tx.add_checkpoint(size, [0; 32], time(5), &format!("note {size}")).await.unwrap();
    }
    let expected = CheckpointRow { size: 10, at: time(5), note: "note 10".to_owned() };
    assert_eq!(tx.latest_checkpoint().await.unwrap(), Some(expected));
    let sizes: Vec<_> = tx.checkpoints().await.unwrap().iter().map(|note| note.size).collect();
    assert_eq!(sizes, [2, 9, 10]);
    let again = tx.add_checkpoint(10, [0; 32], time(6), "another").await;
    assert_eq!(broken(again), Constraint::Unique);
}

/// On PostgreSQL a table can also be emptied without deleting a row.
#[tokio::test]
async fn truncating_is_refused() {
    let store = TestStore::postgres().await;
    for table in ["log_entry", "log_hash", "log_checkpoint", "log_head", "instance"] {
        let error = store.raw(&format!("TRUNCATE {table}")).await.unwrap_err().to_string();
        assert!(error.contains("only"), "{table}: {error}");
    }
}

fn entry(position: u64, at: i64, body: &str) -> LogEntry {
    LogEntry { position, at: time(at), campaign: None, body: body.as_bytes().to_vec() }
}

fn numbered(number: u16) -> [u8; 32] {
    let mut hash = [0; 32];
    hash[..2].copy_from_slice(&number.to_le_bytes());
    hash
}

fn new_entry(body: &str) -> NewLogEntry {
    NewLogEntry { campaign: None, body: body.as_bytes().to_vec() }
}

async fn append(tx: &mut store::Tx, size: u64) -> Result<(), StoreError> {
    tx.append_log(size, time(1), &[new_entry("entry")], size, &[[7; 32]]).await
}

async fn append_once(store: Store, size: u64) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    append(&mut tx, size).await?;
    tx.commit().await
}

async fn append_often(store: Store, times: u32) -> Result<(), StoreError> {
    for _ in 0..times {
        let mut tx = store.begin().await?;
        let size = tx.log_size_for_append().await?;
        append(&mut tx, size).await?;
        tx.commit().await?;
    }
    Ok(())
}
