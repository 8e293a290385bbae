//! What an arming names: a database, its hosts' secrets, the log's witnesses.

use model::{canonical, checked_name, digest_type};

use crate::limits::{DATABASE_IDENTITY_BYTES_MAX, WITNESS_TERMS_BYTES_MAX};

checked_name! {
    /// Which database this is: a copy of it has another identity.
    pub struct DatabaseIdentity;
    "a database's identity", DATABASE_IDENTITY_BYTES_MAX, is_ascii_printable,
    "printable ASCII"
}

fn is_ascii_printable(char: char) -> bool {
    matches!(char, ' '..='~')
}

checked_name! {
    /// Which witnesses have to sign for the log, and how many of them: the lines of a C2SP
    /// `tlog-policy`, which `ledger` reads.
    pub struct WitnessTerms;
    "a list of witnesses", WITNESS_TERMS_BYTES_MAX, is_ascii_line, "lines of printable ASCII"
}

fn is_ascii_line(char: char) -> bool {
    is_ascii_printable(char) || char == '\n'
}

digest_type! {
    /// SHA-256 of the secret that the sending hosts keep in a file, outside the database.
    SecretDigest
}

impl SecretDigest {
    /// What may be shown and stored of a secret.
    #[must_use]
    pub fn of(secret: &[u8; 32]) -> Self {
        Self(canonical::digest("countersign arming secret 1", secret))
    }
}
