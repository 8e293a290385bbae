use model::Unverified;

/// Why no hash could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MakeHashError {
    /// Some software ends a password at its first NUL byte and some does not, so the hash would
    /// not mean the same everywhere.
    #[error("the secret holds a NUL byte, which crypt(3) and bcrypt cannot hash")]
    Nul,
    /// The cost that is copied wants more memory than there is.
    #[error("there is not enough memory to make a hash of this cost")]
    OutOfMemory,
    /// Its length would cost more than any hash may.
    #[error("the secret is too long for this form of hash")]
    TooLong,
    /// A column or the site's own secret is not written as its form has it.
    #[error("a value of this form of hash is not coded as its description says")]
    Undecodable,
    /// The faulty function of `$2x$` is not computed, nor argon2 with less salt than its standard asks for.
    #[error(
        "the hash is of a variant that is not computed: bcrypt's `$2x$` beyond ASCII, or argon2 with a \
         salt of fewer than 8 bytes"
    )]
    UnsupportedVariant,
    /// Parts of the form are known only to whoever has the old password.
    #[error("hashes of this form can be verified, but not made")]
    VerifiedOnly,
    /// Nobody could tell which of them the site accepts.
    #[error(
        "several forms share this hash's shape, and nothing has proved which it is: name it in \
         `directory.hash.forms`"
    )]
    Ambiguous,
}

impl MakeHashError {
    /// What it means for a secret that was to be tried.
    pub(crate) const fn verdict(self) -> Result<bool, Unverified> {
        match self {
            Self::Nul => Ok(false),
            Self::Undecodable => Err(Unverified::Malformed),
            Self::OutOfMemory | Self::TooLong => Err(Unverified::TooExpensive),
            Self::UnsupportedVariant => Err(Unverified::UnsupportedVariant),
            Self::VerifiedOnly | Self::Ambiguous => Err(Unverified::UnknownFormat),
        }
    }
}
