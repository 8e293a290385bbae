use futures_util::future::BoxFuture;
use model::{AccountId, SiteTransaction, StoredHash};
use sql::{QueryText, SqlError, SqlTx};

use super::connection::TableDirectory;
use crate::{
    contract::{Fate, LockedRow, RowNow, Writing},
    engine::Engine,
    failure::{ReadError, WriteError},
};

impl TableDirectory {
    pub(super) async fn lock_row(&self, id: &AccountId) -> Result<TableRow, WriteError> {
        let write = self.write.as_ref().ok_or(WriteError::NotConfigured)?;
        let texts = self.mapping.replacement(self.engine.locking()).ok_or(WriteError::Query)?;
        let (update, select) = texts;
        let id_type = self.id_type();
        let update = update.with_list_as(&id_type, 2, 1);
        let select = select.with_list_as(&id_type, 0, 1);
        let failed = |error: SqlError| failed(id, &[], &error);
        let mut tx = write.begin().await.map_err(failed)?;
        let transaction = begin_locking(self.engine, &mut tx, id).await?;
        let now = if self.may_hold(id) {
            let rows = tx.run(&select).bind(id.as_str().to_owned()).all().await;
            row_of(id, rows.map_err(failed)?)?
        } else {
            RowNow::Gone
        };
        Ok(TableRow { tx, id: id.clone(), now, update, transaction })
    }

    /// Asked over the connection that writes: a copy may not know the transaction yet.
    pub(super) async fn fate_of(&self, of: &SiteTransaction) -> Result<Fate, ReadError> {
        let (Some(write), Some(text)) = (&self.write, self.engine.fate()) else {
            return Ok(Fate::Unknown);
        };
        let mut tx = write.read().await?;
        let text = QueryText::composed(text.to_owned());
        let number = i64::try_from(of.id).unwrap_or(i64::MAX);
        let answer: (String, Option<String>) = tx.run(&text).bind(number).one().await?;
        Ok(match answer {
            (database, _) if database != of.database => Fate::Unknown,
            (_, Some(fate)) if fate == "committed" => Fate::Committed,
            (_, Some(fate)) if fate == "aborted" => Fate::Aborted,
            _ => Fate::Unknown,
        })
    }
}

async fn begin_locking(
    engine: &dyn Engine,
    tx: &mut SqlTx,
    id: &AccountId,
) -> Result<Option<SiteTransaction>, WriteError> {
    let failed = |error: SqlError| failed(id, &[], &error);
    for limit in engine.lock_limits() {
        tx.run(&QueryText::composed((*limit).to_owned())).execute().await.map_err(failed)?;
    }
    if let Some(text) = engine.is_replica() {
        let text = QueryText::composed(text.to_owned());
        let (is_replica,) = tx.run(&text).one::<(bool,)>().await.map_err(failed)?;
        if is_replica {
            return Err(WriteError::Replica);
        }
    }
    let Some(text) = engine.transaction() else { return Ok(None) };
    let text = QueryText::composed(text.to_owned());
    let (database, id) = tx.run(&text).one::<(String, i64)>().await.map_err(failed)?;
    Ok(Some(SiteTransaction { database, id: id.unsigned_abs() }))
}

/// The row of one account in the site's own table, locked.
pub(super) struct TableRow {
    tx: SqlTx,
    id: AccountId,
    now: RowNow,
    update: QueryText,
    transaction: Option<SiteTransaction>,
}

impl LockedRow for TableRow {
    fn now(&self) -> &RowNow {
        &self.now
    }

    fn replace<'a>(&'a mut self, new: &'a StoredHash) -> Writing<'a, ()> {
        Box::pin(self.change(new))
    }

    fn transaction(&self) -> Option<&SiteTransaction> {
        self.transaction.as_ref()
    }

    fn commit(self: Box<Self>) -> Writing<'static, ()> {
        Box::pin(async move {
            let Self { tx, id, .. } = *self;
            tx.commit().await.map_err(|error| failed(&id, &[], &error))
        })
    }

    /// Dropping a transaction takes it back only once its connection is used again.
    fn roll_back(self: Box<Self>) -> BoxFuture<'static, ()> {
        self.tx.roll_back()
    }
}

impl TableRow {
    async fn change(&mut self, new: &StoredHash) -> Result<(), WriteError> {
        let Self { tx, id, now, update, .. } = self;
        let RowNow::Present(old) = now else {
            return Err(WriteError::Untouched { id: id.clone() });
        };
        let query = tx.run(update).bind(new.expose().to_owned()).bind(old.expose().to_owned());
        let changed = query.bind(id.as_str().to_owned()).all().await;
        let changed = changed.map_err(|error| failed(id, &[old, new], &error))?;
        check_changed(id, new, &changed)
    }
}

/// Whether exactly this account's row changed, to exactly this. Anything else is to be taken back.
fn check_changed(
    id: &AccountId,
    new: &StoredHash,
    changed: &[IdAndHash],
) -> Result<(), WriteError> {
    let id = || id.clone();
    match changed {
        [(changed, hash)] if changed == id().as_str() => {
            if hash.as_deref() == Some(new.expose()) {
                Ok(())
            } else {
                Err(WriteError::Altered { id: id() })
            }
        }
        // The database may think two ids equal that are two texts.
        [] | [_] => Err(WriteError::Untouched { id: id() }),
        _ => Err(WriteError::Repeated { id: id(), rows: changed.len() }),
    }
}

/// What the account holds, of all rows whose ids the database thinks equal to its own.
fn row_of(id: &AccountId, rows: Vec<IdAndHash>) -> Result<RowNow, WriteError> {
    let mut rows = rows.into_iter().filter(|(found, _)| found == id.as_str());
    let Some((_, hash)) = rows.next() else { return Ok(RowNow::Gone) };
    match rows.count() {
        0 => Ok(StoredHash::from_column(hash).map_or(RowNow::Empty, RowNow::Present)),
        more => Err(WriteError::Repeated { id: id.clone(), rows: more + 1 }),
    }
}

/// Databases quote what they refuse, and a site's trigger can say anything.
fn failed(id: &AccountId, hashes: &[&StoredHash], error: &SqlError) -> WriteError {
    let reason = error.to_string();
    let reason =
        hashes.iter().fold(reason, |reason, hash| reason.replace(hash.expose(), "(a hash)"));
    WriteError::Hash { id: id.clone(), reason }
}

/// A row of the site's table, as it is now.
type IdAndHash = (String, Option<String>);
