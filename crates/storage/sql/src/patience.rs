//! How long we wait for an answer. A server that has stopped in the middle, or a network that passes nothing
//! any more, ends no statement: whoever waits has to.

use std::{future::Future, pin::pin, time::Duration};

use futures_util::{StreamExt as _, stream};
use tokio::time::timeout;

use crate::{Access, SqlError, backend::RowStream};

/// After so long, and again after as long, whoever waits is told.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// A server ends a look-up of ours after a minute by itself.
const LOOK_UP_MAX: Duration = Duration::from_secs(90);

/// What is written on a site is a few rows, for which its server waits 15 seconds; sessions take longer.
const WRITE_MAX: Duration = Duration::from_mins(5);

/// A statement over a whole table may take its time before the first row comes.
const WHOLE_TABLE_MAX: Duration = Duration::from_hours(1);

/// For how long an answer, or the next row of one, is waited for; for ever where the database is a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience(Option<Duration>);

impl Patience {
    pub(crate) const FOR_A_FILE: Self = Self(None);

    pub(crate) const fn for_a_server(access: Access) -> Self {
        Self(Some(match access {
            Access::Read => LOOK_UP_MAX,
            Access::Write => WRITE_MAX,
            Access::Scan | Access::Create => WHOLE_TABLE_MAX,
        }))
    }

    /// Waits for an answer.
    pub(crate) async fn wait<T>(
        self,
        answer: impl Future<Output = Result<T, SqlError>>,
    ) -> Result<T, SqlError> {
        let Some(longest) = self.0 else { return answer.await };
        let (mut answer, mut waited) = (pin!(answer), Duration::ZERO);
        while waited < longest {
            let step = TOLD_EVERY.min(longest.saturating_sub(waited));
            if let Ok(answer) = timeout(step, &mut answer).await {
                return answer;
            }
            waited += step;
            tracing::warn!(seconds = waited.as_secs(), "the database has not answered yet");
        }
        Err(SqlError::Silent { waited })
    }

    /// The same for each row.
    pub(crate) fn rows<'c>(self, rows: RowStream<'c>) -> RowStream<'c> {
        if self.0.is_none() {
            return rows;
        }
        let next = move |mut rows: RowStream<'c>| async move {
            let row = self.wait(async { rows.next().await.transpose() }).await;
            row.map(|row| row.map(|row| (row, rows)))
        };
        Box::pin(stream::try_unfold(rows, next))
    }
}

#[cfg(test)]
mod tests {
    use std::future;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_never_comes_is_given_up() {
        let patience = Patience::for_a_server(Access::Read);
        let silent = patience.wait(future::pending::<Result<(), SqlError>>()).await;
        assert!(matches!(silent, Err(SqlError::Silent { waited }) if waited == LOOK_UP_MAX));
        let late = patience.wait(async {
            tokio::time::sleep(LOOK_UP_MAX / 2).await;
            Ok(7)
        });
        assert_eq!(late.await.unwrap(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn rows_that_stop_coming_are_given_up() {
        let patience = Patience::for_a_server(Access::Scan);
        let mut rows = patience.rows(Box::pin(stream::pending()));
        let silent = rows.next().await.unwrap();
        assert!(matches!(silent, Err(SqlError::Silent { .. })));
        assert!(rows.next().await.is_none());
    }
}
