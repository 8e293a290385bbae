use std::{fmt, str::FromStr};

use base64ct::{Base64, Encoding as _};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use model::checked_name;
use signed_note::{Note, Signature as SignatureLine, key_id};

/// Ed25519 with a time, as C2SP `signed-note` numbers its algorithms.
const COSIGNATURE: u8 = 4;

const NAME_BYTES_MAX: usize = 100;

/// Bytes of the time before a signature.
const TIME_BYTES: usize = 8;

checked_name! {
    /// What a witness calls itself, for all time: `witness.example.org/w1`.
    pub struct WitnessName;
    "a witness's name", NAME_BYTES_MAX, is_of_name, "printable ASCII without spaces and `+`"
}

const fn is_of_name(char: char) -> bool {
    char.is_ascii_graphic() && char != '+'
}

/// Signs that a log has only grown.
pub struct WitnessKey {
    name: WitnessName,
    key: SigningKey,
}

impl WitnessKey {
    /// The key of a witness of this name, from 32 secret bytes.
    #[must_use]
    pub fn new(name: &WitnessName, seed: &[u8; 32]) -> Self {
        Self { name: name.clone(), key: SigningKey::from_bytes(seed) }
    }

    /// Who can check what this key signs: the text to publish.
    #[must_use]
    pub fn verifier(&self) -> WitnessVerifier {
        WitnessVerifier { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// The line to add to a signed checkpoint that was seen at this time, in seconds since 1970.
    ///
    /// # Errors
    /// [`CosignatureError::Malformed`] if it is no note.
    pub fn cosign(&self, note: &str, seconds: u64) -> Result<String, CosignatureError> {
        let note = read_note(note)?;
        let signature = self.key.sign(&signed_text(seconds, note.text()));
        let bytes = [&seconds.to_be_bytes()[..], &signature.to_bytes()].concat();
        let line = SignatureLine::new(self.name.to_string(), self.verifier().id(), bytes);
        let line = line.map_err(|_| CosignatureError::Malformed)?.to_bytes();
        String::from_utf8(line).map_err(|_| CosignatureError::Malformed)
    }
}

impl fmt::Debug for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WitnessKey({})", self.name)
    }
}

/// Checks what one witness has signed: a C2SP verifier key, `name+id+key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessVerifier {
    name: WitnessName,
    key: VerifyingKey,
}

/// What a witness says of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// When it saw it, in seconds since 1970.
    pub seconds: u64,
    /// Its own line alone, to be kept with the checkpoint.
    pub line: String,
}

impl WitnessVerifier {
    /// What the witness calls itself.
    #[must_use]
    pub const fn name(&self) -> &WitnessName {
        &self.name
    }

    /// Whether it is the key of the other, under whatever name.
    #[must_use]
    pub fn is_same_key(&self, other: &Self) -> bool {
        self.key == other.key
    }

    /// Finds this witness's signature of a checkpoint among the lines of an answer. Those of others, and
    /// of other kinds, are passed by.
    ///
    /// # Errors
    /// [`CosignatureError`] if there is none, or it does not verify.
    pub fn read(&self, note: &str, lines: &str) -> Result<Cosigned, CosignatureError> {
        let note = read_note(note)?;
        let mut ours = lines.lines().filter_map(|line| {
            let read = SignatureLine::from_bytes(line.as_bytes()).ok()?;
            (read.name() == self.name.as_str() && read.id() == self.id()).then_some((line, read))
        });
        let (line, read) = ours.next_back().ok_or(CosignatureError::Missing)?;
        let bytes = read.signature().split_first_chunk::<TIME_BYTES>();
        let (time, signature) = bytes.ok_or(CosignatureError::Malformed)?;
        let seconds = u64::from_be_bytes(*time);
        let signature =
            Signature::from_slice(signature).map_err(|_| CosignatureError::Malformed)?;
        let verified = self.key.verify_strict(&signed_text(seconds, note.text()), &signature);
        verified.map_err(|_| CosignatureError::Signature { witness: self.name.clone() })?;
        Ok(Cosigned { seconds, line: format!("{line}\n") })
    }

    fn id(&self) -> u32 {
        key_id(self.name.as_str(), &self.typed_key())
    }

    fn typed_key(&self) -> Vec<u8> {
        [&[COSIGNATURE], self.key.as_bytes().as_slice()].concat()
    }
}

impl fmt::Display for WitnessVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = Base64::encode_string(&self.typed_key());
        write!(f, "{}+{:08x}+{key}", self.name, self.id())
    }
}

impl FromStr for WitnessVerifier {
    type Err = CosignatureError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || CosignatureError::Malformed;
        let mut parts = text.splitn(3, '+');
        let (name, _) = (parts.next().ok_or_else(malformed)?, parts.next());
        let key = parts.next().and_then(|key| Base64::decode_vec(key).ok());
        let key = key.ok_or_else(malformed)?;
        let Some((&COSIGNATURE, key)) = key.split_first() else { return Err(malformed()) };
        let key = <[u8; 32]>::try_from(key).map_err(|_| malformed())?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| malformed())?;
        let read = Self { name: name.parse().map_err(|_| malformed())?, key };
        // Only one text for each key: name and id belong to it.
        if read.to_string() == text { Ok(read) } else { Err(malformed()) }
    }
}

fn read_note(note: &str) -> Result<Note, CosignatureError> {
    Note::from_bytes(note.as_bytes()).map_err(|_| CosignatureError::Malformed)
}

fn signed_text(seconds: u64, note: &[u8]) -> Vec<u8> {
    [format!("cosignature/v1\ntime {seconds}\n").as_bytes(), note].concat()
}

/// Why a witness's signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosignatureError {
    /// Not in the format.
    #[error("this is no signature or key of a witness")]
    Malformed,
    /// The witness has not signed.
    #[error("the witness has not signed")]
    Missing,
    /// Signed by somebody else, or something else.
    #[error("the signature of witness {witness} does not verify")]
    Signature {
        /// Whose it is said to be.
        witness: WitnessName,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CheckpointKey;

    fn witness(seed: u8) -> WitnessKey {
        WitnessKey::new(&"witness.example/w1".parse().unwrap(), &[seed; 32])
    }

    fn note(size: u64) -> String {
        CheckpointKey::new("countersign/0123456789abcdef/audit", &[1; 32])
            .sign(size, [9; 32])
            .unwrap()
    }

    #[test]
    fn what_a_witness_signs_counts_for_that_checkpoint_alone() {
        let line = witness(2).cosign(&note(7), 1_352_332_800).unwrap();
        let read = |note: &str, lines: &str| witness(2).verifier().read(note, lines);
        let cosigned = Cosigned { seconds: 1_352_332_800, line: line.clone() };
        assert_eq!(read(&note(7), &line), Ok(cosigned.clone()));
        assert!(matches!(read(&note(8), &line), Err(CosignatureError::Signature { .. })));
        let other = witness(3).cosign(&note(7), 1_352_332_800).unwrap();
        assert_eq!(read(&note(7), &other), Err(CosignatureError::Missing));
        assert_eq!(read(&note(7), &format!("{other}nonsense\n{line}")), Ok(cosigned));
    }

    #[test]
    fn a_witness_is_named_by_one_text() {
        let text = witness(2).verifier().to_string();
        assert_eq!(text.parse(), Ok(witness(2).verifier()));
        for other in [text.replace("w1", "w2"), text.replace('+', " "), format!("{text}=")] {
            assert_eq!(other.parse::<WitnessVerifier>(), Err(CosignatureError::Malformed));
        }
    }
}
