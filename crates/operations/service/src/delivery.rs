//! Handing one notice over to the mail server, and knowing what became of it: the same for all
//! kinds, whoever has them sent.

use std::time::Duration;

use campaign::{NoticeEvent, NoticeRow, SmtpOutcome, notice_after};
use ledger::{CampaignEvent, Event, RecoveryEvent};
use model::{NoticeId, NoticeState};
use notice::{
    Address, Composed, Facts, Language, NoticeToken, Outcome, Posting, Signer, Transport,
};
use store::{Errand, Notice, StoreError, Tx};
use tokio::time;

use crate::{
    TellError, WorkError, Worker, failpoint,
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
    /// Sends a notice that was committed as `inflight`, and records what became of it. `retry` is
    /// how long its first retry waits.
    pub(crate) async fn carry(
        &self,
        notice: &Notice,
        retry: Duration,
        mail: impl Future<Output = Result<Composed, WorkError>>,
    ) -> Result<(), WorkError> {
        failpoint::reach("notice_begun");
        let (outcome, answer, failed) = match self.prepare(mail).await {
            Ok(mail) => {
                let outcome = self.deliver(notice, &mail).await?;
                (meaning(&outcome), Some(answer(&outcome)), None)
            }
            Err(error) => (SmtpOutcome::LostBeforeDot, None, Some(error)),
        };
        failpoint::reach("notice_delivered");
        self.record_told(notice, outcome, retry, answer).await?;
        failpoint::reach("notice_recorded");
        failed.map_or(Ok(()), Err)
    }

    /// Says that an attempt begins, in the transaction that decided so.
    pub(crate) async fn begin_notice(
        &self,
        tx: &mut Tx,
        notice: Notice,
    ) -> Result<Notice, WorkError> {
        let now = tx.now().await?;
        let taken = notice_after(row_of(&notice), NoticeEvent::Taken, Duration::ZERO, now);
        let attempts = taken.map_err(TellError::from)?.attempts();
        tx.begin_notice(notice.id, attempts, &self.name, self.site.options.lease).await?;
        let begun = Notice { attempts, state: NoticeState::Inflight, ..notice };
        self.site.record(tx, &[begun_event(&begun)]).await?;
        Ok(begun)
    }

    /// Notices whose worker died are never sent again.
    pub(crate) async fn give_up_on_dead(
        &self,
        tx: &mut Tx,
        left: &[Notice],
    ) -> Result<(), WorkError> {
        for notice in left {
            let found = NoticeEvent::FoundInflight;
            self.move_notice(tx, notice, found, Duration::ZERO, None).await?;
        }
        Ok(())
    }

    /// What its recipient gets: equal facts make equal bytes, so that every attempt is one mail.
    pub(crate) fn write<F: Facts>(
        &self,
        notice: &Notice,
        facts: &F,
        language: Language,
    ) -> Result<Composed, WorkError> {
        let posting = Posting {
            token: NoticeToken::derive(&self.site.vault.notice_key(), notice.id.0),
            date: notice.made_at,
            bounces: self.means.mail.bounces.clone(),
        };
        let mail = self.means.words.composer().compose(facts, language, &posting);
        let mail = mail.map_err(TellError::from)?;
        match &self.means.mail.signer {
            Some(signer) => Ok(mail.signed(&**signer).map_err(TellError::from)?),
            None => Ok(mail),
        }
    }

    /// That nobody may send it again is on record, here and outside the store, before the mail
    /// server hears a word.
    async fn prepare(
        &self,
        mail: impl Future<Output = Result<Composed, WorkError>>,
    ) -> Result<Composed, WorkError> {
        self.means.guard.mark(self.site).await?;
        mail.await
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
        if let Some(campaign) = notice.errand.campaign() {
            tx.hold_campaign(campaign).await?;
        }
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
        let moved = Notice { state, attempts, not_before, ..*notice };
        tx.save_notice(&moved, answer).await?;
        if state.is_final() {
            finish(tx, &moved).await?;
        }
        Ok(self.site.record(tx, &[ended_event(&moved)]).await?)
    }
}

/// What is waited for, or kept, only until a notice is final.
async fn finish(tx: &mut Tx, notice: &Notice) -> Result<(), StoreError> {
    match notice.errand {
        Errand::Campaign { campaign, address } => tx.settle_address(campaign, address).await,
        Errand::Request => tx.forget_requested_notice(notice.id).await,
    }
}

pub(crate) const fn row_of(notice: &Notice) -> NoticeRow {
    NoticeRow::restore(notice.state, notice.attempts, notice.not_before)
}

fn begun_event(notice: &Notice) -> Event {
    let (id, attempt) = of(notice);
    match notice.errand {
        Errand::Campaign { campaign, .. } => {
            CampaignEvent::NoticeBegun { campaign, notice: id, attempt }.into()
        }
        Errand::Request => RecoveryEvent::RequestedNoticeBegun { notice: id, attempt }.into(),
    }
}

fn ended_event(notice: &Notice) -> Event {
    let ((id, attempt), state) = (of(notice), notice.state);
    match notice.errand {
        Errand::Campaign { campaign, .. } => {
            CampaignEvent::NoticeEnded { campaign, notice: id, attempt, state }.into()
        }
        Errand::Request => {
            RecoveryEvent::RequestedNoticeEnded { notice: id, attempt, state }.into()
        }
    }
}

const fn of(notice: &Notice) -> (NoticeId, u32) {
    (notice.id, notice.attempts)
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
