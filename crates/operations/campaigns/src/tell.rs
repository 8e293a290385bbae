use std::{sync::Arc, time::Duration};

use campaign::{Claim, Reason, Refusal, Sending, TargetTree, decide_send};
use model::CampaignId;
use notice::{AccountName, Address, Composed, NoticeCode, ResetRequired};
use outbox::{NoticeSource, SendError, TellError, send_next};
use store::{Errand, Notice, StoreError, Tx};

use crate::{
    CampaignError, RunError, WorkerContext,
    examine::kept_of,
    exposures::{exposures, found_in},
    gate::{Gate, group, stored_targets_of, tree, tree_of},
};

/// Sends the next notice of a campaign; `false` if none is to be sent now. If one is not as the log
/// says, everybody else is told first.
pub(crate) async fn tell_next(
    context: &WorkerContext<'_>,
    campaign: CampaignId,
) -> Result<bool, RunError> {
    let tree = tree(context, campaign).await?;
    let (sender, source) = (context.sender(), CampaignNotices { context, campaign, tree });
    let mut told = send_next(&sender, &source).await;
    let Err(RunError::Send(SendError::Row(first))) = told else { return told };
    while !matches!(told, Ok(false)) {
        told = send_next(&sender, &source).await;
        if !matches!(told, Ok(_) | Err(RunError::Send(SendError::Row(_)))) {
            return told;
        }
    }
    Err(SendError::Row(first).into())
}

/// The notices to those whom a campaign has sealed.
struct CampaignNotices<'a> {
    context: &'a WorkerContext<'a>,
    campaign: CampaignId,
    tree: Arc<TargetTree>,
}

impl NoticeSource for CampaignNotices<'_> {
    type Gate = Gate;
    /// What the signed plan calls the leaks. All else was fixed when the accounts were sealed: an
    /// attempt has the same bytes as the one before.
    type Draft = Vec<Reason>;
    type Error = RunError;

    async fn gate(&self, tx: &mut Tx) -> Result<Option<Gate>, RunError> {
        Gate::read(self.context, tx, self.campaign).await
    }

    async fn left_in_flight(&self, tx: &mut Tx) -> Result<Vec<Notice>, StoreError> {
        tx.notices_left_in_flight(self.campaign).await
    }

    async fn next(&self, tx: &mut Tx, gate: &Gate) -> Result<Option<(Notice, Duration)>, RunError> {
        let notice = match gate.sending {
            Sending::Open => tx.notice_to_send(self.campaign).await?,
            Sending::Paused { .. } => tx.notice_to_probe(self.campaign).await?,
            Sending::Untried => None,
        };
        let Some((notice, address)) =
            notice.and_then(|notice| Some((notice, address_of(&notice)?)))
        else {
            return Ok(None);
        };
        let instance = self.context.instance;
        let targets = stored_targets_of(instance, tx, self.campaign, &[address]).await?;
        let tree = tree_of(self.context, tx, &self.tree, gate).await?;
        group(&tree, &gate.signed, targets.iter())?;
        let states: Vec<_> = targets.iter().map(|target| target.row.state).collect();
        match decide_send(notice.state, notice.not_before, &states, &gate.facts()) {
            Claim::Proceed => Ok(Some((notice, gate.signed.plan().policy().retry()))),
            Claim::Wait { .. } | Claim::Refuse(Refusal::KillSwitch) => Ok(None),
            Claim::Refuse(refused) => Err(CampaignError::from(refused).into()),
        }
    }

    async fn draft(&self, _: &mut Tx, gate: &Gate, _: &Notice) -> Result<Vec<Reason>, RunError> {
        Ok(gate.signed.plan().reasons().to_vec())
    }

    async fn compose(
        &self,
        notice: &Notice,
        code: NoticeCode,
        reasons: Vec<Reason>,
    ) -> Result<Composed, RunError> {
        let instance = self.context.instance;
        let mut tx = instance.store().read().await?;
        let none = || TellError::NoLine { id: notice.id };
        let (mut kept, mut found) = (Vec::new(), Vec::new());
        let subjects = tx.notice_lines(notice.id).await?;
        let accounts = instance.accounts_of(&mut tx, subjects.iter().copied()).await?;
        for subject in subjects {
            let line = tx.reset_line(self.campaign, subject).await?.ok_or_else(none)?;
            let line = kept_of(instance, self.campaign, accounts.of(subject)?, &line)?;
            found.extend(found_in(&mut tx, self.campaign, subject, Some(&line)).await?);
            kept.push(line);
        }
        let exposures = exposures(&reasons, &found)?;
        let first = kept.first().ok_or_else(none)?;
        let recipient: Address = first.address.parse().map_err(TellError::from)?;
        let names = kept.iter().map(|kept| AccountName::of(kept.username.as_deref())).collect();
        let facts = ResetRequired::new(recipient, names, exposures, code);
        let locale = kept.iter().find_map(|kept| kept.locale.as_deref());
        let language = self.context.means.outbox.words.language_of(locale);
        let facts = facts.map_err(TellError::from)?;
        Ok(self.context.sender().write(notice, &facts, language)?)
    }
}

const fn address_of(notice: &Notice) -> Option<u64> {
    match notice.errand {
        Errand::Campaign { address, .. } => Some(address),
        Errand::Request => None,
    }
}
