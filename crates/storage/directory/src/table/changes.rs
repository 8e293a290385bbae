use model::Timestamp;

use super::connection::{CLOCK, TableDirectory};
use crate::{
    contract::{ChangeMark, Changes},
    failure::ReadError,
    limits::CHANGE_OVERLAP_SECONDS,
    row::shown,
    value::earlier,
};

/// Where nothing has changed yet. Whatever changes afterwards comes behind it.
const BEGINNING: &str = "";

impl TableDirectory {
    /// The mark is taken before the accounts are read: what is committed in between comes twice.
    pub(super) async fn changes(
        &self,
        since: Option<&ChangeMark>,
    ) -> Result<Changes<'_>, ReadError> {
        let column =
            self.statements.mapping.columns.changed_at.as_deref().ok_or(ReadError::NoChanges)?;
        let mark = self.latest_change(column).await?;
        let mark = ChangeMark::new(mark.unwrap_or_else(|| BEGINNING.to_owned()));
        let Some(since) = since else { return Ok(Changes::none_yet(mark)) };
        let changed = match since.as_str() {
            BEGINNING => self.statements.all_changes(column),
            text => {
                let from = earlier(text, CHANGE_OVERLAP_SECONDS);
                let from = from.ok_or_else(|| ReadError::Mark { mark: shown(text) })?;
                self.statements.changes(column, &self.statements.engine.moment(&from))
            }
        };
        Ok(Changes { mark, accounts: self.stream(&changed) })
    }

    /// The latest change that is not ahead of the database's clock, in the column's words.
    async fn latest_change(&self, column: &str) -> Result<Option<String>, ReadError> {
        let mut tx = self.read.read().await?;
        let (now,) = tx.run(&CLOCK).one::<(i64,)>().await?;
        let now = Timestamp::from_micros(now);
        for row in self.rows(tx.run(&self.statements.latest_changes(column))).await? {
            if let Some((at, text)) = row.changed_at()?
                && at <= now
            {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }
}
