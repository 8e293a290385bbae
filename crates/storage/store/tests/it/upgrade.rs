//! A store that an earlier version has worked with is brought up to date, and nothing of it is lost.

use std::collections::HashMap;

use model::{CampaignId, NoticeState, SwapPurpose, TargetState};
use sql::{Access, Db, OpenOptions, QueryText};
use store::{KeptAccount, Store, testing::make_older_store};

use crate::support::{open, sqlite_url};

/// What version 0.1.0 kept at schema 6 of a campaign of nine accounts: all are sealed, eight people
/// were told, and one mailbox is gone.
const ROWS: &str = include_str!("../stores/0006.rows");

/// Of one account more, the sealing had been begun; of another, a password was being chosen.
const IN_BETWEEN: &str = "
    UPDATE target SET state = 'sealing' WHERE account = '3';
    INSERT INTO reset_link (id, account, made_at, digest, mailed_at, expires_at, superseded,
            intended_version, intended_until) /* OVERRIDING SYSTEM VALUE */
        SELECT 1, '1', 1, address_key, 1, 9000000000000000, FALSE, address_key, 1
        FROM campaign_address WHERE number = 0;";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_store_is_brought_up_to_date_in_a_file() {
    let (url, _folder) = sqlite_url();
    is_brought_up_to_date(&url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_store_is_brought_up_to_date_on_a_server() {
    is_brought_up_to_date(&testkit::postgres().database().url).await;
}

async fn is_brought_up_to_date(url: &str) {
    make_older_store(url, 6, &(ROWS.to_owned() + IN_BETWEEN)).await;
    let store = open(url).await;
    store.migrate().await.unwrap();
    assert!(store.check_statements().await.unwrap() > 100);
    nothing_is_lost(&store).await;
    let options = OpenOptions { access: Access::Create, connections_max: 1 };
    let db = Db::open(url, options).await.unwrap();
    let ranges = QueryText::composed("SELECT account_from FROM batch".to_owned());
    let ranges: Vec<(String,)> = db.read().await.unwrap().run(&ranges).all().await.unwrap();
    assert!(!ranges.is_empty() && ranges.iter().all(|(from,)| from.is_empty()), "{ranges:?}");
}

async fn nothing_is_lost(store: &Store) {
    let campaign = CampaignId(1);
    let mut tx = store.begin().await.unwrap();
    let accounts: Vec<_> = tx.target_counts(campaign).await.unwrap();
    let of =
        |state| accounts.iter().filter(|count| count.0 == state).map(|count| count.2).sum::<u64>();
    assert_eq!((of(TargetState::Sealed), of(TargetState::Sealing)), (8, 1));
    let notices = tx.notice_counts(campaign).await.unwrap();
    let expected = [(NoticeState::Refused, 1), (NoticeState::Sent, 8)];
    assert_eq!(notices, expected);
    // Whoever was named by an account's id has a number, under which all of theirs stands.
    let named = tx.plain_subjects(100).await.unwrap().into_iter();
    let named: HashMap<_, _> = named.map(|(subject, id)| (id.to_string(), subject)).collect();
    assert_eq!(named.len(), 9);
    let (last, hash) = (*named.values().max().unwrap(), [7; 32]);
    assert_eq!(tx.hold_subjects().await.unwrap(), last);
    let kept = KeptAccount { account_hash: hash, subject_key: vec![1], account: vec![2] };
    assert!(tx.encrypt_subject(last, kept.clone()).await.unwrap());
    assert!(!tx.encrypt_subject(last, kept).await.unwrap(), "once");
    assert_eq!(tx.find_subjects(&[hash]).await.unwrap(), [(last, hash)]);
    // Every value that may stand in the site's table is known, and what was begun is judged anew.
    let left = tx.swaps_left(SwapPurpose::Seal, 10).await.unwrap();
    assert_eq!(left.iter().map(|swap| swap.subject).collect::<Vec<_>>(), [named["3"]]);
    assert_eq!(left[0].passed, Some(1), "it may have been done");
    let choosing = tx.swap_left_of(named["1"]).await.unwrap().unwrap();
    assert_eq!(choosing.behalf.purpose(), SwapPurpose::Choose);
}
