use model::{CampaignId, InstanceKind, KillSwitch, LeakId, NoticeId, SubjectId, SwapId};

use crate::Whom;

/// A row of the store that is not as the log says. Somebody else has written it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FoldRefusal {
    /// A rehearsal would act on people, or a site's campaign pass for none.
    #[error(
        "the store says that it is a {row}, the audit log that it was made as a {logged}{}",
        WAY_ON
    )]
    Kind {
        /// What the store says.
        row: InstanceKind,
        /// What the log says.
        logged: InstanceKind,
    },
    /// Stopped or let go by nobody.
    #[error("the kill switch is {row} in the store, and {logged} by the audit log{}", WAY_ON)]
    KillSwitch {
        /// What the store says.
        row: KillSwitch,
        /// What the log says.
        logged: KillSwitch,
    },
    /// It was appended by nobody of ours.
    #[error("entry {position} stands beyond the end of the audit log{}", WAY_ON)]
    Beyond {
        /// Which entry.
        position: u64,
    },
    /// It was signed by nobody of ours.
    #[error("a checkpoint signs {signed} entries, which the audit log does not have{}", WAY_ON)]
    Checkpoint {
        /// How many.
        signed: u64,
    },
    /// What it says cannot be told.
    #[error("the store's one row of the table `{table}` is missing{}", WAY_ON)]
    NoRow {
        /// Which table.
        table: &'static str,
    },
    /// Whom it has sealed would be forgotten.
    #[error("campaign {campaign} of the audit log is missing in the store{}", WAY_ON)]
    NoCampaign {
        /// Which campaign.
        campaign: CampaignId,
    },
    /// Somebody was let in, or kept, by nobody.
    #[error("the store's newest roster document is not the one of the audit log{}", WAY_ON)]
    Roster,
    /// Sending was permitted by nobody, or by a document that another one has replaced.
    #[error("the store's arming is not the newest one of the audit log{}", WAY_ON)]
    Arming,
    /// It was moved by nobody.
    #[error("campaign {campaign} does not stand where the audit log says{}", WAY_ON)]
    Campaign {
        /// Which campaign.
        campaign: CampaignId,
    },
    /// It was frozen by nobody.
    #[error("the plan of campaign {campaign} is not the one of the audit log{}", WAY_ON)]
    Plan {
        /// Which campaign.
        campaign: CampaignId,
    },
    /// It was intended, taken over or ended by nobody, or it is about something else.
    #[error("swap {swap} is not as the audit log says{}", WAY_ON)]
    Swap {
        /// Which swap.
        swap: SwapId,
    },
    /// What may have been written into the site's table would be forgotten.
    #[error("swap {swap} of the audit log is missing in the store{}", WAY_ON)]
    NoSwap {
        /// Which swap.
        swap: SwapId,
    },
    /// Its accounts are settled, or are not: a notice would be lost, or written twice.
    #[error("address {address} of campaign {campaign} is not as the audit log says{}", WAY_ON)]
    Address {
        /// Which campaign.
        campaign: CampaignId,
        /// Its number in the campaign's order.
        address: u64,
    },
    /// What a campaign has taken out of use, of whom and for what, is kept by nobody so.
    #[error(
        "what campaign {campaign} has done to the password of person {subject} is not as the audit \
         log says{}",
        WAY_ON
    )]
    ResetLine {
        /// Which campaign.
        campaign: CampaignId,
        /// The person's number.
        subject: SubjectId,
    },
    /// Somebody would be sealed twice, or forgotten.
    #[error(
        "the accounts of campaign {campaign} are not as far as the audit log says \
         (`campaign report` counts both){}",
        WAY_ON
    )]
    Accounts {
        /// Which campaign.
        campaign: CampaignId,
    },
    /// Somebody would be told twice, or not at all.
    #[error(
        "the notices of campaign {campaign} are not as far as the audit log says \
         (`campaign report` counts both){}",
        WAY_ON
    )]
    Notices {
        /// Which campaign.
        campaign: CampaignId,
    },
    /// People would read, and operators sign, what nobody has registered.
    #[error("leak {leak} is not as it was registered by the audit log{}", WAY_ON)]
    Leak {
        /// Which leak.
        leak: LeakId,
    },
    /// Somebody would be told that nothing was found, whom nobody could check.
    #[error(
        "what leak {leak} left unchecked, or on which passwords it was tried, is not as the audit log \
         says{}",
        WAY_ON
    )]
    Noted {
        /// Which leak.
        leak: LeakId,
    },
    /// They would be taken for somebody else.
    #[error("the row of person {subject} is found for an account that is not theirs{}", WAY_ON)]
    Subject {
        /// The person's number.
        subject: SubjectId,
    },
    /// Somebody is hidden, or was found by nobody.
    #[error(
        "the store holds {rows} findings of leak {leak}, and {logged} were made by the audit log{}",
        WAY_ON
    )]
    Findings {
        /// Which leak.
        leak: LeakId,
        /// What the store says.
        rows: u64,
        /// What the log says.
        logged: u64,
    },
    /// They would never be told.
    #[error(
        "by the audit log the password of person {subject} stands in leak {leak}, and the store keeps no \
         finding of it that is open{}",
        WAY_ON
    )]
    Finding {
        /// Which leak.
        leak: LeakId,
        /// The person's number.
        subject: SubjectId,
    },
    /// It would be told of somebody else, or in other words.
    #[error(
        "what was found of person {subject} in leak {leak} is not as the audit log says: another \
         account's, or changed{}",
        WAY_ON
    )]
    Found {
        /// Which leak.
        leak: LeakId,
        /// The person's number.
        subject: SubjectId,
    },
    /// They would be told that nothing was found.
    #[error(
        "a campaign is about person {subject}, or has made the password that they hold, and the store \
         keeps nothing else of them{}",
        WAY_ON
    )]
    Denied {
        /// The person's number.
        subject: SubjectId,
    },
    /// It was said in public by nobody, or something else was.
    #[error(
        "what was said in public of campaign {campaign} is not as the audit log says{}",
        WAY_ON
    )]
    Statement {
        /// Which campaign.
        campaign: CampaignId,
    },
    /// Not due, begun or ended already, or it tells something else than what it was written for.
    #[error("notice {notice} is not as the audit log says{}", WAY_ON)]
    Notice {
        /// Which notice.
        notice: NoticeId,
    },
    /// To somebody to whom it is not due, or not to somebody to whom it is.
    #[error("notice {notice} is not about the accounts that the audit log names there{}", WAY_ON)]
    Lines {
        /// Which notice.
        notice: NoticeId,
    },
    /// It would be the second one.
    #[error("notice {notice} tells somebody whom notice {earlier} has told{}", WAY_ON)]
    Told {
        /// Which notice.
        notice: NoticeId,
        /// The one before.
        earlier: NoticeId,
    },
}

impl FoldRefusal {
    /// The campaign that is not to go on by such a row.
    #[must_use]
    pub const fn of_campaign(&self) -> Option<CampaignId> {
        match self {
            Self::Plan { campaign }
            | Self::Address { campaign, .. }
            | Self::ResetLine { campaign, .. }
            | Self::Accounts { campaign }
            | Self::Notices { campaign } => Some(*campaign),
            _ => None,
        }
    }

    /// Whom the log names by an account has no number yet, and nothing else of them is kept either.
    pub(super) const fn finding(leak: LeakId, whom: &Whom) -> Self {
        let subject = match whom {
            Whom::Subject(subject) => *subject,
            Whom::Account(_) => SubjectId(0),
        };
        Self::Finding { leak, subject }
    }
}

/// What to do about a row that somebody else has written.
const WAY_ON: &str = ": somebody else has written to the store. Nothing is done with it. Find out \
                      who, and put back what `countersign log show` tells";
