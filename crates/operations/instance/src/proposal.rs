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
use ledger::LogEvent;
use model::NameError;
use serde::Serialize;
use store::Tx;

use crate::{
    DisarmedError, Instance, InstanceFault, SendingFileError, SendingStatus,
    arming::{digest_of, log_now, newest_mark, status, taken_arming},
    sending_file::{ArmingSecret, LockedFolder, SendingFile},
};

/// Makes a sending file for this host, with a fresh secret and the log as it is now, and what
/// operators have to sign. Whatever may send keeps on until they have.
///
/// # Errors
/// [`ArmError`] if store or file fail.
pub fn propose_arming<'a>(
    instance: &'a Instance,
    file: &'a Path,
) -> BoxFuture<'a, Result<SignedArming, ArmError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let (database, mark) = (tx.identity().await?.parse()?, newest_mark(&mut tx).await?);
        let at = instance.clock().now();
        let secret = ArmingSecret::generate(instance.randomness());
        let id = instance.signing_id()?;
        let locked = LockedFolder::of(file)?;
        let log = log_of(&mut tx, file, mark).await?;
        let document = ArmingDocument::new(id.clone(), database, secret.digest(), log, at);
        SendingFile::new(id, secret, mark).write(&locked.beside(proposed(file)))?;
        Ok(SignedArming::new(document))
    })
}

/// Takes an arming that two operators have signed: its lease begins now. On the host that proposed it,
/// the sending file is put in its place ([`adopt_proposal`]).
///
/// # Errors
/// [`ArmError`] says what does not hold.
pub fn arm<'a>(
    instance: &'a Instance,
    signed: &'a SignedArming,
    roster: &'a Roster,
    file: &'a Path,
) -> BoxFuture<'a, Result<TakenArming, ArmError>> {
    Box::pin(async move {
        let mut tx = instance.store().begin().await?;
        let armed = signed.accept(roster, instance.clock().now())?;
        let found: DatabaseIdentity = tx.identity().await?.parse()?;
        if *armed.document().database() != found {
            let armed = armed.document().database().clone();
            return Err(ArmError::OtherDatabase { armed, found });
        }
        if let Some(ArmedLog { now, .. }) = armed.document().log() {
            log_now(&mut tx, now.size).await?.continues(*now).map_err(ArmError::OtherLog)?;
        }
        tx.put_arming(&signed.to_bytes(), ARMING_LEASE).await?;
        let stored = tx.arming().await?.ok_or(ArmError::NotKept)?;
        let status = status(&armed, &stored);
        let SendingStatus { database, signers, .. } = status.clone();
        let digest = digest_of(&stored.document);
        let event = LogEvent::SendingArmed { database, signers, digest };
        instance.record(&mut tx, &[event]).await?;
        tx.commit().await?;
        let proposed_here = is_proposed(file, armed.document())?;
        if proposed_here {
            adopt_proposal(instance, file, roster).await?;
        }
        Ok(TakenArming { status, proposed_here })
    })
}

/// An arming that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TakenArming {
    /// What may send, and until when.
    #[serde(flatten)]
    pub status: SendingStatus,
    /// Whether this host has proposed it, and so has its sending file.
    pub proposed_here: bool,
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
        let (armed, _) = taken_arming(&mut tx, roster).await?;
        let locked = LockedFolder::of(file)?;
        let path = proposed(file);
        let new = SendingFile::read(&path)?;
        if new.secret.digest() != armed.document().secret() {
            return Err(ArmError::OtherProposal { path });
        }
        log_now(&mut tx, new.mark.size).await?.continues(new.mark).map_err(ArmError::OtherLog)?;
        let seen = seen(&mut tx, file, armed.document().log()).await?;
        let mark = seen.filter(|seen| seen.size > new.mark.size).unwrap_or(new.mark);
        new.with_mark(mark).write(&locked)?;
        fs::remove_file(&path).map_err(|source| SendingFileError::unwritable(&path, source))?;
        Ok(mark)
    })
}

/// Whether this host has proposed this arming, and not used its sending file yet.
fn is_proposed(file: &Path, document: &ArmingDocument) -> Result<bool, SendingFileError> {
    let proposed = present(&proposed(file))?;
    Ok(proposed.is_some_and(|proposed| proposed.secret.digest() == document.secret()))
}

/// Where the sending file lies that nobody has signed for yet.
fn proposed(file: &Path) -> PathBuf {
    file.with_added_extension("proposed")
}

fn present(file: &Path) -> Result<Option<SendingFile>, SendingFileError> {
    match SendingFile::read(file) {
        Ok(present) => Ok(Some(present)),
        Err(SendingFileError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What signers are told of the log.
async fn log_of(tx: &mut Tx, file: &Path, now: LogMark) -> Result<ArmedLog, ArmError> {
    let before = present(file)?.map(|present| present.mark);
    let continues = match before {
        Some(before) => log_now(tx, before.size).await?.continues(before).is_ok(),
        None => true,
    };
    Ok(ArmedLog { now, before, continues })
}

/// How far this host has seen the log, if that is to be remembered.
async fn seen(
    tx: &mut Tx,
    file: &Path,
    signed: Option<&ArmedLog>,
) -> Result<Option<LogMark>, ArmError> {
    let Some(SendingFile { mark, .. }) = present(file)? else { return Ok(None) };
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
    /// Restored between the proposal and now.
    #[error("the arming was proposed for another log: {0}")]
    OtherLog(#[source] Disarmed),
    /// Nobody has signed for the sending file that lies here.
    #[error(
        "{} is not of the arming that was taken last: propose on this host, or copy the proposed \
         sending file of the host that did",
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
