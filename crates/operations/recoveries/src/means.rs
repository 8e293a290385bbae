use std::{fmt, sync::Arc};

use directory::Directory;
use model::StoredHash;
use password::Verifier;
use recovery::{LengthRules, PasswordPolicy};
use tokio::sync::Semaphore;

/// What people set new passwords with.
pub struct Recovery {
    /// The site's accounts.
    pub(crate) directory: Arc<dyn Directory>,
    /// What tries passwords and makes hashes, as the site does.
    pub(crate) verifier: Arc<Verifier>,
    /// What a password must not be.
    pub(crate) policy: PasswordPolicy,
    /// How long it must be.
    pub(crate) lengths: LengthRules,
    /// A hash as the site makes them today; `None` to make one like the account's own.
    pub(crate) like: Option<StoredHash>,
    /// What the site is called.
    pub(crate) site_name: String,
    /// Passwords that are tried and hashed at the same time.
    pub(crate) hashing: Arc<Semaphore>,
}

impl Recovery {
    /// Puts it together. `hashing_max` passwords are tried and hashed at the same time.
    #[must_use]
    pub fn new(
        directory: Arc<dyn Directory>,
        verifier: Arc<Verifier>,
        policy: PasswordPolicy,
        lengths: LengthRules,
        like: Option<StoredHash>,
        site_name: String,
        hashing_max: usize,
    ) -> Self {
        let hashing = Arc::new(Semaphore::new(hashing_max.max(1)));
        Self { directory, verifier, policy, lengths, like, site_name, hashing }
    }

    /// The fewest characters that a new password may have.
    #[must_use]
    pub const fn password_chars_min(&self) -> usize {
        self.lengths.chars_min()
    }
}

impl fmt::Debug for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recovery").field("directory", &self.directory).finish_non_exhaustive()
    }
}
