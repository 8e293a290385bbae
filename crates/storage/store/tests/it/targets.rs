//! Whom a campaign is about, and what was taken out of use.

use futures_util::TryStreamExt as _;
use model::{CampaignId, FindingId, LeakId, SkipReason, SubjectId, TargetState};
use sql::{Constraint, SqlError};
use store::{NewResetLine, Shares, StoreError, TargetRow, Tx};

use crate::support::{
    Frozen, TestStore, address, broken, campaign, freeze, frozen, frozen_at, leak, new_finding,
    reset_line, subject, target, time, version,
};

on_both! {
    nobody_is_a_target_without_a_finding_of_their_own,
    nobody_is_in_two_open_campaigns,
    nobody_is_twice_in_a_campaign,
    a_campaign_is_thawed_until_a_password_is_touched,
    targets_come_in_the_order_of_the_plan,
    a_target_moves_on_from_where_it_should_be,
    only_what_was_skipped_has_a_reason,
    no_leak_is_nobody,
    what_is_open_has_its_secret,
    secrets_are_destroyed_with_their_campaign,
    a_password_is_taken_out_of_use_once,
    what_was_given_back_can_be_taken_again,
    an_intent_is_written_anew_with_its_evidence,
    what_was_given_back_is_not_written_anew,
    evidence_is_a_finding_of_that_account,
    an_intent_is_taken_back_with_its_evidence,
    sealed_accounts_come_page_by_page,
    every_account_is_in_one_share,
    those_sealed_are_found_among_any_number,
}

async fn nobody_is_a_target_without_a_finding_of_their_own(store: TestStore) {
    let Frozen { leak, findings, .. } = frozen(&store, 2).await;
    let mut tx = store.tx().await;
    tx.add_finding(&new_finding(leak, "new", 1), &[]).await.unwrap();
    let second = campaign(&mut tx, "Second", &[leak]).await;
    tx.add_addresses(second, [address(0, 1)]).await.unwrap();
    tx.commit().await.unwrap();
    let none = target(0, "new", 0, &[]);
    let foreign = target(0, "new", 0, &findings[..1]);
    for (target, rule) in [(none, Constraint::Check), (foreign, Constraint::ForeignKey)] {
        let refused = store.tx().await.add_targets(second, &[target]).await;
        assert_eq!(broken(refused), rule);
    }
    let foreign = "UPDATE target SET finding = 1 WHERE subject = 1";
    assert_eq!(store.refusal(foreign).await, Constraint::ForeignKey);
    let foreign = "UPDATE target_finding SET finding = 1 WHERE subject = 1";
    assert_eq!(store.refusal(foreign).await, Constraint::ForeignKey);
    let none = "UPDATE target SET finding = 99";
    assert_eq!(store.refusal(none).await, Constraint::ForeignKey);
}

async fn nobody_is_in_two_open_campaigns(store: TestStore) {
    let first = frozen(&store, 2).await;
    let mut tx = store.tx().await;
    assert_eq!(tx.subjects_in_open_campaigns().await.unwrap().len(), 2);
    let second = campaign(&mut tx, "Second", &[first.leak]).await;
    tx.commit().await.unwrap();

    let join = async |tx: &mut Tx| freeze(tx, second, &[0, 1], &first.findings).await;
    assert_eq!(broken(join(&mut store.tx().await).await), Constraint::Unique);
    let mut tx = store.tx().await;
    tx.release_target(first.campaign, subject("0")).await.unwrap();
    assert_eq!(tx.subjects_in_open_campaigns().await.unwrap(), [subject("1")]);
    assert_eq!(broken(join(&mut tx).await), Constraint::Unique, "the other one is held still");
    drop(tx);

    let mut tx = store.tx().await;
    tx.release_targets(first.campaign).await.unwrap();
    assert!(tx.subjects_in_open_campaigns().await.unwrap().is_empty());
    join(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    let reopened = "UPDATE target SET open = TRUE";
    assert_eq!(store.refusal(reopened).await, Constraint::Unique);
}

async fn nobody_is_twice_in_a_campaign(store: TestStore) {
    let frozen = frozen(&store, 2).await;
    let again = target(2, "0", 0, &frozen.findings[..1]);
    let mut tx = store.tx().await;
    tx.release_targets(frozen.campaign).await.unwrap();
    assert_eq!(broken(tx.add_targets(frozen.campaign, &[again]).await), Constraint::Unique);
    drop(tx);
    let one_place = "UPDATE target SET place = 0";
    assert_eq!(store.refusal(one_place).await, Constraint::Unique);
}

async fn a_campaign_is_thawed_until_a_password_is_touched(store: TestStore) {
    let frozen = frozen(&store, 2).await;
    let mut tx = store.tx().await;
    let addresses_first = tx.drop_addresses(frozen.campaign).await;
    assert_eq!(broken(addresses_first), Constraint::ForeignKey);
    drop(tx);
    let mut tx = store.tx().await;
    tx.drop_targets(frozen.campaign).await.unwrap();
    tx.drop_addresses(frozen.campaign).await.unwrap();
    assert!(tx.subjects_in_open_campaigns().await.unwrap().is_empty());
    assert!(tx.target_findings(frozen.campaign).await.unwrap().is_empty());
    freeze(&mut tx, frozen.campaign, &[0, 1], &frozen.findings).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = store.tx().await;
    frozen.intend(&mut tx, 1).await;
    assert_eq!(broken(tx.drop_targets(frozen.campaign).await), Constraint::ForeignKey);
}

async fn targets_come_in_the_order_of_the_plan(store: TestStore) {
    let frozen = frozen_at(&store, &[1, 0, 1]).await;
    let mut tx = store.tx().await;
    let id = frozen.campaign;
    let rows: Vec<TargetRow> = tx.targets(id).try_collect().await.unwrap();
    let told = rows.iter().map(|row| (row.place, row.subject.0, row.address));
    assert_eq!(told.collect::<Vec<_>>(), [(0, 0, 1), (1, 1, 0), (2, 2, 1)]);
    for row in &rows {
        let expected = (address(row.address, 1).key, version(1), TargetState::Pending);
        assert_eq!((row.address_key, row.version, row.state), expected);
    }
    let together = tx.targets_of_addresses(id, &[1]).await.unwrap();
    assert_eq!(together, [rows[0].clone(), rows[2].clone()]);
    assert_eq!(tx.targets_of_addresses(id, &[0, 1]).await.unwrap(), rows);
    assert!(tx.targets_of_addresses(id, &[2]).await.unwrap().is_empty());
    tx.add_finding(&new_finding(frozen.leak, "0", 2), &[]).await.unwrap();
    let found = tx.findings_of_targets(id, &[subject("0")]).await.unwrap();
    let found: Vec<_> = found.iter().map(|found| found.id).collect();
    assert_eq!(found, frozen.findings[..1], "the plan does not know the second one");
    let pairs = tx.target_findings(id).await.unwrap();
    let expected = (0..3).map(|n| (subject(&n.to_string()), frozen.findings[n]));
    assert_eq!(pairs, expected.collect::<Vec<_>>());
}

async fn a_target_moves_on_from_where_it_should_be(store: TestStore) {
    use TargetState::{Pending, Sealed, Sealing, Skipped};
    let frozen = frozen(&store, 3).await;
    let mut tx = store.tx().await;
    let (id, who) = (frozen.campaign, subject("0"));
    assert!(tx.move_target(id, who, Pending, Sealing, None).await.unwrap());
    assert!(!tx.move_target(id, who, Pending, Sealing, None).await.unwrap());
    assert!(tx.move_target(id, who, Sealing, Sealed, None).await.unwrap());
    let reason = Some(SkipReason::Gone);
    assert!(!tx.move_target(id, who, Sealing, Skipped, reason).await.unwrap());
    assert!(!tx.move_target(id, subject("9"), Pending, Sealed, None).await.unwrap());
    assert!(tx.move_target(id, subject("1"), Pending, Skipped, reason).await.unwrap());
    let counts = tx.target_counts(id).await.unwrap();
    assert_eq!(counts, [(Pending, None, 1), (Sealed, None, 1), (Skipped, reason, 1)]);
}

async fn only_what_was_skipped_has_a_reason(store: TestStore) {
    let frozen = frozen(&store, 1).await;
    let (id, who) = (frozen.campaign, subject("0"));
    for (to, reason) in
        [(TargetState::Skipped, None), (TargetState::Sealed, Some(SkipReason::Changed))]
    {
        let moved = store.tx().await.move_target(id, who, TargetState::Pending, to, reason).await;
        assert_eq!(broken(moved), Constraint::Check);
    }
}

async fn no_leak_is_nobody(store: TestStore) {
    frozen(&store, 2).await;
    store.raw("UPDATE finding SET state = 'dismissed' WHERE subject = 1").await.unwrap();
    let mut tx = store.tx().await;
    assert!(tx.open_findings(&[]).await.unwrap().is_empty());
    assert_eq!(tx.dismissed_accounts(&[]).await.unwrap(), 0);
}

async fn what_is_open_has_its_secret(store: TestStore) {
    let Frozen { leak: one, findings, .. } = frozen(&store, 4).await;
    let mut tx = store.tx().await;
    let (two, _) = leak(&mut tx, "Two", &["a"]).await;
    let also = tx.add_finding(&new_finding(two, "0", 1), &[]).await.unwrap();
    tx.destroy_secret(findings[3]).await.unwrap();
    tx.commit().await.unwrap();
    store.raw("UPDATE finding SET state = 'dismissed' WHERE subject = 1").await.unwrap();
    store.raw("UPDATE finding SET state = 'reset' WHERE subject = 2").await.unwrap();
    let mut tx = store.tx().await;
    let ids = async |tx: &mut Tx, leaks: &[LeakId]| -> Vec<FindingId> {
        tx.open_findings(leaks).await.unwrap().iter().map(|finding| finding.id).collect()
    };
    assert_eq!(ids(&mut tx, &[one]).await, [findings[0]]);
    assert_eq!(ids(&mut tx, &[two, one]).await, [findings[0], also]);
    assert_eq!(tx.dismissed_accounts(&[one, two]).await.unwrap(), 1);
    assert_eq!(tx.dismissed_accounts(&[two]).await.unwrap(), 0);
}

async fn secrets_are_destroyed_with_their_campaign(store: TestStore) {
    let frozen = frozen(&store, 3).await;
    let mut tx = store.tx().await;
    tx.add_finding(&new_finding(frozen.leak, "elsewhere", 1), &[]).await.unwrap();
    assert_eq!(tx.campaign_secrets(frozen.campaign).await.unwrap(), 3);
    tx.close_findings(frozen.campaign, subject("1")).await.unwrap();
    assert_eq!(tx.campaign_secrets(frozen.campaign).await.unwrap(), 2);
    assert_eq!(tx.destroy_campaign_secrets(frozen.campaign).await.unwrap(), 2);
    assert_eq!(tx.destroy_campaign_secrets(frozen.campaign).await.unwrap(), 0);
    tx.commit().await.unwrap();
    let kept = store.ask::<(i64,)>("SELECT subject FROM finding WHERE wrapped_key IS NOT NULL");
    assert_eq!(kept.await, [(subject("elsewhere").0,)]);
    let reset = store.ask::<(i64,)>("SELECT subject FROM finding WHERE state = 'reset'");
    assert_eq!(reset.await, [(1,)]);
}

/// A second campaign on the same accounts, once the first one has let them go.
async fn second_campaign(store: &TestStore, first: &Frozen) -> Frozen {
    let mut tx = store.tx().await;
    tx.release_targets(first.campaign).await.unwrap();
    let second = campaign(&mut tx, "Second", &[first.leak]).await;
    let addresses: Vec<_> = (0_u64..).take(first.findings.len()).collect();
    freeze(&mut tx, second, &addresses, &first.findings).await.unwrap();
    tx.commit().await.unwrap();
    Frozen { leak: first.leak, campaign: second, findings: first.findings.clone() }
}

async fn elsewhere(tx: &mut Tx, campaign: CampaignId) -> Vec<SubjectId> {
    tx.reset_elsewhere(campaign, &[subject("0"), subject("1")]).await.unwrap()
}

async fn a_password_is_taken_out_of_use_once(store: TestStore) {
    let first = frozen(&store, 2).await;
    let mut tx = store.tx().await;
    first.seal(&mut tx, 0).await;
    assert_eq!(tx.reset_lines().await.unwrap(), [(subject("0"), version(1))]);
    assert_eq!(elsewhere(&mut tx, first.campaign).await, []);
    tx.commit().await.unwrap();

    let second = second_campaign(&store, &first).await;
    let mut tx = store.tx().await;
    assert_eq!(elsewhere(&mut tx, second.campaign).await, [subject("0")]);
    let again = reset_line("0", &second.findings[..1]);
    let again = tx.put_reset_line(second.campaign, again, time(7)).await;
    assert_eq!(broken(again), Constraint::Unique);
    drop(tx);
    let mut tx = store.tx().await;
    let another = NewResetLine { version: version(2), ..reset_line("0", &second.findings[..1]) };
    tx.put_reset_line(second.campaign, another, time(7)).await.unwrap();
    tx.commit().await.unwrap();
    let same = "UPDATE reset_line SET version = sealed_version";
    assert_eq!(store.refusal(same).await, Constraint::Unique);
}

async fn what_was_given_back_can_be_taken_again(store: TestStore) {
    let first = frozen(&store, 1).await;
    let mut tx = store.tx().await;
    first.seal(&mut tx, 0).await;
    tx.commit().await.unwrap();
    store.raw("UPDATE reset_line SET recalled_at = 9").await.unwrap();
    let second = second_campaign(&store, &first).await;
    let mut tx = store.tx().await;
    assert!(tx.reset_lines().await.unwrap().is_empty());
    assert_eq!(elsewhere(&mut tx, second.campaign).await, []);
    second.seal(&mut tx, 0).await;
    tx.commit().await.unwrap();
    let both = "UPDATE reset_line SET recalled_at = NULL";
    assert_eq!(store.refusal(both).await, Constraint::Unique);
}

async fn an_intent_is_written_anew_with_its_evidence(store: TestStore) {
    let first = frozen(&store, 1).await;
    let mut tx = store.tx().await;
    let (two, _) = leak(&mut tx, "Two", &["a"]).await;
    let later = tx.add_finding(&new_finding(two, "0", 1), &[]).await.unwrap();
    tx.drop_targets(first.campaign).await.unwrap();
    let both = target(0, "0", 0, &[first.findings[0], later]);
    tx.add_targets(first.campaign, &[both]).await.unwrap();
    let evidence = &[first.findings[0], later];
    tx.put_reset_line(first.campaign, reset_line("0", evidence), time(6)).await.unwrap();
    let anew = NewResetLine {
        replaced: version(3),
        sealed: version(4),
        wrapped_key: b"other key".to_vec(),
        kept: b"other hashes".to_vec(),
        ..reset_line("0", &[later])
    };
    tx.put_reset_line(first.campaign, anew, time(7)).await.unwrap();
    let line = tx.reset_line(first.campaign, subject("0")).await.unwrap().unwrap();
    assert_eq!((line.version, line.replaced, line.sealed), (version(1), version(3), version(4)));
    let kept = (line.wrapped_key.as_deref(), line.kept.as_deref());
    assert_eq!(kept, (Some(&b"other key"[..]), Some(&b"other hashes"[..])));
    tx.commit().await.unwrap();
    let evidence = store.ask::<(i64,)>("SELECT finding FROM reset_evidence").await;
    assert_eq!(evidence, [(later.0,)]);
}

async fn what_was_given_back_is_not_written_anew(store: TestStore) {
    let first = frozen(&store, 1).await;
    let mut tx = store.tx().await;
    first.seal(&mut tx, 0).await;
    tx.commit().await.unwrap();
    store.raw("UPDATE reset_line SET recalled_at = 9").await.unwrap();
    let anew = reset_line("0", &first.findings);
    let anew = store.tx().await.put_reset_line(first.campaign, anew, time(10)).await;
    assert!(matches!(anew, Err(StoreError::Sql(SqlError::NotOneRow { changed: 0 }))), "{anew:?}");
}

async fn evidence_is_a_finding_of_that_account(store: TestStore) {
    let frozen = frozen(&store, 2).await;
    let mut tx = store.tx().await;
    let newer = tx.add_finding(&new_finding(frozen.leak, "0", 2), &[]).await.unwrap();
    tx.commit().await.unwrap();
    for wrong in [frozen.findings[1], newer] {
        let mut tx = store.tx().await;
        let line = tx.put_reset_line(frozen.campaign, reset_line("0", &[wrong]), time(6)).await;
        assert_eq!(broken(line), Constraint::ForeignKey);
    }
    let mut tx = store.tx().await;
    let nobody = tx.put_reset_line(frozen.campaign, reset_line("9", &[]), time(6)).await;
    assert_eq!(broken(nobody), Constraint::ForeignKey);
}

async fn an_intent_is_taken_back_with_its_evidence(store: TestStore) {
    let frozen = frozen(&store, 2).await;
    let mut tx = store.tx().await;
    frozen.intend(&mut tx, 0).await;
    frozen.intend(&mut tx, 1).await;
    tx.drop_reset_line(frozen.campaign, subject("0")).await.unwrap();
    assert_eq!(tx.reset_line(frozen.campaign, subject("0")).await.unwrap(), None);
    assert_eq!(tx.reset_lines().await.unwrap(), [(subject("1"), version(1))]);
    let again = tx.drop_reset_line(frozen.campaign, subject("0")).await;
    assert!(matches!(again, Err(StoreError::Sql(SqlError::NotOneRow { changed: 0 }))));
    tx.commit().await.unwrap();
    let left = store.ask::<(i64,)>("SELECT subject FROM reset_evidence").await;
    assert_eq!(left, [(1,)]);
}

async fn sealed_accounts_come_page_by_page(store: TestStore) {
    let frozen = frozen(&store, 6).await;
    let mut tx = store.tx().await;
    for sealed in [4, 1, 2] {
        frozen.seal(&mut tx, sealed).await;
    }
    frozen.intend(&mut tx, 3).await;
    let (id, reset) = (subject("2"), TargetState::Reset);
    tx.move_target(frozen.campaign, id, TargetState::Sealed, reset, None).await.unwrap();
    let page = async |tx: &mut Tx, from, limit| -> Vec<(u64, String)> {
        let lines = tx.sealed_lines(frozen.campaign, Shares::ALL, from, limit).await.unwrap();
        lines.iter().map(|(place, line)| (*place, line.subject.to_string())).collect()
    };
    assert_eq!(page(&mut tx, 0, 1).await, [(1, "1".to_owned())]);
    assert_eq!(page(&mut tx, 2, 9).await, [(4, "4".to_owned())]);
    assert!(page(&mut tx, 5, 9).await.is_empty());
}

async fn every_account_is_in_one_share(store: TestStore) {
    let frozen = frozen(&store, 7).await;
    let mut tx = store.tx().await;
    for sealed in [0, 1, 3, 4, 6] {
        frozen.seal(&mut tx, sealed).await;
    }
    assert_eq!(tx.sealed_count(frozen.campaign).await.unwrap(), 5);
    for ((first, count), expected) in [
        ((0, 3), vec![0, 1, 3, 4, 6]),
        ((0, 1), vec![0, 3, 6]),
        ((1, 1), vec![1, 4]),
        ((2, 1), vec![]),
        ((2, 2), vec![0, 3, 6]),
    ] {
        let shares = Shares { first, count, of: 3 };
        let lines = tx.sealed_lines(frozen.campaign, shares, 0, 9).await.unwrap();
        let places: Vec<_> = lines.iter().map(|(place, _)| *place).collect();
        assert_eq!(places, expected, "{shares:?}");
    }
}

async fn those_sealed_are_found_among_any_number(store: TestStore) {
    let frozen = frozen(&store, 4).await;
    let mut tx = store.tx().await;
    frozen.seal(&mut tx, 1).await;
    frozen.seal(&mut tx, 2).await;
    frozen.intend(&mut tx, 3).await;
    let (id, reset) = (subject("2"), TargetState::Reset);
    tx.move_target(frozen.campaign, id, TargetState::Sealed, reset, None).await.unwrap();
    let all: Vec<_> = (0..1200).rev().map(|n| subject(&n.to_string())).collect();
    let found = tx.sealed_among(&all).await.unwrap();
    let [sealed] = &found[..] else { panic!("{found:?}") };
    let line = tx.reset_line(frozen.campaign, subject("1")).await.unwrap().unwrap();
    assert_eq!((sealed.campaign, &sealed.line), (frozen.campaign, &line));
    assert_eq!(tx.sealed_among(&[]).await.unwrap(), []);
    assert_eq!(tx.sealed_count(frozen.campaign).await.unwrap(), 1);
}
