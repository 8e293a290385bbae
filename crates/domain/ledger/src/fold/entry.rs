use model::{
    CampaignId, CredentialVersion, InstanceKind, KeyId, KillSwitch, LeakId, RecordRef, SwapId,
    Timestamp,
};
use serde::{Deserialize, Serialize};

use super::FoundFold;
use crate::{CampaignEvent, LeakAdded, NoticeStep, Reconciled, RecoveryEvent, Whom};

/// What a fold takes of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoldEntry {
    /// What a campaign did, and when it was written down.
    Campaign(CampaignId, Timestamp, Box<CampaignEvent>),
    /// The store was made, as one of this kind.
    StoreMade(InstanceKind),
    /// Another instance key was put into force.
    KeyRotated(KeyId),
    /// Everything was stopped, or may go on.
    KillSwitch(KillSwitch),
    /// The digest of a roster document that was taken.
    Roster(String),
    /// Sending was permitted.
    Armed(ArmedFold),
    /// A backup was made, at this moment.
    BackupMade(Timestamp),
    /// The store was made out of a backup of this moment.
    Restored(Timestamp),
    /// Something became of a notice that no campaign sends, and when.
    Requested(Timestamp, NoticeStep),
    /// Somebody finds the way back in, and when.
    Recovery(Timestamp, RecoveryEvent),
    /// The site's table was compared with the store, when, and whether no account was left out.
    Reconciled(Timestamp, Box<Reconciled>, bool),
    /// A leak was registered.
    LeakAdded(LeakAdded, Timestamp),
    /// A leak was taken out of the store.
    LeakRemoved(LeakId),
    /// A leak was looked through, for accounts that were read then.
    LeakScreened(LeakId, Option<Timestamp>),
    /// Accounts were verified: of so many it is noted, and so many could not be.
    BatchVerified(LeakId, NotedFold),
    /// All accounts that a leak names were verified.
    LeakVerified(LeakId, Timestamp),
    /// A password of somebody stands in a leak.
    FindingMade(LeakId, Whom, FoundFold),
    /// The value of a swap that was given up stands in the site's table.
    ValueFound(SwapId),
    /// Nothing that is acted on.
    Other,
}

impl FoldEntry {
    /// Reads a line of the log.
    ///
    /// # Errors
    /// What is wrong with it. An event of a campaign that this version does not know is an error.
    pub fn read(line: &[u8]) -> Result<Self, serde_json::Error> {
        let EntryHead { event, at, campaign } = serde_json::from_slice(line)?;
        if let Some(campaign) = campaign {
            return Ok(Self::Campaign(campaign, at, serde_json::from_slice(line)?));
        }
        Ok(match &*event {
            "store_made" => Self::StoreMade(serde_json::from_slice::<Made>(line)?.kind),
            "key_rotated" => Self::KeyRotated(serde_json::from_slice::<Rotated>(line)?.key),
            "kill_switch_moved" => {
                Self::KillSwitch(serde_json::from_slice::<Moved>(line)?.position)
            }
            "roster_founded" | "roster_changed" => {
                Self::Roster(serde_json::from_slice::<RosterTaken>(line)?.digest)
            }
            "sending_armed" => Self::Armed(serde_json::from_slice(line)?),
            "backup_made" => Self::BackupMade(at),
            "store_restored" => {
                Self::Restored(serde_json::from_slice::<RestoredFrom>(line)?.backup_at)
            }
            "requested_notice_made"
            | "password_chosen"
            | "choice_intended"
            | "choice_taken"
            | "choice_ended" => Self::Recovery(at, serde_json::from_slice(line)?),
            "leak_added" => Self::LeakAdded(serde_json::from_slice(line)?, at),
            "leak_removed" => Self::LeakRemoved(serde_json::from_slice::<OfLeak>(line)?.leak),
            "leak_screened" => {
                let LookedAt { leak, looked_at } = serde_json::from_slice(line)?;
                Self::LeakScreened(leak, looked_at)
            }
            "batch_verified" => match serde_json::from_slice::<Verified>(line)? {
                Verified { leak, noted: Some(tried), unverified } => {
                    Self::BatchVerified(leak, NotedFold { tried, unverified })
                }
                Verified { .. } => Self::Other,
            },
            "leak_verified" => Self::LeakVerified(serde_json::from_slice::<OfLeak>(line)?.leak, at),
            "finding_made" => {
                let FoundWhom {
                    leak,
                    whom,
                    credential_version: version,
                    hash_format,
                    tier,
                    records,
                } = serde_json::from_slice(line)?;
                let found = FoundFold::new(&version, &hash_format, &tier, records);
                Self::FindingMade(leak, whom, found)
            }
            "value_found" => Self::ValueFound(serde_json::from_slice::<FoundValue>(line)?.swap),
            "notice_begun" | "notice_ended" | "notice_disputed" => {
                Self::Requested(at, serde_json::from_slice(line)?)
            }
            "table_reconciled" => {
                let Comparison { result, whole } = serde_json::from_slice(line)?;
                Self::Reconciled(at, Box::new(result), whole)
            }
            _ => Self::Other,
        })
    }

    /// When an account began to be sealed, or a notice to be sent.
    pub(super) fn uses_arming_at(&self) -> Option<Timestamp> {
        match self {
            Self::Campaign(_, at, event) => event.uses_arming().then_some(*at),
            Self::Requested(at, NoticeStep::NoticeBegun { .. }) => Some(*at),
            _ => None,
        }
    }

    /// Whom it is about, where that is of weight.
    pub const fn whom_mut(&mut self) -> Option<&mut Whom> {
        match self {
            Self::Campaign(_, _, event) => event.whom_mut(),
            Self::Recovery(_, event) => Some(event.whom_mut()),
            Self::FindingMade(_, whom, _) => Some(whom),
            _ => None,
        }
    }
}

/// What is noted of the accounts that a leak names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotedFold {
    /// Those of which it is noted on what password its records were tried.
    pub tried: u64,
    /// Those whose password could not be tried.
    pub unverified: u64,
}

/// What permits sending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArmedFold {
    /// SHA-256 of the signed document, in hexadecimal; entries of before have none.
    #[serde(default)]
    pub(super) digest: Option<String>,
    /// Whether steps may be lost that the log had before.
    #[serde(default, rename = "restored")]
    pub(super) is_restored: bool,
    /// When it was taken, or when something was last sealed or sent by it.
    #[serde(rename = "at")]
    pub(super) used_at: Timestamp,
}

#[derive(Deserialize)]
struct EntryHead {
    event: String,
    at: Timestamp,
    campaign: Option<CampaignId>,
}

#[derive(Deserialize)]
struct Made {
    kind: InstanceKind,
}

#[derive(Deserialize)]
struct Rotated {
    key: KeyId,
}

#[derive(Deserialize)]
struct Moved {
    position: KillSwitch,
}

#[derive(Deserialize)]
struct Comparison {
    #[serde(flatten)]
    result: Reconciled,
    #[serde(default)]
    whole: bool,
}

#[derive(Deserialize)]
struct RosterTaken {
    digest: String,
}

#[derive(Deserialize)]
struct RestoredFrom {
    backup_at: Timestamp,
}

#[derive(Deserialize)]
struct OfLeak {
    leak: LeakId,
}

#[derive(Deserialize)]
struct LookedAt {
    leak: LeakId,
    #[serde(default)]
    looked_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Verified {
    leak: LeakId,
    #[serde(default)]
    noted: Option<u64>,
    unverified: u64,
}

#[derive(Deserialize)]
struct FoundWhom {
    leak: LeakId,
    #[serde(flatten)]
    whom: Whom,
    credential_version: CredentialVersion,
    hash_format: String,
    tier: String,
    #[serde(default)]
    records: Vec<RecordRef>,
}

#[derive(Deserialize)]
struct FoundValue {
    swap: SwapId,
}
