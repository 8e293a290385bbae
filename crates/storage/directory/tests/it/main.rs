//! Accounts of real databases: SQLite, PostgreSQL, MariaDB, and the tables that Django makes in them.
#![expect(clippy::unwrap_used, reason = "a test has nobody to hand an error to")]

mod beside;
mod bytes;
mod changes;
mod django;
mod export;
mod grants;
mod kinship;
mod locking;
mod many;
mod mysql;
mod opening;
mod presets;
mod reading;
mod rehearsal;
mod replacing;
mod sessions;
mod site;
