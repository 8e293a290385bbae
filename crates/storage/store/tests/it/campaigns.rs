//! Campaigns, what is signed for them, and what stops them all.

use std::time::Duration;

use model::{CampaignState, KillSwitch};
use sql::{Constraint, SqlError};
use store::{Store, StoreError};

use crate::support::{TestStore, broken, campaign, leak, time};

/// Long enough for whoever does not wait to be done.
const A_MOMENT: Duration = Duration::from_millis(100);

on_both! {
    campaigns_are_asked_for_by_state,
    secrets_that_are_to_go_are_asked_for_by_time,
    what_a_newer_version_wrote_is_refused,
    a_campaign_comes_back_as_it_was_begun,
    a_name_is_given_once,
    a_step_is_kept,
    a_round_has_one_plan,
    an_operator_approves_a_round_once,
    what_was_signed_stays,
    the_kill_switch_is_where_it_was_put,
    there_is_one_kill_switch,
    who_pulls_waits_for_who_claims,
    who_claims_waits_for_who_claims,
}

async fn a_campaign_comes_back_as_it_was_begun(store: TestStore) {
    let mut tx = store.tx().await;
    let (one, _) = leak(&mut tx, "One", &["a"]).await;
    let (two, _) = leak(&mut tx, "Two", &["a"]).await;
    leak(&mut tx, "Three", &["a"]).await;
    let id = campaign(&mut tx, "Spring", &[two, one]).await;
    let row = tx.campaign("Spring").await.unwrap().unwrap();
    let told = (row.id, &*row.author, &*row.policy, row.created_at, row.state);
    assert_eq!(told, (id, "anna", &b"policy"[..], time(5), CampaignState::Draft));
    assert_eq!((row.machine.len(), row.destroy_secrets_at()), (0, None));
    assert_eq!(tx.campaign_leaks(id).await.unwrap(), [one, two]);
    assert_eq!(tx.campaign_by_id(id).await.unwrap(), row);
    assert_eq!(tx.hold_campaign(id).await.unwrap(), row);
    assert_eq!(tx.campaign("spring").await.unwrap(), None);
    let later = campaign(&mut tx, "Autumn", &[one]).await;
    let all: Vec<_> = tx.campaigns().await.unwrap().iter().map(|row| row.id).collect();
    assert_eq!(all, [id, later]);
}

async fn a_name_is_given_once(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, _) = leak(&mut tx, "Example", &["a"]).await;
    campaign(&mut tx, "Spring", &[leak]).await;
    tx.commit().await.unwrap();
    let again = "INSERT INTO campaign (name, author, policy, created_at, state, machine)
        SELECT name, author, policy, created_at, state, machine FROM campaign";
    assert_eq!(store.refusal(again).await, Constraint::Unique);
}

async fn a_step_is_kept(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, _) = leak(&mut tx, "Example", &["a"]).await;
    let (id, other) =
        (campaign(&mut tx, "A", &[leak]).await, campaign(&mut tx, "B", &[leak]).await);
    let untouched = tx.campaign_by_id(other).await.unwrap();
    tx.save_campaign(id, CampaignState::Frozen, b"machine".to_vec()).await.unwrap();
    tx.set_destroy_secrets_at(id, Some(time(90))).await.unwrap();
    let row = tx.campaign_by_id(id).await.unwrap();
    assert_eq!((row.state, &*row.machine), (CampaignState::Frozen, &b"machine"[..]));
    assert_eq!(row.destroy_secrets_at(), Some(time(90)));
    tx.set_destroy_secrets_at(id, None).await.unwrap();
    assert_eq!(tx.campaign_by_id(id).await.unwrap().destroy_secrets_at(), None);
    assert_eq!(tx.campaign_by_id(other).await.unwrap(), untouched);
}

async fn campaigns_are_asked_for_by_state(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, _) = leak(&mut tx, "Example", &["a"]).await;
    let mut ids = Vec::new();
    for (name, state) in
        [("A", CampaignState::Ramp), ("B", CampaignState::Closed), ("C", CampaignState::Frozen)]
    {
        let id = campaign(&mut tx, name, &[leak]).await;
        tx.save_campaign(id, state, Vec::new()).await.unwrap();
        ids.push(id);
    }
    let moving = tx.campaigns_in(&[CampaignState::Frozen, CampaignState::Ramp]).await.unwrap();
    assert_eq!(moving.iter().map(|row| row.id).collect::<Vec<_>>(), [ids[0], ids[2]]);
    assert_eq!(tx.campaigns_in(&[CampaignState::Draft]).await.unwrap(), []);
    assert_eq!(tx.campaigns_in(&[]).await.unwrap(), []);
}

async fn secrets_that_are_to_go_are_asked_for_by_time(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, _) = leak(&mut tx, "Example", &["a"]).await;
    let mut ids = Vec::new();
    for (name, at) in [("A", Some(90)), ("B", None), ("C", Some(80))] {
        let id = campaign(&mut tx, name, &[leak]).await;
        tx.set_destroy_secrets_at(id, at.map(time)).await.unwrap();
        ids.push(id);
    }
    assert_eq!(tx.campaigns_to_destroy(time(79)).await.unwrap(), []);
    assert_eq!(tx.campaigns_to_destroy(time(89)).await.unwrap(), [ids[2]]);
    assert_eq!(tx.campaigns_to_destroy(time(90)).await.unwrap(), [ids[0], ids[2]]);
}

async fn what_a_newer_version_wrote_is_refused(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, _) = leak(&mut tx, "Example", &["a"]).await;
    let id = campaign(&mut tx, "A", &[leak]).await;
    tx.save_campaign(id, CampaignState::Frozen, b"machine".to_vec()).await.unwrap();
    tx.commit().await.unwrap();
    let newer = if store.url.starts_with("sqlite") { "x'0263'" } else { "'\\x0263'" };
    store.raw(&format!("UPDATE campaign SET machine = {newer}")).await.unwrap();
    let refusal = store.tx().await.campaign_by_id(id).await.unwrap_err().to_string();
    assert_eq!(
        refusal,
        "the store's column `machine` cannot be read: a newer version of Countersign wrote it, in \
         format 2, and this one knows format 1: run the newer version on every host. If no newer \
         version of Countersign has run on it, somebody else has written to the store"
    );
}

async fn a_round_has_one_plan(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, _) = leak(&mut tx, "Example", &["a"]).await;
    let id = campaign(&mut tx, "A", &[leak]).await;
    assert_eq!(tx.plan(id).await.unwrap(), None);
    tx.add_plan(id, 10, b"tenth".to_vec()).await.unwrap();
    tx.add_plan(id, 9, b"ninth".to_vec()).await.unwrap();
    assert_eq!(tx.plan(id).await.unwrap().unwrap(), b"tenth");
    tx.commit().await.unwrap();
    let again = store.tx().await.add_plan(id, 9, b"another".to_vec()).await;
    assert_eq!(broken(again), Constraint::Unique);
    let before_the_first = store.tx().await.add_plan(id, 0, b"none".to_vec()).await;
    assert_eq!(broken(before_the_first), Constraint::Check);
}

async fn an_operator_approves_a_round_once(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, _) = leak(&mut tx, "Example", &["a"]).await;
    let id = campaign(&mut tx, "A", &[leak]).await;
    for round in [1, 2] {
        tx.add_plan(id, round, b"plan".to_vec()).await.unwrap();
    }
    for (round, operator, body, is_new) in [
        (1, "bo", "of bo", true),
        (1, "Anna", "of anna", true),
        (1, "bo", "of bo, again", false),
        (2, "bo", "of bo, later", true),
    ] {
        let added = tx.add_approval(id, round, operator, body.into()).await.unwrap();
        assert_eq!(added, is_new, "{body}");
    }
    assert_eq!(tx.approvals(id, 1).await.unwrap(), [&b"of anna"[..], b"of bo"]);
    assert_eq!(tx.approvals(id, 2).await.unwrap(), [b"of bo, later"]);
    let of_nothing = tx.add_approval(id, 3, "bo", b"of bo".to_vec()).await;
    assert_eq!(broken(of_nothing), Constraint::ForeignKey);
}

async fn what_was_signed_stays(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, _) = leak(&mut tx, "Example", &["a"]).await;
    let id = campaign(&mut tx, "A", &[leak]).await;
    tx.add_roster_document(0, b"founded").await.unwrap();
    tx.add_plan(id, 1, b"plan".to_vec()).await.unwrap();
    tx.add_approval(id, 1, "bo", b"approval".to_vec()).await.unwrap();
    tx.commit().await.unwrap();
    for table in ["roster_document", "plan", "approval"] {
        for text in [format!("UPDATE {table} SET body = body"), format!("DELETE FROM {table}")] {
            let objection = store.objection(&text).await;
            let expected = format!("rows of {table} are only added");
            assert!(objection.contains(&expected), "{text}: {objection}");
        }
    }
}

async fn the_kill_switch_is_where_it_was_put(store: TestStore) {
    let mut tx = store.tx().await;
    assert_eq!(tx.kill_switch().await.unwrap(), (KillSwitch::Released, time(0)));
    let moves = [(KillSwitch::Pulled, 8), (KillSwitch::Pulled, 9), (KillSwitch::Released, 10)];
    for (position, at) in moves {
        tx.set_kill_switch(position, time(at)).await.unwrap();
        assert_eq!(tx.kill_switch().await.unwrap(), (position, time(at)));
    }
}

/// SQLite lets a key be NULL, and a CHECK of NULL passes.
async fn there_is_one_kill_switch(store: TestStore) {
    for row in ["NULL", "2"] {
        let text = format!("INSERT INTO kill_switch VALUES ({row}, 'released', 0)");
        assert_eq!(store.refusal(&text).await, Constraint::Check, "{text}");
    }
    for text in [
        "INSERT INTO arming VALUES (NULL, 'x', 0, 0)",
        "INSERT INTO roster_document VALUES (NULL, 0, 'x')",
    ] {
        assert_eq!(store.refusal(text).await, Constraint::Check, "{text}");
    }
}

/// What was read as released stays so for as long as a claim takes.
async fn who_pulls_waits_for_who_claims(store: TestStore) {
    let mut claim = store.tx().await;
    claim.kill_switch().await.unwrap();
    let pull = tokio::spawn(pull(store.store.clone()));
    tokio::time::sleep(A_MOMENT).await;
    assert!(!pull.is_finished());
    assert_eq!(claim.kill_switch().await.unwrap().0, KillSwitch::Released);
    claim.commit().await.unwrap();
    pull.await.unwrap().unwrap();
    assert_eq!(store.tx().await.kill_switch().await.unwrap().0, KillSwitch::Pulled);
}

async fn pull(store: Store) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    tx.set_kill_switch(KillSwitch::Pulled, time(1)).await?;
    tx.commit().await
}

/// The second one sees what the first one did.
async fn who_claims_waits_for_who_claims(store: TestStore) {
    let mut tx = store.tx().await;
    let (leak, _) = leak(&mut tx, "Example", &["a"]).await;
    let id = campaign(&mut tx, "A", &[leak]).await;
    tx.commit().await.unwrap();
    let mut first = store.tx().await;
    first.hold_campaign(id).await.unwrap();
    let pool = store.store.clone();
    let second = tokio::spawn(async move { pool.begin().await?.hold_campaign(id).await });
    tokio::time::sleep(A_MOMENT).await;
    assert!(!second.is_finished());
    first.save_campaign(id, CampaignState::Halted, Vec::new()).await.unwrap();
    first.commit().await.unwrap();
    assert_eq!(second.await.unwrap().unwrap().state, CampaignState::Halted);
}

/// Whoever only reads cannot keep anybody from pulling, and is told so.
#[tokio::test]
async fn a_reader_cannot_hold_the_kill_switch() {
    let store = TestStore::postgres().await;
    let read = store.read().await.unwrap().kill_switch().await;
    assert!(matches!(read, Err(StoreError::Sql(SqlError::Database(_)))), "{read:?}");
}
