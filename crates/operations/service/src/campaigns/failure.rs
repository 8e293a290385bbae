use campaign::{
    ApprovalError, GroupError, NameError, PlanError, PolicyError, Refusal, StepError, TargetsError,
};
use directory::ReadError;
use model::{CampaignId, LeakName};
use notice::AddressError;
use store::StoreError;

use crate::{LogError, RosterServiceError, VaultError};

/// Why something cannot be done with a campaign.
#[derive(Debug, thiserror::Error)]
pub enum CampaignError {
    /// No such campaign.
    #[error("no campaign is called `{name}`: `countersign campaign status` lists them")]
    None {
        /// The name asked for.
        name: String,
    },
    /// Two campaigns of one name could not be told apart in what is signed.
    #[error("there is a campaign called `{name}` already: choose another name")]
    NameTaken {
        /// The name asked for.
        name: String,
    },
    /// An empty list never means everything.
    #[error("no leak is named: say with --leak which findings the campaign is about")]
    NoLeak,
    /// No such leak.
    #[error("no leak is called `{name}`: `countersign leak list` lists them")]
    NoSuchLeak {
        /// The name asked for.
        name: LeakName,
    },
    /// Its findings are not all known yet.
    #[error("leak `{name}` is {state}, not verified: run `countersign leak verify` first")]
    NotVerified {
        /// The leak.
        name: LeakName,
        /// How far it is.
        state: String,
    },
    /// The author could not be told from a stranger.
    #[error("{name} is not in the roster: a campaign's author is an operator")]
    UnknownAuthor {
        /// The name given.
        name: String,
    },
    /// There is nothing to sign, to export or to start.
    #[error("campaign `{name}` is {state}: there is no plan until it is frozen")]
    NoPlan {
        /// The campaign.
        name: String,
        /// Where it stands.
        state: String,
    },
    /// Nothing can be said of the accounts without a connection that may write to them.
    #[error("the directory is read-only: set `directory.write_url` before a campaign starts")]
    ReadOnly,
    /// The switch was pulled after the plan was signed.
    #[error(
        "everything was stopped at {since}, and this plan is of {frozen_at}: freeze it again, so \
         that it is signed with that in mind"
    )]
    KillSwitch {
        /// When it was pulled.
        since: model::Timestamp,
        /// When the plan was frozen.
        frozen_at: model::Timestamp,
    },
    /// The words that would be sent are not those that were signed.
    #[error(
        "the {what} of this program or configuration is not the one that plan {plan} was signed \
         with: run the version that froze it, or freeze it again"
    )]
    OtherWords {
        /// The template that differs.
        what: String,
        /// The plan.
        plan: campaign::PlanDigest,
    },
    /// It cannot happen now.
    #[error(transparent)]
    Step(#[from] StepError),
    /// A worker may not begin.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The plan cannot be signed for.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Nor can its policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The accounts cannot be targets.
    #[error(transparent)]
    Targets(#[from] TargetsError),
    /// A stored target is not the one that was signed.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// A signature does not count, or too few do.
    #[error(transparent)]
    Approval(#[from] ApprovalError),
    /// Nobody may sign yet, or the roster does not hold.
    #[error(transparent)]
    Roster(#[from] RosterServiceError),
    /// A stored name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// An address is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// What is kept of its decisions cannot be read.
    #[error("what is kept of campaign {campaign} cannot be read: {source}")]
    Machine {
        /// Which campaign.
        campaign: CampaignId,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The accounts cannot be read.
    #[error(transparent)]
    Directory(#[from] ReadError),
    /// Something kept cannot be decrypted.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The audit log could not be written.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl CampaignError {
    /// Whether a rule says no, rather than something being wrong.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::NoPlan { .. }
                | Self::KillSwitch { .. }
                | Self::OtherWords { .. }
                | Self::Step(_)
                | Self::Refused(_)
                | Self::Plan(_)
                | Self::Policy(_)
                | Self::Targets(_)
                | Self::Group(_)
                | Self::Approval(_)
        )
    }
}
