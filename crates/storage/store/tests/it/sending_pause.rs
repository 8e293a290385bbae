//! While nobody is told: one row, whoever looks at it, and one notice at a time that tries.

use std::time::Duration;

use model::{NoticeId, NoticeState};
use store::{Notice, SendingPause, Store, Tx};

use crate::support::{LONG, TestStore, frozen_at, subject, time, worker};

/// A lease that is over as soon as it is given.
const OVER: Duration = Duration::ZERO;

on_both! {
    a_pause_is_one_row,
    one_notice_at_a_time_is_tried,
    no_probe_is_further_off_than_a_step,
    of_two_hosts_one_tries,
    a_probe_that_is_under_way_is_the_only_one,
    the_last_mail_that_was_taken_is_known,
    how_often_a_notice_was_put_off_is_kept,
}

fn pause() -> SendingPause {
    SendingPause {
        since: time(5),
        step: LONG,
        probe_at: time(9),
        probe: None,
        phase: "recipient".to_owned(),
        code: Some(554),
        answer: "554 5.7.1 relay access denied".to_owned(),
    }
}

async fn a_pause_is_one_row(store: TestStore) {
    let mut tx = store.tx().await;
    assert_eq!(tx.sending_pause().await.unwrap(), None);
    tx.put_sending_pause(pause()).await.unwrap();
    let longer = SendingPause { since: time(7), code: None, step: LONG * 2, ..pause() };
    tx.put_sending_pause(longer.clone()).await.unwrap();
    let kept = Some(SendingPause { since: time(5), ..longer });
    assert_eq!(tx.sending_pause().await.unwrap(), kept);
    assert_eq!(tx.hold_sending_pause().await.unwrap(), kept);
    tx.end_sending_pause().await.unwrap();
    tx.end_sending_pause().await.unwrap();
    assert_eq!(tx.sending_pause().await.unwrap(), None);
    assert!(!tx.take_probe(None).await.unwrap(), "there is nothing to try");
}

async fn one_notice_at_a_time_is_tried(store: TestStore) {
    let mut tx = store.tx().await;
    let now = tx.now().await.unwrap();
    let later = SendingPause { probe_at: now.after(LONG), ..pause() };
    tx.put_sending_pause(later).await.unwrap();
    assert!(!tx.take_probe(None).await.unwrap(), "it is too early");
    tx.hasten_probe().await.unwrap();
    assert!(tx.take_probe(None).await.unwrap());
    assert!(!tx.take_probe(None).await.unwrap(), "somebody tries already");
    let next = tx.sending_pause().await.unwrap().unwrap().probe_at;
    assert!(next >= now.after(LONG), "{next}");
}

/// Nobody of ours has written such a row.
async fn no_probe_is_further_off_than_a_step(store: TestStore) {
    let mut tx = store.tx().await;
    let now = tx.now().await.unwrap();
    let day = Duration::from_hours(24);
    for (step, probe_at) in [(OVER, LONG), (day, day), (LONG, LONG * 3)] {
        let far = SendingPause { step, probe_at: now.after(probe_at), ..pause() };
        tx.put_sending_pause(far.clone()).await.unwrap();
        assert!(!far.is_waiting(now) && tx.take_probe(None).await.unwrap(), "{far:?}");
        let next = tx.sending_pause().await.unwrap().unwrap();
        assert!(next.probe_at <= now.after(Duration::from_hours(2)), "{next:?}");
    }
}

async fn of_two_hosts_one_tries(store: TestStore) {
    let mut tx = store.tx().await;
    tx.put_sending_pause(pause()).await.unwrap();
    tx.commit().await.unwrap();
    let hosts = [store.store.clone(), store.store.clone()].map(|host| tokio::spawn(take(host)));
    let mut tried = 0;
    for host in hosts {
        tried += u32::from(host.await.unwrap());
    }
    assert_eq!(tried, 1);
}

async fn take(store: Store) -> bool {
    let mut tx = store.begin().await.unwrap();
    let taken = tx.take_probe(None).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    tx.commit().await.unwrap();
    taken
}

async fn a_probe_that_is_under_way_is_the_only_one(store: TestStore) {
    let (mut tx, id) = one_notice(&store).await;
    tx.put_sending_pause(SendingPause { step: OVER, ..pause() }).await.unwrap();
    assert!(tx.take_probe(Some(id)).await.unwrap());
    tx.begin_notice(id, 1, &worker(1), LONG).await.unwrap();
    assert!(!tx.take_probe(None).await.unwrap(), "its worker is alive");
    assert!(tx.renew_notice(id, 1, &worker(1), OVER).await.unwrap());
    assert!(tx.take_probe(None).await.unwrap(), "its worker is gone");
}

async fn the_last_mail_that_was_taken_is_known(store: TestStore) {
    let (mut tx, id) = one_notice(&store).await;
    assert_eq!(tx.last_sent().await.unwrap(), None);
    tx.begin_notice(id, 1, &worker(1), LONG).await.unwrap();
    let begun = tx.hold_notice(id).await.unwrap();
    tx.save_notice(&Notice { state: NoticeState::Sent, ..begun }, None).await.unwrap();
    assert!(tx.last_sent().await.unwrap() >= Some(time(7)));
}

async fn how_often_a_notice_was_put_off_is_kept(store: TestStore) {
    let (mut tx, id) = one_notice(&store).await;
    let fresh = tx.hold_notice(id).await.unwrap();
    assert_eq!((fresh.put_offs, fresh.put_off_at), (0, None));
    tx.begin_notice(id, 1, &worker(1), LONG).await.unwrap();
    let state = NoticeState::Pending;
    let put_off = Notice { state, attempts: 1, put_offs: 3, put_off_at: Some(time(8)), ..fresh };
    tx.save_notice(&put_off, None).await.unwrap();
    assert_eq!(tx.hold_notice(id).await.unwrap(), put_off);
}

async fn one_notice(store: &TestStore) -> (Tx, NoticeId) {
    let frozen = frozen_at(store, &[0]).await;
    let mut tx = store.tx().await;
    frozen.seal(&mut tx, 0).await;
    let id = tx.add_notice(frozen.campaign, 0, &[subject("0")], time(7)).await.unwrap();
    (tx, id)
}
