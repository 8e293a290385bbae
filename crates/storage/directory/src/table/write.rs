use model::{AccountId, SiteTransaction, StoredHash};
use sql::{Query, QueryText, SqlError, SqlTx};

use super::{connection::TableDirectory, text::Replacing};
use crate::{
    engine::{postgres, sqlite},
    failure::{ReadError, WriteError, Writing},
    locked::{LockedRow, RowNow, TransactionFate},
};

/// Whether it is a standby, and how long to wait.
const BEFORE_LOCK: QueryText = QueryText::new(sqlite::BEFORE_LOCK, postgres::BEFORE_LOCK);

/// What became of a transaction, in the database's own word.
const FATE: QueryText = QueryText::new(sqlite::FATE, postgres::FATE);

impl TableDirectory {
    pub(super) async fn hold(&self, id: &AccountId) -> Result<Box<dyn LockedRow>, WriteError> {
        let write = self.write.as_ref().ok_or(WriteError::NotConfigured)?;
        let texts = self.mapping.replacement(self.engine).ok_or(WriteError::Query)?;
        let id_type = self.id_type();
        let failed =
            |error: SqlError| WriteError::Lock { id: id.clone(), reason: error.to_string() };
        let mut tx = write.begin().await.map_err(failed)?;
        let (is_standby,) = tx.run(&BEFORE_LOCK).one::<(bool,)>().await.map_err(failed)?;
        refuse_standby(is_standby)?;
        let rows = if self.may_hold(id) {
            let lock = texts.lock.with_list_as(&id_type, 0, 1);
            tx.run(&lock).bind(id.as_str().to_owned()).all().await.map_err(failed)?
        } else {
            Vec::new()
        };
        let (now, transaction) = only(id, rows)?;
        let update = texts.update.with_list_as(&id_type, 2, 1);
        Ok(Box::new(HeldRow { tx, id: id.clone(), now, transaction, update, new: None }))
    }

    /// Without a connection that writes, nobody else's view is newer.
    pub(super) async fn look_now(&self, id: &AccountId) -> Result<RowNow, ReadError> {
        let (Some(write), Some(texts)) = (&self.write, self.mapping.replacement(self.engine))
        else {
            let found = self.find_by_ids(std::slice::from_ref(id)).await?.pop();
            let row = |account: model::Account| RowNow::of_credential(account.credential);
            return Ok(found.map_or(RowNow::Gone, row));
        };
        if !self.may_hold(id) {
            return Ok(RowNow::Gone);
        }
        let Replacing { look, .. } = texts;
        let look = look.with_list_as(&self.id_type(), 0, 1);
        let mut tx = write.read().await?;
        let rows: Vec<IdAndHash> = tx.run(&look).bind(id.as_str().to_owned()).all().await?;
        let mut rows = rows.into_iter().filter(|(found, _)| found == id.as_str());
        let Some((_, hash)) = rows.next() else { return Ok(RowNow::Gone) };
        match rows.next() {
            Some(_) => Err(ReadError::Repeated { id: id.clone() }),
            None => Ok(RowNow::of(StoredHash::from_column(hash))),
        }
    }

    pub(super) async fn ask_fate(
        &self,
        of: &SiteTransaction,
    ) -> Result<TransactionFate, ReadError> {
        let (Some(write), Ok(number)) = (&self.write, i64::try_from(of.number())) else {
            return Ok(TransactionFate::Unknown);
        };
        let mut tx = write.read().await?;
        let query = tx.run(&FATE).bind(number).bind(of.database().to_owned());
        let word = query.optional::<(Option<String>,)>().await?;
        Ok(match word.and_then(|(word,)| word).as_deref() {
            Some("committed") => TransactionFate::Committed,
            Some("aborted") => TransactionFate::Aborted,
            _ => TransactionFate::Unknown,
        })
    }
}

const fn refuse_standby(is_standby: bool) -> Result<(), WriteError> {
    if is_standby { Err(WriteError::Standby) } else { Ok(()) }
}

/// The one row of this very id, and its transaction. The database may think two ids equal that are
/// two texts.
fn only(
    id: &AccountId,
    rows: Vec<HeldColumns>,
) -> Result<(RowNow, Option<SiteTransaction>), WriteError> {
    let mut rows: Vec<_> = rows.into_iter().filter(|row| row.0 == id.as_str()).collect();
    if rows.len() > 1 {
        return Err(WriteError::Repeated { id: id.clone(), rows: rows.len() });
    }
    let Some((_, hash, number, database)) = rows.pop() else { return Ok((RowNow::Gone, None)) };
    let transaction = number.zip(database);
    let transaction =
        transaction.map(|(number, database)| SiteTransaction::new(database, number.unsigned_abs()));
    Ok((RowNow::of(StoredHash::from_column(hash)), transaction))
}

/// A row of the site's table, in a transaction that holds it.
struct HeldRow {
    tx: SqlTx,
    id: AccountId,
    now: RowNow,
    transaction: Option<SiteTransaction>,
    update: QueryText,
    new: Option<StoredHash>,
}

impl LockedRow for HeldRow {
    fn now(&self) -> &RowNow {
        &self.now
    }

    fn replace<'a>(&'a mut self, new: &'a StoredHash) -> Writing<'a, ()> {
        Box::pin(async move {
            let RowNow::Holds(old) = self.now.clone() else {
                return Err(WriteError::NoHash { id: self.id.clone() });
            };
            self.new = Some(new.clone());
            let changed = self.change(&old, new).await;
            let changed = changed.map_err(|error| self.hidden().failed(&error))?;
            self.is_done(new, &changed)
        })
    }

    fn transaction(&self) -> Option<SiteTransaction> {
        self.transaction.clone()
    }

    fn commit(self: Box<Self>) -> Writing<'static, ()> {
        let (hidden, tx) = (self.hidden(), self.tx);
        Box::pin(async move { tx.commit().await.map_err(|error| hidden.failed(&error)) })
    }

    fn roll_back(self: Box<Self>) -> Writing<'static, ()> {
        let (hidden, tx) = (self.hidden(), self.tx);
        Box::pin(async move { tx.roll_back().await.map_err(|error| hidden.failed(&error)) })
    }
}

impl HeldRow {
    async fn change(
        &mut self,
        old: &StoredHash,
        new: &StoredHash,
    ) -> Result<Vec<IdAndHash>, SqlError> {
        let hashes = [new, old].map(|hash| hash.expose().to_owned());
        let query = hashes.into_iter().fold(self.tx.run(&self.update), Query::bind);
        query.bind(self.id.as_str().to_owned()).all().await
    }

    /// What the database says that it has written is compared with what it was given.
    fn is_done(&self, new: &StoredHash, changed: &[IdAndHash]) -> Result<(), WriteError> {
        let id = || self.id.clone();
        match changed {
            [(changed, hash)] if changed == self.id.as_str() => {
                let is_new = hash.as_deref() == Some(new.expose());
                if is_new { Ok(()) } else { Err(WriteError::Altered { id: id() }) }
            }
            [] | [_] => Err(WriteError::Untouched { id: id() }),
            _ => Err(WriteError::Repeated { id: id(), rows: changed.len() }),
        }
    }

    fn hidden(&self) -> UnshownHashes {
        let old = match &self.now {
            RowNow::Holds(hash) => Some(hash.clone()),
            RowNow::Gone | RowNow::Empty => None,
        };
        UnshownHashes { id: self.id.clone(), hashes: [old, self.new.clone()] }
    }
}

/// What an error must not show, and whose it is.
struct UnshownHashes {
    id: AccountId,
    hashes: [Option<StoredHash>; 2],
}

impl UnshownHashes {
    /// Databases quote what they refuse, and a site's trigger can say anything.
    fn failed(&self, error: &SqlError) -> WriteError {
        let hashes = self.hashes.iter().flatten();
        let hide = |reason: String, hash: &StoredHash| reason.replace(hash.expose(), "(a hash)");
        WriteError::Hash { id: self.id.clone(), reason: hashes.fold(error.to_string(), hide) }
    }
}

/// A row of the site's table.
type IdAndHash = (String, Option<String>);

/// The same, and the transaction that holds it.
type HeldColumns = (String, Option<String>, Option<i64>, Option<String>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standby_is_refused() {
        assert!(refuse_standby(false).is_ok());
        assert!(refuse_standby(true).unwrap_err().to_string().contains("primary"));
    }
}
