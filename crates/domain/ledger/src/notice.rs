use model::{CampaignId, NoticeId, NoticeState};
use serde::{Deserialize, Serialize};

/// What became of a notice, whoever has it sent. It names no campaign where its recipient asked
/// for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum NoticeStep {
    /// The next thing that happens is the first byte to the mail server.
    NoticeBegun {
        /// In which campaign.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        campaign: Option<CampaignId>,
        /// Which notice.
        notice: NoticeId,
        /// The attempt, from 1.
        attempt: u32,
    },
    /// An attempt is over.
    NoticeEnded {
        /// In which campaign.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        campaign: Option<CampaignId>,
        /// Which notice.
        notice: NoticeId,
        /// The attempt, from 1.
        attempt: u32,
        /// What has become of the notice: `pending` if it was put off.
        state: NoticeState,
    },
    /// The recipient of a notice says that it is not right.
    NoticeDisputed {
        /// In which campaign.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        campaign: Option<CampaignId>,
        /// Which notice.
        notice: NoticeId,
    },
}

impl NoticeStep {
    /// The campaign that has the notice sent; `None` where its recipient asked for it.
    #[must_use]
    pub const fn campaign(&self) -> Option<CampaignId> {
        match self {
            Self::NoticeBegun { campaign, .. }
            | Self::NoticeEnded { campaign, .. }
            | Self::NoticeDisputed { campaign, .. } => *campaign,
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Timestamp;

    use super::*;
    use crate::{CampaignEvent, Entry, LogEvent};

    #[track_caller]
    fn check(campaign: Option<CampaignId>, expected: &str) {
        let step = NoticeStep::NoticeBegun { campaign, notice: NoticeId(5), attempt: 1 };
        let line = Entry::new(Timestamp::from_micros(0), &LogEvent::from(step)).to_bytes().unwrap();
        let text = String::from_utf8(line.clone()).unwrap();
        assert_eq!(text, format!(r#"{{"v":1,"at":"1970-01-01T00:00:00Z",{expected}}}"#));
        let read = CampaignEvent::of(CampaignId(7), &line).unwrap();
        assert_eq!(read, campaign.map(|_| CampaignEvent::Notice(step)));
    }

    #[test]
    fn a_notice_of_a_campaign_is_read_with_its_campaign() {
        let seven = Some(CampaignId(7));
        check(seven, r#""event":"notice_begun","campaign":7,"notice":5,"attempt":1"#);
        check(None, r#""event":"notice_begun","notice":5,"attempt":1"#);
    }
}
