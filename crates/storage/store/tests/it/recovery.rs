//! The way back in: requests, the mails that come of them, links, and what is said in public.

use std::time::Duration;

use model::{KeyId, NoticeId, NoticeKind, SwapPurpose, SwapState, Timestamp};
use sql::{Constraint, SqlError};
use store::{
    Errand, LinkId, MailedLink, NewMailRequest, NewRequestedNotice, NewSwap, Notice, StoreError,
    SwapBehalf, SwapLease, Tx, WorkerName,
};

use crate::support::{LONG, TestStore, broken, frozen, subject, time, version, worker};

/// A lease that is over as soon as it is given.
const OVER: Duration = Duration::ZERO;

const KEY: KeyId = KeyId::from_bytes([8; KeyId::BYTES]);

on_both! {
    requests_are_seen_to_in_their_order_and_once,
    mails_are_counted_for_a_source,
    a_requested_notice_is_no_campaigns,
    a_code_leads_to_a_requested_notice,
    what_it_told_is_forgotten,
    a_kind_belongs_to_a_campaign_or_to_a_person,
    a_link_has_one_mail_and_one_confirmation,
    a_link_is_found_by_its_latest_token,
    a_link_is_used_once,
    links_end_for_newer_ones,
    an_interrupted_reset_is_left_when_its_time_is_over,
    what_was_said_stays_and_the_last_word_shows,
}

fn request(kind: NoticeKind, source: u8) -> NewMailRequest {
    NewMailRequest { kind, source: [source; 32], wrapped_key: vec![1], asked: vec![2] }
}

fn mail(kind: NoticeKind, id: &str, link: Option<LinkId>) -> NewRequestedNotice {
    NewRequestedNotice {
        kind,
        subject: subject(id),
        link,
        language: "de".to_owned(),
        address_key: [4; 32],
        source: (kind != NoticeKind::ResetDone).then_some([7; 32]),
        wrapped_key: vec![1],
        kept: vec![2],
    }
}

async fn answer(tx: &mut Tx, id: &str, at: Timestamp) -> NoticeId {
    let mail = mail(NoticeKind::ExposureAnswer, id, None);
    tx.add_requested_notice(mail, at).await.unwrap()
}

async fn begin(tx: &mut Tx, id: NoticeId, owner: &WorkerName, lease: Duration) -> Notice {
    tx.begin_notice(id, 1, owner, lease).await.unwrap();
    tx.hold_notice(id).await.unwrap()
}

/// Somebody is choosing a password with a link.
async fn choose(tx: &mut Tx, link: LinkId, id: &str, lease: Duration) -> SwapLease {
    let made = version(u8::try_from(link.0).unwrap() + 100);
    let behalf = SwapBehalf::Choose { link };
    let swap = NewSwap { subject: subject(id), behalf, expected: version(1), made };
    tx.intend_swap(&swap, &worker(1), lease).await.unwrap().unwrap()
}

async fn mailed(tx: &mut Tx, id: &str, token: u8, at: i64) -> LinkId {
    let link = tx.add_reset_link(subject(id)).await.unwrap();
    tx.mail_reset_link(link, with_token(token, at, i64::MAX)).await.unwrap();
    link
}

fn with_token(token: u8, at: i64, until: i64) -> MailedLink {
    let (digest, binding) = ([token; 32], [token + 100; 32]);
    MailedLink { digest, binding, mailed_at: time(at), expires_at: time(until), key: KEY }
}

fn is_no_row<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Sql(SqlError::NotOneRow { .. })))
}

async fn requests_are_seen_to_in_their_order_and_once(store: TestStore) {
    let mut tx = store.tx().await;
    assert!(tx.next_mail_request().await.unwrap().is_none());
    for kind in [NoticeKind::ResetLink, NoticeKind::ExposureAnswer] {
        tx.add_mail_request(request(kind, 7)).await.unwrap();
    }
    assert_eq!(tx.mail_requests_waiting().await.unwrap(), 2);
    let first = tx.next_mail_request().await.unwrap().unwrap();
    assert_eq!((first.kind, first.source), (NoticeKind::ResetLink, [7; 32]));
    assert_eq!((&*first.wrapped_key, &*first.asked), (&[1_u8][..], &[2_u8][..]));
    assert!(tx.drop_mail_request(first.id).await.unwrap());
    assert!(!tx.drop_mail_request(first.id).await.unwrap());
    let second = tx.next_mail_request().await.unwrap().unwrap();
    assert_eq!(second.kind, NoticeKind::ExposureAnswer);
    tx.commit().await.unwrap();
    for kind in [NoticeKind::ResetRequired, NoticeKind::ResetDone] {
        let mut tx = store.tx().await;
        assert_eq!(broken(tx.add_mail_request(request(kind, 7)).await), Constraint::Check);
    }
}

async fn mails_are_counted_for_a_source(store: TestStore) {
    let mut tx = store.tx().await;
    for (id, at) in [("1", 10), ("1", 20), ("2", 30)] {
        answer(&mut tx, id, time(at)).await;
    }
    let link = mailed(&mut tx, "1", 1, 5).await;
    let done = mail(NoticeKind::ResetDone, "1", Some(link));
    tx.add_requested_notice(done, time(40)).await.unwrap();
    assert_eq!(tx.requested_by_source([7; 32], time(10)).await.unwrap(), 2);
    assert_eq!(tx.requested_by_source([8; 32], time(0)).await.unwrap(), 0);
}

async fn a_requested_notice_is_no_campaigns(store: TestStore) {
    let frozen = frozen(&store, 1).await;
    let mut tx = store.tx().await;
    assert_eq!(tx.requested_notices_due().await.unwrap(), 0);
    let id = answer(&mut tx, "1", time(7)).await;
    assert_eq!(tx.notice_to_send(frozen.campaign).await.unwrap(), None);
    assert_eq!(tx.requested_notices_due().await.unwrap(), 1);
    let next = tx.requested_notice_to_send().await.unwrap().unwrap();
    assert_eq!((next.id, next.errand), (id, Errand::Request));
    begin(&mut tx, id, &worker(1), LONG).await;
    assert_eq!(tx.requested_notice_to_send().await.unwrap(), None);
    assert!(tx.requested_notices_left_in_flight().await.unwrap().is_empty());
    assert!(tx.renew_notice(id, 1, &worker(1), OVER).await.unwrap());
    assert_eq!(tx.requested_notices_due().await.unwrap(), 1);
    let left = tx.requested_notices_left_in_flight().await.unwrap();
    assert_eq!(left.iter().map(|notice| notice.id).collect::<Vec<_>>(), [id]);
    assert!(tx.notice_counts(frozen.campaign).await.unwrap().is_empty());
    tx.commit().await.unwrap();
}

async fn a_code_leads_to_a_requested_notice(store: TestStore) {
    let mut tx = store.tx().await;
    let id = answer(&mut tx, "1", time(7)).await;
    tx.set_code_lookup(id, [5; 32], KEY).await.unwrap();
    let found = tx.notice_by_code(&[[7; 32], [5; 32]]).await.unwrap().unwrap();
    assert_eq!((found.notice.id, found.notice.errand), (id, Errand::Request));
    assert_eq!(found.address_key, [4; 32]);
    assert!(tx.notice_by_code(&[[6; 32]]).await.unwrap().is_none());
}

async fn what_it_told_is_forgotten(store: TestStore) {
    let mut tx = store.tx().await;
    let id = answer(&mut tx, "1", time(7)).await;
    let about = tx.requested_notice(id).await.unwrap();
    assert_eq!((about.subject, about.kept.as_deref()), (subject("1"), Some(&[2][..])));
    tx.forget_requested_notice(id).await.unwrap();
    let about = tx.requested_notice(id).await.unwrap();
    assert_eq!((about.wrapped_key, about.kept), (None, None));
    assert_eq!(about.language, "de");
}

async fn a_kind_belongs_to_a_campaign_or_to_a_person(store: TestStore) {
    for kind in NoticeKind::ALL {
        let mut tx = store.tx().await;
        let link =
            (*kind != NoticeKind::ExposureAnswer).then_some(mailed(&mut tx, "1", 1, 5).await);
        let made = tx.add_requested_notice(mail(*kind, "1", link), time(7)).await;
        match kind {
            NoticeKind::ResetRequired => assert_eq!(broken(made), Constraint::Check),
            _ => drop(made.unwrap()),
        }
    }
}

async fn a_link_has_one_mail_and_one_confirmation(store: TestStore) {
    for kind in [NoticeKind::ResetLink, NoticeKind::ResetDone] {
        let mut tx = store.tx().await;
        let link = mailed(&mut tx, "1", 1, 5).await;
        tx.add_requested_notice(mail(kind, "1", Some(link)), time(7)).await.unwrap();
        let twice = tx.add_requested_notice(mail(kind, "1", Some(link)), time(8)).await;
        assert_eq!(broken(twice), Constraint::Unique);
    }
    let mut tx = store.tx().await;
    let link = mailed(&mut tx, "1", 1, 5).await;
    tx.add_requested_notice(mail(NoticeKind::ResetLink, "1", Some(link)), time(7)).await.unwrap();
    assert_eq!(tx.language_of_link(link).await.unwrap(), "de");
}

async fn a_link_is_found_by_its_latest_token(store: TestStore) {
    let mut tx = store.tx().await;
    let link = mailed(&mut tx, "1", 1, 5).await;
    tx.mail_reset_link(link, with_token(2, 6, 60)).await.unwrap();
    assert!(tx.reset_link(&[[1; 32]]).await.unwrap().is_none());
    let found = tx.reset_link(&[[9; 32], [2; 32]]).await.unwrap().unwrap();
    assert_eq!((found.id, found.subject), (link, subject("1")));
    assert_eq!((found.mailed_at, found.expires_at), (time(6), time(60)));
    assert_eq!((found.used_at, found.superseded, found.key), (None, false, Some(KEY)));
    assert_eq!(found.binding, Some([102; 32]));
    let other = tx.add_reset_link(subject("2")).await.unwrap();
    let taken = tx.mail_reset_link(other, with_token(2, 6, 60)).await;
    assert_eq!(broken(taken), Constraint::Unique);
}

async fn a_link_is_used_once(store: TestStore) {
    let mut tx = store.tx().await;
    let link = mailed(&mut tx, "1", 1, 5).await;
    assert!(!tx.use_reset_link(link, time(8)).await.unwrap(), "nothing was intended");
    choose(&mut tx, link, "1", LONG).await;
    assert!(tx.use_reset_link(link, time(8)).await.unwrap());
    assert!(!tx.use_reset_link(link, time(9)).await.unwrap());
    assert!(is_no_row(&tx.mail_reset_link(link, with_token(2, 6, 60)).await));
    assert_eq!(tx.hold_reset_link(link).await.unwrap().used_at, Some(time(8)));
    tx.commit().await.unwrap();
    for text in ["UPDATE reset_link SET used_at = NULL", "UPDATE reset_link SET used_at = 9"] {
        let objection = store.objection(text).await;
        assert!(objection.contains("a link that was used stays so"), "{objection}");
    }
}

async fn links_end_for_newer_ones(store: TestStore) {
    let mut tx = store.tx().await;
    let mut links = Vec::new();
    for token in [3, 1, 2] {
        links.push(mailed(&mut tx, "1", token, token.into()).await);
    }
    mailed(&mut tx, "2", 9, 1).await;
    let waiting = tx.add_reset_link(subject("1")).await.unwrap();
    let live = tx.live_reset_links(subject("1"), links[2], time(50)).await.unwrap();
    assert_eq!(live, [links[1], links[0]], "the oldest first");
    tx.supersede_reset_link(links[1]).await.unwrap();
    let live = tx.live_reset_links(subject("1"), links[2], time(50)).await.unwrap();
    assert_eq!(live, [links[0]]);
    tx.supersede_other_links(subject("1"), links[0]).await.unwrap();
    for (link, superseded) in [(0, false), (1, true), (2, true)] {
        assert_eq!(tx.hold_reset_link(links[link]).await.unwrap().superseded, superseded);
    }
    tx.mail_reset_link(waiting, with_token(8, 6, 60)).await.unwrap();
    assert!(!tx.hold_reset_link(waiting).await.unwrap().superseded, "nobody had it yet");
}

async fn an_interrupted_reset_is_left_when_its_time_is_over(store: TestStore) {
    let mut tx = store.tx().await;
    let (slow, dead) = (mailed(&mut tx, "1", 1, 5).await, mailed(&mut tx, "2", 2, 5).await);
    choose(&mut tx, slow, "1", LONG).await;
    let dead = choose(&mut tx, dead, "2", OVER).await;
    let left = tx.swaps_left(SwapPurpose::Choose, 9).await.unwrap();
    assert_eq!(left.iter().map(|swap| swap.id).collect::<Vec<_>>(), [dead.id]);
    assert!(tx.end_swap(dead, SwapState::Undone).await.unwrap().is_some());
    assert!(tx.swaps_left(SwapPurpose::Choose, 9).await.unwrap().is_empty());
}

async fn what_was_said_stays_and_the_last_word_shows(store: TestStore) {
    let frozen = frozen(&store, 1).await;
    let mut tx = store.tx().await;
    assert!(tx.statements().await.unwrap().is_empty());
    for (word, at) in [(b"one", 5), (b"two", 9)] {
        tx.add_statement(frozen.campaign, word.to_vec(), time(at)).await.unwrap();
    }
    let said = tx.statements().await.unwrap();
    assert_eq!(said.len(), 1);
    assert_eq!((&*said[0].body, said[0].campaign), (&b"two"[..], frozen.campaign));
    tx.commit().await.unwrap();
    for text in ["UPDATE statement SET made_at = 1", "DELETE FROM statement"] {
        let objection = store.objection(text).await;
        assert!(objection.contains("rows of statement are only added"), "{objection}");
    }
}
