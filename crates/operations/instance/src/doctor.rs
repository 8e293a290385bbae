use std::time::Duration;

use directory::{AccountCounts, Directory, DirectoryReport, Kinship, ReadError, WriteGrant};
use futures_util::future::BoxFuture;
use model::Clock;
use serde::Serialize;
use store::{Standbys, Store, StoreError};

use crate::{Instance, instance::way_on};

/// A worker's clock and the database's may differ by so much.
const CLOCK_SKEW_MAX: Duration = Duration::from_secs(5);

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// What.
    pub what: &'static str,
    /// How it is.
    pub check: Check,
    /// What was found, or what to do.
    pub detail: String,
}

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// As it must be.
    Good,
    /// Works, but somebody should know.
    Note,
    /// Does not work.
    Bad,
}

impl Checked {
    /// As it must be.
    pub fn good(what: &'static str, detail: impl Into<String>) -> Self {
        Self { what, check: Check::Good, detail: detail.into() }
    }

    /// Works, but somebody should know.
    pub fn note(what: &'static str, detail: impl Into<String>) -> Self {
        Self { what, check: Check::Note, detail: detail.into() }
    }

    /// Does not work.
    pub fn bad(what: &'static str, detail: impl Into<String>) -> Self {
        Self { what, check: Check::Bad, detail: detail.into() }
    }
}

/// Looks at the store: its version, its tables, whether what is committed lasts.
///
/// # Errors
/// [`StoreError`] if the store fails while it is asked.
pub fn check_store(store: &Store) -> BoxFuture<'_, Result<Vec<Checked>, StoreError>> {
    Box::pin(async move {
        let needed = Store::schema_version_needed();
        let tables = match store.schema_version().await? {
            Some(version) if version == needed => {
                Checked::good("tables", format!("version {version}"))
            }
            found => {
                let found = found.unwrap_or(0);
                let way_on = way_on(found, needed);
                Checked::bad("tables", format!("version {found} found, {needed} needed: {way_on}"))
            }
        };
        let standbys = standbys(store.read().await?.standbys().await?);
        let durable = store.read().await?.is_durable().await?;
        let durability = if durable {
            Checked::good("durability", "what is committed survives a power cut")
        } else {
            Checked::bad("durability", "the database may lose what it has committed: turn on fsync")
        };
        let version = Checked::good("store", store.version().await?);
        Ok([version, tables, durability].into_iter().chain(standbys).collect())
    })
}

/// SQLite has none, and most servers that are not a site's have none either.
fn standbys(standbys: Standbys) -> Option<Checked> {
    let Standbys { count, is_waited_for } = standbys;
    match (count, is_waited_for) {
        (0, _) => None,
        (_, true) => Some(Checked::good("standbys", format!("{count}, and commits wait for them"))),
        (_, false) => Some(Checked::note(
            "standbys",
            format!(
                "{count}, and no commit waits for them: whichever takes over may not know whom we \
                 have told, so nothing is sent without a witness (`synchronous_standby_names`, or \
                 `countersign sending propose --witnesses`)"
            ),
        )),
    }
}

/// Asks the store for its clock: the quickest that shows that it is there.
///
/// # Errors
/// [`StoreError`] if it does not answer.
pub fn is_store_there(instance: &Instance) -> BoxFuture<'_, Result<(), StoreError>> {
    Box::pin(async move { instance.store().read().await?.now().await.map(drop) })
}

/// Holds this machine's clock against the database's.
///
/// # Errors
/// [`StoreError`] if the store fails while it is asked.
pub fn check_clock<'a>(
    store: &'a Store,
    clock: &'a dyn Clock,
) -> BoxFuture<'a, Result<Checked, StoreError>> {
    Box::pin(async move {
        let theirs = store.read().await?.now().await?;
        let ours = clock.now();
        let skew = Duration::from_micros(ours.as_micros().abs_diff(theirs.as_micros()));
        let detail = format!("{ours}, {} ms from the database's", skew.as_millis());
        Ok(if skew <= CLOCK_SKEW_MAX {
            Checked::good("clock", detail)
        } else {
            Checked::bad("clock", format!("{detail}: synchronise both"))
        })
    })
}

/// Looks at the directory: how many accounts, what is mapped, which grants there are.
///
/// # Errors
/// [`ReadError`] if the directory fails while it is asked.
pub fn check_directory(
    directory: &dyn Directory,
) -> BoxFuture<'_, Result<Vec<Checked>, ReadError>> {
    Box::pin(async move {
        let report = directory.check().await?;
        let may_write = report.write == WriteGrant::Granted;
        let mut checks = vec![accounts(&report), write_grant(report.write)];
        checks.extend(addresses(&report.accounts));
        let AccountCounts { unreadable: count, unreadable_first, .. } = report.accounts;
        checks.extend(unreadable_first.map(|first| unreadable(count, &first)));
        if may_write {
            checks.push(one_database(directory.kinship().await?));
        }
        Ok(checks)
    })
}

fn accounts(report: &DirectoryReport) -> Checked {
    const WHAT: &str = "directory";
    let AccountCounts { all, without_password, .. } = report.accounts;
    let counted = format!(
        "{all} accounts, {without_password} of them without a password, in {}",
        report.database
    );
    let refused = |why: &str| Checked::bad(WHAT, format!("{counted}{why}"));
    match report.repeated_ids {
        0 if all == 0 => Checked::note(WHAT, counted),
        0 if without_password == all => refused(
            ": nobody has one, so nobody would be found. Is `directory.columns.hash` the column, or the \
             path in a document, that holds the hashes?",
        ),
        0 => Checked::good(WHAT, counted),
        repeated => {
            refused(&format!("; {repeated} of them have the id of another: map a unique column"))
        }
    }
}

/// Whom no leak can name is never found.
fn addresses(accounts: &AccountCounts) -> Option<Checked> {
    const WHAT: &str = "addresses";
    let AccountCounts { all, odd_addresses, odd_address_first, nameless, .. } = accounts;
    if *all > 0 && nameless == all {
        let detail = "no account has an address or a username by which a leak could name it: map \
                      `directory.columns.email`, or `directory.columns.username`";
        return Some(Checked::bad(WHAT, detail.to_owned()));
    }
    let first = odd_address_first.as_ref()?;
    let detail = format!(
        "{odd_addresses} accounts have something else than one address in that column, first account \
         {first}: no leak names them by it. One with several addresses needs a row for each in \
         `directory.query`, or is found by one of them alone"
    );
    Some(Checked::note(WHAT, detail))
}

/// One row in a million must not keep a site from looking at the others.
fn unreadable(accounts: u64, first: &str) -> Checked {
    let detail = format!(
        "{accounts} cannot be read whole, first {first}: correct the row, or map another column; \
         until then nobody counts as not exposed there"
    );
    Checked::note("unreadable", detail)
}

fn one_database(kinship: Kinship) -> Checked {
    const WHAT: &str = "written to";
    match kinship {
        Kinship::One => Checked::good(WHAT, "the database that is read"),
        Kinship::Untold(why) => Checked::note(WHAT, why),
        Kinship::Two(why) => Checked::bad(WHAT, why),
    }
}

fn write_grant(grant: WriteGrant) -> Checked {
    const WHAT: &str = "write grant";
    match grant {
        WriteGrant::Granted => Checked::good(WHAT, "passwords can be sealed"),
        WriteGrant::Rehearsed => Checked::good(
            WHAT,
            "this rehearsal seals the accounts of its own directory; nothing reaches a site",
        ),
        WriteGrant::Refused(reason) => Checked::bad(WHAT, reason),
        WriteGrant::NotConfigured | WriteGrant::Copy => {
            Checked::note(WHAT, grant.granted().err().unwrap_or_default())
        }
    }
}
