use std::path::PathBuf;

use campaign::CampaignName;
use clap::{Args, Subcommand};
use model::{LeakName, OperatorName};

#[derive(Debug, Subcommand)]
pub(crate) enum CampaignCommand {
    Draft(CampaignDraft),
    /// Print the policy that campaigns have by default, to be edited and given to `draft`.
    Policy,
    /// Fix whom a campaign is about, how it goes about it and with which words: what operators
    /// then sign.
    ///
    /// After a halt, the same people and words are fixed again for a new round; the policy may be
    /// another one. Those who were begun are told before anybody else is sealed.
    Freeze {
        /// The campaign's name.
        name: CampaignName,
        /// A TOML file with what differs from the default policy, from now on.
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
        /// Somebody else who is answerable for it from now on, and signs it: an operator.
        #[arg(long, value_name = "OPERATOR")]
        author: Option<OperatorName>,
    },
    /// Fix a plan by which a halted campaign settles those whom it has begun with, and touches
    /// nobody else. It is signed like any other; `resume` then carries it out.
    Finish {
        /// The campaign's name.
        name: CampaignName,
        /// Somebody else who is answerable for it from now on, and signs it: an operator.
        #[arg(long, value_name = "OPERATOR")]
        author: Option<OperatorName>,
    },
    /// List the accounts that are sealed, or may be, and whose owners were not told for good, could
    /// not be reached, or may not have been: somebody has to look after them.
    ///
    /// Exit code 4 if there are any.
    Unsettled {
        /// The campaign's name.
        name: CampaignName,
    },
    /// Show what is to be signed, with some masked targets.
    Show {
        /// The campaign's name.
        name: CampaignName,
    },
    /// Write the frozen plan into a file, to be signed on other hosts (`countersign sign`).
    Export {
        /// The campaign's name.
        name: CampaignName,
        /// The file to write.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Take what operators have signed and handed back: the author, and those who approve. With the
    /// last signature that is needed the campaign is signed.
    Approve {
        /// The campaign's name.
        name: CampaignName,
        /// The approvals.
        #[arg(required = true, value_name = "APPROVAL")]
        approvals: Vec<PathBuf>,
    },
    /// Start a signed campaign: workers take it up from now on.
    ///
    /// The mail server is asked first whether it would take a notice, with our own addresses alone
    /// and without sending anything. A campaign that could tell nobody is not started.
    Start {
        /// The campaign's name.
        name: CampaignName,
        #[command(flatten)]
        relay: RelayCheck,
    },
    /// List the campaigns and where they stand.
    List,
    /// Tell where a campaign stands.
    Status {
        /// The campaign's name.
        name: CampaignName,
    },
    /// Stop a campaign before the next account, or everything at once.
    ///
    /// It needs no signature. Going on needs two.
    Halt {
        /// The campaign's name.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        name: Option<CampaignName>,
        /// Pull the kill switch: nothing begins in any campaign, and all that run are halted.
        #[arg(long)]
        all: bool,
    },
    /// Let a halted campaign go on, once the plan of its new round is signed.
    ///
    /// As with `start`, the mail server is asked first whether it would take a notice.
    Resume {
        /// The campaign's name.
        name: CampaignName,
        #[command(flatten)]
        relay: RelayCheck,
    },
    /// Make a frozen campaign a draft again. Its signatures are void.
    Thaw {
        /// The campaign's name.
        name: CampaignName,
    },
    /// Say in public what became of everybody: the page "Security notices" shows it.
    ///
    /// The counts are those of `report`. Publishing again replaces what the page shows; what was
    /// said before stays on record. Nothing is published while anybody is sealed and not told.
    Publish {
        /// The campaign's name.
        name: CampaignName,
    },
    /// End a campaign for good. Its accounts may be targets of others.
    ///
    /// It is refused while anybody is sealed and not told.
    Close {
        /// The campaign's name.
        name: CampaignName,
    },
    /// Count from the audit log what became of everybody, and hold it against the store.
    ///
    /// Exit code 4 if anybody is sealed and not told, or perhaps sealed, or if notices are uncertain;
    /// 3, loudly, if the totals do not reconcile or the log is not what was signed.
    Report {
        /// The campaign's name.
        name: CampaignName,
    },
}

impl CampaignCommand {
    /// Whether it writes to the audit log, rather than shows something.
    pub(crate) const fn moves_on(&self) -> bool {
        match self {
            Self::Policy
            | Self::Status { .. }
            | Self::List
            | Self::Unsettled { .. }
            | Self::Show { .. }
            | Self::Export { .. }
            | Self::Report { .. } => false,
            Self::Draft(_)
            | Self::Freeze { .. }
            | Self::Approve { .. }
            | Self::Start { .. }
            | Self::Halt { .. }
            | Self::Resume { .. }
            | Self::Finish { .. }
            | Self::Thaw { .. }
            | Self::Close { .. }
            | Self::Publish { .. } => true,
        }
    }
}

/// Whether the mail server or folder is tried before anybody's mail depends on it.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct RelayCheck {
    /// Do not try whether the mail server, or the mail folder, would take a notice.
    #[arg(long)]
    pub(crate) skip_relay_check: bool,
}

/// Begin a campaign. It touches nobody before it is frozen, signed by its author and two others, and
/// started.
#[derive(Debug, Args)]
pub(crate) struct CampaignDraft {
    /// What operators call it. Recipients never see it.
    pub(crate) name: CampaignName,

    /// The operator who is answerable for it: they sign its plan, and do not count as approvers.
    #[arg(long)]
    pub(crate) author: OperatorName,

    /// A verified leak whose findings it is about; may be given several times.
    #[arg(long = "leak", required = true, value_name = "LEAK")]
    pub(crate) leaks: Vec<LeakName>,

    /// A TOML file with what differs from the default policy.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
}

/// Run campaigns: seal, end sessions, send, as far as the signed plans allow.
///
/// Any number of workers share the work. One ends when it is told to (SIGTERM, Ctrl-C), after it
/// has finished what it has in hand; killing it loses nothing either.
#[derive(Debug, Args)]
pub(crate) struct WorkerArguments {
    /// End as soon as no campaign runs, nothing is left in between, and nobody waits for a mail that they
    /// have asked for; with 3 if one stands still (`worker.standstill_after`).
    #[arg(long)]
    pub(crate) until_done: bool,
}
