use std::collections::BTreeMap;

use model::{
    CampaignId, ChosenPassword, CredentialVersion, KillSwitch, LeakId, NoticeId, SkipReason, SwapId,
};
use serde::{Deserialize, Serialize};

use crate::{NoticeStep, Whom};

/// Everything that a campaign does, as the log tells it. It is read again: a campaign's report is
/// counted from these entries, and from nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum CampaignEvent {
    /// Somebody has begun to put it together.
    CampaignDrafted {
        /// Which campaign.
        campaign: CampaignId,
        /// What operators call it.
        name: String,
        /// Who is answerable for it.
        author: String,
        /// The leaks that it is because of.
        leaks: Vec<LeakId>,
        /// SHA-256 of all that its decisions depend on, in hexadecimal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        machine: Option<String>,
    },
    /// Its plan is fixed.
    CampaignFrozen {
        /// Which campaign.
        campaign: CampaignId,
        /// The round that is to be signed.
        round: u32,
        /// SHA-256 over the plan.
        plan: String,
        /// Accounts whose passwords are to be reset.
        targets: u64,
        /// Addresses that are to be written to.
        addresses: u64,
        /// Exposed accounts that are left alone.
        skipped: BTreeMap<SkipReason, u64>,
        /// Whether the author has to sign it, besides those who approve it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        author_signs: bool,
    },
    /// Somebody else is answerable for it from now on.
    CampaignHandedOver {
        /// Which campaign.
        campaign: CampaignId,
        /// Who.
        author: String,
    },
    /// Its author has signed the plan.
    CampaignWritten {
        /// Which campaign.
        campaign: CampaignId,
        /// The round that was signed.
        round: u32,
        /// Who.
        operator: String,
    },
    /// An operator has signed the plan.
    CampaignApproved {
        /// Which campaign.
        campaign: CampaignId,
        /// The round that was signed.
        round: u32,
        /// Who.
        operator: String,
    },
    /// It stands somewhere else now.
    CampaignMoved {
        /// Which campaign.
        campaign: CampaignId,
        /// The round that it is in.
        round: u32,
        /// Where it stood.
        from: String,
        /// Where it stands.
        to: String,
        /// Why, where it was halted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// SHA-256 of all that its decisions depend on, in hexadecimal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        machine: Option<String>,
    },
    /// An account was found exposed at this moment, and its password is about to be taken out of
    /// use.
    AccountSealing {
        /// In which campaign.
        campaign: CampaignId,
        /// Whose.
        #[serde(flatten)]
        whom: Whom,
        /// The password as it was found in the leak.
        credential_version: CredentialVersion,
        /// The number of its address in the campaign's order; entries of before have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<u64>,
        /// The findings that verified.
        findings: Vec<i64>,
        /// The replacement of its stored password that is intended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        swap: Option<SwapId>,
        /// SHA-256, in hexadecimal, of all that stays in that one's row.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        row: Option<String>,
    },
    /// Another worker finds out how far the one came that was sealing it.
    SealingTaken {
        /// In which campaign.
        campaign: CampaignId,
        /// Whose.
        #[serde(flatten)]
        whom: Whom,
        /// The replacement that was intended.
        swap: SwapId,
        /// Its attempt from now on.
        attempt: u32,
    },
    /// Its password was not taken out of use after all: the site's row is as it was.
    SealingUndone {
        /// In which campaign.
        campaign: CampaignId,
        /// Whose.
        #[serde(flatten)]
        whom: Whom,
        /// The replacement that was intended.
        swap: SwapId,
    },
    /// Somebody else's password stands in the site's row. Whether it was sealed before cannot be
    /// known.
    AccountOvertaken {
        /// In which campaign.
        campaign: CampaignId,
        /// Whose.
        #[serde(flatten)]
        whom: Whom,
        /// The replacement that was intended.
        swap: SwapId,
    },
    /// A value of ours was found in the site's table that was not known to stand there: its password
    /// does not work.
    AccountFoundSealed {
        /// In which campaign.
        campaign: CampaignId,
        /// Whose.
        #[serde(flatten)]
        whom: Whom,
        /// The number of its address in the campaign's order.
        address: u64,
        /// The replacement that the value was made for.
        swap: SwapId,
        /// Why it was held to be left alone, if it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        skipped: Option<SkipReason>,
        /// Whether the address, which was settled without a notice, gets one now.
        reopened: bool,
    },
    /// The old password was found in the site's table again: it works, and another campaign may take
    /// it out of use.
    AccountPutBack {
        /// In which campaign.
        campaign: CampaignId,
        /// Whose.
        #[serde(flatten)]
        whom: Whom,
        /// The replacement that was undone there.
        swap: SwapId,
    },
    /// Its password no longer works, and its sessions are ended.
    AccountSealed {
        /// In which campaign.
        campaign: CampaignId,
        /// Whose.
        #[serde(flatten)]
        whom: Whom,
        /// The number of its address in the campaign's order.
        address: u64,
    },
    /// It is left alone.
    AccountSkipped {
        /// In which campaign.
        campaign: CampaignId,
        /// Whose.
        #[serde(flatten)]
        whom: Whom,
        /// Why.
        reason: SkipReason,
    },
    /// Its owner has chosen another password.
    AccountReset {
        /// In which campaign.
        campaign: CampaignId,
        /// Whose.
        #[serde(flatten)]
        whom: Whom,
        /// What it is.
        password: ChosenPassword,
    },
    /// Every account of an address is sealed or skipped.
    AddressDone {
        /// In which campaign.
        campaign: CampaignId,
        /// Its number in the campaign's order.
        address: u64,
        /// The notice that is due; none if every account was skipped.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notice: Option<NoticeId>,
    },
    /// The site has said in public what became of it.
    StatementMade {
        /// Which campaign.
        campaign: CampaignId,
        /// SHA-256 of the counts that were said, in hexadecimal.
        sha256: String,
    },
    /// The secrets of its findings are gone.
    SecretsDestroyed {
        /// Which campaign.
        campaign: CampaignId,
        /// How many findings had one.
        findings: u64,
    },
    /// Everything is stopped, or may go on.
    KillSwitchMoved {
        /// How it stands now.
        position: KillSwitch,
        /// Who or what did it.
        by: String,
    },
    /// Something became of one of its notices.
    #[serde(untagged)]
    Notice(NoticeStep),
}

impl From<NoticeStep> for CampaignEvent {
    fn from(step: NoticeStep) -> Self {
        Self::Notice(step)
    }
}

impl CampaignEvent {
    /// Whether an account begins to be sealed, or a notice to be sent.
    pub(crate) const fn uses_arming(&self) -> bool {
        matches!(self, Self::AccountSealing { .. } | Self::Notice(NoticeStep::NoticeBegun { .. }))
    }

    /// Whether a worker has done it for somebody: what people and operators do is none of it.
    pub(crate) const fn is_work(&self) -> bool {
        matches!(
            self,
            Self::AccountSealing { .. }
                | Self::SealingTaken { .. }
                | Self::SealingUndone { .. }
                | Self::AccountOvertaken { .. }
                | Self::AccountSealed { .. }
                | Self::AccountSkipped { .. }
                | Self::AddressDone { .. }
                | Self::Notice(NoticeStep::NoticeBegun { .. } | NoticeStep::NoticeEnded { .. })
        )
    }

    /// The campaign that it is about; `None` for what concerns them all.
    #[must_use]
    pub const fn campaign(&self) -> Option<CampaignId> {
        match self {
            Self::CampaignDrafted { campaign, .. }
            | Self::CampaignFrozen { campaign, .. }
            | Self::CampaignHandedOver { campaign, .. }
            | Self::CampaignWritten { campaign, .. }
            | Self::CampaignApproved { campaign, .. }
            | Self::CampaignMoved { campaign, .. }
            | Self::AccountSealing { campaign, .. }
            | Self::SealingTaken { campaign, .. }
            | Self::SealingUndone { campaign, .. }
            | Self::AccountOvertaken { campaign, .. }
            | Self::AccountFoundSealed { campaign, .. }
            | Self::AccountPutBack { campaign, .. }
            | Self::AccountSealed { campaign, .. }
            | Self::AccountSkipped { campaign, .. }
            | Self::AccountReset { campaign, .. }
            | Self::AddressDone { campaign, .. }
            | Self::StatementMade { campaign, .. }
            | Self::SecretsDestroyed { campaign, .. } => Some(*campaign),
            Self::Notice(step) => step.campaign(),
            Self::KillSwitchMoved { .. } => None,
        }
    }

    /// Whom it is about, if it is about somebody.
    pub const fn whom_mut(&mut self) -> Option<&mut Whom> {
        match self {
            Self::AccountSealing { whom, .. }
            | Self::SealingTaken { whom, .. }
            | Self::SealingUndone { whom, .. }
            | Self::AccountOvertaken { whom, .. }
            | Self::AccountFoundSealed { whom, .. }
            | Self::AccountPutBack { whom, .. }
            | Self::AccountSealed { whom, .. }
            | Self::AccountSkipped { whom, .. }
            | Self::AccountReset { whom, .. } => Some(whom),
            _ => None,
        }
    }

    /// Reads a line of the log: `None` if it is not about this campaign.
    ///
    /// # Errors
    /// What is wrong with a line that is about it.
    pub fn of(campaign: CampaignId, line: &[u8]) -> Result<Option<Self>, serde_json::Error> {
        if campaign_of(line)? != Some(campaign) {
            return Ok(None);
        }
        serde_json::from_slice(line).map(Some)
    }
}

/// The campaign that a line of the log is about.
///
/// # Errors
/// What is wrong with a line that is no entry.
pub fn campaign_of(line: &[u8]) -> Result<Option<CampaignId>, serde_json::Error> {
    #[derive(Deserialize)]
    struct About {
        campaign: Option<CampaignId>,
    }
    serde_json::from_slice(line).map(|about: About| about.campaign)
}

#[cfg(test)]
mod tests {
    use model::{AccountId, SubjectId, Timestamp};

    use super::*;
    use crate::{Entry, LogEvent};

    fn sealing() -> CampaignEvent {
        CampaignEvent::AccountSealing {
            campaign: CampaignId(7),
            whom: SubjectId(12).into(),
            credential_version: CredentialVersion::from_bytes([3; 32]),
            address: None,
            findings: vec![1, 5],
            swap: Some(SwapId(9)),
            row: Some("ab".repeat(32)),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let event = LogEvent::from(sealing());
        let line = Entry::new(Timestamp::from_micros(0), &event).to_bytes().unwrap();
        let text = String::from_utf8(line.clone()).unwrap();
        let begins = r#"{"v":1,"at":"1970-01-01T00:00:00Z","event":"account_sealing","campaign":7"#;
        assert!(text.starts_with(begins), "{text}");
        assert!(text.contains(r#","subject":12,"#), "{text}");
        assert_eq!(CampaignEvent::of(CampaignId(7), &line).unwrap(), Some(sealing()));
        assert_eq!(CampaignEvent::of(CampaignId(8), &line).unwrap(), None);
    }

    #[test]
    fn an_entry_of_version_0_1_0_names_the_account() {
        let line = br#"{"v":1,"event":"account_sealed","campaign":7,"account":"12","address":3}"#;
        let whom = Whom::Account(AccountId::new("12").unwrap());
        let sealed = CampaignEvent::AccountSealed { campaign: CampaignId(7), whom, address: 3 };
        assert_eq!(CampaignEvent::of(CampaignId(7), line).unwrap(), Some(sealed));
    }

    #[test]
    fn a_line_of_something_else_is_passed_over() {
        let event = LogEvent::AccountsImported { accounts: 3 };
        let line = Entry::new(Timestamp::from_micros(0), &event).to_bytes().unwrap();
        assert_eq!(CampaignEvent::of(CampaignId(7), &line).unwrap(), None);
    }

    #[test]
    fn a_line_that_this_version_does_not_know_is_an_error() {
        let line = br#"{"v":1,"event":"account_teleported","campaign":7}"#;
        assert!(CampaignEvent::of(CampaignId(7), line).is_err());
    }
}
