//! Two connections on PostgreSQL, step by step: what the operations rest on when they hold rows.

use std::time::Duration;

use model::{CampaignState, KillSwitch, SiteTransaction};
use sql::{Access, Db, OpenOptions, QueryText};
use store::{NewSwap, SwapBehalf, SwapLease, Tx};
use tokio::{task::JoinHandle, time::sleep};

use crate::support::{Frozen, LONG, TestStore, frozen, subject, time, version, worker};

/// Longer than any statement takes that need not wait.
const A_WHILE: Duration = Duration::from_millis(300);

/// By then the server has taken a transaction back that nothing happens in.
const CUT_OFF: Duration = Duration::from_secs(30);

/// Two addresses that a campaign may take up.
async fn two() -> (TestStore, Frozen) {
    let store = TestStore::postgres().await;
    let frozen = frozen(&store, 2).await;
    (store, frozen)
}

/// Somebody else, who has to wait for what the test holds.
async fn blocked<T: Send + 'static>(
    other: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    let other = tokio::spawn(other);
    sleep(A_WHILE).await;
    assert!(!other.is_finished(), "nobody waits for what is held");
    other
}

/// Somebody else, who need not wait.
async fn free<T: Send + 'static>(other: impl Future<Output = T> + Send + 'static) -> T {
    let other = tokio::time::timeout(A_WHILE * 10, tokio::spawn(other)).await;
    other.expect("it need not wait").unwrap()
}

async fn pull(mut tx: Tx) {
    tx.set_kill_switch(KillSwitch::Pulled, time(9)).await.unwrap();
    tx.commit().await.unwrap();
}

/// The intent to seal account `0`, whose lease is over.
async fn intended(store: &TestStore, frozen: &Frozen) -> SwapLease {
    let behalf = SwapBehalf::Seal { campaign: frozen.campaign, round: 1 };
    let (expected, made) = (version(1), version(50));
    let new = NewSwap { subject: subject("0"), behalf, expected, made };
    let mut tx = store.tx().await;
    let held = tx.intend_swap(&new, &worker(1), Duration::ZERO).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    held
}

#[tokio::test]
async fn a_halt_waits_for_whoever_has_read_the_switch() {
    let (store, frozen) = two().await;
    let held = intended(&store, &frozen).await;
    let mut passing = store.tx().await;
    assert_eq!(passing.kill_switch().await.unwrap().0, KillSwitch::Released);
    let halt = blocked(pull(store.tx().await)).await;
    assert!(passing.pass_swap(held, None).await.unwrap().is_some());
    passing.commit().await.unwrap();
    halt.await.unwrap();
    assert_eq!(store.tx().await.kill_switch().await.unwrap().0, KillSwitch::Pulled);
}

#[tokio::test]
async fn whoever_reads_the_switch_waits_for_a_halt() {
    let (store, _) = two().await;
    let mut halting = store.tx().await;
    halting.set_kill_switch(KillSwitch::Pulled, time(9)).await.unwrap();
    // Whoever only looks at it sees nothing of that, and need not wait.
    let looked = store.ask::<(String,)>("SELECT position FROM kill_switch").await;
    assert_eq!(looked, [("released".to_owned(),)]);
    let mut passing = store.tx().await;
    let passing = blocked(async move { passing.kill_switch().await.unwrap().0 }).await;
    halting.commit().await.unwrap();
    assert_eq!(passing.await.unwrap(), KillSwitch::Pulled);
}

#[tokio::test]
async fn whoever_stands_still_with_the_switch_in_hand_is_cut_off() {
    let (store, _) = two().await;
    let mut asleep = store.tx().await;
    asleep.kill_switch().await.unwrap();
    let halt = blocked(pull(store.tx().await)).await;
    tokio::time::timeout(CUT_OFF, halt).await.expect("nobody cuts it off").unwrap();
    assert!(asleep.commit().await.is_err());
}

#[tokio::test]
async fn those_who_pass_do_not_wait_for_each_other() {
    let (store, Frozen { campaign, .. }) = two().await;
    let mut first = store.tx().await;
    first.kill_switch().await.unwrap();
    first.share_campaign(campaign).await.unwrap();
    let mut second = store.tx().await;
    let shared = async move {
        second.kill_switch().await.unwrap();
        second.share_campaign(campaign).await.unwrap();
    };
    free(shared).await;
    let mut halt = store.tx().await;
    let halt = blocked(async move {
        halt.hold_campaign(campaign).await.unwrap();
    });
    let halt = halt.await;
    first.commit().await.unwrap();
    halt.await.unwrap();
}

#[tokio::test]
async fn what_is_read_after_the_campaign_is_held_counts_what_others_did() {
    let (store, Frozen { campaign, .. }) = two().await;
    let mut first = store.tx().await;
    first.hold_campaign(campaign).await.unwrap();
    first.take_address(campaign, 0, &worker(1), LONG).await.unwrap().unwrap();
    let mut second = store.tx().await;
    // Counted before, the address that another takes at this moment is not there.
    assert_eq!(second.addresses_taken_since(campaign, time(0)).await.unwrap(), 0);
    let second = blocked(async move {
        second.hold_campaign(campaign).await.unwrap();
        second.addresses_taken_since(campaign, time(0)).await.unwrap()
    });
    let second = second.await;
    first.commit().await.unwrap();
    assert_eq!(second.await.unwrap(), 1);
}

#[tokio::test]
async fn a_statement_that_waited_has_read_anew_only_the_row_that_it_waited_for() {
    let (store, Frozen { campaign, .. }) = two().await;
    let mut first = store.tx().await;
    first.hold_campaign(campaign).await.unwrap();
    first.save_campaign(campaign, CampaignState::Halted, b"later".to_vec()).await.unwrap();
    first.take_address(campaign, 0, &worker(1), LONG).await.unwrap().unwrap();
    let mut second = store.tx().await;
    let second = blocked(async move {
        let row = second.hold_campaign(campaign).await.unwrap();
        (row.state, second.addresses_taken_since(campaign, time(0)).await.unwrap())
    });
    let second = second.await;
    let all_in_one = blocked(all_in_one(store.url.clone())).await;
    first.commit().await.unwrap();
    assert_eq!(second.await.unwrap(), (CampaignState::Halted, 1));
    assert_eq!(all_in_one.await.unwrap(), ("halted".to_owned(), 0), "the count is an old one");
}

/// What nobody here must do: it holds the campaign and counts in one statement.
async fn all_in_one(url: String) -> (String, i64) {
    let options = OpenOptions { access: Access::Write, connections_max: 1 };
    let mut tx = Db::open(&url, options).await.unwrap().begin().await.unwrap();
    let text = "SELECT state, (SELECT COUNT(*) FROM campaign_address WHERE taken_at > 0) AS taken
        FROM campaign FOR UPDATE";
    tx.run(&QueryText::composed(text.to_owned())).one().await.unwrap()
}

#[tokio::test]
async fn an_attempt_that_passed_first_is_seen_by_the_next() {
    let (store, frozen) = two().await;
    let held = intended(&store, &frozen).await;
    let transaction = SiteTransaction::new("site".to_owned(), 7);
    let mut passing = store.tx().await;
    assert!(passing.pass_swap(held, Some(&transaction)).await.unwrap().is_some());
    let mut taking = store.tx().await;
    let taking = blocked(async move {
        let taken = taking.take_swap(held.id, &worker(2), LONG).await.unwrap().unwrap();
        taking.commit().await.unwrap();
        taken
    });
    let taking = taking.await;
    passing.commit().await.unwrap();
    let taken = taking.await.unwrap();
    assert_eq!((taken.attempt, taken.passed), (2, Some(1)));
    assert_eq!(taken.transaction, Some(transaction));
}

#[tokio::test]
async fn an_attempt_that_was_taken_over_first_never_passes() {
    let (store, frozen) = two().await;
    let held = intended(&store, &frozen).await;
    let mut taking = store.tx().await;
    let taken = taking.take_swap(held.id, &worker(2), LONG).await.unwrap().unwrap();
    assert_eq!((taken.attempt, taken.passed), (2, None));
    let mut passing = store.tx().await;
    let passing = blocked(async move { passing.pass_swap(held, None).await.unwrap() }).await;
    taking.commit().await.unwrap();
    assert_eq!(passing.await.unwrap(), None);
}

#[tokio::test]
async fn of_two_who_take_a_swap_over_one_does() {
    let (store, frozen) = two().await;
    let held = intended(&store, &frozen).await;
    let mut first = store.tx().await;
    assert!(first.take_swap(held.id, &worker(2), LONG).await.unwrap().is_some());
    let mut second = store.tx().await;
    let second =
        blocked(async move { second.take_swap(held.id, &worker(3), LONG).await.unwrap() }).await;
    first.commit().await.unwrap();
    assert_eq!(second.await.unwrap(), None);
}

#[tokio::test]
async fn of_two_intents_for_one_account_one_is_kept() {
    let (store, Frozen { campaign, .. }) = two().await;
    let intend = |made| NewSwap {
        subject: subject("0"),
        behalf: SwapBehalf::Seal { campaign, round: 1 },
        expected: version(1),
        made: version(made),
    };
    let mut first = store.tx().await;
    assert!(first.intend_swap(&intend(50), &worker(1), LONG).await.unwrap().is_some());
    let (mut second, another) = (store.tx().await, intend(51));
    let second =
        blocked(async move { second.intend_swap(&another, &worker(2), LONG).await.unwrap() });
    let second = second.await;
    first.commit().await.unwrap();
    assert_eq!(second.await.unwrap(), None);
}
