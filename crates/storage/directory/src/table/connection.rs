use std::fmt;

use futures_util::TryStreamExt as _;
use model::{Account, InstanceKind, Timestamp};
use sql::{Access, Column, Db, OpenOptions, QueryText, SqlError, SqlTx};

use super::{
    characters::TextTeller,
    session_words::statements,
    text::{ColumnTypes, Statements, UntoldTexts, WrittenTable},
};
use crate::{
    engine::{Engine, mysql, postgres, sqlite},
    failure::{OpenError, ReadError},
    hash_layout::HashLayout,
    limits::{READ_CONNECTIONS_MAX, SCAN_CONNECTIONS_MAX, WRITE_CONNECTIONS_MAX},
    location::Location,
    mapped_field::MappedField,
    mapping::{Columns, Mapping, Sessions, Source, WriteTable},
};

/// The database's own clock.
pub(super) const CLOCK: QueryText = QueryText::of_each(
    concat!("SELECT ", sql::word!(sqlite NOW)),
    concat!("SELECT ", sql::word!(postgres NOW)),
    mysql::CLOCK,
);

/// Whether rows that are hidden from the role are an error.
const SHOWS_ALL: QueryText =
    QueryText::of_each(sqlite::SHOWS_ALL, postgres::SHOWS_ALL, mysql::SHOWS_ALL);

/// One table or query in a database that is not ours.
pub(crate) struct TableDirectory {
    pub(super) read: Db,
    /// For what reads the whole table.
    pub(super) scans: Db,
    pub(super) write: Option<Db>,
    /// Where texts are asked for as bytes.
    pub(super) teller: Option<TextTeller>,
    pub(super) statements: Statements,
    pub(super) kind: InstanceKind,
}

impl TableDirectory {
    pub(crate) async fn open(engine: &'static dyn Engine, at: Location) -> Result<Self, OpenError> {
        let Location { read_url, write_url, mapping, kind } = at;
        is_sound(&mapping)?;
        let read = connect("directory.url", &read_url, Access::Read).await?;
        let scans = connect("directory.url", &read_url, Access::Scan).await?;
        let write = match write_url {
            Some(url) => Some(connect("directory.write_url", &url, Access::Write).await?),
            None => None,
        };
        let (mapping, shape, types) = describe(&read, mapping, engine).await?;
        let written = match &write {
            Some(write) => written(write, &mapping, engine, &shape, &types).await?,
            None => None,
        };
        let folds_addresses = false;
        let untold = untold(&read, engine).await.map_err(ReadError::Database)?;
        let teller = match untold {
            UntoldTexts::Characters => {
                Some(TextTeller::new(connect("directory.url", &read_url, Access::Read).await?))
            }
            UntoldTexts::Nothing | UntoldTexts::Bytes(_) => None,
        };
        let statements =
            Statements { mapping, engine, shape, types, written, folds_addresses, untold };
        let statements = look_at_addresses(&read, statements).await?;
        let directory = Self { read, scans, write, teller, statements, kind };
        directory.find_one_again().await?;
        Ok(directory)
    }

    /// How a look-up compares an id.
    pub(super) fn key(&self) -> String {
        self.statements.engine.key(self.statements.types.of(MappedField::Id))
    }

    /// Now, by the database's own clock, where something is judged by it.
    pub(super) async fn now(&self, tx: &mut SqlTx) -> Result<Timestamp, SqlError> {
        let Columns { email_verified, second_factor, active, .. } =
            &self.statements.mapping.columns;
        if [email_verified, second_factor, active].into_iter().all(Option::is_none) {
            return Ok(Timestamp::from_micros(0));
        }
        let (now,) = tx.run(&CLOCK).one::<(i64,)>().await?;
        Ok(Timestamp::from_micros(now))
    }

    /// Looks one account up by its id: where that fails, every look-up would miss without a word.
    async fn find_one_again(&self) -> Result<(), OpenError> {
        self.try_key().await?;
        let mut tx = self.read.read().await.map_err(ReadError::Database)?;
        let first = tx.run(&self.statements.first_account());
        let Some(first) = self.rows(first).await.map_err(ReadError::Database)?.pop() else {
            return Ok(());
        };
        let at = self.now(&mut tx).await.map_err(ReadError::Database)?;
        let Ok((Account { id, .. }, _)) = first.read(&self.statements.shape, at) else {
            // Told of when all accounts are read.
            return Ok(());
        };
        let again = self.look_up(&mut tx, std::slice::from_ref(&id)).await?;
        if again.is_empty() {
            return Err(OpenError::NotFoundAgain { id });
        }
        Ok(())
    }
}

impl TableDirectory {
    /// Has the database say whether it compares ids with what is bound, where nobody has one yet.
    async fn try_key(&self) -> Result<(), OpenError> {
        let mut tx = self.read.read().await.map_err(ReadError::Database)?;
        let look_up = self.statements.accounts_by_id().with_list_as(&self.key(), 0, 1);
        match tx.describe(&look_up).await {
            Err(source) if source.is_refusal() => Err(OpenError::IdType {
                name: self.statements.mapping.columns.id.clone(),
                type_name: self.statements.types.of(MappedField::Id).to_lowercase(),
                source: Box::new(source),
            }),
            described => Ok(described.map(drop).map_err(ReadError::Database)?),
        }
    }
}

/// What can be told without asking the database.
fn is_sound(mapping: &Mapping) -> Result<(), OpenError> {
    let Columns { email, username, .. } = &mapping.columns;
    if email.is_none() && username.is_none() {
        return Err(OpenError::NoIdentifier);
    }
    match &mapping.sessions {
        Sessions::Statement(text) if !statements(text).all(names_account) => {
            Err(OpenError::EndsEverySession)
        }
        _ => Ok(()),
    }
}

/// Whose sessions a statement is about.
fn names_account(statement: &str) -> bool {
    statement.contains("$1") || statement.contains("{id}")
}

async fn connect(setting: &'static str, url: &str, access: Access) -> Result<Db, OpenError> {
    let connections_max = match access {
        Access::Read => READ_CONNECTIONS_MAX,
        Access::Scan => SCAN_CONNECTIONS_MAX,
        _ => WRITE_CONNECTIONS_MAX,
    };
    let options = OpenOptions { access, connections_max };
    let opened = Db::open(url, options).await;
    opened.map_err(|source| OpenError::Connect { setting, source })
}

/// How the database compares addresses.
async fn look_at_addresses(read: &Db, statements: Statements) -> Result<Statements, OpenError> {
    let Some(folding) = statements.folding() else { return Ok(statements) };
    let failed = |source| OpenError::Read(ReadError::Database(source));
    let mut tx = read.read().await.map_err(failed)?;
    let folds = tx.run(&folding).optional::<(bool,)>().await.map_err(failed)?;
    Ok(Statements { folds_addresses: folds.is_some_and(|(folds,)| folds), ..statements })
}

/// What the server cannot tell us of its texts.
async fn untold(read: &Db, engine: &dyn Engine) -> Result<UntoldTexts, SqlError> {
    let Some(question) = engine.untold_bytes() else { return Ok(UntoldTexts::Nothing) };
    let question = QueryText::composed(question.to_owned());
    let (most,) = read.read().await?.run(&question).one::<(i64,)>().await?;
    match most {
        0 => Ok(UntoldTexts::Nothing),
        1 => lone_bytes(read).await,
        _ => Ok(UntoldTexts::Characters),
    }
}

/// Which bytes of a text are no characters: the server says so of each that it is asked for.
async fn lone_bytes(read: &Db) -> Result<UntoldTexts, SqlError> {
    let mut lone = Vec::new();
    for byte in 0x80..=u8::MAX {
        let character = QueryText::composed(format!("SELECT CAST(chr({byte}) AS TEXT)"));
        // Outside a transaction, which a refusal would end.
        match read.stream::<(String,)>(&character).try_next().await {
            Err(refused) if refused.is_refusal() => lone.push(byte),
            told => drop(told?),
        }
    }
    Ok(if lone.is_empty() { UntoldTexts::Nothing } else { UntoldTexts::Bytes(lone) })
}

/// Finds every mapped column, and the names of their types.
async fn describe(
    read: &Db,
    mut mapping: Mapping,
    engine: &dyn Engine,
) -> Result<(Mapping, HashLayout, ColumnTypes), OpenError> {
    let setting = mapping.source.setting();
    let failed = |source| OpenError::Source { setting, source };
    let mut tx = read.read().await.map_err(failed)?;
    let (shows_all,) = tx.run(&SHOWS_ALL).one::<(bool,)>().await.map_err(failed)?;
    if !shows_all {
        return Err(OpenError::Settings);
    }
    let columns = tx.describe(&mapping.everything(engine)).await.map_err(failed)?;
    let found = FoundColumns { columns, of: "directory.columns" };
    for field in &mapping.optional {
        if mapping.columns.of(*field).is_some_and(|name| found.type_of(name).is_none()) {
            mapping.columns.set(*field, None);
        }
    }
    let is_column = |name: &str| found.type_of(name).is_some();
    let shape = HashLayout::of(&mapping.columns, &mapping.no_password, is_column);
    let mut types = ColumnTypes::of_hash(found.types_of_hash(&shape)?);
    for (field, name) in mapping.columns.mapped().filter(|(field, _)| *field != MappedField::Hash) {
        types.set(field, found.needed(field.name(), name)?);
    }
    Ok((mapping, shape, types))
}

/// The table that is written to, if there is one.
async fn written(
    write: &Db,
    mapping: &Mapping,
    engine: &dyn Engine,
    shape: &HashLayout,
    read: &ColumnTypes,
) -> Result<Option<WrittenTable>, OpenError> {
    let Some(WriteTable { table, id, condition }) = mapping.write.clone() else {
        let Source::Table(path) = mapping.source.clone() else { return Ok(None) };
        let (id, types) = (mapping.columns.id.clone(), read.clone());
        return Ok(Some(WrittenTable { path, id, condition: None, is_apart: false, types }));
    };
    let failed = |source| OpenError::Source { setting: "directory.write.table", source };
    let mut tx = write.read().await.map_err(failed)?;
    let columns = tx.describe(&WrittenTable::everything(engine, &table)).await.map_err(failed)?;
    let found = FoundColumns { columns, of: "directory.write" };
    let mut types = ColumnTypes::of_hash(found.types_of_hash(shape)?);
    types.set(MappedField::Id, found.needed("id", &id)?);
    Ok(Some(WrittenTable { path: table, id, condition, is_apart: true, types }))
}

/// The columns of a table or a query.
struct FoundColumns {
    columns: Vec<Column>,
    /// The setting that names them.
    of: &'static str,
}

impl FoundColumns {
    fn type_of(&self, name: &str) -> Option<&str> {
        let named = self.columns.iter().find(|column| column.name == name)?;
        Some(&named.type_name)
    }

    fn types_of_hash(&self, shape: &HashLayout) -> Result<Vec<String>, OpenError> {
        let setting = |column| match shape.operand_of(column) {
            Some(operand) => format!("directory.hash.columns.{operand}"),
            None => format!("{}.hash", self.of),
        };
        let columns = shape.columns().iter().enumerate();
        columns.map(|(column, name)| self.named(setting(column), name)).collect()
    }

    fn needed(&self, field: &'static str, name: &str) -> Result<String, OpenError> {
        self.named(format!("{}.{field}", self.of), name)
    }

    fn named(&self, setting: String, name: &str) -> Result<String, OpenError> {
        let missing = || {
            let existing: Vec<_> = self.columns.iter().map(|column| &*column.name).collect();
            OpenError::Column { setting, name: name.to_owned(), existing: existing.join(", ") }
        };
        self.type_of(name).map(str::to_owned).ok_or_else(missing)
    }
}

impl fmt::Debug for TableDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableDirectory")
            .field("mapping", &self.statements.mapping)
            .field("writes", &self.write.is_some())
            .finish_non_exhaustive()
    }
}
