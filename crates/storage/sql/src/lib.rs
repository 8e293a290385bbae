//! One text for each query, every database.
//!
//! A query is data: [`queries!`] writes it once and spells it for SQLite and for PostgreSQL, with
//! named words where the dialects differ. A site's own database may be MySQL or MariaDB as well. [`Db`], [`SqlTx`] and [`Query`] run it; a [`Record`] is
//! decoded from what comes back, apart from the running. What is special to a database stands in
//! `sqlite.rs`, `postgres.rs` or `mysql.rs`; what is built on this crate cannot tell which one answers.
//!
//! Everything that waits is a [`BoxFuture`] or a [`BoxStream`]: an `async fn` would be compiled
//! again in every crate that awaits it.

#![expect(
    clippy::missing_errors_doc,
    reason = "every statement can fail as its database does; what else can go wrong is said"
)]
#![expect(
    clippy::must_use_candidate,
    reason = "a future and a stream that nobody polls are warned of already"
)]

mod backend;
mod datum;
mod db;
mod error;
mod grant;
mod migration;
mod mysql;
mod options;
mod patience;
mod placeholder;
mod postgres;
mod record;
mod refusal;
mod row;
mod sqlite;
mod statement;
mod value;

pub use backend::{Column, ColumnKind};
pub use datum::{Datum, Decode};
pub use db::{Db, Query, SqlTx};
pub use error::{Constraint, Misfit, SqlError};
pub use futures_util::{future::BoxFuture, stream::BoxStream};
pub use migration::{Migration, Migrations};
pub use options::{Access, OpenOptions};
pub use record::Record;
pub use row::Row;
pub use statement::QueryText;
pub use value::{Bind, Value, Values};
