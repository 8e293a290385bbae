use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt,
};

use futures_util::{Stream, StreamExt};
use model::{Account, AccountId};
use sql::{Access, Db, OpenOptions, SqlError, Statement, Tx};

use crate::{
    id_type::IdType,
    limits::{KEYS_PER_STATEMENT_MAX, READ_CONNECTIONS_MAX, WRITE_CONNECTIONS_MAX},
    mapping::{Columns, Mapping, Sessions},
    row::{Field, RawRow, RowFault},
};

/// The site's accounts: one table or query in a database that is not ours.
#[derive(Clone)]
pub struct Directory {
    pub(crate) read: Db,
    pub(crate) write: Option<Db>,
    pub(crate) mapping: Mapping,
    pub(crate) id_type: IdType,
}

impl Directory {
    /// Connects, and checks the mapping against what is there.
    ///
    /// The database itself keeps the first connection from writing. Without the second, whatever
    /// writes is refused.
    ///
    /// # Errors
    /// [`OpenError`] names the setting to change.
    pub async fn open(
        read_url: &str,
        write_url: Option<&str>,
        mapping: Mapping,
    ) -> Result<Self, OpenError> {
        is_sound(&mapping)?;
        let read = connect("directory.url", read_url, Access::Read).await?;
        let write = match write_url {
            Some(url) => Some(connect("directory.write_url", url, Access::Write).await?),
            None => None,
        };
        let id_type = describe(&read, &mapping).await?;
        let directory = Self { read, write, mapping, id_type };
        directory.find_one_again().await?;
        Ok(directory)
    }

    /// Every account as the database hands it out, in no order; any number fits in memory.
    ///
    /// It shows one state of the database. It also holds that state's read transaction open, so
    /// take the accounts as fast as they come.
    pub fn scan(&self) -> impl Stream<Item = Result<Account, ReadError>> + Send + Unpin {
        let rows = self.read.stream::<RawRow>(&self.mapping.accounts());
        rows.map(|row| Ok(row?.account()?))
    }

    /// These accounts, by id. An id that nobody has is passed over.
    ///
    /// # Errors
    /// [`ReadError::Repeated`] if two accounts have one id, else what went wrong while reading.
    pub async fn by_ids(&self, ids: &[AccountId]) -> Result<Vec<Account>, ReadError> {
        let mut tx = self.read.read().await?;
        self.look_up(&mut tx, ids).await
    }

    /// The accounts that somebody may mean by what they typed: those with one of these addresses,
    /// which must be given in lower case, or usernames.
    ///
    /// What the database takes for equal is not always the same address to a mail server: the
    /// caller looks again.
    ///
    /// # Errors
    /// What the database reports, or what is wrong with a row.
    pub async fn by_names(&self, names: &[String]) -> Result<Vec<Account>, ReadError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let text = self.mapping.accounts_by_name().with_list(0, names.len());
        let mut tx = self.read.read().await?;
        let query = names.iter().fold(tx.run(&text), |query, name| query.bind(name.clone()));
        let mut found = BTreeMap::new();
        for row in query.all::<RawRow>().await? {
            insert(&mut found, row.account()?)?;
        }
        Ok(found.into_values().collect())
    }

    /// How many accounts there are.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn count(&self) -> Result<u64, ReadError> {
        self.number(&self.mapping.count()).await
    }

    pub(crate) async fn number(&self, count: &Statement) -> Result<u64, ReadError> {
        let mut tx = self.read.read().await?;
        let (number,) = tx.run(count).one::<(i64,)>().await?;
        Ok(number.unsigned_abs())
    }

    async fn look_up(&self, tx: &mut Tx, ids: &[AccountId]) -> Result<Vec<Account>, ReadError> {
        let ids: BTreeSet<_> = ids.iter().filter(|id| self.id_type.holds(id)).collect();
        let ids = Vec::from_iter(ids);
        let mut found = BTreeMap::new();
        for ids in ids.chunks(KEYS_PER_STATEMENT_MAX) {
            self.look_up_some(tx, ids, &mut found).await?;
        }
        Ok(found.into_values().collect())
    }

    async fn look_up_some(
        &self,
        tx: &mut Tx,
        ids: &[&AccountId],
        found: &mut BTreeMap<AccountId, Account>,
    ) -> Result<(), ReadError> {
        let text = self.mapping.accounts_by_id();
        let text = text.with_list_as(&self.id_type.in_sql(), 0, ids.len());
        let query = ids.iter().fold(tx.run(&text), |query, id| query.bind(id.as_str().to_owned()));
        // The database may think two ids equal that are two texts: by a collation, or 7 and 07.
        let wanted: HashSet<_> = ids.iter().copied().collect();
        for row in query.all::<RawRow>().await? {
            let account = row.account()?;
            if wanted.contains(&account.id) {
                insert(found, account)?;
            }
        }
        Ok(())
    }

    /// Looks one account up by its id: where that fails, every look-up would miss without a word.
    async fn find_one_again(&self) -> Result<(), OpenError> {
        let mut tx = self.read.read().await.map_err(ReadError::Database)?;
        let first = tx.run(&self.mapping.first_account());
        let first = first.optional::<RawRow>().await;
        let Some(first) = first.map_err(ReadError::Database)? else {
            return Ok(());
        };
        let id = first.account().map_err(ReadError::Row)?.id;
        let again = self.look_up(&mut tx, std::slice::from_ref(&id)).await?;
        if again.is_empty() {
            return Err(OpenError::NotFoundAgain { id });
        }
        Ok(())
    }
}

fn insert(found: &mut BTreeMap<AccountId, Account>, account: Account) -> Result<(), ReadError> {
    match found.insert(account.id.clone(), account) {
        Some(earlier) => Err(ReadError::Repeated { id: earlier.id }),
        None => Ok(()),
    }
}

/// What can be told without asking the database.
fn is_sound(mapping: &Mapping) -> Result<(), OpenError> {
    let Columns { email, username, .. } = &mapping.columns;
    if email.is_none() && username.is_none() {
        return Err(OpenError::NoIdentifier);
    }
    match &mapping.sessions {
        Sessions::Statement(text) if !text.contains("$1") => Err(OpenError::EndsEverySession),
        _ => Ok(()),
    }
}

async fn connect(setting: &'static str, url: &str, access: Access) -> Result<Db, OpenError> {
    let connections_max = match access {
        Access::Read => READ_CONNECTIONS_MAX,
        _ => WRITE_CONNECTIONS_MAX,
    };
    let options = OpenOptions { access, connections_max };
    let opened = Db::open(url, options).await;
    opened.map_err(|source| OpenError::Connect { setting, source })
}

/// Finds every mapped column, and the type of the id.
async fn describe(read: &Db, mapping: &Mapping) -> Result<IdType, OpenError> {
    let failed = |source| OpenError::Source { setting: mapping.source.setting(), source };
    let mut tx = read.read().await.map_err(failed)?;
    let columns = tx.describe(&mapping.everything()).await.map_err(failed)?;
    let named = |name: &str| columns.iter().find(|column| column.name == name);
    for (field, name) in mapping.columns.mapped() {
        if named(name).is_none() {
            let existing: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
            return Err(OpenError::Column {
                field,
                name: name.to_owned(),
                existing: existing.join(", "),
            });
        }
    }
    let id = named(&mapping.columns.id).map(|column| column.type_name.as_str());
    Ok(IdType::new(id.unwrap_or_default()))
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory")
            .field("mapping", &self.mapping)
            .field("writes", &self.write.is_some())
            .finish_non_exhaustive()
    }
}

/// Why a directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Nobody could be found in a leak.
    #[error("neither `directory.columns.email` nor `directory.columns.username` is set: set one")]
    NoIdentifier,
    /// The site's statement does not say whose sessions it ends.
    #[error(
        "`directory.sessions.statement` would end everybody's sessions: write `$1` where the \
         account's id belongs"
    )]
    EndsEverySession,
    /// The database does not answer or does not let us in.
    #[error("`{setting}` could not be opened: {source}")]
    Connect {
        /// Which address.
        setting: &'static str,
        /// What was reported.
        source: SqlError,
    },
    /// The table does not exist, or the query is wrong.
    #[error("`{setting}` cannot be read: {source}")]
    Source {
        /// Which of the two.
        setting: &'static str,
        /// What was reported.
        source: SqlError,
    },
    /// A column does not exist.
    #[error("`directory.columns.{field}` is `{name}`, which is none of the columns: {existing}")]
    Column {
        /// The setting below `directory.columns`.
        field: Field,
        /// What it says.
        name: String,
        /// What there is instead.
        existing: String,
    },
    /// An id, read as text, does not lead back to its account.
    #[error(
        "account {id} is not found by its id: set `directory.query` to a SELECT that makes the id \
         a text, a number or a UUID"
    )]
    NotFoundAgain {
        /// The account tried.
        id: AccountId,
    },
    /// The first account that was read is faulty.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Why accounts could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database or the way to it failed.
    #[error("the directory could not be read: {0}")]
    Database(#[from] SqlError),
    /// A row is no account.
    #[error("{0}: correct the row, or change `directory.columns.{field}`", field = .0.field())]
    Row(#[from] RowFault),
    /// Acting on one of them would be acting on both.
    #[error("two accounts have the id {id}: `directory.columns.id` must name a unique column")]
    Repeated {
        /// The id that they share.
        id: AccountId,
    },
}
