use std::collections::BTreeMap;

use model::{AccountId, SiteTransaction, StoredHash, Timestamp};
use sql::{Db, Query, QueryText, Record, Row, SqlError, SqlTx};

use super::{
    connection::TableDirectory,
    text::{ColumnTypes, Replacing, Statements, UpdateText},
};
use crate::{
    engine::{mysql, postgres, sqlite},
    failure::{ReadError, WriteError, Writing},
    hash_form::{HashForm, HashValue, hex},
    hash_layout::HashLayout,
    locked::{LockedRow, RowNow, TransactionFate},
    mapped_field::MappedField,
    report::WriteGrant,
    row::RawRow,
};

/// What became of a transaction, in the database's own word.
const FATE: QueryText = QueryText::of_each(sqlite::FATE, postgres::FATE, mysql::FATE);

impl TableDirectory {
    pub(super) async fn hold(&self, id: &AccountId) -> Result<Box<dyn LockedRow>, WriteError> {
        let write = self.write.as_ref().ok_or(WriteError::NotConfigured)?;
        let texts = self.statements.replacement().ok_or(WriteError::Query)?;
        let key = self.written_key();
        let failed = |error| not_locked(id, &error);
        let mut tx = write.begin().await.map_err(failed)?;
        let place = tx.run(&texts.before_lock).one::<BeforeLock>().await.map_err(failed)?;
        self.check_kind_in(&mut tx).await.map_err(failed)??;
        refuse_place(place)?;
        let rows = if self.may_be_written(id) {
            let lock = texts.lock.with_list_as(&key, 0, 1);
            tx.run(&lock).bind(id.as_str().to_owned()).all().await.map_err(failed)?
        } else {
            Vec::new()
        };
        let at = self.now(&mut tx).await.map_err(failed)?;
        let HeldRowFound { hash, is_active, transaction } = only(id, rows, at)?;
        let shape = self.statements.shape.clone();
        let now = match &hash {
            None => RowNow::Gone,
            Some(held) => RowNow::of(shape.read(&texts_of(held))),
        };
        let look = texts.look.with_list_as(&key, 0, 1);
        let tells_changes = self.statements.engine.tells_changes();
        let update = Update { text: texts.update, key, tells_changes };
        let id = id.clone();
        let row =
            HeldRow { tx, id, shape, now, hash, is_active, transaction, update, look, new: None };
        Ok(Box::new(row))
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
        let key = self.written_key();
        let mut tx = write.begin().await?;
        let place = refuse_place(tx.run(&texts.before_lock).one::<BeforeLock>().await?);
        if place.is_err() {
            return Ok(place);
        }
        let lock = texts.lock.with_list_as(&key, 0, 1);
        tx.run(&lock).bind(None::<String>).all::<LockedColumns>().await?;
        let columns = &texts.update.columns;
        let changing = (0..columns.len()).filter(|place| !columns[*place].is_other);
        let changing: Vec<_> = changing.collect();
        let update = texts.update.setting(&changing);
        let update = update.with_list_as(&key, changing.len() + columns.len(), 1);
        let engine = self.statements.engine;
        let update = changing.iter().fold(tx.run(&update), |query, place| {
            let is_binary = engine.is_binary(&columns[*place].type_name);
            if is_binary { query.bind(None::<Vec<u8>>) } else { query.bind(None::<String>) }
        });
        let held = columns.iter().fold(update, |query, _| query.bind(None::<String>));
        held.bind(None::<String>).all::<HashColumns>().await?;
        Ok(Ok(()))
    }

    /// How the table that is written to compares an id.
    fn written_key(&self) -> String {
        self.statements.engine.key(self.written_types().of(MappedField::Id))
    }

    fn may_be_written(&self, id: &AccountId) -> bool {
        self.statements.engine.may_hold(self.written_types().of(MappedField::Id), id)
    }

    fn written_types(&self) -> &ColumnTypes {
        let Statements { written, types, .. } = &self.statements;
        written.as_ref().map_or(types, |written| &written.types)
    }

    /// Without a connection that writes, nobody else's view is newer.
    pub(super) async fn look_now(&self, id: &AccountId) -> Result<RowNow, ReadError> {
        let (Some(write), Some(texts)) = (&self.write, self.statements.replacement()) else {
            let found = self.find_by_ids(std::slice::from_ref(id)).await?.pop();
            let row = |account: model::Account| RowNow::of_credential(account.credential);
            return Ok(found.map_or(RowNow::Gone, row));
        };
        if !self.may_be_written(id) {
            return Ok(RowNow::Gone);
        }
        let Replacing { look, .. } = texts;
        let look = look.with_list_as(&self.written_key(), 0, 1);
        let mut tx = write.read().await?;
        let rows: Vec<HashColumns> = tx.run(&look).bind(id.as_str().to_owned()).all().await?;
        let mut rows = rows.into_iter().filter(|row| row.id == id.as_str());
        let Some(HashColumns { held, .. }) = rows.next() else { return Ok(RowNow::Gone) };
        match rows.next() {
            Some(_) => Err(ReadError::Repeated { id: id.clone() }),
            None => Ok(RowNow::of(self.statements.shape.read(&texts_of(&held)))),
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
fn only(
    id: &AccountId,
    rows: Vec<LockedColumns>,
    now: Timestamp,
) -> Result<HeldRowFound, WriteError> {
    let mut rows: Vec<_> = rows.into_iter().filter(|row| row.id == id.as_str()).collect();
    if rows.len() > 1 {
        return Err(WriteError::Repeated { id: id.clone(), rows: rows.len() });
    }
    let Some(LockedColumns { active, inactive, transaction, held, .. }) = rows.pop() else {
        return Ok(HeldRowFound::default());
    };
    let mut row =
        RawRow::recorded([(MappedField::Active, active), (MappedField::Inactive, inactive)]);
    let is_active = row.activity(id, now)? != Some(false);
    Ok(HeldRowFound { hash: Some(held), is_active, transaction })
}

/// What was found of a row that is held; nothing if there is none.
#[derive(Default)]
struct HeldRowFound {
    hash: Option<Vec<HeldColumn>>,
    is_active: bool,
    transaction: Option<SiteTransaction>,
}

/// What one of the columns holds that hold a row's hash.
struct HeldColumn {
    text: Option<String>,
    is_bytes: bool,
}

impl HeldColumn {
    fn form(&self, is_beside: bool) -> HashForm {
        match self.text.as_deref() {
            Some(text) if !is_beside => HashForm::of(text, self.is_bytes),
            _ => HashForm::of("", self.is_bytes),
        }
    }
}

/// How each of the columns holds what it holds.
fn forms_of(held: &[HeldColumn], shape: &HashLayout) -> Vec<HashForm> {
    let forms = held.iter().enumerate().map(|(place, column)| column.form(shape.is_beside(place)));
    forms.collect()
}

fn texts_of(held: &[HeldColumn]) -> Vec<Option<String>> {
    held.iter().map(|column| column.text.clone()).collect()
}

/// A row of the site's table, in a transaction that holds it.
struct HeldRow {
    tx: SqlTx,
    id: AccountId,
    shape: HashLayout,
    now: RowNow,
    /// None if there is no row.
    hash: Option<Vec<HeldColumn>>,
    is_active: bool,
    transaction: Option<SiteTransaction>,
    update: Update,
    look: QueryText,
    new: Option<StoredHash>,
}

struct Update {
    text: UpdateText,
    key: String,
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
            let unfit = || WriteError::Unfit { id: self.id.clone() };
            let texts = self.shape.changes(&texts_of(held), new).ok_or_else(unfit)?;
            self.new = Some(new.clone());
            let changed = self.change(&texts).await;
            let changed = changed.map_err(|error| self.hidden().failed(&error))?;
            self.is_done(new, &changed)?;
            // A trigger that comes after the change may have taken it back.
            let stands = self.look_again().await.map_err(|error| self.hidden().failed(&error))?;
            self.is_done(new, &stands)
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
    /// Only where every column still holds what it did.
    async fn change(
        &mut self,
        texts: &BTreeMap<usize, String>,
    ) -> Result<Vec<HashColumns>, SqlError> {
        let held = self.hash.as_deref().unwrap_or_default();
        let places: Vec<_> = texts.keys().copied().collect();
        let text = self.update.text.setting(&places);
        let text = text.with_list_as(&self.update.key, places.len() + held.len(), 1);
        let forms = forms_of(held, &self.shape);
        let values = texts.iter().filter_map(|(place, text)| Some(forms.get(*place)?.write(text)));
        let query = values.fold(self.tx.run(&text), bind);
        let query = held.iter().fold(query, |query, column| query.bind(column.text.clone()));
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
    fn is_done(&self, new: &StoredHash, changed: &[HashColumns]) -> Result<(), WriteError> {
        let id = || self.id.clone();
        match changed {
            [HashColumns { id: changed, held }] if changed == self.id.as_str() => {
                let is_new = RowNow::of(self.shape.read(&texts_of(held))).is(new);
                let before = self.hash.as_deref().unwrap_or_default();
                let is_same_form = forms_of(before, &self.shape) == forms_of(held, &self.shape);
                if is_new && is_same_form { Ok(()) } else { Err(WriteError::Altered { id: id() }) }
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

/// Shorter parts of a hash, such as a number of rounds, are no secrets and stand everywhere.
const SECRET_BYTES_MIN: usize = 4;

/// What an error must not show, and whose it is.
struct UnshownHashes {
    id: AccountId,
    hashes: [Option<StoredHash>; 2],
}

impl UnshownHashes {
    /// Databases quote what they refuse, and a site's trigger can say anything.
    fn failed(&self, error: &SqlError) -> WriteError {
        let texts =
            self.hashes.iter().flatten().flat_map(|hash| {
                [hash.text()].into_iter().chain(hash.columns().map(|(_, text)| text))
            });
        let secrets = texts.filter(|text| text.len() >= SECRET_BYTES_MIN);
        let hide = |reason: String, text: &str| {
            reason.replace(text, "(a hash)").replace(&hex(text), "(a hash)")
        };
        let (id, reason) = (self.id.clone(), secrets.fold(error.to_string(), hide));
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

/// A row's id, and what the columns hold that hold its hash.
struct HashColumns {
    id: String,
    held: Vec<HeldColumn>,
}

impl Record for HashColumns {
    fn decode(row: &Row) -> Result<Self, SqlError> {
        Ok(Self { id: row.at(0)?, held: held_from(row, 1)? })
    }
}

/// The same, whether the site lets the account in, and the transaction that holds the row.
struct LockedColumns {
    id: String,
    active: Option<String>,
    inactive: Option<String>,
    transaction: Option<SiteTransaction>,
    held: Vec<HeldColumn>,
}

impl Record for LockedColumns {
    fn decode(row: &Row) -> Result<Self, SqlError> {
        let (number, database) = (row.at::<Option<i64>>(3)?, row.at::<Option<String>>(4)?);
        let transaction = number.zip(database);
        Ok(Self {
            id: row.at(0)?,
            active: row.at(1)?,
            inactive: row.at(2)?,
            transaction: transaction
                .map(|(number, database)| SiteTransaction::new(database, number.unsigned_abs())),
            held: held_from(row, 5)?,
        })
    }
}

/// Pairs of a text and of whether it stands for bytes, from this place on.
fn held_from(row: &Row, first: usize) -> Result<Vec<HeldColumn>, SqlError> {
    let places = (first..row.width()).step_by(2);
    let held = |place| Ok(HeldColumn { text: row.at(place)?, is_bytes: row.at(place + 1)? });
    places.map(held).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standby_is_refused() {
        assert!(refuse_place((false, None)).is_ok());
        assert!(refuse_place((true, None)).unwrap_err().to_string().contains("primary"));
    }
}
