use model::{AccountId, HashFormat, RecordRef, Tier, Unverified};
use password::HashShape;
use serde::Serialize;

/// An account that somebody has to look after. It holds no secret.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct ListedAccount {
    /// Whose.
    pub account: AccountId,
    /// `exposed`, `without_proof` if it is not exposed in forms that nobody has proved, or why it could not
    /// be verified.
    pub status: &'static str,
    /// The format of the stored hash, if it is a known one.
    pub hash_format: Option<HashFormat>,
    /// How a stored hash begins that could not be tried: up to the first character that may be of its salt.
    /// Without proof, the shape that is to be proved.
    pub hash_head: Option<String>,
    /// What led to the account.
    pub tier: Option<Tier>,
    /// The records that hold the password, or that could not be tried, in their order.
    pub records: Vec<RecordRef>,
}

impl ListedAccount {
    /// An account whose password stands in these records, given in their order.
    pub(crate) fn exposed(
        account: AccountId,
        format: HashFormat,
        tier: Tier,
        records: Vec<RecordRef>,
    ) -> Self {
        Self {
            account,
            status: "exposed",
            hash_format: Some(format),
            hash_head: None,
            tier: Some(tier),
            records,
        }
    }

    /// An account that is not exposed in the forms of this shape, of which nobody has proof.
    pub(crate) fn without_proof(
        account: AccountId,
        hash_format: Option<HashFormat>,
        shape: &HashShape,
    ) -> Self {
        let (status, hash_head) = ("without_proof", Some(shape.to_string()));
        Self { account, status, hash_format, hash_head, tier: None, records: Vec::new() }
    }

    /// An account whose stored hash could not be tried.
    pub(crate) fn unverified(
        account: AccountId,
        reason: Unverified,
        hash_format: Option<HashFormat>,
        hash_head: Option<String>,
        records: Vec<RecordRef>,
    ) -> Self {
        Self { account, status: reason.as_str(), hash_format, hash_head, tier: None, records }
    }
}
