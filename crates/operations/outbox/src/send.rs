//! Sending one notice: claim, begin on record, compose, deliver, record what became of it.

use std::time::Duration;

use instance::{
    Instance, NoticeLease,
    failpoint::{self, mutant},
    prolong_arming, while_kept,
};
use ledger::{FoldRefusal, NoticeStep};
use model::{CampaignId, NoticeState, SubjectId, Timestamp};
use notice::{
    Composed, DeliveryOutcome, NoticeCode, NoticeEvent, NoticeRow, PutOffs, RelayRecord, ShownText,
    SmtpOutcome, notice_after,
};
use store::{Errand, Notice, StoreError, Tx};

use crate::{
    SendError, SendingContext,
    answer::Attempted,
    code::set_code,
    limits::{FALSE_ROW_AGAIN_AFTER, RECORD_AGAIN_AFTER, RECORD_TRIES_MAX},
    pause::change_pause,
    requested::requested_digest,
    shown::keep,
};

/// Where notices come from: a campaign, or people who ask for mails.
pub trait NoticeSource: Sync {
    /// What [`NoticeSource::next`] decides by, read in the transaction that claims.
    type Gate: Send;
    /// What is fixed for a notice in the transaction that claims it, and composed afterwards.
    type Draft: Send;
    /// Why no notice of this source can be sent.
    type Error: From<SendError> + From<StoreError> + Send;

    /// Refuses unless this host may send, and reads whatever else a claim is decided by; `None` if
    /// this source sends nothing now.
    fn gate(
        &self,
        tx: &mut Tx,
    ) -> impl Future<Output = Result<Option<Self::Gate>, Self::Error>> + Send;

    /// Notices that a worker began and did not end before its lease was over.
    fn left_in_flight(
        &self,
        tx: &mut Tx,
    ) -> impl Future<Output = Result<Vec<Notice>, StoreError>> + Send;

    /// The next notice that may go now, with how long its first retry waits.
    fn next(
        &self,
        tx: &mut Tx,
        gate: &Self::Gate,
    ) -> impl Future<Output = Result<Option<(Notice, Duration)>, Self::Error>> + Send;

    /// Fixes what a notice says, as far as that takes the claiming transaction.
    fn draft(
        &self,
        tx: &mut Tx,
        gate: &Self::Gate,
        notice: &Notice,
    ) -> impl Future<Output = Result<Self::Draft, Self::Error>> + Send;

    /// Writes the mail, which prints the code.
    fn compose(
        &self,
        notice: &Notice,
        code: NoticeCode,
        draft: Self::Draft,
    ) -> impl Future<Output = Result<Composed, Self::Error>> + Send;
}

/// Sends the next notice of a source; `false` if none is to be sent now.
///
/// # Errors
/// The source's error. A notice that could not be composed is put off, and that is on record.
pub async fn send_next<S: NoticeSource>(
    sender: &SendingContext<'_>,
    source: &S,
) -> Result<bool, S::Error> {
    sender.outbox.permission.ready(sender.instance).await.map_err(SendError::from)?;
    let Claimed { notice, code, retry, draft } = match claim(sender, source).await? {
        ToSend::Nothing => return Ok(false),
        ToSend::GivenUp => return Ok(true),
        ToSend::Taken(claimed) => claimed,
    };
    failpoint::reach("notice_begun").await;
    let (attempt, failed) = match prepare(sender, source, &notice, code, draft).await {
        Ok(mail) => (Some(attempt(sender, &notice, &mail).await), None),
        Err(error) => (None, Some(error)),
    };
    failpoint::reach("notice_delivered").await;
    record_in_the_end(sender, &notice, attempt, retry).await?;
    failpoint::reach("notice_recorded").await;
    failed.map_or(Ok(true), Err)
}

/// What a worker has found to send.
enum ToSend<D> {
    Nothing,
    /// One that may have been sent already, and nobody knows.
    GivenUp,
    Taken(Claimed<D>),
}

/// A notice in this worker's hands.
struct Claimed<D> {
    notice: Notice,
    code: NoticeCode,
    retry: Duration,
    draft: D,
}

/// Commits one notice as `inflight`, unless sending pauses and it is not time for one to be tried.
/// Notices that dead workers have left in flight become `uncertain` on the way.
async fn claim<S: NoticeSource>(
    sender: &SendingContext<'_>,
    source: &S,
) -> Result<ToSend<S::Draft>, S::Error> {
    let mut tx = sender.instance.store().begin().await?;
    let Some(gate) = source.gate(&mut tx).await? else { return Ok(ToSend::Nothing) };
    let pause = tx.hold_sending_pause().await?;
    for notice in source.left_in_flight(&mut tx).await? {
        if let Err(error) = check_under_way(sender.instance, &mut tx, &notice).await {
            drop(tx);
            if matches!(error, SendError::Row(_)) {
                put_aside(sender, &notice).await?;
            }
            return Err(error.into());
        }
        move_notice(sender, &mut tx, &notice, found(&notice), Duration::ZERO, None).await?;
    }
    let is_early = match &pause {
        Some(pause) => pause.is_waiting(tx.now().await?),
        None => false,
    };
    let next = if is_early { None } else { source.next(&mut tx, &gate).await? };
    let claimed = match next {
        None => ToSend::Nothing,
        Some((notice, _)) if pause.is_some() && !tx.take_probe(Some(notice.id)).await? => {
            ToSend::Nothing
        }
        Some((notice, retry)) => {
            let (notice, code) = match begin(sender, &mut tx, notice).await {
                Ok(begun) => begun,
                Err(error @ SendError::Row(_)) => {
                    drop(tx);
                    put_aside(sender, &notice).await?;
                    return Err(error.into());
                }
                Err(error) => return Err(error.into()),
            };
            if is_perhaps_sent(sender.instance, &mut tx, &notice).await? {
                let event = NoticeEvent::FoundInflight;
                move_notice(sender, &mut tx, &notice, event, Duration::ZERO, None).await?;
                ToSend::GivenUp
            } else {
                let draft = source.draft(&mut tx, &gate, &notice).await?;
                ToSend::Taken(Claimed { notice, code, retry, draft })
            }
        }
    };
    tx.commit().await?;
    Ok(claimed)
}

/// One row that somebody else has written keeps nobody else's mail waiting.
async fn put_aside(sender: &SendingContext<'_>, notice: &Notice) -> Result<(), StoreError> {
    let mut tx = sender.instance.store().begin().await?;
    tx.put_notice_aside(notice.id, FALSE_ROW_AGAIN_AFTER).await?;
    tx.commit().await
}

/// Says that an attempt begins, in the transaction that decided so, unless the log says that it must
/// not: that its people were told before, or not sealed. Returns the code to print, too.
async fn begin(
    sender: &SendingContext<'_>,
    tx: &mut Tx,
    notice: Notice,
) -> Result<(Notice, NoticeCode), SendError> {
    let now = tx.now().await?;
    let taken = notice_after(row_of(&notice)?, NoticeEvent::Taken, Duration::ZERO, now)?;
    let attempts = taken.attempts();
    let lease = sender.instance.options().lease;
    let made_at = check_begin(sender.instance, tx, &notice).await?;
    if !mutant::is_on("begun_unrecorded") {
        tx.begin_notice(notice.id, attempts, sender.worker, lease).await?;
    }
    prolong_arming(tx).await?;
    let (key, code) = set_code(sender.instance, tx, notice.id).await?;
    let (state, key) = (NoticeState::Inflight, Some(key));
    let begun = Notice { attempts, state, key, made_at, ..notice };
    sender.instance.record(tx, &[begun_step(&begun).into()]).await?;
    Ok((begun, code))
}

/// Passes a notice whose attempt the log knows to have begun: else the log would say of somebody that they
/// were perhaps told, whom nobody has tried to tell.
async fn check_under_way(
    instance: &Instance,
    tx: &mut Tx,
    notice: &Notice,
) -> Result<(), SendError> {
    let log = instance.proved(tx).await?;
    Ok(log.check_under_way(notice.errand.campaign(), notice.id, notice.attempts)?)
}

/// Passes a notice that may begin by the log, and returns when that says that it was written: its row may
/// say anything.
async fn check_begin(
    instance: &Instance,
    tx: &mut Tx,
    notice: &Notice,
) -> Result<Timestamp, SendError> {
    let Notice { id, errand, attempts, made_at, .. } = *notice;
    Ok(match errand {
        Errand::Campaign { campaign, .. } => {
            let subjects = tx.notice_lines(id).await?;
            check_lines(tx, campaign, &subjects).await?;
            instance.proved(tx).await?.check_begin(campaign, id, attempts, &subjects)?
        }
        Errand::Request => {
            let row = requested_digest(&tx.requested_notice(id).await?);
            let log = instance.proved(tx).await?;
            // It is given up. Nothing is made of its row, whose digest earlier versions made otherwise.
            if log.is_perhaps_sent(None, id) {
                made_at
            } else {
                log.check_requested(id, attempts, &row)?
            }
        }
    })
}

/// Passes people of whom it is kept what was done to their password: a mail tells it.
async fn check_lines(
    tx: &mut Tx,
    campaign: CampaignId,
    subjects: &[SubjectId],
) -> Result<(), SendError> {
    for &subject in subjects {
        if tx.reset_line(campaign, subject).await?.is_none() {
            return Err(FoldRefusal::ResetLine { campaign, subject }.into());
        }
    }
    Ok(())
}

/// Whether the store was put back since it was due: what it was then knew of it is lost.
async fn is_perhaps_sent(
    instance: &Instance,
    tx: &mut Tx,
    notice: &Notice,
) -> Result<bool, SendError> {
    let log = instance.proved(tx).await?;
    Ok(log.is_perhaps_sent(notice.errand.campaign(), notice.id))
}

/// That nobody may send it again is on record, here and outside the store, before the mail server
/// hears a word.
async fn prepare<S: NoticeSource>(
    sender: &SendingContext<'_>,
    source: &S,
    notice: &Notice,
    code: NoticeCode,
    draft: S::Draft,
) -> Result<Composed, S::Error> {
    sender.outbox.permission.mark(sender.instance).await.map_err(SendError::from)?;
    source.compose(notice, code, draft).await
}

/// What came of an attempt, and what it would have its recipient read.
struct NoticeAttempt {
    attempted: Attempted,
    shown: Option<ShownText>,
}

async fn attempt(sender: &SendingContext<'_>, notice: &Notice, mail: &Composed) -> NoticeAttempt {
    let attempted = Attempted::from(&deliver(sender, notice, mail).await);
    NoticeAttempt { attempted, shown: mail.shown().cloned() }
}

/// If the lease cannot be renewed, another attempt may find it `uncertain` meanwhile; a clear answer
/// settles that.
async fn deliver(sender: &SendingContext<'_>, notice: &Notice, mail: &Composed) -> DeliveryOutcome {
    let (attempt, owner) = (notice.attempts, sender.worker);
    let held = NoticeLease { notice: notice.id, attempt, owner };
    while_kept(sender.instance, &held, sender.outbox.mail.transport.deliver(mail)).await
}

/// A store that is away for a while must not make us forget what the relay has answered.
async fn record_in_the_end(
    sender: &SendingContext<'_>,
    notice: &Notice,
    attempt: Option<NoticeAttempt>,
    retry: Duration,
) -> Result<(), SendError> {
    for _ in 1..RECORD_TRIES_MAX {
        match record_outcome(sender, notice, attempt.as_ref(), retry).await {
            Err(SendError::Fault(error)) if error.is_passing() => {
                tracing::warn!(%error, notice = %notice.id, "an answer could not be recorded yet");
                failpoint::sleep(RECORD_AGAIN_AFTER).await;
            }
            recorded => return recorded,
        }
        // It was, if only the answer to that was lost.
        if is_recorded(sender, notice, attempt.as_ref()).await.unwrap_or(false) {
            return Ok(());
        }
    }
    record_outcome(sender, notice, attempt.as_ref(), retry).await
}

/// What another worker has found in flight meanwhile, a clear answer still settles.
async fn is_recorded(
    sender: &SendingContext<'_>,
    notice: &Notice,
    attempt: Option<&NoticeAttempt>,
) -> Result<bool, StoreError> {
    let now = sender.instance.store().begin().await?.hold_notice(notice.id).await?;
    let outcome = attempt.map(|attempt| attempt.attempted.outcome);
    let is_clear = matches!(outcome, Some(SmtpOutcome::Accepted | SmtpOutcome::Refused));
    Ok(match now.state {
        _ if now.attempts != notice.attempts => true,
        NoticeState::Inflight => false,
        NoticeState::Uncertain => !is_clear,
        _ => true,
    })
}

async fn record_outcome(
    sender: &SendingContext<'_>,
    notice: &Notice,
    attempt: Option<&NoticeAttempt>,
    retry: Duration,
) -> Result<(), SendError> {
    let attempted = attempt.map(|attempt| &attempt.attempted);
    let shown = attempt.and_then(|attempt| attempt.shown.as_ref());
    let mut tx = sender.instance.store().begin().await?;
    if let Some(campaign) = notice.errand.campaign() {
        tx.hold_campaign(campaign).await?;
    }
    let relay = match attempted {
        Some(attempted) => {
            change_pause(&mut tx, (notice.id, row_of(notice)?), attempted, retry).await?
        }
        None => RelayRecord::default(),
    };
    let outcome = attempted.map_or(SmtpOutcome::Unwritten, |tried| tried.outcome);
    // What was sent bears the date that the log tells, and that is kept with it.
    let now = Notice { made_at: notice.made_at, ..tx.hold_notice(notice.id).await? };
    let event = NoticeEvent::Answered { attempt: notice.attempts, outcome, relay };
    let answer = attempted.map(|tried| tried.answer.clone());
    let moved = move_notice(sender, &mut tx, &now, event, retry, answer).await?;
    if let Some(shown) = shown {
        keep(sender.instance, &mut tx, &moved, shown).await?;
    }
    Ok(tx.commit().await?)
}

async fn move_notice(
    sender: &SendingContext<'_>,
    tx: &mut Tx,
    notice: &Notice,
    event: NoticeEvent,
    retry: Duration,
    answer: Option<String>,
) -> Result<Notice, SendError> {
    let now = tx.now().await?;
    let row = notice_after(row_of(notice)?, event, retry, now)?;
    let (state, attempts, not_before) = (row.state(), row.attempts(), row.not_before());
    let PutOffs { count: put_offs, last_at: put_off_at } = row.put_offs();
    let moved = Notice { state, attempts, not_before, put_offs, put_off_at, ..*notice };
    tx.save_notice(&moved, answer).await?;
    if state.is_final() {
        finish(tx, &moved).await?;
    }
    sender.instance.record(tx, &[ended_step(&moved).into()]).await?;
    Ok(moved)
}

/// What is waited for, or kept, only until a notice is final.
async fn finish(tx: &mut Tx, notice: &Notice) -> Result<(), StoreError> {
    match notice.errand {
        Errand::Campaign { campaign, address } => {
            tx.settle_address(campaign, address).await?;
            tx.release_put_back(campaign, address).await
        }
        Errand::Request => tx.forget_requested_notice(notice.id).await,
    }
}

/// A notice as the decisions on it see it. It cannot have been put off more often than it was tried, which
/// the log counts: a row that says so would have its people given up.
fn row_of(notice: &Notice) -> Result<NoticeRow, FoldRefusal> {
    if notice.put_offs > notice.attempts {
        return Err(FoldRefusal::Notice { notice: notice.id });
    }
    let put_offs = PutOffs { count: notice.put_offs, last_at: notice.put_off_at };
    Ok(NoticeRow::restore(notice.state, notice.attempts, notice.not_before, put_offs))
}

const fn begun_step(notice: &Notice) -> NoticeStep {
    NoticeStep::NoticeBegun {
        campaign: notice.errand.campaign(),
        notice: notice.id,
        attempt: notice.attempts,
    }
}

const fn ended_step(notice: &Notice) -> NoticeStep {
    NoticeStep::NoticeEnded {
        campaign: notice.errand.campaign(),
        notice: notice.id,
        attempt: notice.attempts,
        state: notice.state,
    }
}

/// What a notice has become that another attempt finds in flight.
fn found(notice: &Notice) -> NoticeEvent {
    if mutant::is_on("inflight_requeued") {
        let (attempt, outcome) = (notice.attempts, SmtpOutcome::Unwritten);
        return NoticeEvent::Answered { attempt, outcome, relay: RelayRecord::default() };
    }
    NoticeEvent::FoundInflight
}
