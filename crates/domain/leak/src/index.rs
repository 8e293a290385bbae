use model::{AccountId, Tier};

use crate::roles::Roles;

/// The identifiers of all accounts, as screening asks for them.
///
/// [`AccountIndex`](crate::AccountIndex) keeps them in memory; another one may map a file.
pub trait IdentifierIndex {
    /// The hash of one form of an identifier.
    ///
    /// Whoever writes a leak must not be able to choose texts of equal hashes: the hash needs a
    /// key.
    fn hash(&self, form: &[u8]) -> u64;

    /// Whether a form with this hash may be in the index: surely not, or most likely.
    ///
    /// Screening asks it of every line, so it must be quick.
    fn may_hold(&self, hash: u64) -> bool;

    /// Adds every account that has this form in one of the roles that are asked for, with the best
    /// tier among them. An account may be added several times.
    fn probe(&self, form: &[u8], asked: Roles, found: &mut Vec<FoundAccount>);

    /// The id of an account that [`probe`](Self::probe) has found.
    fn account_id(&self, account: u32) -> AccountId;
}

/// An account to which an identifier leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundAccount {
    /// The number by which the index knows the account.
    pub account: u32,
    /// By which form.
    pub tier: Tier,
}
