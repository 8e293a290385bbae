use std::path::{Path, PathBuf};

use authority::{
    Armed, ArmingFacts, Disarmed, LogMark, LogNow, Roster, SignaturesError, SignedArming,
    limits::{ARMING_LEASE, ARMING_RENEWAL},
    may_send,
};
use futures_util::future::BoxFuture;
use ledger::{FoldRefusal, WitnessPolicy, WitnessPolicyError};
use model::{
    InstanceId, NameError, Timestamp,
    canonical::{CanonicalError, hex_of},
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use store::{StoreError, Tx};

use crate::{
    Instance, InstanceFault, LogError, SendingFileError,
    append::root_at,
    sending_file::{SendingFile, lock_around},
};

/// A database that may send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SendingStatus {
    /// What it calls itself.
    pub database: String,
    /// Who permitted it.
    pub signers: Vec<String>,
    /// Since when, by the database's clock.
    pub armed_at: Timestamp,
    /// Until when, if nothing is sent; each sending prolongs it.
    pub lease_until: Timestamp,
    /// How many hosts may send.
    pub hosts: usize,
    /// Which witnesses have to sign for the log, one line each; empty if none has to.
    pub witnesses: Vec<String>,
    /// The same, to be asked.
    #[serde(skip)]
    pub policy: Option<WitnessPolicy>,
}

/// Stands before everything that is sent: holds the store against this host's sending file.
///
/// The file is read anew each time, so that what one process of a host has marked binds all.
#[derive(Debug, Clone)]
pub struct SendingGuard {
    path: PathBuf,
}

impl SendingGuard {
    /// Takes up the sending file of this host.
    ///
    /// # Errors
    /// [`SendingFileError`] if there is none that can be used.
    pub fn open(path: &Path) -> Result<Self, SendingFileError> {
        SendingFile::read(path)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Refuses unless this host may send from this store now.
    ///
    /// It belongs into the transaction that commits what is about to be sent. The lease stays as it is:
    /// whoever only asks must not keep it alive ([`prolong_arming`]).
    ///
    /// # Errors
    /// [`DisarmedError`] says why nothing may be sent.
    pub fn check<'a>(
        &'a self,
        tx: &'a mut Tx,
        instance: &'a Instance,
        roster: &'a Roster,
    ) -> BoxFuture<'a, Result<SendingStatus, DisarmedError>> {
        Box::pin(async move {
            let file = self.read(instance)?;
            let (armed, stored) = taken_arming(tx, roster).await?;
            let facts = ArmingFacts {
                database: tx.identity().await?.parse()?,
                secret: file.secret.digest(),
                lease_until: stored.lease_until,
                now: tx.now().await?,
                mark: file.mark,
                log: log_now(tx, file.mark.size).await?,
            };
            may_send(&armed, &facts)?;
            instance.proved(tx).await?.check_arming(&digest_of(&stored.document))?;
            status(&armed, &stored)
        })
    }

    /// Remembers durably how far the log has come, so that a store restored from before is
    /// noticed. The mark never goes back, and never moves to another log.
    ///
    /// # Errors
    /// [`DisarmedError`] if the log is not the one that was marked before.
    pub fn mark<'a>(
        &'a self,
        instance: &'a Instance,
    ) -> BoxFuture<'a, Result<LogMark, DisarmedError>> {
        Box::pin(async move {
            loop {
                let file = self.read(instance)?;
                let mut tx = instance.store().read().await?;
                log_now(&mut tx, file.mark.size).await?.continues(file.mark)?;
                let newest = newest_mark(&mut tx).await?;
                if newest == file.mark || self.replace(&file, newest)? {
                    return Ok(newest);
                }
            }
        })
    }

    /// Whether the file still held what was compared with the log.
    fn replace(&self, compared: &SendingFile, newest: LogMark) -> Result<bool, SendingFileError> {
        let locked = lock_around(&self.path)?;
        let now = SendingFile::read(&self.path)?;
        if now.secret != compared.secret || now.mark != compared.mark {
            return Ok(false);
        }
        now.with_mark(newest).write(&self.path, &locked)?;
        Ok(true)
    }

    fn read(&self, instance: &Instance) -> Result<SendingFile, DisarmedError> {
        let file = SendingFile::read(&self.path)?;
        let expected = instance.signing_id()?;
        if file.instance == expected {
            return Ok(file);
        }
        let (path, found) = (self.path.clone(), file.instance);
        Err(DisarmedError::OtherInstance { path, found, expected })
    }
}

/// Lets the lease begin again, since something is sealed or sent now: in the transaction that commits
/// so. One that is over stays over.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn prolong_arming(tx: &mut Tx) -> BoxFuture<'_, Result<(), StoreError>> {
    Box::pin(async move {
        let Some(arming) = tx.arming().await? else { return Ok(()) };
        if tx.now().await?.after(ARMING_RENEWAL) > arming.lease_until {
            // One that is no longer there to be renewed has been replaced by a new one.
            tx.renew_arming(arming.armed_at, ARMING_LEASE).await?;
        }
        Ok(())
    })
}

/// Whether this host may send now.
///
/// # Errors
/// [`DisarmedError`] says why not.
pub fn sending_status<'a>(
    instance: &'a Instance,
    file: &'a Path,
    roster: &'a Roster,
) -> BoxFuture<'a, Result<SendingStatus, DisarmedError>> {
    Box::pin(async move {
        let guard = SendingGuard::open(file)?;
        guard.check(&mut instance.store().read().await?, instance, roster).await
    })
}

/// The arming that was taken last, its signatures verified anew.
pub(crate) async fn taken_arming(
    tx: &mut Tx,
    roster: &Roster,
) -> Result<(Armed, store::Arming), DisarmedError> {
    let stored = tx.arming().await?.ok_or(DisarmedError::Never)?;
    let signed = SignedArming::parse(&stored.document).map_err(DisarmedError::Stored)?;
    Ok((signed.verify(roster)?, stored))
}

/// The witnesses that have to sign before anything is sealed or sent, by the arming that the audit log
/// names last; `None` if none has to.
pub(crate) async fn witness_policy(
    tx: &mut Tx,
    instance: &Instance,
    roster: &Roster,
) -> Result<Option<WitnessPolicy>, DisarmedError> {
    let (armed, stored) = taken_arming(tx, roster).await?;
    instance.proved(tx).await?.check_arming(&digest_of(&stored.document))?;
    Ok(policy(&armed)?)
}

/// Whether witnesses sign for the log before anything is sealed or sent; no arming names none.
///
/// # Errors
/// [`DisarmedError`] if the arming that is kept does not hold.
pub fn is_witnessed<'a>(
    tx: &'a mut Tx,
    instance: &'a Instance,
    roster: &'a Roster,
) -> BoxFuture<'a, Result<bool, DisarmedError>> {
    Box::pin(async move {
        match witness_policy(tx, instance, roster).await {
            Ok(policy) => Ok(policy.is_some()),
            Err(DisarmedError::Never) => Ok(false),
            Err(error) => Err(error),
        }
    })
}

fn policy(armed: &Armed) -> Result<Option<WitnessPolicy>, WitnessPolicyError> {
    let terms = armed.document().witnesses();
    terms.map(|terms| terms.as_str().parse()).transpose()
}

/// What the log calls a signed document.
pub(crate) fn digest_of(document: &[u8]) -> String {
    hex_of(Sha256::digest(document).as_slice())
}

pub(crate) fn status(
    armed: &Armed,
    stored: &store::Arming,
) -> Result<SendingStatus, DisarmedError> {
    let policy = policy(armed)?;
    let lines = policy.as_ref().map(ToString::to_string).unwrap_or_default();
    Ok(SendingStatus {
        database: armed.document().database().to_string(),
        signers: armed.signers().iter().map(ToString::to_string).collect(),
        armed_at: stored.armed_at,
        lease_until: stored.lease_until,
        hosts: armed.document().secrets().count(),
        witnesses: lines.lines().map(ToOwned::to_owned).collect(),
        policy,
    })
}

pub(crate) async fn newest_mark(tx: &mut Tx) -> Result<LogMark, LogError> {
    let size = tx.log_size().await?;
    Ok(LogMark { size, root: root_at(tx, size).await? })
}

pub(crate) async fn log_now(tx: &mut Tx, marked: u64) -> Result<LogNow, LogError> {
    let size = tx.log_size().await?;
    let root = if size < marked { None } else { Some(root_at(tx, marked).await?) };
    Ok(LogNow { size, root_at_mark: root })
}

/// Why nothing may be sent.
#[derive(Debug, thiserror::Error)]
pub enum DisarmedError {
    /// No arming was ever taken.
    #[error(
        "sending was never armed for this store: `countersign sending propose`, two signatures, \
         and `countersign sending arm`"
    )]
    Never,
    /// What was armed is not what is here.
    #[error(transparent)]
    Disarmed(#[from] Disarmed),
    /// What was signed no longer holds.
    #[error(transparent)]
    Signatures(#[from] SignaturesError),
    /// It is not the one that the audit log names last.
    #[error(transparent)]
    Row(#[from] FoldRefusal),
    /// The witnesses that were signed for cannot be read.
    #[error("the witnesses that the arming names cannot be asked: {0}")]
    Policy(#[from] WitnessPolicyError),
    /// What the store holds is no arming.
    #[error("the stored arming is damaged: {0}")]
    Stored(#[source] CanonicalError),
    /// A host of another site.
    #[error("{} is of instance {found}, this is instance {expected}", path.display())]
    OtherInstance {
        /// The sending file.
        path: PathBuf,
        /// Named in it.
        found: InstanceId,
        /// Ours.
        expected: InstanceId,
    },
    /// The sending file of this host.
    #[error(transparent)]
    File(#[from] SendingFileError),
    /// Instance or database cannot stand in a document.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

impl DisarmedError {
    /// Whether operators have to sign before this host may send.
    #[must_use]
    pub const fn needs_signatures(&self) -> bool {
        match self {
            Self::Never
            | Self::Disarmed(_)
            | Self::Signatures(_)
            | Self::Policy(_)
            | Self::Stored(_)
            | Self::Row(_)
            | Self::OtherInstance { .. } => true,
            Self::File(_) | Self::Name(_) | Self::Fault(_) => false,
        }
    }
}

crate::from_faults!(DisarmedError);

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use authority::ArmingError;
    use ledger::LogEvent;

    use super::*;
    use crate::{
        ArmError, ArmingTerms, accept_roster, arm, propose_arming,
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
            let arming = propose_arming(&site, &file, ArmingTerms::default(), &no_witnesses())
                .await
                .unwrap();
            let arming = arming.signed_by(&key("ana")).signed_by(&key("bob"));
            Self { site, roster, file, arming }
        }

        async fn armed() -> Self {
            let office = Self::proposed().await;
            arm(&office.site, &office.arming, &office.roster, &office.file).await.unwrap();
            office
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
        let taken = arm(&office.site, &office.arming, &office.roster, &office.file).await.unwrap();
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
        let error =
            arm(&office.site, &one, &office.roster, &office.file).await.unwrap_err().to_string();
        assert_eq!(error, "1 operators have signed, 2 are needed: missing are any of bob, cleo");
        assert!(!office.file.exists());
        fs::rename(office.site.path("sending.json.proposed"), &office.file).unwrap();
        assert!(matches!(office.check().await, Err(DisarmedError::Never)));
    }

    #[tokio::test]
    async fn an_arming_of_yesterday_is_refused() {
        let office = Office::proposed().await;
        office.site.wait(Duration::from_hours(5));
        let late = arm(&office.site, &office.arming, &office.roster, &office.file).await;
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
        assert!(
            matches!(error, DisarmedError::Disarmed(Disarmed::OtherDatabase { .. })),
            "{error}"
        );
        let error = arm(&copy, &office.arming, &office.roster, &office.file).await.unwrap_err();
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
    async fn a_mark_follows_the_log_and_never_goes_back() {
        let office = Office::armed().await;
        let guard = SendingGuard::open(&office.file).unwrap();
        let first = guard.mark(&office.site).await.unwrap();
        assert_eq!(office.sending_file().mark, first);
        office.log_something().await;
        let second = guard.mark(&office.site).await.unwrap();
        assert_eq!(second.size, first.size + 1);
        assert_eq!(guard.mark(&office.site).await.unwrap(), second);
        office.check().await.unwrap();

        let ahead = LogMark { size: second.size + 1, root: [1; 32] };
        office.write_mark(ahead);
        let refused = guard.mark(&office.site).await;
        assert!(matches!(refused, Err(DisarmedError::Disarmed(Disarmed::LogShorter { .. }))));
        assert_eq!(office.sending_file().mark, ahead);
    }

    #[tokio::test]
    async fn a_restored_backup_may_not_send() {
        let office = Office::armed().await;
        let mark = SendingGuard::open(&office.file).unwrap().mark(&office.site).await.unwrap();
        office.write_mark(LogMark { size: mark.size + 1, ..mark });
        let error = office.check().await.unwrap_err();
        assert!(matches!(error, DisarmedError::Disarmed(Disarmed::LogShorter { .. })), "{error}");
        let proposal =
            propose_arming(&office.site, &office.file, ArmingTerms::default(), &no_witnesses())
                .await
                .unwrap();
        let log = proposal.document().log().unwrap();
        assert_eq!((log.before.unwrap().size, log.continues), (log.now.size + 1, false));
    }

    #[tokio::test]
    async fn what_a_host_has_seen_is_given_up_by_signatures_alone() {
        let office = Office::armed().await;
        let seen = LogMark { size: 90, root: [1; 32] };
        office.write_mark(seen);
        let proposal =
            propose_arming(&office.site, &office.file, ArmingTerms::default(), &no_witnesses())
                .await
                .unwrap();
        let signed = proposal.signed_by(&key("ana")).signed_by(&key("bob"));
        let take = async || arm(&office.site, &signed, &office.roster, &office.file).await;
        office.write_mark(LogMark { size: 91, ..seen });
        let error = take().await.unwrap_err();
        assert!(matches!(error, ArmError::SeenMore { seen: 91, .. }), "{error}");
        assert_eq!(office.sending_file().mark.size, 91, "it stays as it is");
        office.write_mark(seen);
        assert!(take().await.unwrap().proposed_here);
        assert!(office.sending_file().mark.size < seen.size);
        office.check().await.unwrap();
    }

    #[tokio::test]
    async fn a_log_that_went_another_way_may_not_send() {
        let office = Office::armed().await;
        let mark = office.sending_file().mark;
        office.write_mark(LogMark { root: [1; 32], ..mark });
        let error = office.check().await.unwrap_err();
        assert!(matches!(error, DisarmedError::Disarmed(Disarmed::LogDiffers { .. })), "{error}");
        let guard = SendingGuard::open(&office.file).unwrap();
        assert!(guard.mark(&office.site).await.is_err(), "a mark never moves to another log");
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
                assert!(guard.mark(&office.site).await.unwrap().size >= size);
                assert!(office.sending_file().mark.size >= size);
            })
        });
        for worker in workers.collect::<Vec<_>>() {
            worker.await.unwrap();
        }
        office.check().await.unwrap();
    }
}
