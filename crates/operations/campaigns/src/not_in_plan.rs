use model::AccountId;

/// A stored target that no plan holds.
#[derive(Debug, thiserror::Error)]
#[error("account {account:?} stands in no signed plan")]
pub struct NotInPlan {
    pub(crate) account: AccountId,
}
