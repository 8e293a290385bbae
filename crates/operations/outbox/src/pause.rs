//! Whether anybody is told now, and what an answer does to that.

use std::time::Duration;

use futures_util::future::BoxFuture;
use instance::Instance;
use model::{NoticeId, Timestamp};
use notice::{
    NoticeRow, PauseChange, PauseClock, Phase, RelayRecord, SmtpOutcome, is_of_everybody,
    pause_after, repeats,
};
use serde::Serialize;
use store::{SendingPause, StoreError, Tx};

use crate::{answer::Attempted, remedy::remedy};

/// Nobody is told now, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PausedSending {
    /// Since when.
    pub since: Timestamp,
    /// When one notice is tried again.
    pub tried_again_at: Timestamp,
    /// How far the last attempt had come.
    pub phase: String,
    /// The relay's three digits, if it answered.
    pub code: Option<u32>,
    /// What the relay said, or what went wrong. It holds no recipient's address.
    pub answer: String,
    /// What to look at.
    pub remedy: &'static str,
}

impl From<SendingPause> for PausedSending {
    fn from(pause: SendingPause) -> Self {
        let SendingPause { since, probe_at, phase, code, answer, .. } = pause;
        let remedy = remedy(phase.parse().unwrap_or(Phase::Connect), code);
        Self { since, tried_again_at: probe_at, phase, code, answer, remedy }
    }
}

/// Why nobody is told now; `None` while everybody is.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn paused_sending(
    instance: &Instance,
) -> BoxFuture<'_, Result<Option<PausedSending>, StoreError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        Ok(tx.sending_pause().await?.map(PausedSending::from))
    })
}

/// Lets one notice be tried at once, since something was put right.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn hasten_sending(instance: &Instance) -> BoxFuture<'_, Result<(), StoreError>> {
    Box::pin(async move {
        let mut tx = instance.store().begin().await?;
        tx.hasten_probe().await?;
        tx.commit().await
    })
}

/// Ends, begins or prolongs the pause, as an attempt at this notice has shown; says what the relay
/// had done before.
pub(crate) async fn change_pause(
    tx: &mut Tx,
    (notice, row): (NoticeId, NoticeRow),
    attempted: &Attempted,
    retry: Duration,
) -> Result<RelayRecord, StoreError> {
    let pause = tx.hold_sending_pause().await?;
    let relay = relay_record(tx, notice, attempted, pause.is_some()).await?;
    if pause.is_some() || attempted.outcome != SmtpOutcome::Accepted {
        let now = tx.now().await?;
        if is_of_everybody(row, attempted.outcome, relay) {
            change(tx, notice, attempted, pause, (retry, now)).await?;
        }
    }
    Ok(relay)
}

/// It is read where something depends on it.
async fn relay_record(
    tx: &mut Tx,
    notice: NoticeId,
    attempted: &Attempted,
    is_paused: bool,
) -> Result<RelayRecord, StoreError> {
    let (SmtpOutcome::Deferred | SmtpOutcome::Hindered { heard: true }) = attempted.outcome else {
        return Ok(RelayRecord::default());
    };
    let is_repeated = match tx.notice_answer(notice).await? {
        Some(earlier) => repeats(&earlier, &attempted.answer),
        None => false,
    };
    Ok(RelayRecord { last_sent: tx.last_sent().await?, is_in_doubt: is_paused && !is_repeated })
}

async fn change(
    tx: &mut Tx,
    notice: NoticeId,
    attempted: &Attempted,
    pause: Option<SendingPause>,
    (retry, now): (Duration, Timestamp),
) -> Result<(), StoreError> {
    let is_probe = pause.as_ref().is_some_and(|pause| pause.probe == Some(notice));
    let clock =
        pause.as_ref().map(|pause| PauseClock { step: pause.step, probe_at: pause.probe_at });
    match pause_after(clock, attempted.outcome, is_probe, retry, now) {
        PauseChange::Keep => Ok(()),
        PauseChange::End => end(tx, pause).await,
        PauseChange::Set(clock) => {
            let probe = pause.as_ref().and_then(|pause| pause.probe).filter(|_| !is_probe);
            let since = pause.map_or(now, |pause| pause.since);
            put(tx, attempted, since, clock, probe).await
        }
    }
}

async fn end(tx: &mut Tx, pause: Option<SendingPause>) -> Result<(), StoreError> {
    let Some(pause) = pause else { return Ok(()) };
    tracing::info!(since = %pause.since, "sending goes on");
    tx.end_sending_pause().await
}

async fn put(
    tx: &mut Tx,
    attempted: &Attempted,
    since: Timestamp,
    clock: PauseClock,
    probe: Option<NoticeId>,
) -> Result<(), StoreError> {
    let Attempted { phase, code, answer, .. } = attempted;
    let code = code.map(u32::from);
    tracing::warn!(%phase, code, answer, tried_again_at = %clock.probe_at, "sending pauses");
    let PauseClock { step, probe_at } = clock;
    let (phase, answer) = (phase.to_string(), answer.clone());
    tx.put_sending_pause(SendingPause { since, step, probe_at, probe, phase, code, answer }).await
}
