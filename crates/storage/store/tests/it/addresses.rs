//! The addresses of a campaign: what workers take up.

use std::{collections::HashSet, time::Duration};

use model::{CampaignId, SkipReason, TargetState};
use sql::Constraint;
use store::{AddressCounts, AddressLease, Store, Tx, WorkerName};

use crate::support::{
    LONG, TestStore, address, broken, campaign, frozen, frozen_at, leak, subject, time, worker,
};

/// A lease that is over as soon as it is given.
const OVER: Duration = Duration::ZERO;

on_both! {
    an_address_has_one_place,
    addresses_are_taken_in_their_order,
    who_was_left_comes_before_new_ones,
    the_attempt_is_the_fence,
    a_lease_that_ran_out_is_not_renewed,
    a_finished_address_is_never_taken_again,
    the_rate_counts_who_is_taken_up_first,
    an_address_is_settled_once,
    counts_follow_an_address,
    whoever_is_sealed_and_untold_is_counted,
    two_workers_never_hold_one_address,
    nobody_takes_what_the_holder_of_the_campaign_takes,
}

async fn an_address_has_one_place(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, _) = leak(&mut tx, "Example", &["a"]).await;
    let id = campaign(&mut tx, "A", &[leak]).await;
    tx.add_addresses(id, [address(0, 2)]).await.unwrap();
    tx.commit().await.unwrap();
    let mut same_key = address(0, 1);
    same_key.number = 1;
    let mut same_place = address(1, 1);
    same_place.number = 0;
    for again in [same_key, same_place] {
        let again = store.tx().await.add_addresses(id, [again]).await;
        assert_eq!(broken(again), Constraint::Unique);
    }
    let nobodys = store.tx().await.add_addresses(id, [address(2, 0)]).await;
    assert_eq!(broken(nobodys), Constraint::Check);
}

async fn addresses_are_taken_in_their_order(store: TestStore) {
    let id = frozen(&store, 5).await.campaign;
    let mut tx = store.tx().await;
    assert_eq!(tx.addresses_to_take(id, 4, 2).await.unwrap(), [0, 1]);
    let lease = held(&mut tx, id, 0).await;
    assert_eq!(lease, AddressLease { campaign: id, number: 0, owner: worker(1), attempt: 1 });
    assert_eq!(tx.take_address(id, 0, &worker(2), LONG).await.unwrap(), None);
    assert_eq!(tx.addresses_to_take(id, 4, 9).await.unwrap(), [1, 2, 3]);
    assert_eq!(tx.addresses_to_take(id, 0, 9).await.unwrap(), [0_u64; 0]);
    assert_eq!(tx.take_address(id, 9, &worker(2), LONG).await.unwrap(), None);
}

async fn who_was_left_comes_before_new_ones(store: TestStore) {
    let id = frozen(&store, 5).await.campaign;
    let mut tx = store.tx().await;
    held(&mut tx, id, 0).await;
    tx.take_address(id, 1, &worker(2), OVER).await.unwrap().unwrap();
    held(&mut tx, id, 2).await;
    assert_eq!(tx.addresses_to_take(id, 5, 2).await.unwrap(), [1, 3]);
}

/// The same worker may take its own address again; the attempt tells the two apart.
async fn the_attempt_is_the_fence(store: TestStore) {
    let id = frozen(&store, 1).await.campaign;
    let mut tx = store.tx().await;
    let dead = tx.take_address(id, 0, &worker(1), OVER).await.unwrap().unwrap();
    let heir = held(&mut tx, id, 0).await;
    assert_eq!((dead.attempt, heir.attempt), (1, 2));
    assert!(!tx.renew_address(&dead, LONG).await.unwrap());
    assert!(!tx.finish_address(&dead, true).await.unwrap());
    assert_eq!(tx.address_counts(id).await.unwrap().done, 0);
    let thief = AddressLease { owner: worker(3), ..heir.clone() };
    assert!(!tx.renew_address(&thief, LONG).await.unwrap());
    assert!(!tx.finish_address(&thief, true).await.unwrap());
    assert!(tx.renew_address(&heir, LONG).await.unwrap());
    assert!(tx.finish_address(&heir, true).await.unwrap());
}

async fn a_lease_that_ran_out_is_not_renewed(store: TestStore) {
    let id = frozen(&store, 1).await.campaign;
    let mut tx = store.tx().await;
    let first = tx.take_address(id, 0, &worker(1), LONG).await.unwrap().unwrap();
    assert!(tx.renew_address(&first, OVER).await.unwrap());
    assert!(!tx.renew_address(&first, LONG).await.unwrap(), "others may have acted since");
    assert_eq!(tx.addresses_to_take(id, 1, 1).await.unwrap(), [0]);
    let second = tx.take_address(id, 0, &worker(1), LONG).await.unwrap().unwrap();
    tx.give_address_back(&first).await.unwrap();
    assert_eq!(tx.take_address(id, 0, &worker(2), LONG).await.unwrap(), None, "it was lost");
    tx.give_address_back(&second).await.unwrap();
    assert!(tx.take_address(id, 0, &worker(2), LONG).await.unwrap().is_some());
}

async fn a_finished_address_is_never_taken_again(store: TestStore) {
    let id = frozen(&store, 2).await.campaign;
    let mut tx = store.tx().await;
    for (number, settled) in [(0, true), (1, false)] {
        let lease = tx.take_address(id, number, &worker(1), OVER).await.unwrap().unwrap();
        assert!(tx.finish_address(&lease, settled).await.unwrap());
        assert!(!tx.finish_address(&lease, settled).await.unwrap());
        assert!(!tx.renew_address(&lease, OVER).await.unwrap());
        assert_eq!(tx.take_address(id, number, &worker(2), LONG).await.unwrap(), None);
    }
    assert!(tx.addresses_to_take(id, 2, 2).await.unwrap().is_empty());
}

async fn the_rate_counts_who_is_taken_up_first(store: TestStore) {
    let id = frozen(&store, 3).await.campaign;
    let mut tx = store.tx().await;
    let before = tx.now().await.unwrap();
    for number in [0, 1] {
        tx.take_address(id, number, &worker(1), OVER).await.unwrap().unwrap();
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
    let later = tx.now().await.unwrap();
    held(&mut tx, id, 0).await;
    assert_eq!(tx.addresses_taken_since(id, before).await.unwrap(), 2);
    assert_eq!(tx.addresses_taken_since(id, later).await.unwrap(), 0);
    held(&mut tx, id, 2).await;
    assert_eq!(tx.addresses_taken_since(id, later).await.unwrap(), 1);
    assert_eq!(tx.addresses_taken_since(id, time(i64::MAX)).await.unwrap(), 0);
}

async fn an_address_is_settled_once(store: TestStore) {
    let when = "SELECT settled_at FROM campaign_address";
    let id = frozen(&store, 1).await.campaign;
    let mut tx = store.tx().await;
    let lease = held(&mut tx, id, 0).await;
    tx.settle_address(id, 0).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.ask::<(Option<i64>,)>(when).await, [(None,)], "it is not done");
    let mut tx = store.tx().await;
    assert!(tx.finish_address(&lease, false).await.unwrap());
    tx.settle_address(id, 0).await.unwrap();
    tx.commit().await.unwrap();
    let first = store.ask::<(i64,)>(when).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let mut tx = store.tx().await;
    tx.settle_address(id, 0).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.ask::<(i64,)>(when).await, first);
}

async fn counts_follow_an_address(store: TestStore) {
    let frozen = frozen(&store, 4).await;
    let id = frozen.campaign;
    let mut tx = store.tx().await;
    assert_eq!(tx.address_counts(CampaignId(99)).await.unwrap(), AddressCounts::default());
    frozen.seal(&mut tx, 0).await;
    tx.add_notice(id, 0, &[subject("0")], time(7)).await.unwrap();
    finished(&mut tx, id, 0, false).await;
    finished(&mut tx, id, 1, true).await;
    held(&mut tx, id, 2).await;
    let counts = AddressCounts { all: 4, taken: 3, done: 2, untold: 1 };
    assert_eq!(tx.address_counts(id).await.unwrap(), counts);
}

async fn whoever_is_sealed_and_untold_is_counted(store: TestStore) {
    let frozen = frozen_at(&store, &[0, 0, 0, 1, 2]).await;
    let id = frozen.campaign;
    let mut tx = store.tx().await;
    assert_eq!(tx.sealed_untold(id).await.unwrap(), 0);
    let lease = held(&mut tx, id, 0).await;
    held(&mut tx, id, 1).await;
    assert_eq!(tx.sealed_untold(id).await.unwrap(), 4, "all of these may be sealed next");
    frozen.seal(&mut tx, 0).await;
    frozen.intend(&mut tx, 1).await;
    frozen.intend(&mut tx, 3).await;
    let (skipped, reason) = (TargetState::Skipped, Some(SkipReason::Gone));
    tx.move_target(id, subject("2"), TargetState::Pending, skipped, reason).await.unwrap();
    assert_eq!(tx.sealed_untold(id).await.unwrap(), 3);
    assert!(tx.finish_address(&lease, false).await.unwrap());
    assert_eq!(tx.sealed_untold(id).await.unwrap(), 3);
    tx.settle_address(id, 0).await.unwrap();
    assert_eq!(tx.sealed_untold(id).await.unwrap(), 1);
    assert_eq!(tx.sealed_untold(CampaignId(99)).await.unwrap(), 0);
}

async fn two_workers_never_hold_one_address(store: TestStore) {
    let id = frozen(&store, 40).await.campaign;
    let workers = (0..4).map(|n| tokio::spawn(take_all(store.store.clone(), id, worker(n))));
    let mut taken = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        taken.extend(worker.await.unwrap());
    }
    let distinct: HashSet<_> = taken.iter().collect();
    assert_eq!((taken.len(), distinct.len()), (40, 40));
}

/// Whoever comes second sees what the first one has taken, and takes what is next.
async fn nobody_takes_what_the_holder_of_the_campaign_takes(store: TestStore) {
    let id = frozen(&store, 3).await.campaign;
    let mut first = store.tx().await;
    first.hold_campaign(id).await.unwrap();
    let second = tokio::spawn(take_next(store.store.clone(), id, worker(2)));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!second.is_finished());
    held(&mut first, id, 0).await;
    first.commit().await.unwrap();
    assert_eq!(second.await.unwrap(), Some(1));
}

async fn held(tx: &mut Tx, campaign: CampaignId, number: u64) -> AddressLease {
    tx.take_address(campaign, number, &worker(1), LONG).await.unwrap().expect("it is free")
}

async fn finished(tx: &mut Tx, campaign: CampaignId, number: u64, settled: bool) {
    let lease = held(tx, campaign, number).await;
    assert!(tx.finish_address(&lease, settled).await.unwrap());
}

/// The number of the address that was taken.
async fn take_next(store: Store, campaign: CampaignId, owner: WorkerName) -> Option<u64> {
    let mut tx = store.begin().await.unwrap();
    tx.hold_campaign(campaign).await.unwrap();
    let next = tx.addresses_to_take(campaign, u64::MAX >> 1, 1).await.unwrap();
    let number = *next.first()?;
    let lease = tx.take_address(campaign, number, &owner, LONG).await.unwrap();
    tx.commit().await.unwrap();
    Some(lease.expect("the campaign is held").number)
}

async fn take_all(store: Store, campaign: CampaignId, owner: WorkerName) -> Vec<u64> {
    let mut taken = Vec::new();
    while let Some(number) = take_next(store.clone(), campaign, owner.clone()).await {
        taken.push(number);
    }
    taken
}
