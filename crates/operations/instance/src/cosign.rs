//! Asking a witness to sign for this instance's log.

use std::{cmp::Ordering, fmt};

use futures_util::future::BoxFuture;
use ledger::{
    AddCheckpoint, AuditError, CosignatureError, Cosigned, GrowthError, Hash, PolicyWitness,
    growth_positions, prove_growth,
};
use store::Tx;

use crate::{Instance, InstanceFault, LogError, limits::COSIGN_TRIES_MAX};

/// The way to witnesses.
pub trait WitnessLine: fmt::Debug + Send + Sync {
    /// Hands a request over to the witness that answers below this URL, and returns what it answered.
    fn ask<'a>(
        &'a self,
        url: &'a str,
        body: String,
    ) -> BoxFuture<'a, Result<WitnessAnswer, WitnessAway>>;
}

/// What a witness has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body: lines of signatures, a number, or words.
    pub body: String,
}

/// Nobody answers there.
#[derive(Debug, thiserror::Error)]
#[error("the witness does not answer: {reason}")]
pub struct WitnessAway {
    /// What happened.
    pub reason: String,
}

/// A checkpoint that a witness has signed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignedCheckpoint {
    /// Entries.
    pub size: u64,
    /// The checkpoint as this instance has signed it.
    pub note: String,
    /// What the witness says of it.
    pub cosigned: Cosigned,
}

/// Has a witness sign the log's latest checkpoint: that it has only grown since the witness saw it
/// last. `old` is how many entries it had then, or 0 if that is not known: then it says so.
///
/// # Errors
/// [`CosignLogError::StoreOlder`] and [`CosignLogError::Forked`] say that this store is not the one that
/// the witness has seen.
pub fn cosign_log<'a>(
    instance: &'a Instance,
    witness: &'a PolicyWitness,
    mut old: u64,
    line: &'a dyn WitnessLine,
) -> BoxFuture<'a, Result<CosignedCheckpoint, CosignLogError>> {
    Box::pin(async move {
        for _ in 0..COSIGN_TRIES_MAX {
            let head = ProvenHead::read(instance, old).await?;
            let ProvenHead { size, note, proof } = head;
            let body = AddCheckpoint { old, proof, note: note.clone() }.to_string();
            let WitnessAnswer { status, body } = line.ask(&witness.url, body).await?;
            match status {
                200 => {
                    let cosigned = witness.verifier.read(&note, &body)?;
                    return Ok(CosignedCheckpoint { size, note, cosigned });
                }
                409 => old = seen_by_witness(&body, old, size)?,
                422 => return Err(CosignLogError::Forked { seen: old, entries: size }),
                _ => return Err(CosignLogError::Answered { status, words: first_line(&body) }),
            }
        }
        Err(CosignLogError::Restless)
    })
}

/// The latest checkpoint, and the proof that it goes on from fewer entries.
struct ProvenHead {
    size: u64,
    note: String,
    proof: Vec<Hash>,
}

impl ProvenHead {
    async fn read(instance: &Instance, old: u64) -> Result<Self, CosignLogError> {
        let mut tx = instance.store().read().await?;
        let size = tx.log_size().await?;
        // What a witness has seen this store has committed before, unless it was put back.
        if old > size {
            return Err(CosignLogError::StoreOlder { seen: old, entries: size });
        }
        let unsigned = || LogError::from(AuditError::Unsigned { entries: size, signed: 0 });
        let note = tx.checkpoint_of(size).await?.ok_or_else(unsigned)?.note;
        let proof = proof(&mut tx, old, size).await?;
        Ok(Self { size, note, proof })
    }
}

async fn proof(tx: &mut Tx, old: u64, size: u64) -> Result<Vec<Hash>, CosignLogError> {
    let positions = growth_positions(old, size)?;
    let hashes = tx.log_hashes(&positions).await?;
    let hashes = positions.into_iter().zip(hashes).collect();
    Ok(prove_growth(old, size, &hashes)?)
}

/// How far the witness has seen the log: further than the store was when it was read, if somebody else
/// has asked meanwhile.
fn seen_by_witness(body: &str, asked: u64, entries: u64) -> Result<u64, CosignLogError> {
    let words = || CosignLogError::Answered { status: 409, words: first_line(body) };
    let seen: u64 = body.trim_end().parse().map_err(|_| words())?;
    match seen.cmp(&asked) {
        Ordering::Less => Err(CosignLogError::Forgot { signed: asked, seen }),
        Ordering::Equal => Err(CosignLogError::Forked { seen, entries }),
        Ordering::Greater => Ok(seen),
    }
}

/// As much of an answer as an operator is shown.
fn first_line(body: &str) -> String {
    body.lines().next().unwrap_or_default().chars().take(200).collect()
}

/// Why a witness has not signed for the log.
#[derive(Debug, thiserror::Error)]
pub enum CosignLogError {
    /// It has seen entries that this store does not hold.
    #[error(
        "the witness has seen {seen} entries of the log, the store holds {entries}: it is a restored \
         backup, or a copy that was not the one in use; find out what was done since"
    )]
    StoreOlder {
        /// What the witness has seen.
        seen: u64,
        /// What the store holds.
        entries: u64,
    },
    /// It has seen other entries.
    #[error(
        "the log of {entries} entries does not go on from the {seen} that the witness has seen: the \
         store is a restored backup that was used, or another's"
    )]
    Forked {
        /// What the witness has seen.
        seen: u64,
        /// What the store holds.
        entries: u64,
    },
    /// What it has seen, it has lost: it would sign for a store that was put back, too.
    #[error(
        "the witness has seen {seen} entries of the log, and has signed for {signed} before: it has lost \
         what it knew, so it can vouch for nothing. Give it its state back, or arm with another"
    )]
    Forgot {
        /// What it has signed for.
        signed: u64,
        /// What it says that it has seen.
        seen: u64,
    },
    /// Something else than the protocol has.
    #[error("the witness answers {status}: {words}")]
    Answered {
        /// The HTTP status.
        status: u16,
        /// The first line.
        words: String,
    },
    /// Others ask it for the same log, faster than we do.
    #[error("the witness has seen more of the log each time that it was asked: try again")]
    Restless,
    /// Nobody answers.
    #[error(transparent)]
    Away(#[from] WitnessAway),
    /// What it answered is no signature of its.
    #[error(transparent)]
    Cosignature(#[from] CosignatureError),
    /// The store lacks what a proof is made of.
    #[error(transparent)]
    Growth(#[from] GrowthError),
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

impl CosignLogError {
    /// Whether the witness says that this store is not the one it has seen.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::StoreOlder { .. } | Self::Forked { .. })
    }
}

crate::from_faults!(CosignLogError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_is_ahead_or_at_odds_or_has_forgotten() {
        let seen = |body: &str| seen_by_witness(body, 5, 9);
        assert_eq!(seen("7\n").unwrap(), 7);
        assert_eq!(seen("12\n").unwrap(), 12, "somebody else has asked meanwhile");
        assert!(matches!(seen("5\n"), Err(CosignLogError::Forked { seen: 5, entries: 9 })));
        let forgot = seen("4\n").unwrap_err();
        assert!(
            matches!(forgot, CosignLogError::Forgot { signed: 5, seen: 4 }) && !forgot.is_refusal()
        );
        assert!(matches!(seen("many"), Err(CosignLogError::Answered { status: 409, .. })));
    }
}
