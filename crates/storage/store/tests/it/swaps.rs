//! Every value of ours that was, or may have been, written into the site's table.

use std::time::Duration;

use model::{SiteTransaction, SwapId, SwapPurpose, SwapState};
use sql::Constraint;
use store::{NewSwap, Swap, SwapBehalf, SwapLease, Tx};

use crate::support::{Frozen, LONG, TestStore, broken, frozen, subject, version, worker};

on_both! {
    swaps_of_one_account_exclude_each_other,
    swaps_are_found_in_their_order_and_while_they_are_open,
    a_value_is_made_once,
    a_later_attempt_shuts_the_earlier_one_out,
    a_swap_is_taken_over_only_after_its_lease,
    what_was_let_through_is_kept,
    what_may_have_been_written_stays_on_record,
    only_what_is_found_after_all_changes_an_end,
}

/// A lease that is over at once.
const OVER: Duration = Duration::ZERO;

async fn seal(store: &TestStore, id: &str, made: u8) -> NewSwap {
    let campaign = store.read().await.unwrap().campaigns().await.unwrap()[0].id;
    NewSwap {
        subject: subject(id),
        behalf: SwapBehalf::Seal { campaign, round: 3 },
        expected: version(1),
        made: version(made),
    }
}

async fn intend(store: &TestStore, new: &NewSwap, lease: Duration) -> Option<SwapLease> {
    let mut tx = store.tx().await;
    let held = tx.intend_swap(new, &worker(1), lease).await.unwrap();
    tx.commit().await.unwrap();
    held
}

async fn left(tx: &mut Tx) -> Vec<Swap> {
    tx.swaps_left(SwapPurpose::Seal, 10).await.unwrap()
}

async fn swaps_of_one_account_exclude_each_other(store: TestStore) {
    let Frozen { campaign, .. } = frozen(&store, 2).await;
    let held = intend(&store, &seal(&store, "0", 50).await, LONG).await.unwrap();
    let mut tx = store.tx().await;
    let link = tx.add_reset_link(subject("0")).await.unwrap();
    tx.commit().await.unwrap();
    let choose = NewSwap { behalf: SwapBehalf::Choose { link }, ..seal(&store, "0", 51).await };
    assert_eq!(intend(&store, &choose, LONG).await, None, "one at a time");
    let back = SwapBehalf::Reinstate { campaign, round: 3 };
    let back = NewSwap { behalf: back, ..seal(&store, "0", 52).await };
    assert_eq!(intend(&store, &back, LONG).await, None);
    assert!(intend(&store, &seal(&store, "1", 53).await, LONG).await.is_some(), "another account");

    let mut tx = store.tx().await;
    assert_eq!(tx.intended_swaps(campaign).await.unwrap(), 2);
    assert!(tx.end_swap(held, SwapState::Done).await.unwrap().is_some());
    assert_eq!(tx.intended_swaps(campaign).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let chosen = intend(&store, &choose, LONG).await.unwrap();
    let swap = store.read().await.unwrap().swap_of_link(link).await.unwrap().unwrap();
    assert_eq!((swap.id, swap.behalf), (chosen.id, choose.behalf));
}

async fn a_value_is_made_once(store: TestStore) {
    let Frozen { campaign, .. } = frozen(&store, 2).await;
    let first = seal(&store, "0", 50).await;
    intend(&store, &first, LONG).await.unwrap();
    let other = NewSwap { subject: subject("1"), ..first.clone() };
    let refused = store.tx().await.intend_swap(&other, &worker(1), LONG).await;
    assert_eq!(broken(refused), Constraint::Unique);
    // What is put back was the site's own.
    let back = SwapBehalf::Reinstate { campaign, round: 3 };
    let back = NewSwap { subject: subject("1"), behalf: back, ..first };
    assert!(intend(&store, &back, LONG).await.is_some());
}

async fn a_later_attempt_shuts_the_earlier_one_out(store: TestStore) {
    frozen(&store, 1).await;
    let first = intend(&store, &seal(&store, "0", 50).await, OVER).await.unwrap();
    let mut tx = store.tx().await;
    let second = tx.take_swap(first.id, &worker(2), LONG).await.unwrap().unwrap().held();
    assert_eq!((second.id, second.attempt), (first.id, 2));
    tx.commit().await.unwrap();

    let mut tx = store.tx().await;
    assert_eq!(tx.swap_held(first).await.unwrap(), None);
    assert_eq!(tx.swap_held(second).await.unwrap().unwrap().held(), second);
    assert_eq!(tx.pass_swap(first, None).await.unwrap(), None, "it must not commit on the site");
    assert_eq!(tx.end_swap(first, SwapState::Done).await.unwrap(), None);
    assert_eq!(tx.pass_swap(second, None).await.unwrap().unwrap().passed, Some(2));
    assert!(tx.end_swap(second, SwapState::Undone).await.unwrap().is_some());
    assert_eq!(tx.pass_swap(second, None).await.unwrap(), None, "it has ended");
}

async fn swaps_are_found_in_their_order_and_while_they_are_open(store: TestStore) {
    let Frozen { campaign, .. } = frozen(&store, 2).await;
    let first = intend(&store, &seal(&store, "0", 50).await, LONG).await.unwrap();
    let second = intend(&store, &seal(&store, "1", 51).await, LONG).await.unwrap();
    let mut tx = store.tx().await;
    assert_eq!(tx.sealing_campaigns().await.unwrap(), [campaign]);
    tx.end_swap(first, SwapState::Done).await.unwrap();
    assert_eq!(tx.intended_swap_ids().await.unwrap(), [second.id]);
    assert_eq!(tx.open_swap_of(subject("0")).await.unwrap(), None);
    assert_eq!(tx.open_swap_of(subject("1")).await.unwrap().unwrap().held(), second);
    let all = tx.swaps_after(SwapId(0), 9).await.unwrap();
    let all: Vec<_> = all.iter().map(|swap| (swap.id, swap.state)).collect();
    assert_eq!(all, [(first.id, SwapState::Done), (second.id, SwapState::Intended)]);
    assert_eq!(tx.swaps_after(first.id, 9).await.unwrap()[0].id, second.id);
    assert_eq!(tx.swaps_after(SwapId(0), 1).await.unwrap().len(), 1);
    tx.end_swap(second, SwapState::Undone).await.unwrap();
    assert_eq!(tx.sealing_campaigns().await.unwrap(), []);
}

async fn a_swap_is_taken_over_only_after_its_lease(store: TestStore) {
    frozen(&store, 2).await;
    let lasting = intend(&store, &seal(&store, "0", 50).await, LONG).await.unwrap();
    let over = intend(&store, &seal(&store, "1", 51).await, OVER).await.unwrap();
    let mut tx = store.tx().await;
    let found: Vec<_> = left(&mut tx).await.into_iter().map(|swap| swap.id).collect();
    assert_eq!(found, [over.id]);
    assert!(tx.swaps_left(SwapPurpose::Choose, 10).await.unwrap().is_empty());
    assert_eq!(tx.take_swap(lasting.id, &worker(2), LONG).await.unwrap(), None);
    assert!(tx.take_swap(over.id, &worker(2), LONG).await.unwrap().is_some());
    assert_eq!(tx.take_swap(over.id, &worker(3), LONG).await.unwrap(), None, "it is taken");
    assert!(left(&mut tx).await.is_empty());
}

async fn what_was_let_through_is_kept(store: TestStore) {
    frozen(&store, 1).await;
    let held = intend(&store, &seal(&store, "0", 50).await, OVER).await.unwrap();
    let transaction = SiteTransaction::new("site/1".to_owned(), 1 << 40);
    let mut tx = store.tx().await;
    assert_eq!(left(&mut tx).await[0].passed, None);
    assert!(tx.pass_swap(held, Some(&transaction)).await.unwrap().is_some());
    let swap = left(&mut tx).await.remove(0);
    assert_eq!((swap.passed, swap.transaction), (Some(1), Some(transaction)));
    let taken = tx.take_swap(held.id, &worker(2), OVER).await.unwrap().unwrap();
    assert_eq!((taken.attempt, taken.passed), (2, Some(1)), "the one before was let through");
}

async fn what_may_have_been_written_stays_on_record(store: TestStore) {
    frozen(&store, 1).await;
    intend(&store, &seal(&store, "0", 50).await, LONG).await.unwrap();
    let objection = store.objection("DELETE FROM swap").await;
    assert!(objection.contains("rows of swap stay"), "{objection}");
    for column in ["made", "expected"] {
        let objection = store.objection(&format!("UPDATE swap SET {column} = made")).await;
        assert!(objection.contains("what a swap is about stays"), "{objection}");
    }
    let objection = store.objection("UPDATE swap SET subject = 5").await;
    assert!(objection.contains("what a swap is about stays"), "{objection}");
    let half = "UPDATE swap SET passed = 1, site = 'x'";
    assert_eq!(store.refusal(half).await, Constraint::Check);
    let passed = "UPDATE swap SET passed = 2";
    assert_eq!(store.refusal(passed).await, Constraint::Check);
}

async fn only_what_is_found_after_all_changes_an_end(store: TestStore) {
    frozen(&store, 1).await;
    let held = intend(&store, &seal(&store, "0", 50).await, LONG).await.unwrap();
    let mut tx = store.tx().await;
    assert!(tx.end_swap(held, SwapState::Undone).await.unwrap().is_some());
    tx.commit().await.unwrap();
    for state in ["intended', ended_at = NULL, lease_owner = '", "overtaken"] {
        let objection = store.objection(&format!("UPDATE swap SET state = '{state}'")).await;
        assert!(objection.contains("a swap that has ended stays so"), "{objection}");
    }
    assert_eq!(store.raw("UPDATE swap SET state = 'done'").await.unwrap(), 1);
}
