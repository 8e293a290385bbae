use std::collections::BTreeMap;

use model::{
    CredentialVersion, FileId, FindingState, HashFormat, LeakId, Outcome, RecordRef, Tier,
    Unverified,
};
use sql::Constraint;
use store::{
    Finding, FindingRecord, JobKind, NewTried, NewUnverified, ShapeCount, TriedAccount,
    UnverifiedAccount,
};

use crate::support::{
    TestStore, account, broken, leak, new_finding as finding, subject, take, time,
};

on_both! {
    a_finding_comes_back_as_it_was_added,
    a_password_is_found_in_a_leak_once,
    another_password_or_leak_is_another_finding,
    records_name_their_file,
    findings_come_in_the_order_of_subjects,
    a_destroyed_secret_does_not_come_back,
    only_open_findings_count_as_exposed,
    an_account_is_unverified_once_in_a_leak,
    what_was_tried_on_whom_is_known,
    shapes_add_up_over_batches_and_proofs_are_kept_once,
    outcomes_add_up_over_batches,
    an_outcome_of_a_batch_is_counted_once,
}

async fn a_finding_comes_back_as_it_was_added(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, files) = leak(&mut tx, "Example", &["a.txt"]).await;
    let new = finding(leak, "anna", 1);
    let id = tx.add_finding(&new, &[record(files[0], 1)]).await.unwrap();
    let expected = Finding {
        id,
        leak,
        subject: subject("anna"),
        version: CredentialVersion::from_bytes([1; 32]),
        tier: Tier::Lead,
        hash_format: "bcrypt".parse::<HashFormat>().unwrap(),
        state: FindingState::Open,
        verified_at: time(77),
        wrapped_key: Some(b"key".to_vec()),
        sealed_secret: Some(b"secret".to_vec()),
    };
    assert_eq!(tx.findings(leak).await.unwrap(), [expected]);
}

async fn a_password_is_found_in_a_leak_once(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, files) = leak(&mut tx, "Example", &["a.txt"]).await;
    let first = finding(leak, "anna", 1);
    let id = tx.add_finding(&first, &[record(files[0], 1), record(files[0], 2)]).await.unwrap();
    let mut again = finding(leak, "anna", 1);
    again.verified_at = time(99);
    again.wrapped_key = b"other".to_vec();
    let records = [record(files[0], 2), record(files[0], 3)];
    assert_eq!(tx.add_finding(&again, &records).await.unwrap(), id);

    let found = tx.findings(leak).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].verified_at, found[0].wrapped_key.as_deref()),
        (time(77), Some(&b"key"[..]))
    );
    let lines: Vec<_> = records_of(&mut tx, leak).await.into_iter().map(|r| r.line).collect();
    assert_eq!(lines, [1, 2, 3]);
    tx.commit().await.unwrap();
    let copy = "INSERT INTO finding
        (leak, subject, version, tier, hash_format, state, verified_at)
        SELECT leak, subject, version, 'exact', 'bcrypt', 'open', 5 FROM finding";
    assert_eq!(store.refusal(copy).await, Constraint::Unique);
    let copy = "INSERT INTO finding_record SELECT * FROM finding_record";
    assert_eq!(store.refusal(copy).await, Constraint::Unique);
}

async fn another_password_or_leak_is_another_finding(store: TestStore) {
    let mut tx = store.tx().await;
    let (one, _) = leak(&mut tx, "One", &["a"]).await;
    let (two, _) = leak(&mut tx, "Two", &["a"]).await;
    let mut ids = Vec::new();
    for new in [finding(one, "anna", 1), finding(one, "anna", 2), finding(two, "anna", 1)] {
        ids.push(tx.add_finding(&new, &[]).await.unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
    assert_eq!(tx.findings(one).await.unwrap().len(), 2);
    assert_eq!(tx.exposed_accounts().await.unwrap(), 1);
}

async fn records_name_their_file(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, files) = leak(&mut tx, "Example", &["b.zip", "a.txt"]).await;
    let member = FindingRecord { member: Some("x.csv".to_owned()), ..record(files[0], 9) };
    let other = FindingRecord { member: Some("y.csv".to_owned()), ..record(files[0], 9) };
    let records = [record(files[1], 5), other, member, record(files[0], 9)];
    tx.add_finding(&finding(leak, "anna", 1), &records).await.unwrap();
    let mut shown: Vec<_> =
        records_of(&mut tx, leak).await.iter().map(RecordRef::to_string).collect();
    shown.sort();
    assert_eq!(shown, ["a.txt:5", "b.zip!x.csv:9", "b.zip!y.csv:9", "b.zip:9"]);
    assert_eq!(tx.summary(leak).await.unwrap().matches, 4);
}

async fn findings_come_in_the_order_of_subjects(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, _) = leak(&mut tx, "Example", &["a"]).await;
    for id in ["9", "10", "1"] {
        tx.add_finding(&finding(leak, id, 1), &[]).await.unwrap();
    }
    let found = tx.findings(leak).await.unwrap();
    let subjects: Vec<_> = found.iter().map(|found| found.subject.0).collect();
    assert_eq!(subjects, [1, 9, 10]);
}

async fn a_destroyed_secret_does_not_come_back(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, files) = leak(&mut tx, "Example", &["a"]).await;
    let id = tx.add_finding(&finding(leak, "1", 1), &[]).await.unwrap();
    let kept = tx.add_finding(&finding(leak, "2", 1), &[]).await.unwrap();
    tx.destroy_secret(id).await.unwrap();
    tx.add_finding(&finding(leak, "1", 1), &[record(files[0], 1)]).await.unwrap();
    let found = tx.findings(leak).await.unwrap();
    let secrets: Vec<_> =
        found.iter().map(|f| (f.id, f.wrapped_key.is_some(), f.sealed_secret.is_some())).collect();
    assert_eq!(secrets, [(id, false, false), (kept, true, true)]);
}

async fn only_open_findings_count_as_exposed(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, _) = leak(&mut tx, "Example", &["a"]).await;
    for id in ["1", "2", "3"] {
        tx.add_finding(&finding(leak, id, 1), &[]).await.unwrap();
    }
    assert_eq!(tx.exposed_accounts().await.unwrap(), 3);
    tx.commit().await.unwrap();
    store.raw("UPDATE finding SET state = 'dismissed' WHERE subject = 2").await.unwrap();
    store.raw("UPDATE finding SET state = 'reset' WHERE subject = 3").await.unwrap();
    let mut tx = store.tx().await;
    assert_eq!(tx.exposed_accounts().await.unwrap(), 1);
    assert_eq!(tx.summary(leak).await.unwrap().findings, 3);
}

async fn an_account_is_unverified_once_in_a_leak(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, files) = leak(&mut tx, "Example", &["a"]).await;
    let scrypt = Some("scrypt".parse::<HashFormat>().unwrap());
    let mut rows = [
        untried("bo", Unverified::UnknownFormat, None),
        untried("anna", Unverified::TooExpensive, scrypt),
    ];
    rows[0].records = vec![record(files[0], 2), record(files[0], 1), record(files[0], 2)];
    tx.add_unverified(leak, &rows).await.unwrap();
    let place =
        |line: u64| RecordRef { file: "a".to_owned(), member: None, line, offset: line * 20 };
    let expected = [vec![place(1), place(2)], Vec::new()];
    let expected = rows.clone().into_iter().zip(expected).map(|(row, records)| {
        let NewUnverified { subject, reason, hash_format, head, .. } = row;
        UnverifiedAccount { subject, reason, hash_format, head: Some(head), records }
    });
    let expected: Vec<_> = expected.collect();
    let found = tx.unverified(leak).await.unwrap();
    assert!(expected.iter().all(|row| found.contains(row)) && found.len() == 2, "{found:?}");
    let again = tx.add_unverified(leak, &rows[..1]).await;
    assert_eq!(broken(again), Constraint::Unique);
}

async fn what_was_tried_on_whom_is_known(store: TestStore) {
    let mut tx = store.tx().await;
    let (first, _) = leak(&mut tx, "First", &["a"]).await;
    let (second, _) = leak(&mut tx, "Second", &["a"]).await;
    assert_eq!(tx.looked_at(first).await.unwrap(), None);
    let version = Some(CredentialVersion::from_bytes([1; 32]));
    let tried = |id, version, forms: &[[u8; 32]]| NewTried {
        subject: subject(id),
        version,
        forms: forms.to_vec(),
    };
    let forms = vec![[2; 32], [3; 32]];
    let both = [tried("1", version, &forms), tried("2", None, &[])];
    tx.add_tried(first, time(5), &both).await.unwrap();
    tx.add_tried(second, time(6), &[tried("1", None, &[])]).await.unwrap();
    let expected = [
        TriedAccount { leak: first, version, tried_at: time(5), forms },
        TriedAccount { leak: second, version: None, tried_at: time(6), forms: Vec::new() },
    ];
    assert_eq!(tx.tried_of(subject("1")).await.unwrap(), expected);
    let row = untried("2", Unverified::Malformed, None);
    tx.add_unverified(first, std::slice::from_ref(&row)).await.unwrap();
    tx.add_unverified(second, &[row]).await.unwrap();
    assert_eq!(tx.leaks_unverified_for(subject("1")).await.unwrap(), 0);
    assert_eq!(tx.leaks_unverified_for(subject("2")).await.unwrap(), 2);
    assert_eq!(tx.unverified_accounts().await.unwrap(), 1);
    let by_leak = tx.unverified_by_leak().await.unwrap();
    assert_eq!(by_leak, [("First".parse().unwrap(), 1), ("Second".parse().unwrap(), 1)]);
    tx.begin_looking(first, time(7)).await.unwrap();
    assert_eq!(tx.looked_at(first).await.unwrap(), Some(time(7)));
    let noted = tx.noted_by_leak().await.unwrap();
    let noted = noted.map(BTreeMap::from_iter);
    let expected = [[(first, 2), (second, 1)], [(first, 1), (second, 1)]];
    assert_eq!(noted, expected.map(BTreeMap::from));
    let again = tx.add_tried(first, time(9), &[tried("1", None, &[])]).await;
    assert_eq!(broken(again), Constraint::Unique);
}

async fn outcomes_add_up_over_batches(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, _) = leak(&mut tx, "Example", &["a"]).await;
    let bounds = [("a", "b"), ("c", "d")].map(|(from, to)| (account(from), account(to)));
    tx.add_batches(leak, &bounds).await.unwrap();
    let bcrypt = Some("bcrypt".parse::<HashFormat>().unwrap());
    let counts = [
        [(Outcome::Exposed, bcrypt, 3), (Outcome::Gone, None, 1), (Outcome::NoPassword, None, 0)],
        [
            (Outcome::Exposed, bcrypt, 4),
            (Outcome::Exposed, None, 2),
            (Outcome::NotExposed, bcrypt, 5),
        ],
    ];
    for counts in counts {
        let held = take(&mut tx, JobKind::Verify, leak).await;
        tx.finish(&held).await.unwrap();
        tx.add_outcomes(held.job, &counts).await.unwrap();
    }
    let expected = [
        (Outcome::Exposed, None, 2),
        (Outcome::Exposed, bcrypt, 7),
        (Outcome::NotExposed, bcrypt, 5),
        (Outcome::Gone, None, 1),
    ];
    let summary = tx.summary(leak).await.unwrap();
    assert_eq!(summary.outcomes, expected);
    assert_eq!((summary.batches.done, summary.batches.open), (2, 0));
}

async fn shapes_add_up_over_batches_and_proofs_are_kept_once(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, _) = leak(&mut tx, "Example", &["a"]).await;
    let bounds = [("a", "b"), ("c", "d")].map(|(from, to)| (account(from), account(to)));
    tx.add_batches(leak, &bounds).await.unwrap();
    let count = |shape: &str, forms: &[[u8; 32]], accounts| ShapeCount {
        shape: shape.to_owned(),
        forms: forms.to_vec(),
        accounts,
    };
    let (one, two) = ([1; 32], [2; 32]);
    for _ in 0..2 {
        let held = take(&mut tx, JobKind::Verify, leak).await;
        tx.finish(&held).await.unwrap();
        let shapes = vec![count("$2b$*$", &[one, two], 3), count("$2b$*$", &[one], 1)];
        tx.add_shapes(held.job, shapes).await.unwrap();
    }
    let expected = [count("$2b$*$", &[one], 2), count("$2b$*$", &[one, two], 6)];
    assert_eq!(tx.shapes(leak).await.unwrap(), expected);
    tx.add_form_proofs(vec![two, one]).await.unwrap();
    tx.add_form_proofs(vec![one]).await.unwrap();
    assert_eq!(tx.form_proofs().await.unwrap(), [one, two]);
}

async fn an_outcome_of_a_batch_is_counted_once(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, _) = leak(&mut tx, "Example", &["a"]).await;
    tx.add_batches(leak, &[(account("a"), account("b"))]).await.unwrap();
    let held = take(&mut tx, JobKind::Verify, leak).await;
    let count = [(Outcome::Gone, None, 1)];
    tx.add_outcomes(held.job, &count).await.unwrap();
    assert_eq!(broken(tx.add_outcomes(held.job, &count).await), Constraint::Unique);
}

fn untried(id: &str, reason: Unverified, hash_format: Option<HashFormat>) -> NewUnverified {
    let (subject, head) = (subject(id), "$x$".to_owned());
    NewUnverified { subject, reason, hash_format, head, records: Vec::new() }
}

fn record(file: FileId, line: u64) -> FindingRecord {
    FindingRecord { file, member: None, line, offset: line * 20 }
}

async fn records_of(tx: &mut store::Tx, leak: LeakId) -> Vec<RecordRef> {
    let records = tx.finding_records(leak).await.unwrap();
    records.into_iter().map(|(_, record)| record).collect()
}
