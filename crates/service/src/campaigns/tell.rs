use campaign::{
    Claim, NoticeError, NoticeEvent, NoticeRow, Refusal, SmtpOutcome, decide_send, notice_after,
};
use ledger::CampaignEvent;
use model::{CampaignId, NoticeId};
use notice::{
    AccountName, Address, AddressError, ComposeError, Composed, Exposure, FactsError, MomentError,
    NoticeCode, NoticeToken, Outcome, Posting, ResetRequired, SignMessageError, Signer, Transport,
};
use std::time::Duration;
use store::{Notice, StoreError, Tx};
use tokio::time;

use super::{
    CampaignError,
    run::{Gate, WorkError, Worker, group},
};
use crate::{
    failpoint,
    limits::{ANSWER_CHARS_MAX, RENEWALS_PER_LEASE},
};

/// How mail leaves.
#[derive(Debug)]
pub struct Mail {
    /// The site's relay, or a folder.
    pub transport: Transport,
    /// Signs every mail, unless the relay does.
    pub signer: Option<Box<dyn Signer>>,
    /// Where bounces go; the sender's own address if `None`.
    pub bounces: Option<Address>,
}

impl Worker<'_> {
    /// Sends the next notice of a campaign; `false` if none is to be sent now.
    pub(super) async fn tell_next(&self, campaign: CampaignId) -> Result<bool, WorkError> {
        let Some((notice, retry)) = self.claim_notice(campaign).await? else {
            return Ok(false);
        };
        failpoint::reach("notice_begun");
        let (outcome, answer, failed) = match self.prepare(campaign, &notice).await {
            Ok(mail) => {
                let outcome = self.deliver(&notice, &mail).await?;
                (meaning(&outcome), Some(answer(&outcome)), None)
            }
            Err(error) => (SmtpOutcome::LostBeforeDot, None, Some(error)),
        };
        failpoint::reach("notice_delivered");
        self.record_told(&notice, outcome, retry, answer).await?;
        failpoint::reach("notice_recorded");
        failed.map_or(Ok(true), Err)
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
        self.give_up_on_dead(&mut tx, campaign, retry).await?;
        let Some(notice) = tx.notice_to_send(campaign).await? else {
            tx.commit().await?;
            return Ok(None);
        };
        let mut rows = Vec::new();
        for row in tx.targets_of_address(campaign, notice.address).await? {
            let findings = tx.findings_of_target(campaign, &row.account).await?;
            rows.push((row, findings.iter().map(|finding| finding.id).collect()));
        }
        group(&tree, &gate.signed, &rows)?;
        let states: Vec<_> = rows.iter().map(|(row, _)| row.state).collect();
        let claimed = match decide_send(&row_of(&notice), &states, &gate.facts()) {
            Claim::Proceed => Some((self.begin(&mut tx, &gate, notice).await?, retry)),
            Claim::Wait { .. } | Claim::Refuse(Refusal::KillSwitch) => None,
            Claim::Refuse(refused) => return Err(CampaignError::from(refused).into()),
        };
        tx.commit().await?;
        Ok(claimed)
    }

    async fn begin(&self, tx: &mut Tx, gate: &Gate, notice: Notice) -> Result<Notice, WorkError> {
        let now = tx.now().await?;
        let retry = gate.signed.plan().policy().retry();
        let taken = notice_after(row_of(&notice), NoticeEvent::Taken, retry, now);
        let attempts = taken.map_err(TellError::from)?.attempts();
        tx.begin_notice(notice.id, attempts, &self.name, self.site.options.lease).await?;
        let (campaign, id) = (notice.campaign, notice.id);
        let begun = CampaignEvent::NoticeBegun { campaign, notice: id, attempt: attempts };
        self.record_some(tx, vec![begun]).await?;
        Ok(Notice { attempts, state: model::NoticeState::Inflight, ..notice })
    }

    async fn give_up_on_dead(
        &self,
        tx: &mut Tx,
        campaign: CampaignId,
        retry: Duration,
    ) -> Result<(), WorkError> {
        for notice in tx.notices_left_in_flight(campaign).await? {
            self.move_notice(tx, &notice, NoticeEvent::FoundInflight, retry, None).await?;
        }
        Ok(())
    }

    /// That nobody may send it again is on record, here and outside the store, before the mail
    /// server hears a word.
    async fn prepare(&self, campaign: CampaignId, notice: &Notice) -> Result<Composed, WorkError> {
        self.means.guard.mark(self.site).await?;
        self.compose(campaign, notice).await
    }

    /// The same bytes at every attempt: its facts were fixed when the accounts were sealed.
    async fn compose(&self, campaign: CampaignId, notice: &Notice) -> Result<Composed, WorkError> {
        let mut tx = self.site.store.read().await?;
        let mut kept = Vec::new();
        for account in tx.notice_lines(notice.id).await? {
            let line = tx.reset_line(campaign, &account).await?;
            kept.push(self.kept(campaign, &line.ok_or(TellError::NoLine { id: notice.id })?)?);
        }
        let exposures = exposures(&mut tx, notice.id).await?;
        let first = kept.first().ok_or(TellError::NoLine { id: notice.id })?;
        let recipient: Address = first.address.parse().map_err(TellError::from)?;
        let names = kept.iter().map(|kept| AccountName::of(kept.username.as_deref())).collect();
        let key = self.site.vault.notice_key();
        let code = NoticeCode::derive(&key, notice.id.0);
        let facts = ResetRequired::new(recipient, names, exposures, code);
        let locale = kept.iter().find_map(|kept| kept.locale.as_deref());
        let posting = Posting {
            token: NoticeToken::derive(&key, notice.id.0),
            date: notice.made_at,
            bounces: self.means.mail.bounces.clone(),
        };
        let words = &self.means.words;
        let facts = facts.map_err(TellError::from)?;
        let mail = words.composer.reset_required(&facts, words.language_of(locale), &posting);
        let mail = mail.map_err(TellError::from)?;
        match &self.means.mail.signer {
            Some(signer) => Ok(mail.signed(&**signer).map_err(TellError::from)?),
            None => Ok(mail),
        }
    }

    async fn deliver(&self, notice: &Notice, mail: &Composed) -> Result<Outcome, WorkError> {
        tokio::select! {
            outcome = self.means.mail.transport.deliver(mail) => Ok(outcome),
            // What becomes of the mail is then for another attempt to find: `uncertain`.
            failed = self.keep_alive(notice) => Err(failed.into()),
        }
    }

    /// Says that this attempt is alive, for as long as it is polled.
    async fn keep_alive(&self, notice: &Notice) -> StoreError {
        loop {
            time::sleep(self.site.options.lease / RENEWALS_PER_LEASE).await;
            if let Err(failed) = self.renew_notice(notice).await {
                return failed;
            }
        }
    }

    async fn renew_notice(&self, notice: &Notice) -> Result<(), StoreError> {
        let mut tx = self.site.store.begin().await?;
        let lease = self.site.options.lease;
        tx.renew_notice(notice.id, notice.attempts, &self.name, lease).await?;
        tx.commit().await
    }

    async fn record_told(
        &self,
        notice: &Notice,
        outcome: SmtpOutcome,
        retry: Duration,
        answer: Option<String>,
    ) -> Result<(), WorkError> {
        let mut tx = self.site.store.begin().await?;
        tx.hold_campaign(notice.campaign).await?;
        let now = tx.hold_notice(notice.id).await?;
        let event = NoticeEvent::Answered { attempt: notice.attempts, outcome };
        self.move_notice(&mut tx, &now, event, retry, answer).await?;
        Ok(tx.commit().await?)
    }

    async fn move_notice(
        &self,
        tx: &mut Tx,
        notice: &Notice,
        event: NoticeEvent,
        retry: Duration,
        answer: Option<String>,
    ) -> Result<(), WorkError> {
        let now = tx.now().await?;
        let row = notice_after(row_of(notice), event, retry, now).map_err(TellError::from)?;
        let (state, attempts, not_before) = (row.state(), row.attempts(), row.not_before());
        tx.save_notice(&Notice { state, attempts, not_before, ..*notice }, answer).await?;
        if state.is_final() {
            tx.settle_address(notice.campaign, notice.address).await?;
        }
        let (campaign, id) = (notice.campaign, notice.id);
        let ended = CampaignEvent::NoticeEnded { campaign, notice: id, attempt: attempts, state };
        self.record_some(tx, vec![ended]).await
    }
}

const fn row_of(notice: &Notice) -> NoticeRow {
    NoticeRow::restore(notice.state, notice.attempts, notice.not_before)
}

async fn exposures(tx: &mut Tx, notice: NoticeId) -> Result<Vec<Exposure>, WorkError> {
    let found = tx.notice_exposures(notice).await?.into_iter();
    let exposures = found.map(|found| {
        let date = Some(found.date);
        Exposure::new(found.verified_at, found.tier, found.name, date, found.provenance)
    });
    Ok(exposures.collect::<Result<_, _>>().map_err(TellError::from)?)
}

const fn meaning(outcome: &Outcome) -> SmtpOutcome {
    match outcome {
        Outcome::Accepted { .. } => SmtpOutcome::Accepted,
        Outcome::Refused { permanent: true, .. } => SmtpOutcome::Refused,
        Outcome::Refused { permanent: false, .. } => SmtpOutcome::PutOff,
        Outcome::FailedBeforeDot { .. } => SmtpOutcome::LostBeforeDot,
        Outcome::LostAfterDot { .. } => SmtpOutcome::LostAfterDot,
    }
}

/// What the mail server said, as it may stand in a list: foreign text.
fn answer(outcome: &Outcome) -> String {
    let text = match outcome {
        Outcome::Accepted { reply } => reply.clone(),
        Outcome::Refused { code, reply, phase, .. } => format!("{phase}: {code} {reply}"),
        Outcome::FailedBeforeDot { reason } | Outcome::LostAfterDot { reason } => {
            reason.to_string()
        }
    };
    text.chars().filter(|c| !c.is_control()).take(ANSWER_CHARS_MAX).collect()
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
    /// It cannot be composed.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// It cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignMessageError),
}
