use std::{fs, time::Duration};

use authority::{ArmedLog, ArmingDocument, ArmingError};
use ledger::LogEvent;

use super::*;
use crate::{
    ArmError, ArmingTerms, TakenArming, accept_roster, arm, propose_arming,
    sending_file::ArmingSecret,
    testing::{TestSite, founding, key, no_witnesses},
};

/// A site that two operators have armed.
struct Office {
    site: TestSite,
    roster: Roster,
    file: PathBuf,
    arming: SignedArming,
}

impl Office {
    async fn proposed() -> Self {
        let site = TestSite::new().await;
        let first = founding(&site, &["ana", "bob", "cleo"]);
        let roster = accept_roster(&site, &first, first.document().digest()).await.unwrap();
        let file = site.path("sending.json");
        let arming =
            propose_arming(&site, &file, ArmingTerms::default(), &no_witnesses()).await.unwrap();
        let arming = arming.signed_by(&key("ana")).signed_by(&key("bob"));
        Self { site, roster, file, arming }
    }

    async fn armed() -> Self {
        let office = Self::proposed().await;
        office.take(&office.arming).await.unwrap();
        office
    }

    async fn propose(&self, terms: ArmingTerms) -> Result<SignedArming, ArmError> {
        propose_arming(&self.site, &self.file, terms, &no_witnesses()).await
    }

    async fn take(&self, signed: &SignedArming) -> Result<TakenArming, ArmError> {
        arm(&self.site, signed, &self.roster, &self.file, &no_witnesses()).await
    }

    async fn check(&self) -> Result<(), DisarmedError> {
        let mut tx = self.site.store().begin().await.unwrap();
        let guard = SendingGuard::open(&self.file)?;
        guard.check(&mut tx, &self.site, &self.roster).await?;
        tx.commit().await.unwrap();
        Ok(())
    }

    async fn send_something(&self) {
        let mut tx = self.site.store().begin().await.unwrap();
        prolong_arming(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn status(&self) -> SendingStatus {
        sending_status(&self.site, &self.file, &self.roster).await.unwrap()
    }

    fn sending_file(&self) -> SendingFile {
        SendingFile::read(&self.file).unwrap()
    }

    fn write_mark(&self, mark: LogMark) {
        let locked = lock_around(&self.file).unwrap();
        self.sending_file().with_mark(mark).write(&self.file, &locked).unwrap();
    }

    /// Puts the arming there by hand, for so long.
    async fn lease(&self, lease: Duration) {
        let mut tx = self.site.store().begin().await.unwrap();
        tx.put_arming(&self.arming.to_bytes(), lease).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn log_something(&self) {
        let mut tx = self.site.store().begin().await.unwrap();
        let event = LogEvent::AccountsImported { accounts: 1 };
        self.site.record(&mut tx, &[event]).await.unwrap();
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_site_sends_once_two_operators_have_armed_it() {
    let office = Office::proposed().await;
    assert!(matches!(
        office.check().await,
        Err(DisarmedError::File(SendingFileError::Missing { .. }))
    ));
    let taken = office.take(&office.arming).await.unwrap();
    assert_eq!(
        (taken.proposed_here, &*taken.status.signers),
        (true, &["ana", "bob"].map(ToOwned::to_owned)[..])
    );
    office.check().await.unwrap();
    assert_eq!(office.status().await, taken.status);
    assert!(office.site.log().await.contains(r#""event":"sending_armed""#));
}

#[tokio::test]
async fn one_signature_arms_nothing() {
    let office = Office::proposed().await;
    let one = SignedArming::new(office.arming.document().clone()).signed_by(&key("ana"));
    let error = office.take(&one).await.unwrap_err().to_string();
    assert_eq!(error, "1 operators have signed, 2 are needed: missing are any of bob, cleo");
    assert!(!office.file.exists());
    fs::rename(office.site.path("sending.json.proposed"), &office.file).unwrap();
    assert!(matches!(office.check().await, Err(DisarmedError::Never)));
}

#[tokio::test]
async fn an_arming_of_yesterday_is_refused() {
    let office = Office::proposed().await;
    office.site.wait(Duration::from_hours(5));
    let late = office.take(&office.arming).await;
    assert!(matches!(late, Err(ArmError::Arming(ArmingError::Old { .. }))));
}

#[tokio::test]
async fn a_copied_store_may_not_send() {
    let (office, copy) = (Office::armed().await, TestSite::new().await);
    let mut tx = copy.store().begin().await.unwrap();
    tx.put_arming(&office.arming.to_bytes(), ARMING_LEASE).await.unwrap();
    tx.commit().await.unwrap();
    // Both sites draw the same instance id, so that only the database differs.
    let error = sending_status(&copy, &office.file, &office.roster).await.unwrap_err();
    assert!(matches!(error, DisarmedError::Disarmed(Disarmed::OtherDatabase { .. })), "{error}");
    let error = arm(&copy, &office.arming, &office.roster, &office.file, &no_witnesses())
        .await
        .unwrap_err();
    assert!(matches!(error, ArmError::OtherDatabase { .. }), "{error}");
}

#[tokio::test]
async fn a_host_without_the_secret_may_not_send() {
    let office = Office::armed().await;
    let other = ArmingSecret::generate(office.site.randomness());
    let SendingFile { instance, mark, .. } = office.sending_file();
    let file = SendingFile::new(instance, other, mark);
    file.write(&office.file, &lock_around(&office.file).unwrap()).unwrap();
    let error = office.check().await.unwrap_err();
    assert!(matches!(error, DisarmedError::Disarmed(Disarmed::OtherSecret { .. })), "{error}");
    fs::remove_file(&office.file).unwrap();
    let error = office.check().await.unwrap_err();
    assert!(matches!(error, DisarmedError::File(SendingFileError::Missing { .. })), "{error}");
}

#[tokio::test]
async fn a_lease_is_prolonged_by_what_is_sent_while_it_lasts() {
    let office = Office::armed().await;
    let begun = office.status().await;
    office.send_something().await;
    assert_eq!(office.status().await, begun, "nearly all of it is left");
    office.lease(ARMING_RENEWAL).await;
    let shortened = office.status().await;
    office.check().await.unwrap();
    assert_eq!(office.status().await, shortened, "nothing was sent");
    office.send_something().await;
    assert!(office.status().await.lease_until > shortened.lease_until);
    office.lease(Duration::ZERO).await;
    office.send_something().await;
    let error = office.check().await.unwrap_err();
    assert!(matches!(error, DisarmedError::Disarmed(Disarmed::LeaseOver { .. })), "{error}");
}

#[tokio::test]
async fn a_lease_that_somebody_has_lengthened_ends_as_the_log_says() {
    let office = Office::armed().await;
    office.lease(Duration::from_hours(900)).await;
    office.site.wait(Duration::from_hours(24));
    office.check().await.unwrap();
    office.site.wait(Duration::from_hours(1));
    let error = office.check().await.unwrap_err();
    assert!(matches!(error, DisarmedError::Disarmed(Disarmed::LeaseOver { .. })), "{error}");
}

#[tokio::test]
async fn a_mark_follows_the_log_and_never_goes_back() {
    let office = Office::armed().await;
    let guard = SendingGuard::open(&office.file).unwrap();
    let first = guard.mark(&office.site, &no_witnesses()).await.unwrap();
    assert_eq!(office.sending_file().mark, first);
    office.log_something().await;
    let second = guard.mark(&office.site, &no_witnesses()).await.unwrap();
    assert_eq!(second.size, first.size + 1);
    assert_eq!(guard.mark(&office.site, &no_witnesses()).await.unwrap(), second);
    office.check().await.unwrap();

    let ahead = LogMark { size: second.size + 1, root: [1; 32] };
    office.write_mark(ahead);
    let refused = guard.mark(&office.site, &no_witnesses()).await;
    assert!(matches!(refused, Err(DisarmedError::Disarmed(Disarmed::LogShorter { .. }))));
    assert_eq!(office.sending_file().mark, ahead);
}

#[tokio::test]
async fn a_restored_backup_may_not_send() {
    let office = Office::armed().await;
    let mark = SendingGuard::open(&office.file)
        .unwrap()
        .mark(&office.site, &no_witnesses())
        .await
        .unwrap();
    office.write_mark(LogMark { size: mark.size + 1, ..mark });
    let error = office.check().await.unwrap_err();
    assert!(matches!(error, DisarmedError::Disarmed(Disarmed::LogShorter { .. })), "{error}");
    let proposal = office.propose(ArmingTerms::default()).await.unwrap();
    let log = proposal.document().log().unwrap();
    assert_eq!((log.before.unwrap().size, log.continues), (log.now.size + 1, false));
}

#[tokio::test]
async fn what_a_host_has_seen_is_given_up_by_signatures_alone() {
    let office = Office::armed().await;
    let seen = LogMark { size: 90, root: [1; 32] };
    office.write_mark(seen);
    let proposal = office.propose(ArmingTerms::default()).await.unwrap();
    let signed = proposal.signed_by(&key("ana")).signed_by(&key("bob"));
    let take = async || office.take(&signed).await;
    office.write_mark(LogMark { size: 91, ..seen });
    let error = take().await.unwrap_err();
    assert!(matches!(error, ArmError::SeenMore { seen: 91, .. }), "{error}");
    assert_eq!(office.sending_file().mark.size, 91, "it stays as it is");
    office.write_mark(seen);
    assert!(take().await.unwrap().proposed_here);
    assert!(office.sending_file().mark.size < seen.size);
    office.check().await.unwrap();
}

/// What it says of the log is said of one that is gone.
#[tokio::test]
async fn a_host_that_has_proposed_for_another_log_is_not_armed_with_the_others() {
    let office = Office::armed().await;
    let host = |log: &ArmedLog| {
        let document = office.arming.document();
        let (instance, database) = (model::Document::instance(document), document.database());
        let secret = ArmingSecret::generate(office.site.randomness()).digest();
        let (now, database) = (office.site.clock().now(), database.clone());
        SignedArming::new(ArmingDocument::new(instance.clone(), database, secret, *log, now))
    };
    let here = *office.arming.document().log().unwrap();
    let terms = |host| ArmingTerms { with: vec![host], witnesses: None };
    // Of the log that is here, nothing is against it but that no witness looks on.
    let refused = office.propose(terms(host(&here))).await;
    assert!(matches!(refused, Err(ArmError::Arming(ArmingError::NoWitness { hosts: 2 }))));
    let later = LogMark { size: 90, ..here.now };
    let other = LogMark { root: [1; 32], ..here.now };
    for now in [later, other] {
        let proposed = office.propose(terms(host(&ArmedLog { now, ..here }))).await;
        assert!(matches!(proposed, Err(ArmError::OtherLog(_))));
    }
    // As version 0.1.0 wrote it.
    let text = String::from_utf8(host(&here).to_bytes()).unwrap();
    let (before, log) = text.split_once(r#","log":"#).unwrap();
    let (_, after) = log.split_once("}}").unwrap();
    let old = SignedArming::parse(format!("{before}}}{after}").as_bytes());
    assert!(matches!(office.propose(terms(old.unwrap())).await, Err(ArmError::NoLog)));
}

#[tokio::test]
async fn a_log_that_went_another_way_may_not_send() {
    let office = Office::armed().await;
    let mark = office.sending_file().mark;
    office.write_mark(LogMark { root: [1; 32], ..mark });
    let error = office.check().await.unwrap_err();
    assert!(matches!(error, DisarmedError::Disarmed(Disarmed::LogDiffers { .. })), "{error}");
    let guard = SendingGuard::open(&office.file).unwrap();
    assert!(
        guard.mark(&office.site, &no_witnesses()).await.is_err(),
        "a mark never moves to another log"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_mark_at_once() {
    let office = std::sync::Arc::new(Office::armed().await);
    let workers = (0..8).map(|_| {
        let office = office.clone();
        tokio::spawn(async move {
            office.log_something().await;
            let size = office.site.store().read().await.unwrap().log_size().await.unwrap();
            let guard = SendingGuard::open(&office.file).unwrap();
            assert!(guard.mark(&office.site, &no_witnesses()).await.unwrap().size >= size);
            assert!(office.sending_file().mark.size >= size);
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    office.check().await.unwrap();
}
