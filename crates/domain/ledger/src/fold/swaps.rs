use std::{
    collections::{BTreeMap, HashSet},
    ops::{Bound, RangeBounds},
};

use model::{CampaignId, SubjectId, SwapId, SwapState, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{CampaignEvent, Hash, RecoveryEvent, Whom};

/// The first half of SHA-256: it is kept of every swap that ever was.
type ShortHash = [u8; 16];

/// Every replacement of a stored password that the log tells of. Of one that has ended it keeps only
/// what tells a row, or an intent, that is not the logged one.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SwapsFold {
    open: BTreeMap<Whom, OpenSwap>,
    ended: BTreeMap<SwapId, EndedSwap>,
    /// Intents of version 0.1.0, which name no swap.
    unnamed: BTreeMap<(CampaignId, Whom), SwapState>,
}

/// A swap as its row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwapRow {
    /// Which one.
    pub id: SwapId,
    /// Whose stored password.
    pub subject: SubjectId,
    /// On behalf of which campaign, if of one.
    pub campaign: Option<CampaignId>,
    /// How far it is.
    pub state: SwapState,
    /// The attempt that looks after it, from 1.
    pub attempt: u32,
    /// SHA-256, in hexadecimal, of all that stays in its row.
    pub digest: String,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct OpenSwap {
    id: SwapId,
    campaign: Option<CampaignId>,
    attempt: u32,
    logged: LoggedSwap,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct EndedSwap {
    state: SwapState,
    logged: LoggedSwap,
}

/// What no later entry changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct LoggedSwap {
    /// Of all that stays in its row; entries of before have none.
    row: Option<ShortHash>,
    /// The entry that intends it; `None` if that names no swap.
    intent: Option<Intent>,
}

/// The entry that intends a swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Intent {
    /// Of its hash in the log's tree.
    leaf: ShortHash,
    at: Timestamp,
}

impl Intent {
    fn new(leaf: &Hash, at: Timestamp) -> Self {
        let mut half = ShortHash::default();
        half.copy_from_slice(&leaf[..16]);
        Self { leaf: half, at }
    }
}

impl LoggedSwap {
    fn is_of(self, row: &SwapRow) -> bool {
        self.row.is_none_or(|logged| short(&row.digest) == Some(logged))
    }
}

impl SwapsFold {
    /// Whether a row is as the last entry about it has left it.
    pub(super) fn is_of(&self, row: &SwapRow) -> bool {
        let whom = Whom::Subject(row.subject);
        if let Some(open) = self.open.get(&whom).filter(|open| open.id == row.id) {
            let is_as_left = row.state == SwapState::Intended && row.attempt == open.attempt;
            return is_as_left && row.campaign == open.campaign && open.logged.is_of(row);
        }
        if let Some(ended) = self.ended.get(&row.id) {
            return ended.state == row.state && ended.logged.is_of(row);
        }
        let unnamed = row.campaign.and_then(|campaign| self.unnamed.get(&(campaign, whom)));
        unnamed == Some(&row.state)
    }

    /// Whether any entry names it.
    pub(super) fn knows(&self, swap: SwapId) -> bool {
        self.ended.contains_key(&swap) || self.open.values().any(|open| open.id == swap)
    }

    /// The open swap of an account, with the campaign on whose behalf it is.
    pub(super) fn open_of(&self, whom: &Whom) -> Option<(SwapId, Option<CampaignId>)> {
        self.open.get(whom).map(|open| (open.id, open.campaign))
    }

    /// Open swaps, each with the campaign on whose behalf it is.
    pub(super) fn open(&self) -> impl Iterator<Item = (SwapId, Option<CampaignId>)> {
        self.open.values().map(|open| (open.id, open.campaign))
    }

    /// Whether one is named between these that is not among the rows; the first one.
    pub(super) fn missing(
        &self,
        between: (Bound<SwapId>, Bound<SwapId>),
        rows: &HashSet<SwapId>,
    ) -> Option<SwapId> {
        let open = self.open.values().map(|open| open.id).filter(|id| between.contains(id));
        let ended = self.ended.range(between).map(|(id, _)| *id);
        open.chain(ended).filter(|id| !rows.contains(id)).min()
    }

    /// Whether an entry is the one that intended this swap; `leaf` is its hash in the log's tree.
    pub(super) fn is_intent(&self, swap: SwapId, leaf: &Hash) -> bool {
        self.intent(swap).is_some_and(|intent| intent == Intent::new(leaf, intent.at))
    }

    /// When it was intended; `None` if no entry says so of this one.
    pub(super) fn intended_at(&self, swap: SwapId) -> Option<Timestamp> {
        self.intent(swap).map(|intent| intent.at)
    }

    fn intent(&self, swap: SwapId) -> Option<Intent> {
        let ended = self.ended.get(&swap).map(|ended| ended.logged);
        let open = || self.open.values().find(|open| open.id == swap).map(|open| open.logged);
        ended.or_else(open)?.intent
    }

    pub(super) fn follow_campaign(
        &mut self,
        campaign: CampaignId,
        event: &CampaignEvent,
        (leaf, at): (&Hash, Timestamp),
    ) {
        use CampaignEvent as E;
        match event {
            E::AccountSealing { whom, swap: Some(swap), row, .. } => {
                let intent = Intent::new(leaf, at);
                self.intend(Some(campaign), whom, *swap, row.as_deref(), intent);
            }
            E::AccountSealing { whom, swap: None, .. } => {
                self.unnamed.insert((campaign, whom.clone()), SwapState::Intended);
            }
            E::SealingTaken { whom, swap, attempt, .. } => {
                self.unnamed.remove(&(campaign, whom.clone()));
                self.take_over(Some(campaign), whom, *swap, *attempt);
            }
            E::AccountSealed { whom, .. } => self.end(Some(campaign), whom, SwapState::Done),
            E::SealingUndone { whom, .. } | E::AccountSkipped { whom, .. } => {
                self.end(Some(campaign), whom, SwapState::Undone);
            }
            E::AccountOvertaken { whom, .. } => {
                self.end(Some(campaign), whom, SwapState::Overtaken);
            }
            E::AccountFoundSealed { whom, swap, .. } => {
                self.find(*swap);
                self.end_unnamed(campaign, whom, SwapState::Done);
            }
            _ => {}
        }
    }

    pub(super) fn follow_choice(&mut self, event: &RecoveryEvent, (leaf, at): (&Hash, Timestamp)) {
        match event {
            RecoveryEvent::ChoiceIntended { whom, swap, row } => {
                self.intend(None, whom, *swap, Some(row), Intent::new(leaf, at));
            }
            RecoveryEvent::ChoiceTaken { whom, swap, attempt } => {
                self.take_over(None, whom, *swap, *attempt);
            }
            RecoveryEvent::ChoiceEnded { whom, end, .. } => self.end(None, whom, *end),
            RecoveryEvent::RequestedNoticeMade { .. } | RecoveryEvent::PasswordChosen { .. } => {}
        }
    }

    /// The value of one that was given up stands in the site's row after all.
    pub(super) fn find(&mut self, swap: SwapId) {
        if let Some(ended) = self.ended.get_mut(&swap) {
            ended.state = SwapState::Done;
        }
    }

    fn intend(
        &mut self,
        campaign: Option<CampaignId>,
        whom: &Whom,
        id: SwapId,
        row: Option<&str>,
        intent: Intent,
    ) {
        let logged = LoggedSwap { row: row.and_then(short), intent: Some(intent) };
        self.open.insert(whom.clone(), OpenSwap { id, campaign, attempt: 1, logged });
    }

    fn take_over(&mut self, campaign: Option<CampaignId>, whom: &Whom, id: SwapId, attempt: u32) {
        let unnamed = LoggedSwap { row: None, intent: None };
        let begun = OpenSwap { id, campaign, attempt, logged: unnamed };
        self.open.entry(whom.clone()).or_insert(begun).attempt = attempt;
    }

    /// Entries that end a swap do not all name it; an account has one open swap at most.
    fn end(&mut self, campaign: Option<CampaignId>, whom: &Whom, state: SwapState) {
        if self.open.get(whom).is_some_and(|open| open.campaign == campaign)
            && let Some(OpenSwap { id, logged, .. }) = self.open.remove(whom)
        {
            self.ended.insert(id, EndedSwap { state, logged });
        } else if let Some(campaign) = campaign {
            self.end_unnamed(campaign, whom, state);
        }
    }

    fn end_unnamed(&mut self, campaign: CampaignId, whom: &Whom, end: SwapState) {
        if let Some(state) = self.unnamed.get_mut(&(campaign, whom.clone())) {
            *state = end;
        }
    }
}

/// The first half of a digest in hexadecimal.
fn short(digest: &str) -> Option<ShortHash> {
    let half = u128::from_str_radix(digest.get(..32)?, 16).ok()?;
    Some(half.to_be_bytes())
}
