//! Notices: one mail to one address about its accounts, once.

use std::time::Duration;

use model::{CampaignId, FindingId, KeyId, NoticeId, NoticeKind, NoticeState, Tier};
use sql::{Constraint, SqlError};
use store::{Errand, Notice, Store, StoreError, Tx, WorkerName};

use crate::support::{
    Frozen, LONG, TestStore, broken, frozen, frozen_at, leak, new_finding, reset_line, subject,
    target, time, worker,
};

/// A lease that is over as soon as it is given.
const OVER: Duration = Duration::ZERO;

const KEY: KeyId = KeyId::from_bytes([8; KeyId::BYTES]);

on_both! {
    an_address_is_told_once,
    only_whose_password_was_taken_is_told,
    nobody_is_told_about_the_account_of_another,
    the_one_who_waited_longest_is_told_first,
    a_notice_begins_once,
    two_workers_never_begin_one_notice,
    a_notice_is_left_when_its_lease_is_over,
    an_attempt_that_failed_is_made_again,
    what_is_final_stays_final,
    what_is_uncertain_may_still_be_learnt,
    who_was_told_stays_on_record,
    a_code_leads_to_one_notice,
    evidence_is_told_with_where_it_was_found,
    notices_are_counted_by_how_far_they_are,
}

async fn an_address_is_told_once(store: TestStore) {
    let frozen = sealed(&store, &[0, 0]).await;
    let mut tx = store.tx().await;
    let id = told(&mut tx, &frozen, 0, &["1", "0"]).await;
    assert_eq!(tx.notice_lines(id).await.unwrap(), [subject("0"), subject("1")]);
    let expected = Notice {
        id,
        errand: Errand::Campaign { campaign: frozen.campaign, address: 0 },
        kind: NoticeKind::ResetRequired,
        state: NoticeState::Pending,
        attempts: 0,
        not_before: time(7),
        made_at: time(7),
        put_offs: 0,
        put_off_at: None,
        key: None,
    };
    assert_eq!(tx.hold_notice(id).await.unwrap(), expected);
    tx.commit().await.unwrap();
    assert_eq!(broken(notice(&mut store.tx().await, &frozen, 0, &["0"]).await), Constraint::Unique);
    assert_eq!(
        broken(notice(&mut store.tx().await, &frozen, 9, &[]).await),
        Constraint::ForeignKey
    );
    let twice = "INSERT INTO notice_line SELECT * FROM notice_line";
    assert_eq!(store.refusal(twice).await, Constraint::Unique);
}

async fn only_whose_password_was_taken_is_told(store: TestStore) {
    let frozen = frozen(&store, 1).await;
    let untouched = notice(&mut store.tx().await, &frozen, 0, &["0"]).await;
    assert_eq!(broken(untouched), Constraint::ForeignKey);
    let mut tx = store.tx().await;
    frozen.seal(&mut tx, 0).await;
    told(&mut tx, &frozen, 0, &["0"]).await;
    let dropped = tx.drop_reset_line(frozen.campaign, subject("0")).await;
    assert_eq!(broken(dropped), Constraint::ForeignKey);
}

async fn nobody_is_told_about_the_account_of_another(store: TestStore) {
    let frozen = sealed(&store, &[0, 1]).await;
    let foreign = notice(&mut store.tx().await, &frozen, 0, &["0", "1"]).await;
    assert_eq!(broken(foreign), Constraint::ForeignKey);
    let mut tx = store.tx().await;
    told(&mut tx, &frozen, 0, &["0"]).await;
    tx.commit().await.unwrap();
    let lines = [
        "INSERT INTO notice_line (notice, campaign, address, subject) VALUES (1, 1, 1, 1)",
        "INSERT INTO notice_line (notice, campaign, address, subject) VALUES (1, 1, 0, 1)",
        "UPDATE notice SET address = 1",
        "UPDATE target SET address = 1",
    ];
    for text in lines {
        assert_eq!(store.refusal(text).await, Constraint::ForeignKey, "{text}");
    }
}

async fn the_one_who_waited_longest_is_told_first(store: TestStore) {
    let frozen = sealed(&store, &[0, 1, 2]).await;
    let mut tx = store.tx().await;
    assert_eq!(tx.notice_to_send(frozen.campaign).await.unwrap(), None);
    let soon = tx.now().await.unwrap().after(LONG);
    let mut ids = Vec::new();
    for (address, at) in [(0, soon), (1, time(9)), (2, time(8))] {
        let id = subject(&address.to_string());
        ids.push(tx.add_notice(frozen.campaign, address, &[id], at).await.unwrap());
    }
    for expected in [ids[2], ids[1]] {
        let next = tx.notice_to_send(frozen.campaign).await.unwrap().unwrap();
        assert_eq!(next.id, expected);
        tx.begin_notice(next.id, 1, &worker(1), LONG).await.unwrap();
    }
    assert_eq!(tx.notice_to_send(frozen.campaign).await.unwrap(), None, "one is not due yet");
    assert_eq!(tx.notice_to_send(CampaignId(99)).await.unwrap(), None);
}

async fn a_notice_begins_once(store: TestStore) {
    let frozen = sealed(&store, &[0]).await;
    let mut tx = store.tx().await;
    let id = told(&mut tx, &frozen, 0, &["0"]).await;
    tx.begin_notice(id, 1, &worker(1), LONG).await.unwrap();
    let begun = tx.hold_notice(id).await.unwrap();
    assert_eq!((begun.state, begun.attempts), (NoticeState::Inflight, 1));
    assert!(is_no_row(&tx.begin_notice(id, 2, &worker(2), LONG).await));
    for state in [NoticeState::Uncertain, NoticeState::Sent] {
        tx.save_notice(&Notice { state, ..begun }, None).await.unwrap();
        assert!(is_no_row(&tx.begin_notice(id, 2, &worker(2), LONG).await));
    }
    assert_eq!(tx.notice_to_send(frozen.campaign).await.unwrap(), None);
}

async fn two_workers_never_begin_one_notice(store: TestStore) {
    let frozen = sealed(&store, &[0]).await;
    let mut tx = store.tx().await;
    let id = told(&mut tx, &frozen, 0, &["0"]).await;
    tx.commit().await.unwrap();
    let workers = (0..4).map(|n| tokio::spawn(begin(store.store.clone(), id, worker(n))));
    let mut begun = 0;
    for worker in workers.collect::<Vec<_>>() {
        match worker.await.unwrap() {
            Ok(()) => begun += 1,
            refused => assert!(is_no_row(&refused), "{refused:?}"),
        }
    }
    assert_eq!(begun, 1);
}

async fn a_notice_is_left_when_its_lease_is_over(store: TestStore) {
    let frozen = sealed(&store, &[0, 1]).await;
    let (mut tx, id) = (store.tx().await, frozen.campaign);
    let first = told(&mut tx, &frozen, 0, &["0"]).await;
    let second = told(&mut tx, &frozen, 1, &["1"]).await;
    assert!(!tx.renew_notice(first, 0, &worker(1), LONG).await.unwrap(), "it is not in flight");
    tx.begin_notice(first, 1, &worker(1), LONG).await.unwrap();
    assert!(tx.notices_left_in_flight(id).await.unwrap().is_empty());
    tx.begin_notice(second, 1, &worker(2), OVER).await.unwrap();
    assert!(tx.renew_notice(first, 1, &worker(1), OVER).await.unwrap());
    let left = tx.notices_left_in_flight(id).await.unwrap();
    assert_eq!(left.iter().map(|notice| notice.id).collect::<Vec<_>>(), [first, second]);
    for (attempts, owner) in [(2, worker(1)), (1, worker(2))] {
        assert!(!tx.renew_notice(first, attempts, &owner, LONG).await.unwrap());
    }
    assert!(!tx.renew_notice(first, 1, &worker(1), LONG).await.unwrap(), "its lease ran out");
}

async fn an_attempt_that_failed_is_made_again(store: TestStore) {
    let frozen = sealed(&store, &[0]).await;
    let mut tx = store.tx().await;
    let id = told(&mut tx, &frozen, 0, &["0"]).await;
    tx.begin_notice(id, 1, &worker(1), LONG).await.unwrap();
    let begun = tx.hold_notice(id).await.unwrap();
    let put_off = Notice { state: NoticeState::Pending, not_before: time(9), ..begun };
    tx.save_notice(&put_off, Some("451 later".to_owned())).await.unwrap();
    assert_eq!(tx.notice_to_send(frozen.campaign).await.unwrap(), Some(put_off));
    assert!(!tx.renew_notice(id, 1, &worker(1), LONG).await.unwrap());
    tx.begin_notice(id, 2, &worker(2), LONG).await.unwrap();
    tx.save_notice(&Notice { state: NoticeState::Sent, attempts: 2, ..put_off }, None)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let kept = "SELECT answer, COUNT(ended_at) FROM notice GROUP BY answer";
    assert_eq!(store.ask::<(String, i64)>(kept).await, [("451 later".to_owned(), 1)]);
}

async fn what_is_final_stays_final(store: TestStore) {
    use NoticeState::{Inflight, Pending, Refused, Sent, Uncertain};
    let frozen = sealed(&store, &[0, 1, 2]).await;
    for (number, is) in (0..).zip([Sent, Refused, Uncertain]) {
        let id = ended(&store, &frozen, number, is).await;
        let back = [Pending, Inflight, Sent, Refused, Uncertain].into_iter();
        for state in back.filter(|to| *to != is && (is != Uncertain || !to.is_final())) {
            let mut tx = store.tx().await;
            let found = tx.hold_notice(id).await.unwrap();
            let saved = tx.save_notice(&Notice { state, ..found }, None).await.unwrap_err();
            assert!(saved.to_string().contains("final stays so"), "{is} to {state}: {saved}");
            drop(tx);
            let text = format!("UPDATE notice SET state = '{state}' WHERE id = {id}");
            let objection = store.objection(&text).await;
            assert!(objection.contains("final stays so"), "{is} to {state}: {objection}");
        }
    }
}

async fn what_is_uncertain_may_still_be_learnt(store: TestStore) {
    let frozen = sealed(&store, &[0, 1]).await;
    for (number, state) in (0..).zip([NoticeState::Sent, NoticeState::Refused]) {
        let id = ended(&store, &frozen, number, NoticeState::Uncertain).await;
        let ended_at = format!("SELECT ended_at FROM notice WHERE id = {id}");
        let first = store.ask::<(i64,)>(&ended_at).await;
        let mut tx = store.tx().await;
        let found = tx.hold_notice(id).await.unwrap();
        tx.save_notice(&Notice { state, ..found }, Some("late".to_owned())).await.unwrap();
        assert_eq!(tx.hold_notice(id).await.unwrap().state, state);
        tx.commit().await.unwrap();
        assert_eq!(store.ask::<(i64,)>(&ended_at).await, first);
    }
}

async fn who_was_told_stays_on_record(store: TestStore) {
    let frozen = sealed(&store, &[0]).await;
    let mut tx = store.tx().await;
    told(&mut tx, &frozen, 0, &["0"]).await;
    tx.commit().await.unwrap();
    for (text, expected) in [
        ("DELETE FROM notice", "rows of notice stay"),
        ("DELETE FROM notice_line", "rows of notice_line are only added"),
        ("UPDATE notice_line SET subject = subject", "rows of notice_line are only added"),
    ] {
        let objection = store.objection(text).await;
        assert!(objection.contains(expected), "{text}: {objection}");
    }
}

async fn a_code_leads_to_one_notice(store: TestStore) {
    let frozen = sealed(&store, &[0, 1]).await;
    let mut tx = store.tx().await;
    let first = told(&mut tx, &frozen, 0, &["0"]).await;
    let second = told(&mut tx, &frozen, 1, &["1"]).await;
    tx.set_code_lookup(first, [5; 32], KEY).await.unwrap();
    assert!(is_no_row(&tx.set_code_lookup(NoticeId(99), [6; 32], KEY).await));
    assert_eq!(broken(tx.set_code_lookup(second, [5; 32], KEY).await), Constraint::Unique);
}

async fn evidence_is_told_with_where_it_was_found(store: TestStore) {
    let frozen = frozen_at(&store, &[0, 1]).await;
    let mut tx = store.tx().await;
    let mut more = Vec::new();
    for name in ["Verified", "Not verified"] {
        let (leak, _) = leak(&mut tx, name, &["a"]).await;
        let finding = tx.add_finding(&new_finding(leak, "0", 1), &[]).await.unwrap();
        more.push((leak, finding));
    }
    let ids: Vec<_> = more.iter().map(|(_, finding)| *finding).collect();
    plan_anew(&mut tx, &frozen, [0, 1], &ids).await;
    put(&mut tx, &frozen, "0", &[frozen.findings[0], ids[0]]).await;
    put(&mut tx, &frozen, "1", &frozen.findings[1..]).await;
    let found = tx.reset_evidence(frozen.campaign, subject("0")).await.unwrap();
    let found: Vec<_> = found.iter().map(|f| (f.leak, f.tier, f.verified_at)).collect();
    assert_eq!(found, [frozen.leak, more[0].0].map(|leak| (leak, Tier::Lead, time(77))));
}

async fn notices_are_counted_by_how_far_they_are(store: TestStore) {
    let frozen = sealed(&store, &[0, 1, 2]).await;
    let mut tx = store.tx().await;
    assert!(tx.notice_counts(frozen.campaign).await.unwrap().is_empty());
    for (address, id) in (0..).zip(["0", "1", "2"]) {
        told(&mut tx, &frozen, address, &[id]).await;
    }
    tx.begin_notice(NoticeId(1), 1, &worker(1), LONG).await.unwrap();
    tx.commit().await.unwrap();
    let counts = store.tx().await.notice_counts(frozen.campaign).await.unwrap();
    assert_eq!(counts, [(NoticeState::Inflight, 1), (NoticeState::Pending, 2)]);
    let all = "UPDATE notice SET state = 'sent', ended_at = 5, attempts = 1, lease_owner = 'w'";
    store.raw(all).await.unwrap();
    let mut tx = store.tx().await;
    assert_eq!(tx.notice_counts(frozen.campaign).await.unwrap(), [(NoticeState::Sent, 3)]);
    assert!(tx.notice_counts(CampaignId(99)).await.unwrap().is_empty());
}

/// Everybody of a campaign sealed; each account has the address given for it.
async fn sealed(store: &TestStore, addresses: &[u64]) -> Frozen {
    let frozen = frozen_at(store, addresses).await;
    let mut tx = store.tx().await;
    for account in 0..addresses.len() {
        frozen.seal(&mut tx, account).await;
    }
    tx.commit().await.unwrap();
    frozen
}

async fn notice(
    tx: &mut Tx,
    frozen: &Frozen,
    address: u64,
    accounts: &[&str],
) -> Result<NoticeId, StoreError> {
    let accounts: Vec<_> = accounts.iter().map(|id| subject(id)).collect();
    tx.add_notice(frozen.campaign, address, &accounts, time(7)).await
}

async fn told(tx: &mut Tx, frozen: &Frozen, address: u64, accounts: &[&str]) -> NoticeId {
    notice(tx, frozen, address, accounts).await.unwrap()
}

async fn begin(store: Store, id: NoticeId, owner: WorkerName) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    tx.begin_notice(id, 1, &owner, LONG).await?;
    tx.commit().await
}

fn is_no_row(result: &Result<(), StoreError>) -> bool {
    matches!(result, Err(StoreError::Sql(SqlError::NotOneRow { changed: 0 })))
}

/// A notice whose one attempt has come to an end.
async fn ended(store: &TestStore, frozen: &Frozen, address: u64, state: NoticeState) -> NoticeId {
    let mut tx = store.tx().await;
    let id = told(&mut tx, frozen, address, &[&address.to_string()]).await;
    tx.begin_notice(id, 1, &worker(1), LONG).await.unwrap();
    let begun = tx.hold_notice(id).await.unwrap();
    tx.save_notice(&Notice { state, ..begun }, None).await.unwrap();
    tx.commit().await.unwrap();
    id
}

/// Gives the first one of two accounts more findings.
async fn plan_anew(tx: &mut Tx, frozen: &Frozen, addresses: [u64; 2], more: &[FindingId]) {
    tx.drop_targets(frozen.campaign).await.unwrap();
    let first = [&frozen.findings[..1], more].concat();
    let targets =
        [target(0, "0", addresses[0], &first), target(1, "1", addresses[1], &frozen.findings[1..])];
    tx.add_targets(frozen.campaign, &targets).await.unwrap();
}

async fn put(tx: &mut Tx, frozen: &Frozen, id: &str, evidence: &[FindingId]) {
    tx.put_reset_line(frozen.campaign, reset_line(id, evidence), time(6)).await.unwrap();
}
