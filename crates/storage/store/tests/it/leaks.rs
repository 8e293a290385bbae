use model::{LeakState, Provenance};
use sql::Constraint;
use store::{Leak, LeakFile, NewFile, NewLeak, StoreError};

use crate::support::{TestStore, broken, leak, new_file, new_leak, time};

on_both! {
    a_leak_comes_back_as_it_was_registered,
    a_name_is_taken_once,
    a_leak_has_files_and_each_once,
    a_leak_is_moved_on_once,
    of_two_who_move_a_leak_on_one_succeeds,
    a_spool_key_is_destroyed,
    a_number_too_large_for_a_column_is_refused,
}

async fn a_leak_comes_back_as_it_was_registered(store: TestStore) {
    let new = new_leak("Example Books");
    let mut stdin = new_file("-");
    stdin.kept = Some("leaks/1.sealed".to_owned());
    let mut tx = store.tx().await;
    let id = tx.add_leak(&new, &[new_file("b.txt"), stdin.clone()]).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = store.read().await.unwrap();
    let NewLeak { name, public_name, date, provenance, added_at, spool_key } = new;
    let expected = Leak {
        id,
        name,
        public_name,
        date,
        provenance,
        added_at,
        state: LeakState::Added,
        spool_key: Some(spool_key),
    };
    let found = tx.leak_by_name(&expected.name).await.unwrap();
    assert_eq!(tx.leaks().await.unwrap(), found.as_slice());
    assert_eq!(found, Some(expected));
    let files = tx.leak_files(id).await.unwrap();
    assert_eq!(files[1], registered(&files[1], stdin));
    let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["b.txt", "-"]);
}

async fn a_name_is_taken_once(store: TestStore) {
    let mut tx = store.tx().await;
    leak(&mut tx, "Example", &["a"]).await;
    let error = tx.add_leak(&new_leak("Example"), &[new_file("b")]).await.unwrap_err();
    let message = "there is a leak called `Example` already: choose another name";
    assert_eq!(error.to_string(), message);
    leak(&mut tx, "example", &["a"]).await;
    assert_eq!(tx.leaks().await.unwrap().len(), 2);
    assert_eq!(tx.leak_by_name(&"EXAMPLE".parse().unwrap()).await.unwrap(), None);
}

async fn a_leak_has_files_and_each_once(store: TestStore) {
    let mut tx = store.tx().await;
    let error = tx.add_leak(&new_leak("Empty"), &[]).await.unwrap_err();
    assert_eq!(error.to_string(), "the leak `Empty` has no files");
    assert!(tx.leaks().await.unwrap().is_empty());
    let twice = tx.add_leak(&new_leak("Twice"), &[new_file("a"), new_file("a")]).await;
    assert_eq!(broken(twice), Constraint::Unique);
}

async fn a_leak_is_moved_on_once(store: TestStore) {
    let mut tx = store.tx().await;
    let (id, _) = leak(&mut tx, "Example", &["a"]).await;
    let (from, to) = (LeakState::Added, LeakState::Screening);
    tx.advance_leak(id, from, to).await.unwrap();
    let error = tx.advance_leak(id, from, to).await.unwrap_err();
    assert_eq!(error.to_string(), "leak 1 should be added, but is screening");
    assert_eq!(tx.leaks().await.unwrap()[0].state, to);
    let other = model::LeakId(77);
    let error = tx.advance_leak(other, from, to).await.unwrap_err();
    assert!(matches!(error, StoreError::NoSuchLeak { leak } if leak == other), "{error}");
}

async fn of_two_who_move_a_leak_on_one_succeeds(store: TestStore) {
    let mut tx = store.tx().await;
    let (id, _) = leak(&mut tx, "Example", &["a"]).await;
    tx.commit().await.unwrap();
    let movers: Vec<_> = (0..4).map(|_| tokio::spawn(move_on(store.store.clone(), id))).collect();
    let mut successes = 0;
    for mover in movers {
        match mover.await.unwrap() {
            Ok(()) => successes += 1,
            Err(error) => assert!(matches!(error, StoreError::LeakMoved { .. }), "{error}"),
        }
    }
    assert_eq!(successes, 1);
}

async fn a_spool_key_is_destroyed(store: TestStore) {
    let mut tx = store.tx().await;
    let (id, _) = leak(&mut tx, "Example", &["a"]).await;
    let (other, _) = leak(&mut tx, "Other", &["a"]).await;
    tx.destroy_spool_key(id).await.unwrap();
    let keys: Vec<_> = tx.leaks().await.unwrap().into_iter().map(|l| (l.id, l.spool_key)).collect();
    assert_eq!(keys, [(id, None), (other, Some(b"wrapped spool key".to_vec()))]);
    assert!(tx.destroy_spool_key(model::LeakId(77)).await.is_err());
}

async fn a_number_too_large_for_a_column_is_refused(store: TestStore) {
    let mut file = new_file("a");
    file.bytes = u64::MAX;
    let result = store.tx().await.add_leak(&new_leak("Example"), &[file]).await;
    assert!(result.unwrap_err().to_string().contains("out of range"));
    let mut file = new_file("a");
    file.bytes = i64::MAX as u64;
    let mut tx = store.tx().await;
    let id = tx.add_leak(&new_leak("Example"), &[file]).await.unwrap();
    assert_eq!(tx.leak_files(id).await.unwrap()[0].bytes, i64::MAX as u64);
}

async fn move_on(store: store::Store, leak: model::LeakId) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    tx.advance_leak(leak, LeakState::Added, LeakState::Screening).await?;
    tx.commit().await
}

fn registered(found: &LeakFile, file: NewFile) -> LeakFile {
    let NewFile { path, sha256, bytes, modified_at, compression, kept } = file;
    LeakFile { id: found.id, path, sha256, bytes, modified_at, compression, kept }
}

#[tokio::test]
async fn an_unknown_word_is_an_error_and_not_another_word() {
    let store = TestStore::sqlite().await;
    let mut tx = store.tx().await;
    leak(&mut tx, "Example", &["a"]).await;
    tx.commit().await.unwrap();
    assert_eq!(store.tx().await.leaks().await.unwrap()[0].provenance, Provenance::Circulating);
    store.raw("UPDATE leak SET date = 'yesterday'").await.unwrap();
    let error = store.tx().await.leaks().await.unwrap_err();
    assert!(error.to_string().contains("yesterday"), "{error}");
    store.raw("UPDATE leak SET date = '2016'").await.unwrap();
    assert_eq!(store.tx().await.leaks().await.unwrap()[0].added_at, time(1_463_443_200_000_000));
}
