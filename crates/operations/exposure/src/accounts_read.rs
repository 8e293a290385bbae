use serde::Serialize;

use crate::{counts::is_at_most, limits::UNVERIFIED_PERMILLE_MAX};

/// What the accounts were that were read to be looked for in a leak.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct AccountsRead {
    /// Accounts read.
    pub accounts: u64,
    /// Of these, accounts without a password.
    #[serde(rename = "accounts_without_password")]
    pub without_password: u64,
    /// Of these, accounts of which something could not be read: if that is how a leak names them, its records
    /// count as somebody else's.
    #[serde(rename = "accounts_unreadable")]
    pub unreadable: u64,
}

impl AccountsRead {
    /// Whether nearly all were read, and not everybody seems to have no password.
    #[must_use]
    pub const fn is_judged(&self) -> bool {
        is_at_most(UNVERIFIED_PERMILLE_MAX, self.unreadable, self.accounts)
            && !self.has_no_password()
    }

    /// Whether nobody has a password: then another column holds them.
    #[must_use]
    pub const fn has_no_password(&self) -> bool {
        self.accounts > 0 && self.without_password == self.accounts
    }
}

/// As the store keeps them.
impl From<[u64; 3]> for AccountsRead {
    fn from([accounts, without_password, unreadable]: [u64; 3]) -> Self {
        Self { accounts, without_password, unreadable }
    }
}

impl From<AccountsRead> for [u64; 3] {
    fn from(read: AccountsRead) -> Self {
        [read.accounts, read.without_password, read.unreadable]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_that_cannot_be_read_or_all_without_a_password_are_no_all_clear() {
        let read = |without_password, unreadable| {
            AccountsRead { accounts: 100, without_password, unreadable }.is_judged()
        };
        assert!(read(0, 0) && read(99, 1) && AccountsRead::default().is_judged());
        assert!(!read(0, 2) && !read(100, 0));
    }
}
