//! Instance keys: which one is in force, and which one wraps what.

use model::KeyId;
use store::{DataKeyPlace, KeyInForce, KeyRotated, RetiredKeyRow, Store, StoreError};
use tokio::time::{Duration, sleep};

use crate::support::{TestStore, leak, open};

const ONE: KeyId = KeyId::from_bytes([1; KeyId::BYTES]);
const TWO: KeyId = KeyId::from_bytes([2; KeyId::BYTES]);

on_both! {
    the_first_key_is_named_once,
    whoever_holds_another_key_commits_nothing,
    a_key_comes_into_force_after_those_who_commit,
    what_is_kept_of_a_key_is_replaced,
    every_data_key_is_found_that_another_key_wraps,
}

fn in_force(id: KeyId) -> KeyInForce {
    KeyInForce { id, key_check: vec![9] }
}

/// The same store for somebody who holds a key.
async fn held(store: &TestStore, key: KeyId) -> Store {
    open(&store.url).await.held_with(key)
}

async fn name_first(store: &TestStore) {
    let mut tx = store.tx().await;
    tx.name_first_key(in_force(ONE)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn rotate(store: &Store) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    tx.put_key_into_force(ONE, in_force(TWO)).await?;
    tx.commit().await
}

async fn the_first_key_is_named_once(store: TestStore) {
    assert_eq!(store.tx().await.key_in_force().await.unwrap(), None);
    for _ in 0..2 {
        name_first(&store).await;
    }
    let mut tx = store.tx().await;
    tx.name_first_key(in_force(TWO)).await.unwrap();
    assert_eq!(tx.key_in_force().await.unwrap(), Some(in_force(ONE)));
}

async fn whoever_holds_another_key_commits_nothing(store: TestStore) {
    name_first(&store).await;
    let one = held(&store, ONE).await;
    rotate(&one).await.unwrap();
    let mut tx = one.begin().await.unwrap();
    leak(&mut tx, "Example", &["a"]).await;
    let refused = tx.commit().await.unwrap_err();
    let expected = KeyRotated { in_force: TWO, held: ONE };
    assert!(matches!(&refused, StoreError::KeyRotated(found) if *found == expected));
    assert!(refused.is_refusal(), "nobody tries again");
    let mut tx = one.read().await.unwrap();
    assert!(tx.leaks().await.unwrap().is_empty());
    assert!(matches!(tx.check_key().await, Err(StoreError::KeyRotated(_))));
    assert!(rotate(&one).await.is_err(), "it is in force no more");
    let mut tx = held(&store, TWO).await.begin().await.unwrap();
    tx.check_key().await.unwrap();
    leak(&mut tx, "Example", &["a"]).await;
    tx.commit().await.unwrap();
}

/// Nobody's commit and the rotation pass each other: one of the two waits for the other.
async fn a_key_comes_into_force_after_those_who_commit(store: TestStore) {
    name_first(&store).await;
    let (one, two) = (held(&store, ONE).await, held(&store, TWO).await);
    let mut rotating = one.begin().await.unwrap();
    rotating.put_key_into_force(ONE, in_force(TWO)).await.unwrap();
    let committing = tokio::spawn(async move {
        let mut tx = one.begin().await?;
        tx.hold_subjects().await?;
        tx.commit().await
    });
    sleep(Duration::from_millis(200)).await;
    assert!(!committing.is_finished());
    rotating.commit().await.unwrap();
    assert!(matches!(committing.await.unwrap(), Err(StoreError::KeyRotated(_))));
    two.begin().await.unwrap().commit().await.unwrap();
}

async fn what_is_kept_of_a_key_is_replaced(store: TestStore) {
    let row = |number, id, kept: u8| RetiredKeyRow { number, id, kept: vec![kept] };
    let mut tx = store.tx().await;
    for new in [row(2, TWO, 1), row(1, ONE, 1), row(1, ONE, 2)] {
        tx.keep_retired_key(new).await.unwrap();
    }
    assert_eq!(tx.retired_keys().await.unwrap(), [row(1, ONE, 2), row(2, TWO, 1)]);
}

fn wrapped(key: KeyId, body: u8) -> Vec<u8> {
    [&[1][..], key.as_bytes(), &[body; 72]].concat()
}

fn prefix(key: KeyId) -> [u8; 9] {
    wrapped(key, 0)[..9].try_into().unwrap()
}

async fn every_data_key_is_found_that_another_key_wraps(store: TestStore) {
    let mut tx = store.tx().await;
    for name in ["a", "b", "c"] {
        leak(&mut tx, name, &["a"]).await;
    }
    tx.commit().await.unwrap();
    let hex = model::canonical::hex_of;
    let is_sqlite = store.url.starts_with("sqlite");
    let (open, close) = if is_sqlite { ("X'", "'") } else { ("'\\x", "'") };
    let literal = |bytes: &[u8]| format!("{open}{}{close}", hex(bytes));
    for (id, key) in [(1, vec![7; 72]), (2, wrapped(ONE, 3)), (3, wrapped(TWO, 4))] {
        let text = format!("UPDATE leak SET spool_key = {} WHERE id = {id}", literal(&key));
        store.raw(&text).await.unwrap();
    }
    let mut tx = store.tx().await;
    let mut counts = tx.count_data_keys().await.unwrap();
    counts.sort();
    assert_eq!(counts, [(None, 1), (Some(ONE), 1), (Some(TWO), 1)]);
    let find = |behind, limit| (DataKeyPlace::Leak, prefix(TWO), (behind, 0), limit);
    for ((place, prefix, behind, limit), expected) in
        [(find(0, 9), &[1, 2][..]), (find(0, 1), &[1]), (find(1, 9), &[2]), (find(2, 9), &[])]
    {
        let found = tx.data_keys_wrapped_otherwise(place, &prefix, behind, limit).await.unwrap();
        assert_eq!(found.iter().map(|row| row.first).collect::<Vec<_>>(), expected);
    }
    let of_two = prefix(TWO);
    let all = tx.data_keys_wrapped_otherwise(DataKeyPlace::Leak, &of_two, (0, 0), 9).await;
    for row in all.unwrap() {
        assert!(tx.wrap_data_key(DataKeyPlace::Leak, &row, wrapped(TWO, 5)).await.unwrap());
        assert!(!tx.wrap_data_key(DataKeyPlace::Leak, &row, wrapped(TWO, 6)).await.unwrap());
    }
    assert_eq!(tx.count_data_keys().await.unwrap(), [(Some(TWO), 3)]);
    for place in DataKeyPlace::ALL {
        let left = tx.data_keys_wrapped_otherwise(place, &prefix(TWO), (0, 0), 9).await.unwrap();
        assert!(left.is_empty(), "{}", place.table());
    }
}
