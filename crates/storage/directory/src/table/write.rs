use model::{AccountId, SiteTransaction, StoredHash};
use sql::{Db, Query, QueryText, SqlError, SqlTx};

use super::{
    connection::TableDirectory,
    text::{Replacing, Statements},
};
use crate::{
    engine::{mysql, postgres, sqlite},
    failure::{ReadError, WriteError, Writing},
    hash_form::{HashForm, HashValue, hex},
    locked::{LockedRow, RowNow, TransactionFate},
    report::WriteGrant,
    row::{MappedField, RawRow, hash_in},
};

/// What became of a transaction, in the database's own word.
const FATE: QueryText = QueryText::of_each(sqlite::FATE, postgres::FATE, mysql::FATE);

impl TableDirectory {
    pub(super) async fn hold(&self, id: &AccountId) -> Result<Box<dyn LockedRow>, WriteError> {
        let write = self.write.as_ref().ok_or(WriteError::NotConfigured)?;
        let texts = self.statements.replacement().ok_or(WriteError::Query)?;
        let key = self.key();
        let failed = |error| not_locked(id, &error);
        let mut tx = write.begin().await.map_err(failed)?;
        let place = tx.run(&texts.before_lock).one::<BeforeLock>().await.map_err(failed)?;
        refuse_place(place)?;
        let rows = if self.may_hold(id) {
            let lock = texts.lock.with_list_as(&key, 0, 1);
            tx.run(&lock).bind(id.as_str().to_owned()).all().await.map_err(failed)?
        } else {
            Vec::new()
        };
        let HeldColumns { hash, is_active, transaction } = only(id, rows)?;
        let update = texts.update.with_list_as(&key, 2, 1);
        let look = texts.look.with_list_as(&key, 0, 1);
        let now = match &hash {
            None => RowNow::Gone,
            Some(held) => RowNow::of(hash_in(held.raw.clone())),
        };
        let id = id.clone();
        let tells_changes = self.statements.engine.tells_changes();
        let update = Update { text: update, tells_changes };
        Ok(Box::new(HeldRow { tx, id, now, hash, is_active, transaction, update, look, new: None }))
    }

    /// Does to nobody what sealing does: values and statements are of the same types.
    pub(super) async fn try_write(&self) -> WriteGrant {
        let Some(write) = &self.write else { return WriteGrant::NotConfigured };
        let Some(texts) = self.statements.replacement() else {
            return WriteGrant::Refused(WriteError::Query.to_string());
        };
        match self.write_to_nobody(write, texts).await {
            Ok(Ok(())) => WriteGrant::Granted,
            Ok(Err(refused)) => WriteGrant::Refused(refused.to_string()),
            Err(error) => WriteGrant::Refused(error.to_string()),
        }
    }

    /// Dropping the transaction takes back what was nothing to begin with.
    async fn write_to_nobody(
        &self,
        write: &Db,
        texts: Replacing,
    ) -> Result<Result<(), WriteError>, SqlError> {
        let key = self.key();
        let mut tx = write.begin().await?;
        let place = refuse_place(tx.run(&texts.before_lock).one::<BeforeLock>().await?);
        if place.is_err() {
            return Ok(place);
        }
        let lock = texts.lock.with_list_as(&key, 0, 1);
        tx.run(&lock).bind(None::<String>).all::<LockedColumns>().await?;
        let update = texts.update.with_list_as(&key, 2, 1);
        let update = tx.run(&update);
        let Statements { engine, types, .. } = &self.statements;
        let update = if engine.is_binary(types.of(MappedField::Hash)) {
            update.bind(None::<Vec<u8>>).bind(None::<Vec<u8>>)
        } else {
            update.bind(None::<String>).bind(None::<String>)
        };
        update.bind(None::<String>).all::<HashColumns>().await?;
        Ok(Ok(()))
    }

    /// Without a connection that writes, nobody else's view is newer.
    pub(super) async fn look_now(&self, id: &AccountId) -> Result<RowNow, ReadError> {
        let (Some(write), Some(texts)) = (&self.write, self.statements.replacement()) else {
            let found = self.find_by_ids(std::slice::from_ref(id)).await?.pop();
            let row = |account: model::Account| RowNow::of_credential(account.credential);
            return Ok(found.map_or(RowNow::Gone, row));
        };
        if !self.may_hold(id) {
            return Ok(RowNow::Gone);
        }
        let Replacing { look, .. } = texts;
        let look = look.with_list_as(&self.key(), 0, 1);
        let mut tx = write.read().await?;
        let rows: Vec<HashColumns> = tx.run(&look).bind(id.as_str().to_owned()).all().await?;
        let mut rows = rows.into_iter().filter(|(found, ..)| found == id.as_str());
        let Some((_, hash, _)) = rows.next() else { return Ok(RowNow::Gone) };
        match rows.next() {
            Some(_) => Err(ReadError::Repeated { id: id.clone() }),
            None => Ok(RowNow::of(hash_in(hash))),
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

fn not_locked(id: &AccountId, error: &SqlError) -> WriteError {
    let (id, reason) = (id.clone(), error.to_string());
    if error.is_held() { WriteError::Held { id, reason } } else { WriteError::Lock { id, reason } }
}

fn refuse_place((is_standby, unholdable): BeforeLock) -> Result<(), WriteError> {
    match unholdable {
        _ if is_standby => Err(WriteError::Standby),
        Some(table) => Err(WriteError::Unholdable { table }),
        None => Ok(()),
    }
}

/// The one row of this very id, and its transaction. The database may think two ids equal that are
/// two texts.
fn only(id: &AccountId, rows: Vec<LockedColumns>) -> Result<HeldColumns, WriteError> {
    let mut rows: Vec<_> = rows.into_iter().filter(|row| row.0 == id.as_str()).collect();
    if rows.len() > 1 {
        return Err(WriteError::Repeated { id: id.clone(), rows: rows.len() });
    }
    let Some((_, raw, is_bytes, active, inactive, number, database)) = rows.pop() else {
        return Ok(HeldColumns::default());
    };
    let mut row =
        RawRow::recorded([(MappedField::Active, active), (MappedField::Inactive, inactive)]);
    let transaction = number.zip(database);
    Ok(HeldColumns {
        hash: Some(HeldHash { raw, is_bytes }),
        is_active: row.activity(id)? != Some(false),
        transaction: transaction
            .map(|(number, database)| SiteTransaction::new(database, number.unsigned_abs())),
    })
}

/// What was found of a row that is held; nothing if there is none.
#[derive(Default)]
struct HeldColumns {
    hash: Option<HeldHash>,
    is_active: bool,
    transaction: Option<SiteTransaction>,
}

/// What the hash column of a row holds.
struct HeldHash {
    raw: Option<String>,
    is_bytes: bool,
}

/// A row of the site's table, in a transaction that holds it.
struct HeldRow {
    tx: SqlTx,
    id: AccountId,
    now: RowNow,
    /// None if there is no row.
    hash: Option<HeldHash>,
    is_active: bool,
    transaction: Option<SiteTransaction>,
    update: Update,
    look: QueryText,
    new: Option<StoredHash>,
}

struct Update {
    text: QueryText,
    /// Whether it returns the rows that it has changed.
    tells_changes: bool,
}

impl LockedRow for HeldRow {
    fn now(&self) -> &RowNow {
        &self.now
    }

    fn is_active(&self) -> bool {
        self.is_active
    }

    fn replace<'a>(&'a mut self, new: &'a StoredHash) -> Writing<'a, ()> {
        Box::pin(async move {
            let none = || WriteError::NoHash { id: self.id.clone() };
            let RowNow::Holds(_) = &self.now else { return Err(none()) };
            let held = self.hash.as_ref().ok_or_else(none)?;
            let (raw, is_bytes) = (held.raw.as_deref().unwrap_or_default(), held.is_bytes);
            let form = HashForm::of(raw, is_bytes);
            let values = [form.write(new), HashValue::read(raw, is_bytes)];
            self.new = Some(new.clone());
            let changed = self.change(values).await;
            let changed = changed.map_err(|error| self.hidden().failed(&error))?;
            self.is_done(new, form, &changed)?;
            // A trigger that comes after the change may have taken it back.
            let stands = self.look_again().await.map_err(|error| self.hidden().failed(&error))?;
            self.is_done(new, form, &stands)
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
    async fn change(&mut self, values: [HashValue; 2]) -> Result<Vec<HashColumns>, SqlError> {
        let query = values.into_iter().fold(self.tx.run(&self.update.text), bind);
        let query = query.bind(self.id.as_str().to_owned());
        if self.update.tells_changes {
            return query.all().await;
        }
        // What it hit holds the new hash now; what it missed, none does.
        match query.execute().await? {
            0 => Ok(Vec::new()),
            _ => self.look_again().await,
        }
    }

    async fn look_again(&mut self) -> Result<Vec<HashColumns>, SqlError> {
        self.tx.run(&self.look).bind(self.id.as_str().to_owned()).all().await
    }

    /// What the database says that it has written is compared with what it was given.
    fn is_done(
        &self,
        new: &StoredHash,
        form: HashForm,
        changed: &[HashColumns],
    ) -> Result<(), WriteError> {
        let id = || self.id.clone();
        match changed {
            [(changed, Some(raw), is_bytes)] if changed == self.id.as_str() => {
                let is_new = RowNow::of(hash_in(Some(raw.clone()))).is(new);
                let is_same_form = HashForm::of(raw, *is_bytes) == form;
                if is_new && is_same_form { Ok(()) } else { Err(WriteError::Altered { id: id() }) }
            }
            [(changed, None, _)] if changed == self.id.as_str() => {
                Err(WriteError::Altered { id: id() })
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
        let shown = |hash: &StoredHash| [hash.expose().to_owned(), hex(hash.expose())];
        let hide = |reason: String, shown: String| reason.replace(&shown, "(a hash)");
        let (id, reason) = (self.id.clone(), hashes.flat_map(shown).fold(error.to_string(), hide));
        if error.is_refusal() {
            WriteError::Refused { id, reason }
        } else {
            WriteError::Hash { id, reason }
        }
    }
}

fn bind(query: Query<'_>, value: HashValue) -> Query<'_> {
    match value {
        HashValue::Text(text) => query.bind(text),
        HashValue::Bytes(bytes) => query.bind(bytes),
    }
}

/// Whether it is a standby, and what the table is if its rows cannot be held.
type BeforeLock = (bool, Option<String>);

/// A row's id, its hash as it was read, and whether that is bytes.
type HashColumns = (String, Option<String>, bool);

/// The same, whether the site lets the account in, and the transaction that holds the row.
type LockedColumns =
    (String, Option<String>, bool, Option<String>, Option<String>, Option<i64>, Option<String>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standby_is_refused() {
        assert!(refuse_place((false, None)).is_ok());
        assert!(refuse_place((true, None)).unwrap_err().to_string().contains("primary"));
    }
}
