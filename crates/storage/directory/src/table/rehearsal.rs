//! Whether what a rehearsal writes to says that nobody signs in there.

use model::InstanceKind;
use sql::{QueryText, SqlError, SqlTx};

use super::connection::TableDirectory;
use crate::{failure::WriteError, mapping::Sessions};

impl TableDirectory {
    /// Passes tables that a rehearsal may write to, as the connection that writes shows them.
    pub(super) async fn check_rehearsal(&self) -> Result<Result<(), WriteError>, SqlError> {
        let Some(write) = &self.write else { return Ok(Err(WriteError::NotConfigured)) };
        self.look_where(&mut write.read().await?).await
    }

    /// Passes tables that may be written to. A site's are not asked.
    pub(super) async fn check_kind(&self) -> Result<Result<(), WriteError>, SqlError> {
        match self.kind {
            InstanceKind::Site => Ok(Ok(())),
            InstanceKind::Rehearsal => self.check_rehearsal().await,
        }
    }

    /// The same in the transaction that is about to write.
    pub(super) async fn check_kind_in(
        &self,
        tx: &mut SqlTx,
    ) -> Result<Result<(), WriteError>, SqlError> {
        match self.kind {
            InstanceKind::Site => Ok(Ok(())),
            InstanceKind::Rehearsal => self.look_where(tx).await,
        }
    }

    /// Asks of every table that is known by its name.
    async fn look_where(&self, tx: &mut SqlTx) -> Result<Result<(), WriteError>, SqlError> {
        let Some(hashes) = &self.statements.written else { return Ok(Err(WriteError::Query)) };
        let setting = if hashes.is_apart { "directory.write.table" } else { "directory.table" };
        let sessions = match &self.statements.mapping.sessions {
            Sessions::Django { table } => Some(("directory.sessions.django_table", table)),
            Sessions::Untouched | Sessions::Statement(_) => None,
        };
        for (setting, table) in [(setting, &hashes.path)].into_iter().chain(sessions) {
            let place = QueryText::composed(self.statements.engine.rehearses(table));
            let place = tx.run(&place).one::<PlaceOfRows>().await?;
            if let Err(refused) = self.judge(setting, place) {
                return Ok(Err(refused));
            }
        }
        Ok(Ok(()))
    }

    fn judge(
        &self,
        setting: &'static str,
        (place, kind, is_marked): PlaceOfRows,
    ) -> Result<(), WriteError> {
        let gone = || WriteError::Elsewhere { setting, kind: "no table that is there".to_owned() };
        let place = self.statements.engine.quoted(&place.ok_or_else(gone)?);
        match kind {
            Some(kind) => Err(WriteError::Elsewhere { setting, kind }),
            None if is_marked => Ok(()),
            None => Err(WriteError::NotForRehearsals { setting, place }),
        }
    }
}

/// Where a table's rows are kept, in what if that is no ordinary table, and whether all is for
/// rehearsals there.
type PlaceOfRows = (Option<String>, Option<String>, bool);
