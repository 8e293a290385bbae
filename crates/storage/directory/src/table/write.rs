use model::{AccountId, StoredHash};
use sql::{Db, Query, QueryText, SqlError, SqlTx};

use super::connection::TableDirectory;
use crate::failure::WriteError;

impl TableDirectory {
    pub(super) async fn swap(
        &self,
        id: &AccountId,
        expected: &StoredHash,
        new: &StoredHash,
    ) -> Result<bool, WriteError> {
        let write = self.write.as_ref().ok_or(WriteError::NotConfigured)?;
        let (update, select) = self.mapping.replacement().ok_or(WriteError::Query)?;
        if !self.may_hold(id) {
            return Ok(false);
        }
        let id_type = self.id_type();
        let update = update.with_list_as(&id_type, 2, 1);
        let select = select.with_list_as(&id_type, 0, 1);
        Swap { id, expected, new, update, select }.run(write).await
    }
}

/// One hash for another.
struct Swap<'a> {
    id: &'a AccountId,
    expected: &'a StoredHash,
    new: &'a StoredHash,
    update: QueryText,
    select: QueryText,
}

impl Swap<'_> {
    /// Whether exactly this account's row changed. Anything else is taken back.
    async fn run(self, write: &Db) -> Result<bool, WriteError> {
        let failed = |error| self.failed(&error);
        let mut tx = write.begin().await.map_err(failed)?;
        let changed = self.change(&mut tx).await.map_err(failed)?;
        if self.is_done(&changed)? {
            tx.commit().await.map_err(failed)?;
            return Ok(true);
        }
        let held = self.look(&mut tx).await.map_err(failed)?;
        if held.iter().any(|row| self.is_expected(row)) {
            return Err(WriteError::Untouched { id: self.id.clone() });
        }
        Ok(false)
    }

    async fn change(&self, tx: &mut SqlTx) -> Result<Vec<IdAndHash>, SqlError> {
        let hashes = [self.new, self.expected].map(|hash| hash.expose().to_owned());
        let query = hashes.into_iter().fold(tx.run(&self.update), Query::bind);
        query.bind(self.id.as_str().to_owned()).all().await
    }

    /// Asked over the same connection: what is read elsewhere may be a copy that lags behind.
    async fn look(&self, tx: &mut SqlTx) -> Result<Vec<IdAndHash>, SqlError> {
        tx.run(&self.select).bind(self.id.as_str().to_owned()).all().await
    }

    fn is_done(&self, changed: &[IdAndHash]) -> Result<bool, WriteError> {
        let id = || self.id.clone();
        match changed {
            [] => Ok(false),
            // The database may think two ids equal that are two texts.
            [(changed, _)] if changed != self.id.as_str() => Ok(false),
            [(_, hash)] if hash.as_deref() != Some(self.new.expose()) => {
                Err(WriteError::Altered { id: id() })
            }
            [_] => Ok(true),
            _ => Err(WriteError::Repeated { id: id(), rows: changed.len() }),
        }
    }

    fn is_expected(&self, (id, hash): &IdAndHash) -> bool {
        id == self.id.as_str() && hash.as_deref() == Some(self.expected.expose())
    }

    /// Databases quote what they refuse, and a site's trigger can say anything.
    fn failed(&self, error: &SqlError) -> WriteError {
        let hashes = [self.expected, self.new];
        let reason = error.to_string();
        let reason =
            hashes.iter().fold(reason, |reason, hash| reason.replace(hash.expose(), "(a hash)"));
        WriteError::Hash { id: self.id.clone(), reason }
    }
}

/// A row of the site's table, as it is now.
type IdAndHash = (String, Option<String>);
