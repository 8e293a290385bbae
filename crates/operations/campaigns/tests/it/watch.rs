//! Who came back is seen in time, and no more is read than that takes.

use std::collections::BTreeSet;

use campaigns::limits::{ACCOUNTS_PER_LOOK_UP, CHANGES_PER_ROUND_MAX};

use crate::sealed::{Databases, Sealed, on_both};

on_both! {
    a_change_that_is_told_is_seen_in_the_next_round,
    a_change_that_committed_late_is_seen_in_the_next_round,
    a_change_that_is_not_told_is_seen_within_the_hour,
    without_a_change_column_everybody_is_read_within_ten_rounds,
    few_are_read_in_every_round,
    a_worker_that_slept_reads_more,
    a_process_begins_with_everybody,
    a_directory_that_fails_to_tell_is_read_in_turn,
    more_changes_than_can_be_taken_in_hide_nothing,
    a_look_at_all_waits_for_nothing,
    a_reset_that_two_workers_see_is_recorded_once,
    when_nobody_is_sealed_nothing_is_read,
}

async fn a_change_that_is_told_is_seen_in_the_next_round(databases: Databases) {
    let mut sealed = Sealed::new(databases, 2880).await;
    assert_eq!(sealed.round_after(1).await, 0);
    assert_eq!((sealed.directory.asked().len(), sealed.directory.told().len()), (2880, 0));
    sealed.choose(7, "12:30:00").await;
    assert_eq!(sealed.round_after(1).await, 1);
    assert_eq!(sealed.directory.told(), ["0", "7"]);
    assert!(sealed.directory.asked().len() <= 2880 / 50);
    // It is told again, and was recorded already.
    assert_eq!(sealed.round_after(1).await, 0);
    assert_eq!(sealed.directory.told(), ["0", "7"]);
    let log = sealed.instance.log().await;
    assert_eq!(log.matches("account_reset").count(), 1);
    // The new hash has a form that nobody knows, and no leaked password is kept to be tried.
    assert!(log.contains(r#""password":"unjudged""#), "{log}");
}

/// After the round, with an earlier time than others that it saw.
async fn a_change_that_committed_late_is_seen_in_the_next_round(databases: Databases) {
    let mut sealed = Sealed::new(databases, 3000).await;
    sealed.round_after(1).await;
    sealed.choose(7, "15:00:00").await;
    assert_eq!(sealed.round_after(1).await, 1);
    sealed.choose(8, "14:00:00").await;
    sealed.choose(9, "15:00:00").await;
    sealed.directory.told();
    assert_eq!(sealed.round_after(1).await, 2);
    assert_eq!(sealed.directory.told(), ["7", "8", "9"]);
}

async fn a_change_that_is_not_told_is_seen_within_the_hour(databases: Databases) {
    const ACCOUNTS: u64 = 1440;
    let mut sealed = Sealed::new(databases, ACCOUNTS).await;
    sealed.round_after(1).await;
    sealed.choose(7, "18:00:00").await;
    assert_eq!(sealed.round_after(1).await, 1);
    sealed.directory.asked();
    sealed.choose_silently(20).await;
    // So late that the directory does not look back as far.
    sealed.choose(1400, "12:00:00").await;
    let (mut seen, mut read) = (0, BTreeSet::new());
    for _ in 0..59 {
        seen += sealed.round_after(1).await;
        let asked = sealed.directory.asked();
        assert!(asked.len() as u64 <= ACCOUNTS / 50, "{}", asked.len());
        read.extend(asked);
    }
    // All but the one who had come back before.
    assert_eq!((seen, read.len() as u64), (2, ACCOUNTS - 1));
}

async fn without_a_change_column_everybody_is_read_within_ten_rounds(databases: Databases) {
    const ACCOUNTS: u64 = 12_000;
    let mut sealed = Sealed::without_changes(databases, ACCOUNTS).await;
    sealed.round_after(1).await;
    assert_eq!(sealed.directory.asked().len() as u64, ACCOUNTS);
    for account in [1, 5000, 11_999] {
        sealed.choose(account, "15:00:00").await;
    }
    let (mut seen, mut read) = (0, BTreeSet::new());
    for _ in 0..9 {
        seen += sealed.round_after(1).await;
        let asked = sealed.directory.asked();
        assert!(asked.len() as u64 <= ACCOUNTS / 8, "{}", asked.len());
        read.extend(asked);
    }
    assert_eq!((seen, read.len() as u64), (3, ACCOUNTS));
}

async fn few_are_read_in_every_round(databases: Databases) {
    let mut sealed = Sealed::without_changes(databases, 960).await;
    for _ in 0..3 {
        sealed.round_after(1).await;
        assert_eq!(sealed.directory.asked().len(), 960);
    }
}

async fn a_worker_that_slept_reads_more(databases: Databases) {
    let mut sealed = Sealed::without_changes(databases, 9600).await;
    sealed.round_after(1).await;
    sealed.directory.asked();
    for (minutes, read) in [(1, 1200), (2, 3200), (5, 9600)] {
        sealed.round_after(minutes).await;
        assert_eq!(sealed.directory.asked().len(), read, "{minutes}");
    }
}

async fn a_process_begins_with_everybody(databases: Databases) {
    let mut sealed = Sealed::new(databases, 3000).await;
    sealed.round_after(1).await;
    sealed.choose_silently(2999).await;
    sealed.restart();
    assert_eq!(sealed.round_after(0).await, 1);
}

async fn a_directory_that_fails_to_tell_is_read_in_turn(databases: Databases) {
    let mut sealed = Sealed::new(databases, 2400).await;
    sealed.round_after(1).await;
    sealed.directory.mute(true);
    sealed.choose(2300, "12:30:00").await;
    sealed.directory.asked();
    assert_eq!(sealed.round_after(1).await, 0);
    assert_eq!(sealed.directory.asked().len(), ACCOUNTS_PER_LOOK_UP);
    // What it did not tell meanwhile it tells then.
    sealed.directory.mute(false);
    assert_eq!(sealed.round_after(1).await, 1);
}

async fn more_changes_than_can_be_taken_in_hide_nothing(databases: Databases) {
    let mut sealed = Sealed::new(databases, 10).await;
    sealed.round_after(1).await;
    let others = CHANGES_PER_ROUND_MAX + 2 * ACCOUNTS_PER_LOOK_UP as u64;
    sealed.change_others(others).await;
    sealed.choose_silently(9).await;
    sealed.directory.asked();
    assert_eq!(sealed.round_after(1).await, 1);
    assert_eq!(sealed.directory.asked().len(), 10);
    assert!((sealed.directory.told().len() as u64) < others);
}

async fn a_look_at_all_waits_for_nothing(databases: Databases) {
    let mut sealed = Sealed::new(databases, 2500).await;
    sealed.round_after(1).await;
    for account in [0, 1200, 2499] {
        sealed.choose_silently(account).await;
    }
    assert_eq!(sealed.look_at_all().await, 3);
}

async fn a_reset_that_two_workers_see_is_recorded_once(databases: Databases) {
    let mut sealed = Sealed::new(databases, 3).await;
    sealed.round_after(1).await;
    sealed.choose(1, "12:30:00").await;
    assert_eq!(sealed.look_at_all().await, 1);
    assert_eq!(sealed.round_after(1).await, 0);
    assert_eq!(sealed.instance.log().await.matches("account_reset").count(), 1);
}

async fn when_nobody_is_sealed_nothing_is_read(databases: Databases) {
    let mut sealed = Sealed::new(databases, 2).await;
    sealed.round_after(1).await;
    sealed.choose(0, "12:30:00").await;
    sealed.choose(1, "12:30:00").await;
    assert_eq!(sealed.round_after(1).await, 2);
    sealed.directory.asked();
    sealed.directory.told();
    assert_eq!(sealed.round_after(1).await, 0);
    assert_eq!((sealed.directory.asked().len(), sealed.directory.told().len()), (0, 0));
}
