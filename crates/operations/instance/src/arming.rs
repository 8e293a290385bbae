use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use authority::{
    Armed, ArmingDocument, ArmingFacts, DatabaseIdentity, Disarmed, LogMark, LogNow, Roster,
    SignaturesError, SignedArming,
    limits::{ARMING_LEASE, ARMING_RENEWAL, CLOCK_SKEW_MAX},
    may_send,
};
use failpoint::mutant;
use futures_util::future::BoxFuture;
use ledger::{Fold, FoldRefusal, WitnessPolicy, WitnessPolicyError};
use model::{
    InstanceId, NameError, Timestamp,
    canonical::{CanonicalError, hex_of},
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use store::{StoreError, Tx};

use crate::{
    Instance, InstanceFault, LogError, SendingFileError, Witnesses,
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
            let found = self.found(tx, instance, roster).await?;
            let log = instance.proved(tx).await?;
            let (armed, stored) = found.checked(&log, instance.clock().now())?;
            status(&armed, &stored)
        })
    }

    /// The arming by which this host may send, as far as the store and this host tell.
    pub(crate) async fn found(
        &self,
        tx: &mut Tx,
        instance: &Instance,
        roster: &Roster,
    ) -> Result<FoundArming, DisarmedError> {
        let file = self.read(instance)?;
        let (armed, stored) = taken_arming(tx, instance, roster).await?;
        let facts = ArmingFacts {
            database: found_database(tx, &armed).await?,
            secret: file.secret.digest(),
            lease_until: stored.lease_until,
            now: tx.now().await?,
            mark: file.mark,
            log: log_now(tx, file.mark.size).await?,
        };
        may_send(&armed, &facts)?;
        Ok(FoundArming { armed, stored, found_at: facts.now })
    }

    /// Remembers durably how far the log has come, so that a store restored from before is
    /// noticed. The mark never goes back, and never moves to another log.
    ///
    /// # Errors
    /// [`DisarmedError`] if the log is not the one that was marked before.
    pub fn mark<'a>(
        &'a self,
        instance: &'a Instance,
        witnesses: &'a Witnesses,
    ) -> BoxFuture<'a, Result<LogMark, DisarmedError>> {
        Box::pin(async move {
            loop {
                let file = self.read(instance)?;
                witnesses.recall(&file.cosigned);
                let mut tx = instance.store().read().await?;
                // What is marked has to hold what this process has recorded.
                drop(instance.proved(&mut tx).await?);
                log_now(&mut tx, file.mark.size).await?.continues(file.mark)?;
                let newest = newest_mark(&mut tx).await?;
                if newest == file.mark || self.replace(&file, newest, witnesses)? {
                    return Ok(newest);
                }
            }
        })
    }

    /// Remembers that witnesses have signed of which the file does not know it yet: one that is asked
    /// later and knows nothing has lost its memory.
    pub(crate) fn remember(
        &self,
        instance: &Instance,
        witnesses: &Witnesses,
    ) -> Result<(), DisarmedError> {
        let signed = witnesses.signed();
        let knows_all =
            |file: &SendingFile| signed.keys().all(|name| file.cosigned.contains_key(name));
        if knows_all(&self.read(instance)?) {
            return Ok(());
        }
        let locked = lock_around(&self.path)?;
        let now = SendingFile::read(&self.path)?;
        if !knows_all(&now) {
            now.with_cosigned(signed).write(&self.path, &locked)?;
        }
        Ok(())
    }

    /// Whether the file still held what was compared with the log.
    fn replace(
        &self,
        compared: &SendingFile,
        newest: LogMark,
        witnesses: &Witnesses,
    ) -> Result<bool, SendingFileError> {
        let locked = lock_around(&self.path)?;
        let now = SendingFile::read(&self.path)?;
        if now.secret != compared.secret || now.mark != compared.mark {
            return Ok(false);
        }
        now.with_mark(newest).with_cosigned(witnesses.signed()).write(&self.path, &locked)?;
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

/// Nobody has signed until when the row says, so it counts no longer than the log says. The row has
/// the database's time, entries have that of the hosts.
fn lease_end(used_at: Option<Timestamp>) -> Option<Timestamp> {
    used_at.map(|at| at.after(ARMING_LEASE).after(CLOCK_SKEW_MAX))
}

fn check_lease(until: Option<Timestamp>, now: Timestamp) -> Result<(), Disarmed> {
    match until {
        Some(until) if now >= until => Err(Disarmed::LeaseOver { until, now }),
        _ => Ok(()),
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

/// An arming that is not yet held against the log.
pub(crate) struct FoundArming {
    armed: Armed,
    stored: store::Arming,
    /// By the database's clock.
    found_at: Timestamp,
}

impl FoundArming {
    /// Passes the newest one of the log, while its lease is not over.
    pub(crate) fn checked(
        self,
        log: &Fold,
        now: Timestamp,
    ) -> Result<(Armed, store::Arming), DisarmedError> {
        log.check_arming(&digest_of(&self.stored.document))?;
        let until = lease_end(log.arming_used_at());
        check_lease(until, now)?;
        // What is left of it by the log's clock is left of it by the database's.
        let left = until.map(|until| until.as_micros().saturating_sub(now.as_micros()).max(0));
        let end = left.map(|left| self.found_at.after(Duration::from_micros(left.unsigned_abs())));
        let lease_until =
            end.map_or(self.stored.lease_until, |end| end.min(self.stored.lease_until));
        Ok((self.armed, store::Arming { lease_until, ..self.stored }))
    }
}

async fn found_database(tx: &mut Tx, armed: &Armed) -> Result<DatabaseIdentity, DisarmedError> {
    if mutant::is_on("any_database") {
        return Ok(armed.document().database().clone());
    }
    Ok(tx.identity().await?.parse()?)
}

/// The arming that was taken last, its signatures verified anew.
pub(crate) async fn taken_arming(
    tx: &mut Tx,
    instance: &Instance,
    roster: &Roster,
) -> Result<(Armed, store::Arming), DisarmedError> {
    let Some(stored) = tx.arming().await? else {
        let log = instance.proved(tx).await?;
        log.check_no_arming()?;
        let restored_from = log.restored_from();
        return Err(restored_from.map_or(DisarmedError::Never, DisarmedError::restored));
    };
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
    let (armed, stored) = taken_arming(tx, instance, roster).await?;
    instance.proved(tx).await?.check_arming(&digest_of(&stored.document))?;
    Ok(policy_of(armed.document())?)
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
            Err(DisarmedError::Never | DisarmedError::Restored { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    })
}

/// The witnesses that an arming names, to be asked.
pub(crate) fn policy_of(
    document: &ArmingDocument,
) -> Result<Option<WitnessPolicy>, WitnessPolicyError> {
    document.witnesses().map(|terms| terms.as_str().parse()).transpose()
}

/// What the log calls a signed document.
pub(crate) fn digest_of(document: &[u8]) -> String {
    hex_of(Sha256::digest(document).as_slice())
}

pub(crate) fn status(
    armed: &Armed,
    stored: &store::Arming,
) -> Result<SendingStatus, DisarmedError> {
    let policy = policy_of(armed.document())?;
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
    /// What was armed before the backup is armed no more.
    #[error(
        "the store was restored from the backup of {backup_at}, and does not know what was done since: \
         find out what was sent, then `countersign sending propose`, two operators who sign that they \
         know it, and `countersign sending arm`"
    )]
    Restored {
        /// When the backup was made.
        backup_at: Timestamp,
    },
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
    const fn restored(backup_at: Timestamp) -> Self {
        Self::Restored { backup_at }
    }

    /// Whether operators have to sign before this host may send.
    #[must_use]
    pub const fn needs_signatures(&self) -> bool {
        match self {
            Self::Never
            | Self::Restored { .. }
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
mod tests;
