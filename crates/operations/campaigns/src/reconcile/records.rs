use std::collections::{BTreeSet, HashMap};

use campaign::{RecordedSwap, RowStanding, judge_standing};
use instance::{Instance, Subjects};
use ledger::{Fold, FoldRefusal};
use model::{
    Account, CampaignId, CredentialVersion, Discrepancy, StoredHash, SubjectId, SwapPurpose,
    TargetState,
};
use store::{KnownSwap, MadeValue, StoredVersion, Swap, Tx};

use crate::{ReconcileError, swap_row::swap_row};

/// One row of the site's table.
pub(crate) struct ReadRow {
    pub(crate) account: Account,
    pub(crate) hash: StoredHash,
    pub(crate) version: CredentialVersion,
}

/// Everything that is kept of some accounts.
pub(crate) struct Records {
    subjects: Subjects,
    swaps: HashMap<SubjectId, Vec<RecordedSwap>>,
    known: HashMap<SubjectId, VersionsHeld>,
    made: HashMap<CredentialVersion, MadeValue>,
}

/// The passwords that an account had, as they were stored.
#[derive(Default)]
struct VersionsHeld {
    all: BTreeSet<CredentialVersion>,
    /// Those of which it is known that they are no value of ours, or which: one that a campaign has
    /// only met when it was frozen, or a person who chose another, is none.
    told: BTreeSet<CredentialVersion>,
}

impl VersionsHeld {
    fn add(&mut self, version: CredentialVersion, is_told: bool) {
        self.all.insert(version);
        if is_told {
            self.told.insert(version);
        }
    }
}

/// What is to be said of one row.
pub(crate) enum Judged {
    Agrees,
    /// Nobody here knows it; these are passwords that the account had.
    Unknown(BTreeSet<CredentialVersion>),
    Disagrees(Discrepancy, Option<CampaignId>),
}

impl Records {
    /// The log comes first, so that it and the rows are of one moment.
    pub(crate) async fn read(
        instance: &Instance,
        tx: &mut Tx,
        seen: &[ReadRow],
    ) -> Result<Self, ReconcileError> {
        let log = instance.proved(tx).await?;
        let ids: Vec<_> = seen.iter().map(|seen| seen.account.id.clone()).collect();
        let versions: Vec<_> = seen.iter().map(|seen| seen.version).collect();
        let subjects = instance.subjects_of(tx, &ids).await?;
        let named: Vec<_> = subjects.values().copied().collect();
        let mut swaps = HashMap::new();
        let mut known: HashMap<SubjectId, VersionsHeld> = HashMap::new();
        for swap in tx.swaps_of(&named).await? {
            if !is_to_count(&log, &swap.swap)? {
                continue;
            }
            let known = known.entry(swap.swap.subject).or_default();
            known.add(swap.swap.made, true);
            known.add(swap.swap.expected, swap.swap.behalf.purpose() != SwapPurpose::Choose);
            let swaps: &mut Vec<_> = swaps.entry(swap.swap.subject).or_default();
            swaps.push(recorded(&swap));
        }
        for StoredVersion { subject, version, is_found } in tx.versions_of(&named).await? {
            known.entry(subject).or_default().add(version, is_found);
        }
        let made = tx.made_among(&versions).await?;
        let made = made.into_iter().map(|made| (made.made, made)).collect();
        Ok(Self { subjects, swaps, known, made })
    }

    pub(crate) fn judge(&self, seen: &ReadRow) -> Judged {
        let (subject, now) = (self.subjects.get(&seen.account.id), seen.version);
        let swaps = subject.and_then(|subject| self.swaps.get(subject));
        let swaps = swaps.map_or(&[][..], Vec::as_slice);
        match judge_standing(now, swaps) {
            RowStanding::Agrees | RowStanding::InHand => Judged::Agrees,
            RowStanding::FoundSealed(swap) => {
                Judged::Disagrees(Discrepancy::FoundSealed, swap.campaign)
            }
            RowStanding::PutBack(swap) => Judged::Disagrees(Discrepancy::PutBack, swap.campaign),
            RowStanding::Foreign => self.judge_foreign(subject, now),
        }
    }

    /// How many of the accounts are sealed.
    pub(crate) fn sealed(&self) -> u64 {
        let is_sealed = |swap: &RecordedSwap| swap.target == Some(TargetState::Sealed);
        let sealed = self.swaps.values().filter(|swaps| swaps.iter().any(is_sealed));
        sealed.count() as u64
    }

    fn judge_foreign(&self, subject: Option<&SubjectId>, now: CredentialVersion) -> Judged {
        let made = self.made.get(&now).filter(|made| Some(&made.subject) != subject);
        if let Some(made) = made {
            return Judged::Disagrees(Discrepancy::Misplaced, made.campaign);
        }
        match subject.and_then(|subject| self.known.get(subject)) {
            Some(known) if !known.told.contains(&now) => Judged::Unknown(known.all.clone()),
            _ => Judged::Agrees,
        }
    }
}

/// Passes a swap that is as the log says; `false` for one of a person's of which it says nothing, as
/// versions of before wrote them: nothing is judged by it.
pub(crate) fn is_to_count(log: &Fold, swap: &Swap) -> Result<bool, FoldRefusal> {
    if swap.behalf.purpose() == SwapPurpose::Choose && !log.knows_swap(swap.id) {
        return Ok(false);
    }
    log.check_swap(&swap_row(swap))?;
    Ok(true)
}

/// As it is judged.
pub(crate) fn recorded(known: &KnownSwap) -> RecordedSwap {
    let Swap { id, behalf, state, expected, made, .. } = known.swap;
    RecordedSwap {
        id,
        purpose: behalf.purpose(),
        state,
        campaign: behalf.campaign().map(|(campaign, _)| campaign),
        expected,
        found: known.found,
        made,
        target: known.target.map(|target| target.state),
    }
}
