use instance::{Unseen, testing::TestSite};
use model::{Account, AccountId, LeakDate, Provenance, RejectReason};

use super::*;
use crate::{AddLeak, EmbeddedDirectory, add_leak, limits::CANDIDATES_PER_WRITE, rejected_lines};

/// A site whose only account stands so often in a leak, behind a line that is no
/// record.
async fn site_with_leak(records: usize) -> (TestSite, LeakName) {
    let site = TestSite::new().await;
    let email = Some("anna@x.com".to_owned());
    let account = Account {
        id: AccountId::new("1").unwrap(),
        email,
        username: None,
        credential: None,
        hash_changed_at: None,
        email_verified: None,
        locale: None,
        last_login_at: None,
        second_factor: None,
        active: None,
        other_emails: Vec::new(),
        unreadable: None,
    };
    let mut tx = site.store().begin().await.unwrap();
    tx.import_accounts(&[account]).await.unwrap();
    tx.commit().await.unwrap();
    let file = site.path("leak.txt");
    std::fs::write(&file, "no record\n".to_owned() + &"anna@x.com:p\n".repeat(records)).unwrap();
    let name: LeakName = "Forum".parse().unwrap();
    let date = "2011".parse::<LeakDate>().unwrap();
    let provenance = Provenance::Unknown;
    let leak = AddLeak {
        name: name.clone(),
        public_name: None,
        date,
        provenance,
        files: vec![file],
        again: false,
    };
    add_leak(&site, leak, Arc::new(Unseen)).await.unwrap();
    (site, name)
}

async fn screened(site: &TestSite, name: &LeakName) -> LeakReport {
    let directory = EmbeddedDirectory::new(site.store().clone(), site.kind());
    screen_leak(site, name, &directory, Arc::new(Unseen)).await.unwrap()
}

#[tokio::test]
async fn candidates_of_a_piece_are_written_in_portions_and_each_once() {
    let records = 2 * CANDIDATES_PER_WRITE + 1;
    let (site, name) = site_with_leak(records).await;
    let report = screened(&site, &name).await;
    let records = records as u64;
    assert_eq!((report.counts.hits, report.candidates_left), (records, records));
    assert!(report.pieces_done > 1);
}

#[tokio::test]
async fn rejected_lines_are_shown_by_their_place() {
    let (site, name) = site_with_leak(1).await;
    assert_eq!(rejected_lines(&site, &name).await.unwrap(), []);
    screened(&site, &name).await;
    let lines = rejected_lines(&site, &name).await.unwrap();
    let [line] = &lines[..] else { panic!("one line") };
    assert!(line.file.ends_with("leak.txt"));
    assert_eq!((line.line, line.offset, line.bytes), (1, 0, 9));
    assert_eq!(line.reason, RejectReason::NoDelimiter);
}
