use std::fmt;

use model::Secret;

/// Passwords that are known to attackers.
pub trait Breached: Send + Sync + fmt::Debug {
    /// Whether this whole password is one of them; NIST 3.1.1.2 has no parts of it compared.
    fn is_breached(&self, password: &[u8]) -> bool;
}

/// A list in memory, as of the commonest few thousand (ASVS 6.2.4).
#[derive(Debug, Default)]
pub struct BreachedList {
    /// Sorted.
    passwords: Vec<Secret>,
}

impl FromIterator<Secret> for BreachedList {
    fn from_iter<T: IntoIterator<Item = Secret>>(passwords: T) -> Self {
        let mut passwords: Vec<_> = passwords.into_iter().collect();
        passwords.sort_unstable();
        Self { passwords }
    }
}

impl Breached for BreachedList {
    fn is_breached(&self, password: &[u8]) -> bool {
        self.passwords.binary_search_by(|known| known.expose().cmp(password)).is_ok()
    }
}
