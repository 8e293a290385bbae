use std::sync::Arc;

use futures_util::future::BoxFuture;
use model::InstanceKind;
use sql::Db;

use crate::{
    contract::Directory,
    engine::{mysql::MySql, postgres::Postgres, sqlite::Sqlite},
    failure::OpenError,
    location::Location,
    mapping::Mapping,
    table,
};

/// Every kind of database: one line each.
const CONNECTORS: &[Connector] = &[
    Connector { schemes: &["sqlite"], open: |at| Box::pin(table::open(&Sqlite, at)) },
    Connector {
        schemes: &["postgres", "postgresql"],
        open: |at| Box::pin(table::open(&Postgres, at)),
    },
    Connector { schemes: &["mysql", "mariadb"], open: |at| Box::pin(table::open(&MySql, at)) },
];

/// What opens addresses that begin in one of these ways.
struct Connector {
    schemes: &'static [&'static str],
    open: fn(Location) -> BoxFuture<'static, Opened>,
}

/// A directory, or why there is none.
pub type Opened = Result<Arc<dyn Directory>, OpenError>;

/// Connects to the site's accounts, and checks the mapping against what is there.
///
/// The database itself keeps the first connection from writing. Without the second, whatever
/// writes is refused.
///
/// # Errors
/// [`OpenError`] names the setting to change.
#[must_use = "a future does nothing until it is awaited"]
pub fn open<'a>(
    read_url: &'a str,
    write_url: Option<&'a str>,
    mapping: Mapping,
) -> BoxFuture<'a, Opened> {
    open_for(InstanceKind::Site, read_url, write_url, mapping)
}

/// The same for an instance of a kind. Where a rehearsal's tables stand has to say at every write that
/// it is for rehearsals: the database behind an address may be another one by then.
///
/// # Errors
/// As [`open`].
#[must_use = "a future does nothing until it is awaited"]
pub fn open_for<'a>(
    kind: InstanceKind,
    read_url: &'a str,
    write_url: Option<&'a str>,
    mapping: Mapping,
) -> BoxFuture<'a, Opened> {
    Box::pin(async move {
        let scheme = read_url.split(':').next().unwrap_or_default();
        let connector = CONNECTORS.iter().find(|connector| connector.schemes.contains(&scheme));
        let connector = connector.ok_or_else(|| OpenError::Scheme { known: schemes() })?;
        let write_url = write_url.map(str::to_owned);
        let read_url = read_url.to_owned();
        (connector.open)(Location { read_url, write_url, mapping, kind }).await
    })
}

/// Checks the address of a database as far as can be done without connecting. `setting` names it.
///
/// # Errors
/// [`OpenError::Connect`] says what is wrong with it.
pub fn check_address(setting: &'static str, url: &str) -> Result<(), OpenError> {
    Db::check_address(url).map_err(|source| OpenError::Connect { setting, source })
}

fn schemes() -> String {
    let known: Vec<_> = CONNECTORS.iter().flat_map(|connector| connector.schemes).collect();
    let known: Vec<_> = known.into_iter().map(|scheme| format!("{scheme}:")).collect();
    known.join(", ")
}
