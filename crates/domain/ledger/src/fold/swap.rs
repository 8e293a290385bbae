//! Replacements of stored passwords: what the log says of each.

use std::{collections::HashSet, ops::Bound};

use model::{CampaignId, SubjectId, SwapId, Timestamp};

use super::{Fold, FoldRefusal, SwapRow};
use crate::{Whom, tree::leaf_hash};

impl Fold {
    /// Passes a swap that is as it was left.
    ///
    /// # Errors
    /// [`FoldRefusal::Swap`].
    pub fn check_swap(&self, row: &SwapRow) -> Result<(), FoldRefusal> {
        if self.swaps.is_of(row) { Ok(()) } else { Err(FoldRefusal::Swap { swap: row.id }) }
    }

    /// Passes an account whose stored password nobody is replacing.
    ///
    /// # Errors
    /// [`FoldRefusal::NoSwap`].
    pub fn check_no_swap(&self, subject: SubjectId) -> Result<(), FoldRefusal> {
        match self.swaps.open_of(&Whom::Subject(subject)) {
            Some((swap, _)) => Err(FoldRefusal::NoSwap { swap }),
            None => Ok(()),
        }
    }

    /// Passes an account with which a campaign is not through.
    ///
    /// # Errors
    /// [`FoldRefusal::Accounts`].
    pub fn check_unsettled(
        &self,
        campaign: CampaignId,
        subject: SubjectId,
    ) -> Result<(), FoldRefusal> {
        let accounts = self.campaign(campaign).map(|fold| &fold.accounts);
        let state = accounts.and_then(|accounts| accounts.get(&Whom::Subject(subject)));
        match state {
            Some(state) if state.is_settled() => Err(FoldRefusal::Accounts { campaign }),
            _ => Ok(()),
        }
    }

    /// Passes an account that a campaign leaves alone without having begun to seal it.
    ///
    /// # Errors
    /// [`FoldRefusal::NoSwap`], or [`FoldRefusal::Accounts`] if the campaign is through with it.
    pub fn check_untouched(
        &self,
        campaign: CampaignId,
        subject: SubjectId,
    ) -> Result<(), FoldRefusal> {
        self.check_unsettled(campaign, subject)?;
        match self.swaps.open_of(&Whom::Subject(subject)) {
            Some((swap, Some(of))) if of == campaign => Err(FoldRefusal::NoSwap { swap }),
            _ => Ok(()),
        }
    }

    /// When the replacement of a stored password was intended; `None` if no entry says so of this one.
    #[must_use]
    pub fn intended_at(&self, swap: SwapId) -> Option<Timestamp> {
        self.swaps.intended_at(swap)
    }

    /// Every swap that is open, with the campaign on whose behalf it is, if of one.
    pub fn open_swaps(&self) -> impl Iterator<Item = (SwapId, Option<CampaignId>)> {
        self.swaps.open()
    }

    /// Passes the keys of all rows that the store holds between these, if none is missing there.
    ///
    /// # Errors
    /// [`FoldRefusal::NoSwap`].
    pub fn check_no_swap_missing(
        &self,
        between: (Bound<SwapId>, Bound<SwapId>),
        rows: &HashSet<SwapId>,
    ) -> Result<(), FoldRefusal> {
        match self.swaps.missing(between, rows) {
            Some(swap) => Err(FoldRefusal::NoSwap { swap }),
            None => Ok(()),
        }
    }

    /// Whether the log names a swap.
    #[must_use]
    pub fn knows_swap(&self, swap: SwapId) -> bool {
        self.swaps.knows(swap)
    }

    /// Whether what stands in an entry of the log is what intended a swap.
    #[must_use]
    pub fn is_intent(&self, swap: SwapId, body: &[u8]) -> bool {
        self.swaps.is_intent(swap, &leaf_hash(body))
    }
}
