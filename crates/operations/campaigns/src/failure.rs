use std::error::Error;

use authority::ApprovalError;
use campaign::{
    GroupError, HaltReason, Irreconcilable, PlanError, PolicyError, Refusal, StepError,
    TargetsError, Unsettled,
};
use directory::{ReadError, WriteError};
use instance::{DisarmedError, InstanceFault, PermissionError, RosterStateError};
use ledger::FoldRefusal;
use model::{AccountId, CampaignId, LeakName, NameError, OperatorName, SwapId, Timestamp};
use notice::AddressError;
use outbox::{SendError, TellError};
use password::ImitateError;

use crate::{nobody_left::NobodyLeft, not_in_plan::NotInPlan};

/// Why something cannot be done with a campaign.
#[derive(Debug, thiserror::Error)]
pub enum CampaignError {
    /// No such campaign.
    #[error("no campaign is called `{name}`: `countersign campaign list` lists them")]
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
    /// Nobody else signs as its author.
    #[error(
        "{name} is not in the roster: a campaign's author is an operator, who signs its plan. Name \
         another with --author"
    )]
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
    /// Its plan could never be signed.
    #[error(
        "this plan needs {needed} approvers besides its author `{author}`, and the roster has \
         {found}: let two operators sign what `countersign operator add` proposes, then freeze \
         again"
    )]
    FewOperators {
        /// Approvers that it needs.
        needed: u32,
        /// Operators who could approve it.
        found: u64,
        /// Who cannot.
        author: OperatorName,
    },
    /// The directory cannot do what a campaign does.
    #[error("the directory cannot {what}, which a campaign has to: {reason}")]
    Unable {
        /// What it cannot.
        what: &'static str,
        /// Why not, and what to do.
        reason: String,
    },
    /// The switch was pulled after the plan was signed.
    #[error(
        "everything was stopped at {since}, and this plan is of {frozen_at}: freeze it again, so \
         that it is signed with that in mind"
    )]
    KillSwitch {
        /// When it was pulled.
        since: Timestamp,
        /// When the plan was frozen.
        frozen_at: Timestamp,
    },
    /// Everything is stopped, and no campaign could be looked at.
    #[error("the kill switch is pulled, so nothing begins; which campaigns run is not known: {0}")]
    SwitchAlone(Box<Self>),
    /// What it has done is not all known.
    #[error(
        "the store was put back after campaign `{name}` was frozen, so whom it has sealed and told since \
         is not known. It seals nobody any more: `countersign campaign finish {name}` settles those whom \
         it had begun with, and another campaign takes up who still has the leaked password"
    )]
    Restored {
        /// The campaign.
        name: String,
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
    /// It was signed for under other conditions.
    #[error(
        "plan {plan} was signed for with witnesses, and the arming names none: arm with them \
         (`countersign sending propose --witnesses`), or freeze it again"
    )]
    Unwitnessed {
        /// The plan.
        plan: campaign::PlanDigest,
    },
    /// What is kept of the arming does not hold.
    #[error(transparent)]
    Arming(#[from] DisarmedError),
    /// Somebody would be left sealed and untold.
    #[error(
        "campaign `{name}` has {sealing} accounts whose sealing is not known to have ended, and \
         {untold} that are sealed while nobody was told ({first}). `countersign campaign \
         unsettled` lists them. Settle them first: freeze it again, have it signed and `resume` \
         it, or `finish` it, which tells those and touches nobody else",
        sealing = .unsettled.sealing,
        untold = .unsettled.untold
    )]
    Unsettled {
        /// The campaign.
        name: String,
        /// How many.
        unsettled: Unsettled,
        /// Some of them, masked, or that no row names any.
        first: String,
    },
    /// Waiting on would be of no use.
    #[error(
        "campaign `{name}` runs, and nothing was done for its people since {since}: if no worker logs an \
         error, look at the store for triggers and locks, and at its rows for waits that nobody of ours has \
         begun"
    )]
    StandsStill {
        /// The campaign.
        name: String,
        /// Since when something could have been done.
        since: Timestamp,
    },
    /// Whoever was sealed by what is lost would be passed over.
    #[error(
        "steps that this store once held may be lost, and the site's table was not compared with it \
         since: nobody knows who else is sealed. Run `countersign reconcile --list --tries 1000000` \
         first, and do what it says"
    )]
    Uncompared,
    /// It cannot happen now.
    #[error(transparent)]
    Step(#[from] StepError),
    /// Somebody is missing among the rows, or is counted twice.
    #[error(transparent)]
    Irreconcilable(#[from] Irreconcilable),
    /// A worker may not begin.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The plan cannot be signed for.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Nor can its policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// There is nobody to reset.
    #[error(transparent)]
    NobodyLeft(NobodyLeft),
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
    Roster(#[from] RosterStateError),
    /// A stored name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// An address is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A row is not as the audit log says.
    #[error(transparent)]
    Row(#[from] FoldRefusal),
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
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

impl CampaignError {
    /// Whether what the store keeps of it has no form that Countersign writes.
    pub(crate) const fn is_unreadable(&self) -> bool {
        match self {
            Self::Machine { .. } => true,
            Self::Fault(InstanceFault::Store(error)) => error.is_unreadable(),
            _ => false,
        }
    }

    /// Whether a rule says no, rather than something being wrong.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::NoPlan { .. }
            | Self::FewOperators { .. }
            | Self::KillSwitch { .. }
            | Self::OtherWords { .. }
            | Self::Unwitnessed { .. }
            | Self::Restored { .. }
            | Self::Unsettled { .. }
            | Self::StandsStill { .. }
            | Self::Uncompared
            | Self::Unable { .. }
            | Self::Step(_)
            | Self::Refused(_)
            | Self::Plan(_)
            | Self::Policy(_)
            | Self::NobodyLeft(_)
            | Self::Targets(_)
            | Self::Group(_)
            | Self::Approval(_)
            | Self::Irreconcilable(_)
            | Self::Machine { .. }
            | Self::Row(_) => true,
            Self::Fault(fault) => fault.is_refusal(),
            Self::Roster(error) => error.is_refusal(),
            Self::Arming(error) => error.needs_signatures(),
            _ => false,
        }
    }
}

/// Why a worker could not go on with a campaign.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// This host may not send.
    #[error(transparent)]
    Permission(#[from] PermissionError),
    /// What is kept of the campaign is not what was signed, or cannot be read.
    #[error(transparent)]
    Campaign(#[from] CampaignError),
    /// A stored target that no plan holds.
    #[error(transparent)]
    NotInPlan(#[from] NotInPlan),
    /// An account could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A notice could not be written.
    #[error(transparent)]
    Tell(#[from] TellError),
    /// A notice could not be sent.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The directory could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A stored password could not be replaced.
    #[error(transparent)]
    Swap(#[from] SwapError),
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

impl RunError {
    /// Whether the store does not hold what was signed, or what only Countersign can have written.
    pub(crate) const fn halts(&self) -> Option<HaltReason> {
        match self {
            Self::Campaign(CampaignError::Restored { .. }) => Some(HaltReason::Restored),
            Self::NotInPlan(_)
            | Self::Campaign(
                CampaignError::Group(_) | CampaignError::Row(FoldRefusal::Address { .. }),
            )
            | Self::Send(SendError::Row(_))
            | Self::Swap(SwapError::Row(_))
            | Self::Fault(InstanceFault::Decrypt(_) | InstanceFault::Forgotten(_)) => {
                Some(HaltReason::Contradicted)
            }
            _ => None,
        }
    }

    /// Whether a rule says no, rather than something being wrong.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::NotInPlan(_) => true,
            Self::Swap(error) => error.is_refusal(),
            Self::Fault(fault) => fault.is_refusal(),
            Self::Permission(error) => error.is_refusal(),
            Self::Send(error) => error.is_refusal(),
            Self::Campaign(error) => error.is_refusal(),
            _ => false,
        }
    }
}

/// Why an account cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// No hash of the site's own form can be made.
    #[error("no hash in the form of account {account}'s can be made: {source}")]
    Imitate {
        /// Whose.
        account: AccountId,
        /// Why not.
        source: ImitateError,
    },
    /// What is kept of it is gone.
    #[error("what was kept of account {account} when it was sealed is destroyed")]
    Destroyed {
        /// Whose.
        account: AccountId,
    },
    /// Somebody else has moved it on while this worker held its address.
    #[error("account {account} was moved on by somebody else while its address was held")]
    Moved {
        /// Whose.
        account: AccountId,
    },
    /// Nobody else is at the account, and yet the store does not keep that its password is replaced.
    #[error(
        "the store does not take the intent to seal account {account}: look at its table `swap` for triggers \
         and rules that nobody of ours has made"
    )]
    NotIntended {
        /// Whose.
        account: AccountId,
    },
    /// What is to be kept cannot be written.
    #[error("what is to be kept of an account cannot be written: {0}")]
    Kept(serde_json::Error),
}

/// Why it is not known whether a row was swapped.
#[derive(Debug, thiserror::Error)]
pub enum SwapError {
    /// The directory could not be written to.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The directory could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Its row is not as the audit log says.
    #[error(transparent)]
    Row(#[from] FoldRefusal),
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
    /// What is kept of the campaign cannot be read.
    #[error("whether a password may still be replaced cannot be told: {0}")]
    Gate(Box<dyn Error + Send + Sync>),
}

impl SwapError {
    /// Whether a row is not as the audit log says, or what is kept cannot be believed.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Row(_) => true,
            Self::Write(error) => error.is_of_rehearsal(),
            Self::Fault(fault) => fault.is_refusal(),
            Self::Read(_) | Self::Gate(_) => false,
        }
    }
}

/// Why it cannot be told who has chosen a new password.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The directory could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What was taken out of use is not as the audit log says.
    #[error(transparent)]
    Swap(#[from] SwapError),
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

impl WatchError {
    /// Whether a rule says no, rather than something being wrong.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Swap(error) => error.is_refusal(),
            Self::Fault(fault) => fault.is_refusal(),
            Self::Read(_) => false,
        }
    }
}

/// Why the site's table could not be compared with what is kept.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// What only a replica shows is no reason to do anything.
    #[error(
        "the directory is read-only: the site's table is compared over the connection that writes; \
         set `directory.write_url`"
    )]
    ReadOnly,
    /// One at a time.
    #[error("another process is comparing the site's table: wait until it has ended")]
    UnderWay,
    /// Somebody else has begun another comparison.
    #[error(
        "another process has begun to compare the site's table, since this one seemed to have \
         died: run it again once that has ended"
    )]
    Lost,
    /// The accounts could not be read to their end.
    #[error("the site's table was not read to its end, so nothing is known: {0}")]
    Read(#[from] ReadError),
    /// What is not shown cannot be compared.
    #[error(
        "account {account} is shown by the connection that writes, and not by the one that reads, so \
         other rows may be hidden, too, and nothing is known: let the role of `directory.url` read \
         every row (a row security policy may keep it from that)"
    )]
    Hidden {
        /// Whose row.
        account: AccountId,
    },
    /// Sessions could not be ended.
    #[error(transparent)]
    Swap(#[from] SwapError),
    /// A campaign cannot be read.
    #[error(transparent)]
    Campaign(#[from] CampaignError),
    /// A row is not as the audit log says.
    #[error(transparent)]
    Row(#[from] FoldRefusal),
    /// Whoever reads the entries of a campaign does not find it.
    #[error(
        "the entry by which swap {swap} was intended is not filed under its campaign, or was \
         changed: somebody else has written to the store. Nothing is done with it; `countersign log \
         verify` says which entry it is"
    )]
    NoIntent {
        /// Which swap.
        swap: SwapId,
    },
    /// An entry of the log cannot be read.
    #[error("entry {position} of the audit log cannot be read: {source}")]
    Entry {
        /// Its place, from 0.
        position: u64,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// An old password cannot be kept.
    #[error("what is kept of an old password cannot be written: {0}")]
    Kept(#[from] serde_json::Error),
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

impl ReconcileError {
    /// Whether a rule says no, rather than something being wrong.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::ReadOnly | Self::UnderWay | Self::Row(_) | Self::NoIntent { .. } => true,
            Self::Swap(error) => error.is_refusal(),
            Self::Campaign(error) => error.is_refusal(),
            Self::Fault(fault) => fault.is_refusal(),
            _ => false,
        }
    }
}

/// Why a campaign cannot be reported on.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Somebody is missing, or counted twice.
    #[error("NOTHING IS TO BE PUBLISHED: {0}")]
    Irreconcilable(Irreconcilable),
    /// The campaign is not there, or cannot be read.
    #[error(transparent)]
    Campaign(CampaignError),
    /// What the last comparison of the site's table has found cannot be read.
    #[error(transparent)]
    Reconciled(#[from] ReconcileError),
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

impl From<CampaignError> for ReportError {
    fn from(error: CampaignError) -> Self {
        match error {
            CampaignError::Irreconcilable(what) => Self::Irreconcilable(what),
            error => Self::Campaign(error),
        }
    }
}

impl ReportError {
    /// Whether no count of the campaign is to be believed.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Irreconcilable(_) => true,
            Self::Campaign(error) => error.is_refusal(),
            Self::Reconciled(error) => error.is_refusal(),
            Self::Fault(fault) => fault.is_refusal(),
        }
    }
}

/// Why nothing is said in public.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// The campaign has touched nobody.
    #[error("campaign `{name}` has sealed nobody: there is nothing to say of it")]
    Nothing {
        /// The campaign.
        name: String,
    },
    /// The campaign cannot be accounted for.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The campaign is not there, or cannot be read.
    #[error(transparent)]
    Campaign(#[from] CampaignError),
    /// What was said before cannot be read.
    #[error("a statement in the store cannot be read: {0}")]
    Body(#[from] serde_json::Error),
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

impl StatementError {
    /// Whether a rule says no, rather than something being wrong.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Report(error) => error.is_refusal(),
            Self::Campaign(error) => error.is_refusal(),
            Self::Fault(fault) => fault.is_refusal(),
            Self::Nothing { .. } | Self::Body(_) => false,
        }
    }
}

instance::from_faults!(
    CampaignError,
    RunError,
    WatchError,
    ReconcileError,
    ReportError,
    StatementError,
    SwapError
);
