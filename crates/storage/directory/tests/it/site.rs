use std::sync::Arc;

use directory::{Columns, Directory, Mapping, Source, WriteError};
use futures_util::TryStreamExt;
use model::{Account, AccountId, StoredHash};
use sql::{Access, Db, OpenOptions, QueryText};
use tempfile::TempDir;

/// A site's database, empty at first.
pub(crate) struct Site {
    pub(crate) url: String,
    _folder: TempDir,
}

impl Site {
    pub(crate) fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("site.sqlite3");
        std::fs::File::create(&path).unwrap();
        Self { url: format!("sqlite://{}", path.display()), _folder: folder }
    }

    pub(crate) fn postgres() -> Self {
        Self { url: testkit::postgres().database().url, _folder: TempDir::new().unwrap() }
    }

    /// A database that is there.
    pub(crate) fn at(url: &str) -> Self {
        Self { url: url.to_owned(), _folder: TempDir::new().unwrap() }
    }

    pub(crate) fn mariadb() -> Self {
        Self::at(&testkit::mariadb().database().url)
    }

    /// One of each kind: what holds for a directory holds for all of them.
    pub(crate) fn each() -> [Self; 3] {
        [Self::sqlite(), Self::postgres(), Self::mariadb()]
    }

    pub(crate) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => Self::sqlite(),
            Kind::Postgres => Self::postgres(),
            Kind::Mariadb => Self::mariadb(),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.url.split(':').next() {
            Some("sqlite") => Kind::Sqlite,
            Some("postgres") => Kind::Postgres,
            _ => Kind::Mariadb,
        }
    }

    /// The name of a server's database.
    pub(crate) fn database(&self) -> &str {
        let path = self.url.split('?').next().unwrap_or_default();
        path.rsplit('/').next().unwrap_or_default()
    }

    /// What this kind of database calls something.
    pub(crate) fn word<T>(&self, sqlite: T, postgres: T, mariadb: T) -> T {
        match self.kind() {
            Kind::Sqlite => sqlite,
            Kind::Postgres => postgres,
            Kind::Mariadb => mariadb,
        }
    }

    /// MariaDB has no keys of a text without an end, and MySQL no UUID.
    pub(crate) fn key_type<'t>(&self, type_name: &'t str) -> &'t str {
        match (self.kind(), type_name) {
            (Kind::Mariadb, "TEXT") => "VARCHAR(80)",
            (Kind::Mariadb, "UUID") => "/*M!100700 UUID */ /*!50708 CHAR(36) */",
            _ => type_name,
        }
    }

    /// How the site's own programs set a connection up.
    fn settings(&self) -> Option<QueryText> {
        let settings = "SET sql_mode = CONCAT(@@sql_mode, ',PIPES_AS_CONCAT,ANSI_QUOTES') \
                        /*M!100300 , max_recursive_iterations = 10000000, max_statement_time = 0 */ \
                        /*!80000 , cte_max_recursion_depth = 10000000 */";
        (self.kind() == Kind::Mariadb).then(|| QueryText::composed(settings.to_owned()))
    }

    /// Runs the site's own statements.
    pub(crate) async fn run(&self, statements: &[&str]) {
        let db = self.db().await;
        let mut tx = db.begin().await.unwrap();
        if let Some(settings) = self.settings() {
            tx.run(&settings).execute().await.unwrap();
        }
        for text in statements {
            let statement = QueryText::composed((*text).to_owned());
            tx.run(&statement).execute().await.unwrap();
        }
        tx.commit().await.unwrap();
        db.close().await;
    }

    pub(crate) async fn number(&self, text: &str) -> i64 {
        let db = self.db().await;
        let mut tx = db.read().await.unwrap();
        let statement = QueryText::composed(text.to_owned());
        let (number,) = tx.run(&statement).one::<(i64,)>().await.unwrap();
        number
    }

    pub(crate) async fn open(&self, mapping: Mapping) -> Arc<dyn Directory> {
        directory::open(&self.url, None, mapping).await.unwrap()
    }

    pub(crate) async fn open_writable(&self, mapping: Mapping) -> Arc<dyn Directory> {
        let opened = directory::open(&self.url, Some(&self.url), mapping);
        opened.await.unwrap()
    }

    pub(crate) async fn db(&self) -> Db {
        let options = OpenOptions { access: Access::Write, connections_max: 1 };
        Db::open(&self.url, options).await.unwrap()
    }
}

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    Mariadb,
}

/// A table `users` with an id, an address and a hash.
pub(crate) fn small() -> Mapping {
    Mapping {
        columns: Columns { username: None, hash: "hash".into(), ..Mapping::generic().columns },
        ..Mapping::generic()
    }
}

pub(crate) fn small_from(query: &str) -> Mapping {
    Mapping { source: Source::Query(query.into()), ..small() }
}

pub(crate) async fn scan(directory: &Arc<dyn Directory>) -> Vec<Account> {
    let mut accounts: Vec<_> = directory.scan().try_collect().await.unwrap();
    accounts.sort_by(|a, b| a.id.cmp(&b.id));
    accounts
}

pub(crate) fn id(text: &str) -> AccountId {
    AccountId::new(text).unwrap()
}

pub(crate) fn ids(texts: &[&str]) -> Vec<AccountId> {
    texts.iter().copied().map(id).collect()
}

pub(crate) fn ids_of(accounts: &[Account]) -> Vec<&str> {
    accounts.iter().map(|account| account.id.as_str()).collect()
}

/// One hash for another, if that is what the account holds; whether it did.
pub(crate) async fn replace_if(
    directory: &Arc<dyn Directory>,
    account: &AccountId,
    expected: &StoredHash,
    new: &StoredHash,
) -> Result<bool, WriteError> {
    let mut row = directory.lock(account).await?;
    if !row.now().is(expected) {
        row.roll_back().await?;
        return Ok(false);
    }
    row.replace(new).await?;
    row.commit().await?;
    Ok(true)
}
