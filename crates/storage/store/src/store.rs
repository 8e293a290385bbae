use model::{CampaignId, KeyId, Timestamp};
use sql::{Access, BoxFuture, Db, OpenOptions, QueryText, Record, SqlError};

use crate::{
    StoreError, StoreFuture,
    cell::{Cell, Stored},
    limits::IDS_PER_STATEMENT,
    log_growth::{LogGrowths, LogTail},
    schema::SCHEMA,
};

sql::queries! {
    READ_CLOCK = ["SELECT " NOW];
    READ_DATABASE = ["SELECT " DATABASE ", " TIMELINE];
    IS_DURABLE = ["SELECT " DURABLE];
    READ_ENCODING = ["SELECT " ENCODING];
    READ_STANDBYS = ["SELECT " STANDBYS ", " WAITS_FOR_STANDBYS];
}

/// The database that holds everything Countersign knows.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) db: Db,
    key: Option<KeyId>,
    growths: LogGrowths,
}

/// An encoding that has every character. In another one, a name would be refused when it comes.
const UNICODE: &str = "UTF8";

/// How to open a store.
#[derive(Debug, Clone, Copy)]
pub struct StoreOptions {
    /// Connections held at most.
    pub connections_max: u32,
}

impl Store {
    /// Opens `sqlite:PATH`, making the file if there is none, or `postgres://...`.
    ///
    /// # Errors
    /// What the database reports, or what is wrong with the address; [`StoreError::Encoding`] if not every
    /// text can be kept there.
    pub fn open(url: &str, options: StoreOptions) -> StoreFuture<'_, Self> {
        Box::pin(async move {
            let options =
                OpenOptions { access: Access::Create, connections_max: options.connections_max };
            let db = Db::open(url, options).await?;
            let (encoding,) = db.read().await?.run(&READ_ENCODING).one::<(String,)>().await?;
            if encoding != UNICODE {
                return Err(StoreError::Encoding { encoding });
            }
            Ok(Self { db, key: None, growths: LogGrowths::default() })
        })
    }

    /// The same store for whoever holds this instance key: once another one is in force, nothing is
    /// committed any more.
    #[must_use]
    pub fn held_with(self, key: KeyId) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Starts a transaction that may write: on SQLite it is the only one at a time.
    pub fn begin(&self) -> StoreFuture<'_, Tx> {
        Box::pin(async move {
            let tail = LogTail::new(self.growths.clone(), self.db.has_one_writer());
            Ok(Tx(self.db.begin().await?, tail, self.key))
        })
    }

    /// Starts a transaction that only reads, and sees one state of the store throughout.
    pub fn read(&self) -> StoreFuture<'_, Tx> {
        Box::pin(async move {
            let tail = LogTail::of_one_state(self.growths.clone());
            Ok(Tx(self.db.read().await?, tail, self.key))
        })
    }

    /// How far transactions from here have taken the log.
    #[must_use]
    pub const fn log_growths(&self) -> &LogGrowths {
        &self.growths
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    /// What the database reports, or that an applied migration was changed afterwards.
    pub fn migrate(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move { Ok(self.db.migrate(SCHEMA).await?) })
    }

    /// The last migration that was applied; `None` for an empty database.
    pub fn schema_version(&self) -> StoreFuture<'_, Option<i64>> {
        Box::pin(async move { Ok(self.db.schema_version().await?) })
    }

    /// The schema version that this program is written for.
    #[must_use]
    pub fn schema_version_needed() -> i64 {
        SCHEMA.sqlite.last().map_or(0, |migration| migration.version)
    }

    /// What the database calls itself: name and version.
    pub fn version(&self) -> StoreFuture<'_, String> {
        Box::pin(async move { Ok(self.db.version().await?) })
    }

    /// Whether a transaction that writes keeps every other one from it.
    #[must_use]
    pub fn has_one_writer(&self) -> bool {
        self.db.has_one_writer()
    }

    /// As [`Tx::identity`].
    pub fn identity(&self) -> StoreFuture<'_, String> {
        Box::pin(async move { self.read().await?.identity().await })
    }

    /// Waits until every connection is closed.
    pub fn close(&self) -> BoxFuture<'_, ()> {
        self.db.close()
    }
}

/// The servers that follow this one, and may take its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standbys {
    /// How many; those that are away for a while included, where they have a slot.
    pub count: i64,
    /// Whether what is committed here has first reached as many of them as the server was told.
    pub is_waited_for: bool,
}

impl Standbys {
    /// Whether one of them could take over without knowing all that was committed here.
    #[must_use]
    pub const fn may_lag(self) -> bool {
        self.count > 0 && !self.is_waited_for
    }
}

/// A transaction. Dropping it without [`Tx::commit`] takes everything back.
///
/// It knows how far it takes the log, and which instance key has to be in force when it is committed.
#[derive(Debug)]
pub struct Tx(pub(crate) sql::SqlTx, pub(crate) LogTail, pub(crate) Option<KeyId>);

impl Tx {
    /// Makes everything done in it last.
    ///
    /// # Errors
    /// What the database reports, and [`StoreError::KeyRotated`];
    /// nothing is then done.
    pub fn commit(mut self) -> StoreFuture<'static, ()> {
        Box::pin(async move {
            self.hold_key().await?;
            let Self(tx, log, _) = self;
            tx.commit().await?;
            log.committed();
            Ok(())
        })
    }

    /// Takes everything done in it back, and waits for it.
    pub fn roll_back(self) -> StoreFuture<'static, ()> {
        Box::pin(async move { Ok(self.0.roll_back().await?) })
    }

    /// The time by the database's clock: the one that all workers share.
    pub fn now(&mut self) -> StoreFuture<'_, Timestamp> {
        Box::pin(async move {
            let (Cell(now),) = self.0.run(&READ_CLOCK).one::<(Cell<Timestamp>,)>().await?;
            Ok(now)
        })
    }

    /// Which database this is: a copied file, or a dump that was loaded elsewhere, answers with
    /// another text, and so does a standby that has taken over. A copy of the whole disk or of the
    /// server's files does not.
    pub fn identity(&mut self) -> StoreFuture<'_, String> {
        Box::pin(async move {
            let (database, timeline) = self.0.run(&READ_DATABASE).one::<(String, String)>().await?;
            Ok(self.0.identity(&database)? + &timeline)
        })
    }

    /// Whether what this connection commits survives a loss of power.
    pub fn is_durable(&mut self) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let (durable,) = self.0.run(&IS_DURABLE).one::<(bool,)>().await?;
            Ok(durable)
        })
    }

    /// Which servers could take this one's place.
    pub fn standbys(&mut self) -> StoreFuture<'_, Standbys> {
        Box::pin(async move {
            let (count, is_waited_for) = self.0.run(&READ_STANDBYS).one::<(i64, bool)>().await?;
            Ok(Standbys { count, is_waited_for })
        })
    }

    /// The rows that belong to any of these keys, portion by portion: a statement takes so many.
    pub(crate) async fn all_among<K: Stored + Clone, R: Record>(
        &mut self,
        statement: &QueryText,
        keys: &[K],
    ) -> Result<Vec<R>, SqlError> {
        self.all_of(statement, None, keys).await
    }

    /// As [`Tx::all_among`], of one campaign, which is the statement's first parameter.
    pub(crate) async fn all_of<K: Stored + Clone, R: Record>(
        &mut self,
        statement: &QueryText,
        campaign: Option<CampaignId>,
        keys: &[K],
    ) -> Result<Vec<R>, SqlError> {
        let mut found = Vec::new();
        for some in keys.chunks(IDS_PER_STATEMENT) {
            let text = statement.with_list(usize::from(campaign.is_some()), some.len());
            let query = self.0.run(&text);
            let query = campaign.into_iter().fold(query, |query, id| query.bind(Cell(id)));
            let query = some.iter().fold(query, |query, key| query.bind(Cell(key.clone())));
            found.extend(query.all::<R>().await?);
        }
        Ok(found)
    }

    /// A count, which a query without groups always answers.
    pub(crate) async fn count(query: sql::Query<'_>) -> Result<u64, SqlError> {
        let (Cell(count),) = query.one::<(Cell<u64>,)>().await?;
        Ok(count)
    }
}
