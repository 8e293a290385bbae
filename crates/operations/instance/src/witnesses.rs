//! The witnesses that the arming names: enough of them sign for the log before anything is sealed or
//! sent.

use std::{
    collections::BTreeMap,
    fmt,
    path::Path,
    sync::{Mutex, PoisonError},
};

use futures_util::future::BoxFuture;
use ledger::{PolicyWitness, WitnessPolicy};

use crate::{
    CosignLogError, CosignedCheckpoint, Instance, SendingFileError, WitnessLine, cosign_log,
    sending_file::SendingFile,
};

/// The way to the witnesses, and how far each of them has signed for this process.
pub struct Witnesses {
    line: Box<dyn WitnessLine>,
    signed: Mutex<BTreeMap<String, u64>>,
}

impl Witnesses {
    /// None is asked before there is a policy.
    #[must_use]
    pub fn new(line: Box<dyn WitnessLine>) -> Self {
        Self { line, signed: Mutex::default() }
    }

    /// Knows how far they had signed before this process began.
    pub(crate) fn recall(&self, signed: &BTreeMap<String, u64>) {
        let mut known = self.known();
        for (witness, size) in signed {
            let now = known.entry(witness.clone()).or_default();
            *now = size.max(now).to_owned();
        }
    }

    /// The same, as this host's sending file has it, if there is one.
    ///
    /// # Errors
    /// [`SendingFileError`] if the file cannot be read.
    pub fn recall_from(&self, file: &Path) -> Result<(), SendingFileError> {
        match SendingFile::cosigned(file) {
            Ok(signed) => self.recall(&signed),
            Err(SendingFileError::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// How far one has signed, by its name.
    #[must_use]
    pub fn signed_by(&self, name: &str) -> u64 {
        self.known().get(name).copied().unwrap_or_default()
    }

    /// How far each has signed, by its name.
    pub(crate) fn signed(&self) -> BTreeMap<String, u64> {
        self.known().clone()
    }

    /// Has enough witnesses sign the log as it is now. They are asked in their order, and no more
    /// than are needed.
    ///
    /// # Errors
    /// [`WitnessError::Refused`] if this store is not the one that they have seen, and
    /// [`WitnessError::Silent`] if too few have answered.
    pub fn sign<'a>(
        &'a self,
        instance: &'a Instance,
        policy: &'a WitnessPolicy,
    ) -> BoxFuture<'a, Result<(), WitnessError>> {
        Box::pin(async move {
            let mut heard = Heard::default();
            for (place, witness) in policy.witnesses().iter().enumerate() {
                heard.add(place, witness, self.ask(instance, witness).await);
                if policy.is_met(&heard.signed) {
                    return Ok(());
                }
            }
            Err(heard.into())
        })
    }

    /// The same, but every witness is asked, and each of them may say that this store is another:
    /// where nobody knows what is lost, one that knows is enough. Returns those that are silent.
    ///
    /// # Errors
    /// As [`Witnesses::sign`].
    pub fn sign_by_all<'a>(
        &'a self,
        instance: &'a Instance,
        policy: &'a WitnessPolicy,
    ) -> BoxFuture<'a, Result<Silence, WitnessError>> {
        Box::pin(async move {
            let mut heard = Heard::default();
            for (place, witness) in policy.witnesses().iter().enumerate() {
                heard.add(place, witness, self.ask(instance, witness).await);
            }
            if heard.refused.is_none() && policy.is_met(&heard.signed) {
                return Ok(heard.silent);
            }
            Err(heard.into())
        })
    }

    async fn ask(
        &self,
        instance: &Instance,
        witness: &PolicyWitness,
    ) -> Result<(), CosignLogError> {
        let name = witness.verifier.name().as_str();
        let old = self.signed_by(name);
        let CosignedCheckpoint { size, .. } =
            cosign_log(instance, witness, old, &*self.line).await?;
        self.known().insert(name.to_owned(), size);
        Ok(())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, u64>> {
        // Whoever has panicked has left a number behind, which the witness corrects.
        self.signed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Witnesses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Witnesses({:?})", self.line)
    }
}

/// What the witnesses have answered.
#[derive(Default)]
struct Heard {
    /// Their places in the policy.
    signed: Vec<usize>,
    refused: Option<CosignLogError>,
    silent: Silence,
}

impl Heard {
    fn add(&mut self, place: usize, witness: &PolicyWitness, answer: Result<(), CosignLogError>) {
        match answer {
            Ok(()) => self.signed.push(place),
            Err(error) if error.is_refusal() => {
                self.refused.get_or_insert(error);
            }
            Err(error) => self.silent.add(witness, &error),
        }
    }
}

impl From<Heard> for WitnessError {
    fn from(Heard { refused, silent, .. }: Heard) -> Self {
        refused.map_or(Self::Silent(silent), Self::Refused)
    }
}

/// What became of the witnesses that have not signed.
#[derive(Debug, Default)]
pub struct Silence(Vec<String>);

impl Silence {
    /// Whether all have signed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, witness: &PolicyWitness, error: &CosignLogError) {
        self.0.push(format!("{}: {error}", witness.verifier.name()));
    }
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

/// Why nothing is sealed or sent for want of witnesses.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// They have seen what this store does not hold.
    #[error(transparent)]
    Refused(CosignLogError),
    /// They could not be asked, or have answered something else.
    #[error("too few witnesses sign for the log, so nothing is sealed or sent for now: {0}")]
    Silent(Silence),
}

impl WitnessError {
    /// Whether the witnesses say that this store is not the one they have seen.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}
