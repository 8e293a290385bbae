use std::time::Duration;

use campaign::{Claim, NoticeError, Refusal, decide_send};
use model::{CampaignId, NoticeId};
use notice::{
    AccountName, Address, AddressError, ComposeError, Composed, Exposure, FactsError, MomentError,
    NoticeCode, ResetRequired, ResetUrlError, SignMessageError,
};
use store::{Errand, Notice, NoticeExposure};

use super::{
    CampaignError,
    run::{WorkError, Worker, group},
};
use crate::delivery::row_of;

impl Worker<'_> {
    /// Sends the next notice of a campaign; `false` if none is to be sent now.
    pub(super) async fn tell_next(&self, campaign: CampaignId) -> Result<bool, WorkError> {
        let Some((notice, retry)) = self.claim_notice(campaign).await? else {
            return Ok(false);
        };
        Box::pin(self.carry(&notice, retry, self.compose(campaign, &notice))).await?;
        Ok(true)
    }

    /// Commits one notice as `inflight`, with how long its first retry would wait. Notices that
    /// dead workers have left in flight become `uncertain` on the way.
    async fn claim_notice(
        &self,
        campaign: CampaignId,
    ) -> Result<Option<(Notice, Duration)>, WorkError> {
        let tree = self.tree(campaign).await?;
        let mut tx = self.site.store.begin().await?;
        let Some(gate) = self.gate(&mut tx, campaign).await? else { return Ok(None) };
        let retry = gate.signed.plan().policy().retry();
        let left = tx.notices_left_in_flight(campaign).await?;
        self.give_up_on_dead(&mut tx, &left).await?;
        let next = tx.notice_to_send(campaign).await?;
        let next = next.and_then(|notice| Some((notice, address_of(&notice)?)));
        let Some((notice, address)) = next else {
            tx.commit().await?;
            return Ok(None);
        };
        let mut rows = Vec::new();
        for row in tx.targets_of_address(campaign, address).await? {
            let findings = tx.findings_of_target(campaign, &row.account).await?;
            rows.push((row, findings.iter().map(|finding| finding.id).collect()));
        }
        group(&tree, &gate.signed, &rows)?;
        let states: Vec<_> = rows.iter().map(|(row, _)| row.state).collect();
        let claimed = match decide_send(&row_of(&notice), &states, &gate.facts()) {
            Claim::Proceed => Some((self.begin_notice(&mut tx, notice).await?, retry)),
            Claim::Wait { .. } | Claim::Refuse(Refusal::KillSwitch) => None,
            Claim::Refuse(refused) => return Err(CampaignError::from(refused).into()),
        };
        tx.commit().await?;
        Ok(claimed)
    }

    /// The same bytes at every attempt: its facts were fixed when the accounts were sealed.
    async fn compose(&self, campaign: CampaignId, notice: &Notice) -> Result<Composed, WorkError> {
        let mut tx = self.site.store.read().await?;
        let mut kept = Vec::new();
        for account in tx.notice_lines(notice.id).await? {
            let line = tx.reset_line(campaign, &account).await?;
            kept.push(self.kept(campaign, &line.ok_or(TellError::NoLine { id: notice.id })?)?);
        }
        let exposures = exposures(tx.notice_exposures(notice.id).await?)?;
        let first = kept.first().ok_or(TellError::NoLine { id: notice.id })?;
        let recipient: Address = first.address.parse().map_err(TellError::from)?;
        let names = kept.iter().map(|kept| AccountName::of(kept.username.as_deref())).collect();
        let code = NoticeCode::derive(&self.site.vault.notice_key(), notice.id.0);
        let facts = ResetRequired::new(recipient, names, exposures, code);
        let locale = kept.iter().find_map(|kept| kept.locale.as_deref());
        let language = self.means.words.language_of(locale);
        self.write(notice, &facts.map_err(TellError::from)?, language)
    }
}

const fn address_of(notice: &Notice) -> Option<u64> {
    match notice.errand {
        Errand::Campaign { address, .. } => Some(address),
        Errand::Request => None,
    }
}

/// Where passwords were found, in the words of a notice.
pub(crate) fn exposures(found: Vec<NoticeExposure>) -> Result<Vec<Exposure>, TellError> {
    let exposures = found.into_iter().map(|found| {
        let date = Some(found.date);
        Exposure::new(found.verified_at, found.tier, found.name, date, found.provenance)
    });
    Ok(exposures.collect::<Result<_, _>>()?)
}

/// Why a notice cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum TellError {
    /// It speaks of an account that was not sealed.
    #[error("notice {id} speaks of no account that was sealed")]
    NoLine {
        /// Which notice.
        id: NoticeId,
    },
    /// What it is to say is not kept.
    #[error("what notice {id} is to say is destroyed, or was never written")]
    Forgotten {
        /// Which notice.
        id: NoticeId,
    },
    /// It has to hold a link, and nobody has said where links lead.
    #[error("`recovery.pages_url` is not set: no reset link can be mailed without it")]
    NoPages,
    /// What it is to say cannot be kept.
    #[error("what a notice is to say cannot be kept: {0}")]
    Kept(serde_json::Error),
    /// Something happened to it that cannot.
    #[error(transparent)]
    Notice(#[from] NoticeError),
    /// There is nothing to say.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// A finding's moment is none.
    #[error(transparent)]
    Moment(#[from] MomentError),
    /// The address that was kept is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// No link can be made.
    #[error(transparent)]
    Link(#[from] ResetUrlError),
    /// It cannot be composed.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// It cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignMessageError),
}
