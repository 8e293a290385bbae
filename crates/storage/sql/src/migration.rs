//! The steps that make a schema, written into the program.

use std::borrow::Cow;

use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration as Step, MigrationType, Migrator},
};

/// One step of a schema.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its place in the order, from 1.
    pub version: i64,
    /// What it is about. A database keeps it beside the version.
    pub name: &'static str,
    /// Its statements. One that was changed after it had been applied is refused.
    pub text: &'static str,
}

/// The steps of each dialect.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// For SQLite.
    pub sqlite: &'static [Migration],
    /// For PostgreSQL.
    pub postgres: &'static [Migration],
}

pub(crate) fn migrator(migrations: &[Migration]) -> Migrator {
    let step = |migration: &Migration| {
        let name = Cow::Borrowed(migration.name);
        let text = migration.text.into_sql_str();
        Step::new(migration.version, name, MigrationType::Simple, text, false)
    };
    Migrator::with_migrations(migrations.iter().map(step).collect())
}
