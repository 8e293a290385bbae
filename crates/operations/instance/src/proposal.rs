//! What a host proposes before it may send. Nothing that it has is given up for it: the proposed
//! sending file lies beside the present one until operators have signed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use authority::{
    ArmedLog, ArmingDocument, ArmingError, DatabaseIdentity, Disarmed, LogMark, Roster,
    SignedArming, limits::ARMING_LEASE,
};
use futures_util::future::BoxFuture;
use ledger::{LogEvent, WitnessPolicy};
use model::{Document as _, InstanceId, NameError};
use serde::Serialize;
use store::Tx;

use crate::{
    DisarmedError, Instance, InstanceFault, SendingFileError, SendingStatus, Silence, WitnessError,
    Witnesses,
    arming::{digest_of, log_now, newest_mark, policy_of, status, taken_arming},
    sending_file::{ArmingSecret, SendingFile, lock_around},
};

/// Makes a sending file for this host, with a fresh secret and the log as it is now, and what
/// operators have to sign. Whatever may send keeps on until they have.
///
/// # Errors
/// [`ArmError`] if store or file fail.
pub fn propose_arming<'a>(
    instance: &'a Instance,
    file: &'a Path,
    terms: ArmingTerms,
    witnesses: &'a Witnesses,
) -> BoxFuture<'a, Result<SignedArming, ArmError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let database = tx.identity().await?.parse()?;
        let at = instance.clock().now();
        let secret = ArmingSecret::generate(instance.randomness());
        let id = instance.signing_id()?;
        let locked = lock_around(file)?;
        let log = log_of(instance, &mut tx, file, witnesses).await?;
        let document = ArmingDocument::new(id.clone(), database, secret.digest(), log, at);
        let document = terms.complete(&mut tx, document).await?;
        SendingFile::new(id, secret, log.now).write(&proposed(file), &locked)?;
        Ok(SignedArming::new(document))
    })
}

/// What an arming is to hold besides the host that proposes it.
#[derive(Debug, Default)]
pub struct ArmingTerms {
    /// Other hosts that are to send, as each has proposed itself.
    pub with: Vec<SignedArming>,
    /// The witnesses that have to sign for the log.
    pub witnesses: Option<WitnessPolicy>,
}

impl ArmingTerms {
    async fn complete(
        self,
        tx: &mut Tx,
        document: ArmingDocument,
    ) -> Result<ArmingDocument, ArmError> {
        let hosts: Vec<_> = self.with.into_iter().map(|host| host.document().clone()).collect();
        for host in &hosts {
            check_host(tx, host, &document).await?;
        }
        let document = document.with_hosts(&hosts);
        let document = match self.witnesses {
            Some(witnesses) => document.with_witnesses(witnesses.to_string().parse()?),
            None => document,
        };
        document.check_hosts()?;
        Ok(document)
    }
}

/// Passes another host that has proposed for this very store: what it says of the log is of the log
/// that is here, and not of one from before a restore.
async fn check_host(
    tx: &mut Tx,
    host: &ArmingDocument,
    ours: &ArmingDocument,
) -> Result<(), ArmError> {
    if host.instance() != ours.instance() {
        return Err(ArmError::OtherInstance { found: host.instance().clone() });
    }
    if host.database() != ours.database() {
        let (armed, found) = (host.database().clone(), ours.database().clone());
        return Err(ArmError::OtherDatabase { armed, found });
    }
    let now = host.log().ok_or(ArmError::NoLog)?.now;
    log_now(tx, now.size).await?.continues(now).map_err(ArmError::OtherLog)
}

/// Takes an arming that two operators have signed: its lease begins now. On the host that proposed it,
/// the sending file is put in its place ([`adopt_proposal`]).
///
/// The witnesses of the arming before are asked once more: then it cannot come back with a store that
/// is put back to before now, not even on a host that has kept its file.
///
/// # Errors
/// [`ArmError`] says what does not hold.
pub fn arm<'a>(
    instance: &'a Instance,
    signed: &'a SignedArming,
    roster: &'a Roster,
    file: &'a Path,
    witnesses: &'a Witnesses,
) -> BoxFuture<'a, Result<TakenArming, ArmError>> {
    Box::pin(async move {
        let mut tx = instance.store().begin().await?;
        let former = former_policy(instance, &mut tx).await?;
        let armed = signed.accept(roster, instance.clock().now())?;
        let found: DatabaseIdentity = tx.identity().await?.parse()?;
        if *armed.document().database() != found {
            let armed = armed.document().database().clone();
            return Err(ArmError::OtherDatabase { armed, found });
        }
        if let Some(ArmedLog { now, .. }) = armed.document().log() {
            log_now(&mut tx, now.size).await?.continues(*now).map_err(ArmError::OtherLog)?;
        }
        check_restored(instance, &mut tx, armed.document()).await?;
        tx.put_arming(&signed.to_bytes(), ARMING_LEASE).await?;
        let stored = tx.arming().await?.ok_or(ArmError::NotKept)?;
        let status = status(&armed, &stored)?;
        let SendingStatus { database, signers, .. } = status.clone();
        let digest = digest_of(&stored.document);
        let event = LogEvent::SendingArmed {
            database,
            signers,
            digest,
            is_restored: armed.document().is_restored(),
        };
        instance.record(&mut tx, &[event]).await?;
        tx.commit().await?;
        let proposed_here = is_proposed(file, armed.document())?;
        if proposed_here {
            adopt_proposal(instance, file, roster).await?;
        }
        let former_witnesses_away = match &former {
            Some(policy) => away(witnesses.sign_by_all(instance, policy).await),
            None => None,
        };
        Ok(TakenArming { status, proposed_here, former_witnesses_away })
    })
}

fn away(asked: Result<Silence, WitnessError>) -> Option<String> {
    match asked {
        Ok(silent) => Some(silent).filter(|silent| !silent.is_empty()).map(|of| of.to_string()),
        Err(error) => Some(error.to_string()),
    }
}

/// The witnesses of the arming that the audit log names last, whoever has signed it; `None` if it has
/// none, or does not hold.
async fn former_policy(
    instance: &Instance,
    tx: &mut Tx,
) -> Result<Option<WitnessPolicy>, ArmError> {
    let Some(stored) = tx.arming().await? else { return Ok(None) };
    let log = instance.proved(tx).await?;
    let is_logged = log.check_arming(&digest_of(&stored.document)).is_ok();
    let signed = SignedArming::parse(&stored.document).ok().filter(|_| is_logged);
    Ok(signed.and_then(|signed| policy_of(signed.document()).ok().flatten()))
}

/// Once the store was restored, whoever arms it has to know: a proposal from before says that nothing is
/// lost.
async fn check_restored(
    instance: &Instance,
    tx: &mut Tx,
    document: &ArmingDocument,
) -> Result<(), ArmError> {
    match instance.proved(tx).await?.restored_from() {
        Some(_) if !document.is_restored() => Err(ArmError::Restored),
        _ => Ok(()),
    }
}

/// An arming that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TakenArming {
    /// What may send, and until when.
    #[serde(flatten)]
    pub status: SendingStatus,
    /// Whether this host has proposed it, and so has its sending file.
    pub proposed_here: bool,
    /// Why the witnesses of the arming before have not signed for the log that names this one, if
    /// they have not.
    pub former_witnesses_away: Option<String>,
}

/// Puts the proposed sending file in the place of the present one, once its arming is signed and
/// taken. The mark is the newest that agrees with the log: what this host has seen of it stays seen,
/// unless the operators have signed that it is lost.
///
/// # Errors
/// [`ArmError`] says what does not hold; then the present file stays.
pub fn adopt_proposal<'a>(
    instance: &'a Instance,
    file: &'a Path,
    roster: &'a Roster,
) -> BoxFuture<'a, Result<LogMark, ArmError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let (armed, _) = taken_arming(&mut tx, instance, roster).await?;
        let locked = lock_around(file)?;
        let path = proposed(file);
        let new = SendingFile::read(&path)?;
        if !armed.document().is_for(new.secret.digest()) {
            return Err(ArmError::OtherProposal { path });
        }
        log_now(&mut tx, new.mark.size).await?.continues(new.mark).map_err(ArmError::OtherLog)?;
        let seen = seen(&mut tx, file, armed.document().log()).await?;
        let mark = seen.filter(|seen| seen.size > new.mark.size).unwrap_or(new.mark);
        new.with_mark(mark).write(file, &locked)?;
        fs::remove_file(&path).map_err(|source| SendingFileError::unwritable(&path, source))?;
        Ok(mark)
    })
}

/// Whether this host has proposed this arming, and not used its sending file yet.
fn is_proposed(file: &Path, document: &ArmingDocument) -> Result<bool, SendingFileError> {
    let proposed = present(SendingFile::read(&proposed(file)))?;
    Ok(proposed.is_some_and(|proposed| document.is_for(proposed.secret.digest())))
}

/// Where the sending file lies that nobody has signed for yet.
fn proposed(file: &Path) -> PathBuf {
    file.with_added_extension("proposed")
}

fn present<T>(read: Result<T, SendingFileError>) -> Result<Option<T>, SendingFileError> {
    match read {
        Ok(present) => Ok(Some(present)),
        Err(SendingFileError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What signers are told of the log.
async fn log_of(
    instance: &Instance,
    tx: &mut Tx,
    file: &Path,
    witnesses: &Witnesses,
) -> Result<ArmedLog, ArmError> {
    let (now, before) = (newest_mark(tx).await?, present(SendingFile::seen(file))?);
    let goes_on = match before {
        Some(before) => log_now(tx, before.size).await?.continues(before).is_ok(),
        None => true,
    };
    let continues = goes_on && is_all_known(instance, tx, file, witnesses).await?;
    Ok(ArmedLog { now, before, continues })
}

/// Whether nothing was sent of which this store and this host's file know nothing: its witnesses say so,
/// or no other host was armed, and the file is no copy.
async fn is_all_known(
    instance: &Instance,
    tx: &mut Tx,
    file: &Path,
    witnesses: &Witnesses,
) -> Result<bool, ArmError> {
    let stored = tx.arming().await?;
    let log = instance.proved(tx).await?;
    if log.restored_from().is_some() {
        return Ok(false);
    }
    // Nothing can be lost of what was never begun.
    let Some(stored) = stored else { return Ok(true) };
    log.check_arming(&digest_of(&stored.document)).map_err(DisarmedError::Row)?;
    drop(log);
    let armed = SignedArming::parse(&stored.document).map_err(DisarmedError::Stored)?;
    let armed = armed.document();
    if let Some(policy) = policy_of(armed).map_err(DisarmedError::Policy)? {
        witnesses.recall(&present(SendingFile::cosigned(file))?.unwrap_or_default());
        return Ok(witnesses.sign_by_all(instance, &policy).await.is_ok());
    }
    let ours = match SendingFile::read(file) {
        Err(SendingFileError::Copied { .. } | SendingFileError::Unnamed { .. }) => None,
        read => present(read)?,
    };
    let is_armed = ours.is_some_and(|ours| armed.is_for(ours.secret.digest()));
    Ok(is_armed && armed.secrets().count() == 1)
}

/// How far this host has seen the log, if that is to be remembered.
async fn seen(
    tx: &mut Tx,
    file: &Path,
    signed: Option<&ArmedLog>,
) -> Result<Option<LogMark>, ArmError> {
    let Some(mark) = present(SendingFile::seen(file))? else { return Ok(None) };
    match log_now(tx, mark.size).await?.continues(mark) {
        Ok(()) => Ok(Some(mark)),
        Err(_) if signed.is_some_and(|signed| signed.gives_up(mark)) => Ok(None),
        Err(source) => Err(ArmError::SeenMore { seen: mark.size, source }),
    }
}

/// Why sending is not armed.
#[derive(Debug, thiserror::Error)]
pub enum ArmError {
    /// The document does not hold.
    #[error(transparent)]
    Arming(#[from] ArmingError),
    /// Made on a copy, or before a move.
    #[error(
        "the arming is for database {armed}, this is database {found}: propose another one here"
    )]
    OtherDatabase {
        /// Signed.
        armed: DatabaseIdentity,
        /// Found.
        found: DatabaseIdentity,
    },
    /// Another site's host.
    #[error("one of the hosts has proposed for instance {found}, which is another one")]
    OtherInstance {
        /// Whose it is.
        found: InstanceId,
    },
    /// Another host has proposed by version 0.1.0.
    #[error(
        "one of the hosts does not say how far it has seen the log: run `countersign sending propose` \
         there anew, with this version"
    )]
    NoLog,
    /// It was proposed before the store was restored.
    #[error(
        "the store was restored since the arming was proposed, and its signers could not know: propose \
         another one here"
    )]
    Restored,
    /// Restored between the proposal and now.
    #[error("the arming was proposed for another log: {0}")]
    OtherLog(#[source] Disarmed),
    /// Nobody has signed for the sending file that lies here.
    #[error(
        "{} is not of the arming that was taken last: let operators sign what this host has proposed",
        path.display()
    )]
    OtherProposal {
        /// The proposed sending file.
        path: PathBuf,
    },
    /// This host has seen what the operators who signed did not know of.
    #[error(
        "this host has seen {seen} entries of the log, and nobody has signed that these are lost: {source}"
    )]
    SeenMore {
        /// How far.
        seen: u64,
        /// How the log differs.
        source: Disarmed,
    },
    /// What the store holds does not hold.
    #[error(transparent)]
    Stored(#[from] DisarmedError),
    /// The database lost what it just took.
    #[error("the database did not keep the arming")]
    NotKept,
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

crate::from_faults!(ArmError);
