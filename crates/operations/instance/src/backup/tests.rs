use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use authority::{Roster, SignedArming};
use model::{Clock, Timestamp};
use store::{Store, StoreOptions};

use super::{
    file::{BackupItem, BackupWriter},
    *,
};
use crate::{
    ArmError, ArmingTerms, DisarmedError, Instance, InstanceError, InstanceKey, InstanceOptions,
    KeyRing, SendingGuard, Unseen, accept_roster, arm,
    limits::LEASE,
    log_entries, propose_arming,
    testing::{Counter, NOW, TestSite, founding, key, no_witnesses},
    verify_log,
};

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        NOW
    }
}

/// The first key that is drawn is the site's.
fn site_key() -> InstanceKey {
    InstanceKey::generate(&Counter::default())
}

/// A site that two operators have armed, and its backup.
struct BackedUp {
    site: TestSite,
    roster: Roster,
    file: PathBuf,
}

impl BackedUp {
    async fn new() -> Self {
        let site = TestSite::new().await;
        let first = founding(&site, &["ana", "bob", "cleo"]);
        let roster = accept_roster(&site, &first, first.document().digest()).await.unwrap();
        let sending = site.path("sending.json");
        let arming = proposed(&site, &sending).await;
        arm(&site, &arming, &roster, &sending, &no_witnesses()).await.unwrap();
        let file = site.path("backup");
        back_up(&site, &file, &Unseen).await.unwrap();
        Self { site, roster, file }
    }

    async fn target(&self, name: &str) -> RestoreTarget {
        let url = format!("sqlite:{}", self.site.path(name).display());
        RestoreTarget {
            store: Store::open(&url, StoreOptions { connections_max: 2 }).await.unwrap(),
            key: site_key(),
            clock: Arc::new(Stopped),
            randomness: Arc::new(Counter::default()),
            options: options(&self.site.path("spool")),
        }
    }

    async fn restore(&self, name: &str) -> Result<RestoreReport, RestoreError> {
        let target = self.target(name).await;
        restore(BackupFile::open(&self.file)?, target, &Unseen).await
    }

    async fn restored(&self, name: &str) -> Instance {
        let RestoreTarget { store, key, clock, randomness, options } = self.target(name).await;
        Instance::open(store, key, clock, randomness, options).await.unwrap()
    }

    fn check(&self) -> Result<BackupReport, CheckBackupError> {
        check_backup(BackupFile::open(&self.file)?, &site_key(), &Unseen)
    }

    fn change(&self, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(&self.file).unwrap();
        change(&mut bytes);
        fs::write(&self.file, bytes).unwrap();
    }
}

fn options(spool: &Path) -> InstanceOptions {
    InstanceOptions { lease: LEASE, piece_bytes: 1024, spool_folder: spool.to_owned() }
}

/// Something done to the bytes of a file.
type Change<'a> = dyn Fn(&mut Vec<u8>) + 'a;

/// What two operators have signed.
async fn proposed(site: &Instance, sending: &Path) -> SignedArming {
    let arming = propose_arming(site, sending, ArmingTerms::default(), &no_witnesses()).await;
    arming.unwrap().signed_by(&key("ana")).signed_by(&key("bob"))
}

async fn may_send(site: &Instance, roster: &Roster, sending: &Path) -> Result<(), DisarmedError> {
    let mut tx = site.store().read().await.unwrap();
    SendingGuard::open(sending)?.check(&mut tx, site, roster).await.map(drop)
}

#[tokio::test]
async fn a_backup_tells_what_it_holds() {
    let backed_up = BackedUp::new().await;
    let report = backed_up.check().unwrap();
    assert_eq!((report.header.log.size, report.tables["log_entry"]), (3, 3));
    assert_eq!(report.header.key, site_key().id());
    let log = backed_up.site.log().await;
    assert!(log.lines().last().unwrap().contains(r#""event":"backup_made","entries":3"#), "{log}");
    assert_eq!(last_backup(&backed_up.site).await.unwrap(), Some(NOW));
    let again = back_up(&backed_up.site, &backed_up.file, &Unseen).await;
    assert!(matches!(again, Err(BackUpError::Exists { .. })));
}

#[tokio::test]
async fn a_restored_store_is_disarmed_until_operators_know_of_it() {
    let backed_up = BackedUp::new().await;
    let BackedUp { site, roster, .. } = &backed_up;
    let sending = site.path("sending.json");
    let before = proposed(site, &sending).await;
    backed_up.restore("restored.db").await.unwrap();
    let restored = backed_up.restored("restored.db").await;
    verify_log(&restored, None).await.unwrap();
    let last = log_entries(&restored, 3).await.unwrap();
    assert!(String::from_utf8_lossy(&last[0].body).contains("store_restored"));
    // The log goes on where this host has seen it last: what is lost, the host does not know either.
    let refused = may_send(&restored, roster, &sending).await.unwrap_err();
    assert!(
        matches!(refused, DisarmedError::Restored { backup_at } if backup_at == NOW),
        "{refused}"
    );
    let early = arm(&restored, &before, roster, &sending, &no_witnesses()).await;
    assert!(matches!(early, Err(ArmError::OtherDatabase { .. })), "{early:?}");

    let arming = proposed(&restored, &sending).await;
    assert!(arming.document().is_restored());
    arm(&restored, &arming, roster, &sending, &no_witnesses()).await.unwrap();
    may_send(&restored, roster, &sending).await.unwrap();
    let original = may_send(site, roster, &sending).await.unwrap_err();
    assert!(matches!(original, DisarmedError::Disarmed(_)), "{original}");
    let report = verify_log(&restored, None).await.unwrap();
    assert_eq!(report.history.faults, []);
}

#[tokio::test]
async fn nobody_who_signed_before_arms_a_restored_store() {
    let backed_up = BackedUp::new().await;
    backed_up.restore("restored.db").await.unwrap();
    let restored = backed_up.restored("restored.db").await;
    let sending = backed_up.site.path("sending.json");
    // As if the database were the same one: emptied, and restored into.
    let known = proposed(&restored, &sending).await;
    let text = serde_json::to_string(known.document()).unwrap();
    let text = text.replace("\"continues\":false", "\"continues\":true");
    let unknowing = SignedArming::new(serde_json::from_str(&text).unwrap());
    let unknowing = unknowing.signed_by(&key("ana")).signed_by(&key("bob"));
    let refused = arm(&restored, &unknowing, &backed_up.roster, &sending, &no_witnesses()).await;
    assert!(matches!(refused, Err(ArmError::Restored)), "{refused:?}");
}

#[tokio::test]
async fn only_an_empty_database_is_restored_into() {
    let backed_up = BackedUp::new().await;
    let refused = backed_up.restore("store.db").await.unwrap_err();
    assert!(matches!(refused, RestoreError::Holds { .. }) && refused.is_refusal(), "{refused}");
    backed_up.restore("one.db").await.unwrap();
    assert!(matches!(backed_up.restore("one.db").await, Err(RestoreError::Holds { .. })));
}

#[tokio::test]
async fn a_damaged_backup_leaves_no_instance_behind() {
    let backed_up = BackedUp::new().await;
    let whole = fs::read(&backed_up.file).unwrap();
    let header = whole.iter().position(|byte| *byte == b'\n').unwrap();
    let changes: [&Change<'_>; 4] = [
        &|bytes| bytes[header + 100] ^= 1,
        &|bytes| bytes.truncate(whole.len() - 1),
        &|bytes| bytes.push(0),
        // The first line is bound to the rest.
        &|bytes| {
            let at = bytes.windows(6).position(|part| part == b"\"size\"").unwrap();
            bytes[at + 7] = b'9';
        },
    ];
    for (number, change) in changes.iter().enumerate() {
        backed_up.change(|bytes| whole.clone_into(bytes));
        backed_up.change(change);
        let checked = backed_up.check().unwrap_err().to_string();
        assert!(checked.contains("frame") && checked.contains("is damaged"), "{checked}");
        let name = format!("{number}.db");
        let refused = backed_up.restore(&name).await.unwrap_err();
        assert_eq!(refused.to_string(), checked);
        let RestoreTarget { store, key, clock, randomness, options } =
            backed_up.target(&name).await;
        let opened = Instance::open(store, key, clock, randomness, options).await;
        assert!(matches!(opened, Err(InstanceError::None)), "{opened:?}");
    }
    backed_up.change(|bytes| whole.clone_into(bytes));
    backed_up.restore("0.db").await.unwrap();
}

#[tokio::test]
async fn a_backup_of_another_kind_is_refused_by_name() {
    let backed_up = BackedUp::new().await;
    let other = InstanceKey::parse(&"5a".repeat(32)).unwrap();
    let refused = check_backup(BackupFile::open(&backed_up.file).unwrap(), &other, &Unseen);
    let refused = refused.unwrap_err();
    assert!(refused.is_refusal());
    let refused = refused.to_string();
    for id in [site_key().id(), other.id()] {
        assert!(refused.contains(&id.to_string()), "{refused}");
    }
    let no_backup = BackupFile::open(&backed_up.site.path("sending.json")).unwrap_err();
    assert!(no_backup.to_string().ends_with("is no backup of Countersign"), "{no_backup}");
    backed_up.change(|bytes| *bytes = b"{\"v\":\"countersign backup 2\"}\n".to_vec());
    let newer = BackupFile::open(&backed_up.file).unwrap_err().to_string();
    assert!(newer.contains("has the form `countersign backup 2`"), "{newer}");
}

/// The header of another version, with frames that fit.
#[tokio::test]
async fn tables_of_another_version_are_for_the_program_that_made_them() {
    let backed_up = BackedUp::new().await;
    let header = BackupHeader { schema: 1, ..backed_up.check().unwrap().header };
    let key = KeyRing::new(site_key()).backup_key();
    let randomness = Counter::default();
    let mut writer = BackupWriter::begin(Vec::new(), &header, &key, &randomness).unwrap();
    writer.write(&BackupItem::End { rows: 0, requests_left_out: 0 }).unwrap();
    let bytes = writer.finish().unwrap();
    backed_up.change(|file| *file = bytes);
    let refused = backed_up.restore("restored.db").await.unwrap_err();
    assert!(refused.is_refusal());
    let expected = format!("restore it with Countersign {}", header.program);
    assert!(refused.to_string().contains(&expected), "{refused}");
}

#[tokio::test]
async fn rows_that_are_missing_are_missed() {
    let backed_up = BackedUp::new().await;
    let header = backed_up.check().unwrap().header;
    let key = KeyRing::new(site_key()).backup_key();
    let randomness = Counter::default();
    let write = |rows| {
        let mut writer = BackupWriter::begin(Vec::new(), &header, &key, &randomness).unwrap();
        writer.write(&BackupItem::End { rows, requests_left_out: 0 }).unwrap();
        let bytes = writer.finish().unwrap();
        backed_up.change(|file| *file = bytes);
    };
    write(7);
    let checked = backed_up.check().unwrap_err().to_string();
    assert!(checked.contains("as many rows as it says"), "{checked}");
    write(0);
    assert!(matches!(backed_up.check(), Err(CheckBackupError::OtherLog { said: 3, entries: 0 })));
    assert!(backed_up.restore("restored.db").await.is_err());
}
