//! Whether anybody is told now: one row while the relay, or something on the way to it, fails.

use std::time::Duration;

use model::{NoticeId, Timestamp};

use crate::{StoreFuture, Tx, cell::Cell, limits::SENDING_PAUSE_STEP_MAX, only_row::row_at_most};

sql::queries! {
    READ = ["SELECT since, step, probe_at, probe, phase, code, answer FROM sending_pause"];
    HOLD = ["SELECT since, step, probe_at, probe, phase, code, answer FROM sending_pause
        WHERE only_row = 1" FOR_UPDATE];
    PUT = ["INSERT INTO sending_pause (only_row, since, step, probe_at, probe, phase, code, answer)
        VALUES (1, $1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (only_row) DO UPDATE SET step = excluded.step,
            probe_at = excluded.probe_at, probe = excluded.probe, phase = excluded.phase,
            code = excluded.code, answer = excluded.answer"];
    // One at a time: who waits for the row finds it moved. A probe whose worker still says that it
    // is alive is not over.
    TAKE = ["UPDATE sending_pause SET probe = $1,
            probe_at = " NOW " + CASE WHEN step > $2 THEN $2 ELSE step END
        WHERE NOT (probe_at > " NOW " AND
                probe_at <= " NOW " + CASE WHEN step > $2 THEN $2 ELSE step END)
            AND NOT EXISTS (SELECT 1 FROM notice
            WHERE notice.id = sending_pause.probe AND notice.state = 'inflight'
                AND notice.lease_until > " NOW ")"];
    HASTEN = ["UPDATE sending_pause SET probe_at = " NOW " WHERE probe_at > " NOW];
    END = ["DELETE FROM sending_pause"];
    LAST_SENT = ["SELECT MAX(ended_at) FROM notice WHERE state = 'sent'"];
}

/// Why nobody is told now, and when it is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendingPause {
    /// When it began.
    pub since: Timestamp,
    /// How long from one probe to the next.
    pub step: Duration,
    /// When one notice may be tried.
    pub probe_at: Timestamp,
    /// The notice that was tried last.
    pub probe: Option<NoticeId>,
    /// How far the last attempt had come.
    pub phase: String,
    /// The three digits, if there was a reply.
    pub code: Option<u32>,
    /// What the relay said, or what went wrong. It holds no address.
    pub answer: String,
}

impl SendingPause {
    /// Whether nobody is to be tried yet. A probe is never further off than the step from one to the
    /// next: a row that says otherwise is not ours, and keeps nobody from being told.
    #[must_use]
    pub fn is_waiting(&self, now: Timestamp) -> bool {
        let step = self.step.min(SENDING_PAUSE_STEP_MAX);
        now < self.probe_at && self.probe_at <= now.after(step)
    }
}

record!(SendingPause { since, step, probe_at, probe, phase, code, answer });

impl Tx {
    /// Why nobody is told now; `None` while everybody is.
    pub fn sending_pause(&mut self) -> StoreFuture<'_, Option<SendingPause>> {
        Box::pin(row_at_most(self.0.run(&READ), "sending_pause"))
    }

    /// The same, and nobody else can change it until this transaction ends.
    pub fn hold_sending_pause(&mut self) -> StoreFuture<'_, Option<SendingPause>> {
        Box::pin(async move { Ok(self.0.run(&HOLD).optional().await?) })
    }

    /// Begins a pause, or says how it goes on; when it began stays as it is.
    pub fn put_sending_pause(&mut self, pause: SendingPause) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let query = self.0.run(&PUT).bind(Cell(pause.since)).bind(Cell(pause.step));
            let query = query.bind(Cell(pause.probe_at)).bind(pause.probe.map(Cell));
            let query = query.bind(pause.phase).bind(pause.code.map(Cell)).bind(pause.answer);
            Ok(query.exactly_one().await?)
        })
    }

    /// Lets this transaction try one notice, or take up one address; `false` if it is too early, or
    /// if somebody else does so.
    pub fn take_probe(&mut self, probe: Option<NoticeId>) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let query = self.0.run(&TAKE).bind(probe.map(Cell)).bind(Cell(SENDING_PAUSE_STEP_MAX));
            Ok(query.execute().await? == 1)
        })
    }

    /// Lets the next probe begin at once.
    pub fn hasten_probe(&mut self) -> StoreFuture<'_, ()> {
        Box::pin(async move { Ok(self.0.run(&HASTEN).execute().await.map(drop)?) })
    }

    /// Lets everybody be told again.
    pub fn end_sending_pause(&mut self) -> StoreFuture<'_, ()> {
        Box::pin(async move { Ok(self.0.run(&END).execute().await.map(drop)?) })
    }

    /// When the relay last took a mail, of anybody's.
    pub fn last_sent(&mut self) -> StoreFuture<'_, Option<Timestamp>> {
        Box::pin(async move {
            let (last,) = self.0.run(&LAST_SENT).one::<(Option<Cell<Timestamp>>,)>().await?;
            Ok(last.map(|Cell(last)| last))
        })
    }
}
