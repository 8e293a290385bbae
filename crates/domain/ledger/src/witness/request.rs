use std::fmt;

use base64ct::{Base64, Encoding as _};

use crate::Hash;

/// The most lines of a proof: a log has fewer than 2^63 entries.
const PROOF_LINES_MAX: usize = 63;

/// What a witness is asked: to sign a checkpoint, which is proved to go on from what it signed last.
///
/// Its text is the body of `POST <prefix>/add-checkpoint`: the size of before, the proof, an empty
/// line, and the signed checkpoint as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// How many entries the witness has signed for last, as far as whoever asks knows.
    pub old: u64,
    /// That the log has only grown since.
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub note: String,
}

impl AddCheckpoint {
    /// Reads a request.
    ///
    /// # Errors
    /// [`AddCheckpointError`] says what is not in the form.
    pub fn parse(body: &str) -> Result<Self, AddCheckpointError> {
        let (head, note) = body.split_once("\n\n").ok_or(AddCheckpointError::NoCheckpoint)?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old "));
        let old = old.and_then(read_size).ok_or(AddCheckpointError::NoSize)?;
        let proof: Vec<_> = lines.map(read_hash).collect::<Result<_, _>>()?;
        if proof.len() > PROOF_LINES_MAX {
            return Err(AddCheckpointError::Proof);
        }
        Ok(Self { old, proof, note: note.to_owned() })
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { old, proof, note } = self;
        writeln!(f, "old {old}")?;
        for hash in proof {
            writeln!(f, "{}", Base64::encode_string(hash))?;
        }
        write!(f, "\n{note}")
    }
}

/// Decimal, without a sign and without leading zeros.
fn read_size(digits: &str) -> Option<u64> {
    let size: u64 = digits.parse().ok()?;
    (size.to_string() == digits).then_some(size)
}

fn read_hash(line: &str) -> Result<Hash, AddCheckpointError> {
    let bytes = Base64::decode_vec(line).map_err(|_| AddCheckpointError::Proof)?;
    bytes.try_into().map_err(|_| AddCheckpointError::Proof)
}

/// Why a text is no request to a witness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddCheckpointError {
    /// Nothing comes after the proof.
    #[error("an empty line and a checkpoint are to follow the proof")]
    NoCheckpoint,
    /// It does not say what was signed last.
    #[error("the first line is to be `old` and a number")]
    NoSize,
    /// Not at most 63 hashes in base64.
    #[error("the proof is to be at most 63 lines of base64")]
    Proof,
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "old 5\nns9sTJRtIXIN2Hl7bhxvmaqc6+mNV8cSIVjqzKsiyqA=\n\n\
                        countersign/0123456789abcdef/audit\n9\n\
                        C7JsKDUlIF9nv5AqU3Egq7NngHZEl6EZkxOP7u0Avio=\n\n\
                        — countersign/0123456789abcdef/audit n7D2vrA8YRDx\n";

    #[test]
    fn a_request_reads_as_it_is_written() {
        let read = AddCheckpoint::parse(TEXT).unwrap();
        assert_eq!((read.old, read.proof.len()), (5, 1));
        assert!(read.note.starts_with("countersign/0123456789abcdef/audit\n9\n"));
        assert_eq!(read.to_string(), TEXT);
    }

    #[test]
    fn only_the_one_form_is_read() {
        let refused = |from, to| AddCheckpoint::parse(&TEXT.replacen(from, to, 1)).unwrap_err();
        assert_eq!(refused("old 5", "old 05"), AddCheckpointError::NoSize);
        assert_eq!(refused("old 5", "old +5"), AddCheckpointError::NoSize);
        assert_eq!(refused("old 5", "new 5"), AddCheckpointError::NoSize);
        assert_eq!(refused("ns9s", "ns9"), AddCheckpointError::Proof);
        assert_eq!(AddCheckpoint::parse("old 0\n"), Err(AddCheckpointError::NoCheckpoint));
    }
}
