//! One text for each query, both databases.
//!
//! A query is data: [`queries!`] writes it once and spells it for SQLite and for PostgreSQL, with
//! named words where the dialects differ. [`Db`], [`Tx`] and [`Query`] run it. Every `match` on the
//! backend of the whole program stands in this crate's `backend.rs`; what is built on it cannot
//! tell which database answers.

mod backend;
mod error;
mod statement;

pub use backend::{Access, Column, Db, Migrations, OpenOptions, Query, Record, Tx, Value};
pub use error::{Constraint, SqlError};
pub use statement::Statement;
