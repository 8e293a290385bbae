//! Whom notices and campaigns have touched so far.

use std::{
    collections::{BTreeSet, HashSet},
    ops::Bound,
};

use model::{CampaignId, NoticeId, NoticeState, SubjectId, Timestamp};

use super::{CampaignFold, Fold, FoldRefusal, NoticeFold};
use crate::Whom;

impl Fold {
    /// Passes a notice that is under way, by this attempt: whatever becomes of another one is no end of
    /// it.
    ///
    /// # Errors
    /// [`FoldRefusal::Notice`].
    pub fn check_under_way(
        &self,
        campaign: Option<CampaignId>,
        notice: NoticeId,
        attempts: u32,
    ) -> Result<(), FoldRefusal> {
        match self.notice(campaign, notice) {
            Some(NoticeFold { state: NoticeState::Inflight, attempt, .. })
                if *attempt == attempts =>
            {
                Ok(())
            }
            _ => Err(FoldRefusal::Notice { notice }),
        }
    }

    /// How far a notice is, whether a campaign sends it or somebody has asked for it. Of the latter only
    /// those are known that are not final.
    #[must_use]
    pub fn notice(&self, campaign: Option<CampaignId>, notice: NoticeId) -> Option<&NoticeFold> {
        match campaign {
            Some(campaign) => self.campaign(campaign)?.notices.get(&notice),
            None => self.requested.get(&notice).map(|requested| &requested.standing),
        }
    }

    /// The notices that somebody has asked for and that are not final, since the store was restored last.
    #[must_use]
    pub fn requested_open(&self) -> BTreeSet<NoticeId> {
        let open = self.requested.iter().filter(|(_, requested)| !requested.is_restored);
        open.map(|(notice, _)| *notice).collect()
    }

    /// The next ones that somebody has asked for and that are final, behind one.
    #[must_use]
    pub fn requested_ended_after(&self, after: NoticeId, count: usize) -> Vec<NoticeId> {
        let behind = (Bound::Excluded(after), Bound::Unbounded);
        self.requested_ended.range(behind).take(count).copied().collect()
    }

    /// How many people other campaigns have sealed that began to seal since a moment, and how many they
    /// are still to: no more than are so for sure.
    #[must_use]
    pub fn touched_by_others(&self, campaign: CampaignId, since: Timestamp) -> u64 {
        let others = || self.campaigns.iter().filter(|(id, _)| **id != campaign).map(|(_, of)| of);
        let lately = others().filter(|of| of.sealed_from.is_some_and(|from| from >= since));
        let sealed: HashSet<_> =
            lately.flat_map(|of| of.sealed.iter().map(|(_, whom)| whom)).collect();
        let pending: u64 = others().map(CampaignFold::still_pending).sum();
        pending.max(sealed.len() as u64)
    }

    /// How many letters that somebody had asked for were written to a person since a moment, of at most
    /// a day ago.
    #[must_use]
    pub fn letters_since(&self, subject: SubjectId, since: Timestamp) -> u64 {
        let whom = Whom::Subject(subject);
        self.letters.iter().filter(|(at, of)| *at > since && *of == whom).count() as u64
    }
}
