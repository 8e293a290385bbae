use std::collections::{BTreeSet, HashMap};

use campaign::{RecordedSwap, RowStanding, judge_standing};
use model::{
    Account, AccountId, CampaignId, CredentialVersion, Discrepancy, StoredHash, TargetState,
};
use store::{KnownSwap, MadeValue, StoreError, Tx};

/// One row of the site's table.
pub(crate) struct ReadRow {
    pub(crate) account: Account,
    pub(crate) hash: StoredHash,
    pub(crate) version: CredentialVersion,
}

/// Everything that is kept of some accounts.
pub(crate) struct Records {
    swaps: HashMap<AccountId, Vec<RecordedSwap>>,
    known: HashMap<AccountId, BTreeSet<CredentialVersion>>,
    made: HashMap<CredentialVersion, MadeValue>,
}

/// What is to be said of one row.
pub(crate) enum Judged {
    Agrees,
    /// Nobody here knows it; these are passwords that the account had.
    Unknown(BTreeSet<CredentialVersion>),
    Disagrees(Discrepancy, Option<CampaignId>),
}

impl Records {
    pub(crate) async fn read(tx: &mut Tx, seen: &[ReadRow]) -> Result<Self, StoreError> {
        let ids: Vec<_> = seen.iter().map(|seen| seen.account.id.clone()).collect();
        let versions: Vec<_> = seen.iter().map(|seen| seen.version).collect();
        let mut records =
            Self { swaps: HashMap::new(), known: HashMap::new(), made: HashMap::new() };
        for swap in tx.swaps_of(&ids).await? {
            let known = records.known.entry(swap.account.clone()).or_default();
            known.extend([swap.expected, swap.made]);
            records.swaps.entry(swap.account.clone()).or_default().push(recorded(&swap));
        }
        for (account, version) in tx.versions_of(&ids).await? {
            records.known.entry(account).or_default().insert(version);
        }
        let made = tx.made_among(&versions).await?;
        records.made = made.into_iter().map(|made| (made.made, made)).collect();
        Ok(records)
    }

    pub(crate) fn judge(&self, seen: &ReadRow) -> Judged {
        let (account, now) = (&seen.account.id, seen.version);
        let swaps = self.swaps.get(account).map_or(&[][..], Vec::as_slice);
        match judge_standing(now, swaps) {
            RowStanding::Agrees | RowStanding::InHand => Judged::Agrees,
            RowStanding::FoundSealed(swap) => {
                Judged::Disagrees(Discrepancy::FoundSealed, swap.campaign)
            }
            RowStanding::PutBack(swap) => Judged::Disagrees(Discrepancy::PutBack, swap.campaign),
            RowStanding::Foreign => self.judge_foreign(account, now),
        }
    }

    /// How many of the accounts are sealed.
    pub(crate) fn sealed(&self) -> u64 {
        let is_sealed = |swap: &RecordedSwap| swap.target == Some(TargetState::Sealed);
        let sealed = self.swaps.values().filter(|swaps| swaps.iter().any(is_sealed));
        sealed.count() as u64
    }

    fn judge_foreign(&self, account: &AccountId, now: CredentialVersion) -> Judged {
        if let Some(made) = self.made.get(&now).filter(|made| made.account != *account) {
            return Judged::Disagrees(Discrepancy::Misplaced, made.campaign);
        }
        match self.known.get(account) {
            Some(known) if !known.contains(&now) => Judged::Unknown(known.clone()),
            _ => Judged::Agrees,
        }
    }
}

/// As it is judged.
pub(crate) fn recorded(swap: &KnownSwap) -> RecordedSwap {
    RecordedSwap {
        id: swap.id,
        purpose: swap.purpose,
        state: swap.state,
        campaign: swap.campaign,
        expected: swap.expected,
        made: swap.made,
        target: swap.target.map(|target| target.state),
    }
}
