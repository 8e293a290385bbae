//! The site's table is compared with what is kept: whatever disagrees is found, and nothing else.

use std::{collections::BTreeMap, time::Duration};

use campaigns::{
    ReconcileError, ReconcileOutcome, Thoroughness, last_reconciliation, reconcile,
    reconcile_if_due,
};
use futures_util::{
    FutureExt as _,
    future::{self, BoxFuture},
};
use model::{CampaignState, Discrepancy, SubjectId, SwapState, TargetState};

use crate::{
    sealed::{Databases, on_both},
    table::{LONG, Table, id, old, own, written},
};

on_both! {
    rows_that_are_as_they_were_left_agree,
    a_value_that_was_given_up_is_found_and_its_owner_told,
    a_value_that_was_perhaps_written_is_found,
    a_value_of_ours_stands_again_where_its_owner_had_come_back,
    a_value_made_for_somebody_else_is_found,
    a_value_of_which_nothing_tells_is_found,
    an_old_password_that_works_again_is_found_and_another_campaign_may_take_it,
    a_put_back_password_that_is_taken_out_again_counts_as_sealed,
    an_old_password_that_stands_where_ours_perhaps_never_did_is_not_sealed_for_sure,
    who_is_left_untold_is_found_in_any_state,
    what_its_owner_changes_meanwhile_is_no_finding,
    an_account_at_which_a_worker_is_counts_as_nothing,
    a_person_at_an_address_that_was_told_is_not_told_again,
    a_table_that_breaks_off_never_agrees,
    rows_that_are_hidden_never_agree,
    a_large_table_is_read_in_a_stream,
    one_at_a_time_compares,
    whoever_dies_is_followed_by_another,
    all_unknown_passwords_are_tried_in_turn,
}

fn found(outcome: &ReconcileOutcome) -> BTreeMap<Discrepancy, u64> {
    outcome.result.found.clone()
}

#[track_caller]
fn check(outcome: &ReconcileOutcome, expected: &[(Discrepancy, u64)]) {
    assert_eq!(found(outcome), expected.iter().copied().collect(), "{outcome:?}");
}

async fn rows_that_are_as_they_were_left_agree(databases: Databases) {
    let table = Table::new(databases, 8, 5).await;
    table.seal_and_write(0, SwapState::Done).await;
    table.seal(1, SwapState::Undone).await;
    table.seal_and_write(2, SwapState::Done).await;
    table.write(2, own(2).expose()).await;
    table.write(3, own(3).expose()).await;
    table.in_site("DELETE FROM users WHERE id = 4").await;
    table.write(7, own(7).expose()).await;
    let outcome = table.compare().await;
    check(&outcome, &[]);
    let result = &outcome.result;
    // Two whose owners chose another password could hold a value of ours; it was tried.
    assert_eq!((result.accounts, result.tried, result.not_tried), (7, 2, 0));
    assert_eq!(table.directory.looks(), 0);
    assert_eq!(table.state().await, CampaignState::Canary);
    let last = last_reconciliation(&table.instance).await.unwrap();
    assert_eq!((last.result, last.is_under_way), (Some(outcome.result), false));
    assert!(last.ended_at.is_some() && last.failed_at.is_none());
    assert!(table.instance.log().await.contains("table_reconciled"));
}

async fn a_value_that_was_given_up_is_found_and_its_owner_told(databases: Databases) {
    let table = Table::new(databases, 3, 2).await;
    table.seal_and_write(1, SwapState::Undone).await;
    table.finish_address(1).await;
    let outcome = table.compare().await;
    check(&outcome, &[(Discrepancy::FoundSealed, 1), (Discrepancy::Untold, 1)]);
    assert_eq!(outcome.result.repaired, 1);
    assert_eq!(outcome.result.halted, ["Spring".to_owned()].into());
    let [listed, untold] = &outcome.list[..] else { panic!("{outcome:?}") };
    assert_eq!((&*listed.account, listed.repaired), ("1", true));
    assert_eq!((&*untold.account, untold.kind), ("1", Discrepancy::Untold));

    assert_eq!(table.state().await, CampaignState::Halted);
    assert_eq!(table.target_of(1).await.state, TargetState::Sealed);
    let mut tx = table.instance.store().begin().await.unwrap();
    let who = table.subject(&mut tx, 1).await;
    let line = tx.reset_line(table.campaign, who).await.unwrap().unwrap();
    assert!(line.kept.is_some());
    assert_eq!(tx.addresses_to_take(table.campaign, 0, 9).await.unwrap(), [1], "it is told next");
    tx.add_notice(table.campaign, 1, &[who], model::Timestamp::from_micros(5)).await.unwrap();
    assert_eq!(tx.reset_evidence(table.campaign, who).await.unwrap().len(), 1);
    tx.roll_back().await.unwrap();
    let log = table.instance.log().await;
    let entry = r#""event":"account_found_sealed","campaign":1,"subject":2,"address":1,"#;
    assert!(log.contains(entry) && log.contains(r#""skipped":"changed","reopened":true"#), "{log}");
    assert!(log.contains(r#""reason":"unreconciled""#) && log.contains("table_reconciled"));
    assert_eq!(log.matches("account_found_sealed").count(), 1);

    check(&table.compare().await, &[(Discrepancy::Untold, 1)]);
    assert_eq!(table.instance.log().await.matches("account_found_sealed").count(), 1);
}

async fn a_value_that_was_perhaps_written_is_found(databases: Databases) {
    let table = Table::new(databases, 3, 3).await;
    table.seal_and_write(0, SwapState::Overtaken).await;
    table.finish_address(0).await;
    table.put_into("done", CampaignState::Done).await;
    let outcome = table.compare().await;
    check(&outcome, &[(Discrepancy::FoundSealed, 1), (Discrepancy::Untold, 1)]);
    assert_eq!(table.target_of(0).await.state, TargetState::Sealed);
    // Somebody is to be told, and a campaign that is done tells nobody.
    assert_eq!(table.state().await, CampaignState::Halted);
}

async fn an_old_password_that_stands_where_ours_perhaps_never_did_is_not_sealed_for_sure(
    databases: Databases,
) {
    let table = Table::new(databases, 3, 3).await;
    table.seal_and_write(0, SwapState::Overtaken).await;
    table.finish_address(0).await;
    table.write(0, old(0).expose()).await;
    check(&table.compare().await, &[(Discrepancy::PutBack, 1)]);
    assert_eq!(table.target_of(0).await.state, TargetState::PutBack);
    let mut tx = table.instance.store().read().await.unwrap();
    let listed = tx.unreached_accounts(table.campaign, 9).await.unwrap();
    let subjects: Vec<_> = listed.iter().map(|account| account.subject).collect();
    assert_eq!(subjects, [SubjectId(1)], "nobody can tell whether this one was sealed");
    drop(tx);
    check(&table.compare().await, &[]);
}

async fn a_value_of_ours_stands_again_where_its_owner_had_come_back(databases: Databases) {
    let table = Table::new(databases, 2, 2).await;
    table.seal_and_write(0, SwapState::Done).await;
    table.in_store("UPDATE target SET state = 'reset', open = FALSE WHERE subject = 1").await;
    let outcome = table.compare().await;
    assert_eq!(found(&outcome)[&Discrepancy::FoundSealed], 1);
    assert_eq!(table.target_of(0).await.state, TargetState::Sealed);
}

async fn a_value_made_for_somebody_else_is_found(databases: Databases) {
    let table = Table::new(databases, 3, 2).await;
    let made = table.seal_and_write(0, SwapState::Done).await;
    table.write(2, made.expose()).await;
    let outcome = table.compare().await;
    // The campaign was halted, so the other one waits to be told.
    check(&outcome, &[(Discrepancy::Misplaced, 1), (Discrepancy::Untold, 1)]);
    assert_eq!((&*outcome.list[0].account, outcome.result.repaired), ("2", 0));
    assert_eq!(table.state().await, CampaignState::Halted);
    check(&table.compare().await, &[(Discrepancy::Misplaced, 1), (Discrepancy::Untold, 1)]);
}

async fn a_value_of_which_nothing_tells_is_found(databases: Databases) {
    let table = Table::new(databases, 4, 1).await;
    table.find_all([2]).await;
    for number in [0, 2] {
        table.write(number, table.made(number).expose()).await;
    }
    table.write(3, own(3).expose()).await;
    let outcome = table.compare().await;
    check(&outcome, &[(Discrepancy::Unrecorded, 2)]);
    let campaigns: Vec<_> =
        outcome.list.iter().map(|found| (&*found.account, found.campaign.as_deref())).collect();
    assert!(campaigns.contains(&("0", Some("Spring"))) && campaigns.contains(&("2", None)));
    assert_eq!(table.state().await, CampaignState::Halted, "what is kept is not all that was done");
    check(&table.compare().await, &[(Discrepancy::Unrecorded, 2)]);
}

async fn an_old_password_that_works_again_is_found_and_another_campaign_may_take_it(
    databases: Databases,
) {
    let table = Table::new(databases, 5, 5).await;
    for number in [0, 1, 2] {
        table.seal_and_write(number, SwapState::Done).await;
    }
    table.in_store("UPDATE target SET state = 'reset' WHERE subject = 2").await;
    for number in [0, 1] {
        table.write(number, old(number).expose()).await;
    }
    let outcome = table.compare().await;
    check(&outcome, &[(Discrepancy::PutBack, 2), (Discrepancy::Untold, 1)]);
    assert_eq!(outcome.result.repaired, 2);
    assert_eq!(table.state().await, CampaignState::Halted);
    let mut tx = table.instance.store().read().await.unwrap();
    let [first, second, third] = [1, 2, 3].map(SubjectId);
    let held = tx.subjects_in_open_campaigns().await.unwrap();
    assert!(held.contains(&first) && held.contains(&second), "they are still to be told: {held:?}");
    drop(tx);
    let told =
        "UPDATE campaign_address SET taken_at = 1, done_at = 1, settled_at = 1 WHERE number IN
        (SELECT address FROM target WHERE subject IN (1, 2))";
    table.in_store(told).await;
    let mut tx = table.instance.store().begin().await.unwrap();
    for subject in [first, second] {
        let address = tx.target(table.campaign, subject).await.unwrap().address;
        tx.release_put_back(table.campaign, address).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut tx = table.instance.store().read().await.unwrap();
    let held = tx.subjects_in_open_campaigns().await.unwrap();
    let is_held = [first, second, third].map(|subject| held.contains(&subject));
    assert_eq!(is_held, [false, false, true], "{held:?}");
    let lines: Vec<_> = tx.reset_lines().await.unwrap().into_iter().map(|(id, _)| id).collect();
    assert_eq!(lines, [third]);
    drop(tx);
    for number in [0, 1] {
        assert_eq!(table.target_of(number).await.state, TargetState::PutBack);
    }
    assert_eq!(table.instance.log().await.matches("account_put_back").count(), 2);
    check(&table.compare().await, &[(Discrepancy::Untold, 1)]);
}

async fn a_put_back_password_that_is_taken_out_again_counts_as_sealed(databases: Databases) {
    let table = Table::new(databases, 1, 1).await;
    let made = table.seal_and_write(0, SwapState::Done).await;
    table.write(0, old(0).expose()).await;
    check(&table.compare().await, &[(Discrepancy::PutBack, 1)]);
    table.write(0, made.expose()).await;
    assert_eq!(found(&table.compare().await)[&Discrepancy::FoundSealed], 1);
    assert_eq!(table.target_of(0).await.state, TargetState::Sealed);
    let mut tx = table.instance.store().read().await.unwrap();
    assert_eq!(tx.reset_lines().await.unwrap().len(), 1);
}

async fn who_is_left_untold_is_found_in_any_state(databases: Databases) {
    let table = Table::new(databases, 2, 2).await;
    table.seal_and_write(0, SwapState::Done).await;
    check(&table.compare().await, &[]);
    table.in_store("UPDATE campaign_address SET taken_at = taken_at - 3600000001").await;
    check(&table.compare().await, &[(Discrepancy::Untold, 1)]);
    assert_eq!(table.state().await, CampaignState::Canary, "a halt would tell nobody");
    for (state, word) in [("done", CampaignState::Done), ("closed", CampaignState::Closed)] {
        table.put_into(state, word).await;
        let outcome = table.compare().await;
        check(&outcome, &[(Discrepancy::Untold, 1)]);
        assert_eq!(outcome.result.campaigns["Spring"][&Discrepancy::Untold], 1);
    }
}

async fn what_its_owner_changes_meanwhile_is_no_finding(databases: Databases) {
    let table = Table::new(databases, 3, 3).await;
    table.seal_and_write(0, SwapState::Undone).await;
    table.directory.before_look(written(0, own(0).expose()));
    check(&table.compare().await, &[]);
    table.seal_and_write(1, SwapState::Done).await;
    table.write(1, old(1).expose()).await;
    table.directory.before_look("UPDATE users SET password_hash = '' WHERE id = 1".to_owned());
    check(&table.compare().await, &[]);
    assert_eq!(table.directory.looks(), 2);
    table.write(2, table.made(2).expose()).await;
    table.directory.before_look("DELETE FROM users WHERE id = 2".to_owned());
    check(&table.compare().await, &[]);
    assert_eq!(table.state().await, CampaignState::Canary);
}

async fn an_account_at_which_a_worker_is_counts_as_nothing(databases: Databases) {
    let table = Table::new(databases, 2, 2).await;
    table.seal_and_write(0, SwapState::Intended).await;
    table.seal(1, SwapState::Intended).await;
    check(&table.compare().await, &[]);
    // The address of this one is in hand: whoever has it goes by what was.
    let table = Table::new(Databases::sqlite(), 1, 1).await;
    table.seal_and_write(0, SwapState::Undone).await;
    table.in_store("UPDATE campaign_address SET lease_until = 9000000000000000").await;
    let outcome = table.compare().await;
    check(&outcome, &[(Discrepancy::FoundSealed, 1)]);
    assert_eq!(outcome.result.repaired, 0);
    assert_eq!(table.target_of(0).await.state, TargetState::Skipped);
}

async fn a_person_at_an_address_that_was_told_is_not_told_again(databases: Databases) {
    let table = Table::new(databases, 3, 3).await;
    table.seal_and_write(0, SwapState::Done).await;
    let mut tx = table.instance.store().begin().await.unwrap();
    let now = model::Timestamp::from_micros(5);
    let who = table.subject(&mut tx, 0).await;
    let notice = tx.add_notice(table.campaign, 0, &[who], now).await.unwrap();
    tx.commit().await.unwrap();
    // The others have the same address.
    table.in_site("UPDATE users SET email = '0@example.org'").await;
    table.in_store("UPDATE target SET address = 0").await;
    for number in [1, 2] {
        table.seal_and_write(number, SwapState::Undone).await;
        table.finish_address(0).await;
        if number == 2 {
            let sent = "UPDATE notice SET state = 'sent', ended_at = 5, attempts = 1, \
                        lease_owner = ''";
            table.in_store(sent).await;
        } else {
            table.in_store("UPDATE campaign_address SET settled_at = NULL WHERE number = 0").await;
        }
        let outcome = table.compare().await;
        let kinds: Vec<_> = outcome
            .list
            .iter()
            .map(|found| (&*found.account, found.kind, found.repaired))
            .collect();
        assert_eq!(kinds[0], (&*number.to_string(), Discrepancy::FoundSealed, true), "{kinds:?}");
        let mut tx = table.instance.store().read().await.unwrap();
        let told = tx.notice_lines(notice).await.unwrap();
        assert_eq!(told, [1, 2].map(SubjectId), "what is not sent yet speaks of one more");
        assert!(tx.addresses_to_take(table.campaign, 0, 9).await.unwrap().is_empty());
    }
}

/// Nothing breaks a comparison off.
fn never() -> BoxFuture<'static, ()> {
    Box::pin(future::pending())
}

async fn a_table_that_breaks_off_never_agrees(databases: Databases) {
    let table = Table::new(databases, 5, 1).await;
    table.directory.break_after(3);
    let error = table.try_compare(Thoroughness::default()).await.unwrap_err();
    assert!(matches!(error, ReconcileError::Read(_)), "{error}");
    assert!(error.to_string().contains("was not read to its end"), "{error}");
    let last = last_reconciliation(&table.instance).await.unwrap();
    assert!(last.ended_at.is_none() && last.result.is_none() && last.failed_at.is_some());
    assert!(!last.is_under_way);
    let again = reconcile_if_due(&table.means(), LONG, never()).await.unwrap();
    assert!(again.is_none(), "it waits a little");
    table.directory.break_after(usize::MAX);
    check(&table.compare().await, &[]);
    let last = last_reconciliation(&table.instance).await.unwrap();
    assert!(last.failed_at.is_none());
}

/// By a policy of the database, without a word.
async fn rows_that_are_hidden_never_agree(databases: Databases) {
    let table = Table::new(databases, 5, 3).await;
    for number in [0, 1] {
        table.seal_and_write(number, SwapState::Done).await;
    }
    table.directory.hide(Some(id(1)));
    let error = table.try_compare(Thoroughness::default()).await.unwrap_err();
    assert!(matches!(error, ReconcileError::Hidden { .. }), "{error}");
    let last = last_reconciliation(&table.instance).await.unwrap();
    assert!(last.ended_at.is_none() && last.failed_at.is_some());
    // Whoever is gone, or has no password any more, is hidden from nobody.
    table.directory.hide(None);
    table.in_site("DELETE FROM users WHERE id = 1").await;
    table.in_site("UPDATE users SET password_hash = NULL WHERE id = 0").await;
    check(&table.compare().await, &[]);
}

async fn a_large_table_is_read_in_a_stream(databases: Databases) {
    const ACCOUNTS: u64 = 10_000;
    let table = Table::new(databases, ACCOUNTS, 40).await;
    for number in 0..30 {
        table.seal_and_write(number, SwapState::Done).await;
    }
    for number in 0..10 {
        table.write(number, old(number).expose()).await;
    }
    table.seal_and_write(33, SwapState::Overtaken).await;
    table.find_all([9_999]).await;
    table.write(9_999, table.made(9_999).expose()).await;
    let outcome = table.compare().await;
    assert_eq!(outcome.result.accounts, ACCOUNTS);
    let counts = found(&outcome);
    assert_eq!(counts[&Discrepancy::PutBack], 10);
    assert_eq!(counts[&Discrepancy::FoundSealed], 1);
    assert_eq!(counts[&Discrepancy::Unrecorded], 1);
    assert_eq!(outcome.result.repaired, 11);
}

async fn one_at_a_time_compares(databases: Databases) {
    let table = Table::new(databases, 3, 1).await;
    let every = Duration::from_hours(1);
    assert!(reconcile_if_due(&table.means(), every, never()).await.unwrap().is_some());
    assert!(
        reconcile_if_due(&table.means(), every, never()).await.unwrap().is_none(),
        "it is not due"
    );
    let means = table.means();
    let (one, other) = tokio::join!(
        reconcile(&means, Thoroughness::default()),
        reconcile_if_due(&means, Duration::ZERO, never())
    );
    let other = other.unwrap();
    let refused = matches!(one, Err(ReconcileError::UnderWay)) && other.is_some();
    assert!(refused || (one.is_ok() && other.is_none()), "{one:?} {other:?}");
}

async fn whoever_dies_is_followed_by_another(databases: Databases) {
    let table = Table::new(databases, 3, 2).await;
    table.seal_and_write(0, SwapState::Undone).await;
    table.finish_address(0).await;
    let mut tx = table.instance.store().begin().await.unwrap();
    let dead = store::WorkerName::from_random([9; 16]);
    let (lease, none) = (Duration::from_millis(300), Duration::ZERO);
    let held = tx.take_reconciliation(&dead, lease, none, none).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    let refused = table.try_compare(Thoroughness::default()).now_or_never();
    assert!(refused.is_none_or(|refused| matches!(refused, Err(ReconcileError::UnderWay))));
    assert!(last_reconciliation(&table.instance).await.unwrap().is_under_way);
    tokio::time::sleep(lease).await;
    assert_eq!(found(&table.compare().await)[&Discrepancy::FoundSealed], 1);
    // Whoever was held to be dead has nothing to say any more.
    let mut tx = table.instance.store().begin().await.unwrap();
    assert!(!tx.finish_reconciliation(&held, None).await.unwrap());
}

async fn all_unknown_passwords_are_tried_in_turn(databases: Databases) {
    let table = Table::new(databases, 10, 0).await;
    table.find_all(0..10).await;
    for number in 0..10 {
        let hash = if number == 4 { table.made(4) } else { own(number) };
        table.write(number, hash.expose()).await;
    }
    let few = Thoroughness { tries_max: 4, ..Thoroughness::default() };
    let mut times_found = 0;
    for _ in 0..5 {
        let result = table.try_compare(few).await.unwrap().result;
        assert_eq!((result.tried, result.not_tried), (4, 6));
        times_found += result.found.get(&Discrepancy::Unrecorded).copied().unwrap_or_default();
    }
    // Twenty trials of ten accounts.
    assert_eq!(times_found, 2);
}

#[tokio::test]
async fn what_only_a_lagging_copy_shows_is_no_finding() {
    let table = Table::lagging(Databases::sqlite(), 4, 4).await;
    for number in 0..3 {
        table.seal_and_write(number, SwapState::Done).await;
    }
    // The copy shows the old password of all of them; of one, the primary does, too.
    table.write(2, old(2).expose()).await;
    let outcome = table.compare().await;
    check(&outcome, &[(Discrepancy::PutBack, 1), (Discrepancy::Untold, 2)]);
    assert_eq!(outcome.list[0].account, "2");
    for (number, state) in [(0, TargetState::Sealed), (2, TargetState::PutBack)] {
        assert_eq!(table.target_of(number).await.state, state);
    }
}
