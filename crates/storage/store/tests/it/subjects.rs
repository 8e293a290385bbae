use model::SubjectId;
use sql::Constraint;
use store::{KeptAccount, NewSubject};

use crate::support::{TestStore, broken};

on_both! {
    a_subject_is_found_by_the_hash_of_its_account,
    whoever_names_one_waits_for_whoever_else_does,
    whom_a_subject_names_stays_until_it_is_forgotten,
    what_is_left_of_somebody_forgotten_stays,
}

const FIRST: i64 = 5000;

fn new_subject(id: i64, hash: u8) -> NewSubject {
    let (subject_key, account) = (vec![hash, 1], vec![hash, 2]);
    let kept = KeptAccount { account_hash: [hash; 32], subject_key, account };
    NewSubject { id: SubjectId(id), kept }
}

async fn a_subject_is_found_by_the_hash_of_its_account(store: TestStore) {
    let mut tx = store.tx().await;
    tx.add_subjects(vec![new_subject(FIRST, 1), new_subject(FIRST + 1, 2)]).await.unwrap();
    let found = tx.find_subjects(&[[2; 32], [3; 32]]).await.unwrap();
    assert_eq!(found, [(SubjectId(FIRST + 1), [2; 32])]);
    let kept = tx.subjects(&[SubjectId(FIRST), SubjectId(0)]).await.unwrap();
    let kept: Vec<_> = kept.into_iter().map(|s| (s.id.0, s.subject_key, s.account)).collect();
    assert!(kept.contains(&(FIRST, Some(vec![1, 1]), Some(vec![1, 2]))), "{kept:?}");
    assert!(kept.contains(&(0, None, None)), "it is forgotten: {kept:?}");
    let again = tx.add_subjects(vec![new_subject(FIRST + 2, 1)]).await;
    assert_eq!(broken(again), Constraint::Unique);
}

async fn whoever_names_one_waits_for_whoever_else_does(store: TestStore) {
    let mut tx = store.tx().await;
    let last = tx.hold_subjects().await.unwrap();
    tx.add_subjects(vec![new_subject(FIRST, 1)]).await.unwrap();
    let other = store.store.clone();
    let other = tokio::spawn(async move {
        let mut tx = other.begin().await.unwrap();
        let last = tx.hold_subjects().await.unwrap();
        (last, tx.find_subjects(&[[1; 32]]).await.unwrap())
    });
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(!other.is_finished());
    tx.commit().await.unwrap();
    let (later, found) = other.await.unwrap();
    assert!(last < later, "{last} {later}");
    assert_eq!((later, found), (SubjectId(FIRST), vec![(SubjectId(FIRST), [1; 32])]));
}

async fn whom_a_subject_names_stays_until_it_is_forgotten(store: TestStore) {
    let mut tx = store.tx().await;
    tx.add_subjects(vec![new_subject(FIRST, 1), new_subject(FIRST + 1, 2)]).await.unwrap();
    tx.commit().await.unwrap();
    let stays = "whom a subject names stays, or is forgotten";
    for text in [
        "UPDATE subject SET account = (SELECT account FROM subject WHERE id = 5001)
            WHERE id = 5000",
        "UPDATE subject SET id = 6000 WHERE id = 5000",
    ] {
        assert!(store.objection(text).await.contains(stays), "{text}");
    }
    assert!(store.objection("DELETE FROM subject").await.contains("rows of subject stay"));
    let half = "UPDATE subject SET subject_key = NULL WHERE id = 5000";
    assert_eq!(store.refusal(half).await, Constraint::Check);
    let forget = "UPDATE subject SET account_hash = NULL, subject_key = NULL, account = NULL
        WHERE id = 5000";
    assert_eq!(store.raw(forget).await.unwrap(), 1);
    assert!(store.tx().await.find_subjects(&[[1; 32]]).await.unwrap().is_empty());
}

async fn what_is_left_of_somebody_forgotten_stays(store: TestStore) {
    let mut tx = store.tx().await;
    tx.add_subjects(vec![new_subject(FIRST, 1)]).await.unwrap();
    tx.commit().await.unwrap();
    let bury = "INSERT INTO tombstone (fingerprint) SELECT account_hash FROM subject
        WHERE id = 5000";
    store.raw(bury).await.unwrap();
    let found = store.tx().await.tombstones(&[[2; 32], [1; 32]]).await.unwrap();
    assert_eq!(found, [[1; 32]]);
    for text in ["DELETE FROM tombstone", "UPDATE tombstone SET fingerprint = fingerprint"] {
        assert!(store.objection(text).await.contains("rows of tombstone are only added"));
    }
}
