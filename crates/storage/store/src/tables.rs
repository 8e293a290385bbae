//! Every table, for whoever copies a whole store: in an order in which rows refer only to rows of
//! tables before their own.

use serde::{Deserialize, Serialize};
use sql::{ColumnKind, QueryText};

use crate::any_row::AnyValue;

/// The column that says until when a piece of work is somebody's.
const LEASE: &str = "lease_until";

const TABLES: &[StoreTable] = &[
    rows("instance"),
    rows("key_in_force"),
    rows("retired_key"),
    ordered("log_entry", "position"),
    ordered("log_hash", "position"),
    ordered("log_checkpoint", "size"),
    one_row("log_head"),
    rows("account"),
    counted("leak"),
    counted("leak_file"),
    counted("job"),
    rows("piece"),
    rows("piece_reject"),
    rows("reject_sample"),
    rows("candidate"),
    rows("batch"),
    rows("batch_outcome"),
    rows("batch_shape"),
    rows("form_proof"),
    rows("subject"),
    one_row("subject_head"),
    rows("tombstone"),
    counted("finding"),
    rows("finding_record"),
    rows("unverified"),
    rows("unverified_record"),
    rows("tried"),
    rows("roster_document"),
    one_row("kill_switch"),
    counted("campaign"),
    rows("campaign_leak"),
    rows("plan"),
    rows("approval"),
    rows("campaign_address"),
    rows("target"),
    rows("target_finding"),
    rows("reset_line"),
    rows("reset_evidence"),
    counted("statement"),
    counted("notice"),
    rows("notice_line"),
    rows("notice_text"),
    counted("reset_link"),
    rows("requested_notice"),
    counted("swap"),
    // Whoever asked has waited too long, or was answered since.
    left_out("mail_request"),
    // It was signed for another database.
    left_out("arming"),
    // Whether the relay works, and whether the site's table agrees, is found out anew.
    left_out("sending_pause"),
    left_out("reconciliation"),
    // The log is read again.
    left_out("fold_snapshot"),
];

/// One table of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreTable {
    name: &'static str,
    order: Option<&'static str>,
    carried: Carried,
    has_counter: bool,
}

/// How the rows of a table come into a store that is made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carried {
    /// As they were.
    Rows,
    /// In the place of the one row that the migrations make.
    OneRow,
    /// Not at all: they hold for a while, or for one database, or follow from others.
    No,
}

impl StoreTable {
    /// Those whose rows are carried from one store to another, in their order.
    pub fn carried() -> impl Iterator<Item = &'static Self> {
        TABLES.iter().filter(|table| table.carried != Carried::No)
    }

    /// Those whose rows stay behind.
    pub fn left_out() -> impl Iterator<Item = &'static Self> {
        TABLES.iter().filter(|table| table.carried == Carried::No)
    }

    /// What the schema calls it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it holds no row until somebody uses the store.
    pub(crate) fn begins_empty(&self) -> bool {
        self.carried == Carried::Rows
    }

    pub(crate) fn every_column(&self) -> QueryText {
        QueryText::composed(format!("SELECT * FROM {}", self.name))
    }

    pub(crate) fn is_used(&self) -> QueryText {
        QueryText::composed(format!("SELECT EXISTS (SELECT 1 FROM {})", self.name))
    }

    pub(crate) fn select(&self, columns: &[TableColumn]) -> QueryText {
        let order = self.order.map(|order| format!(" ORDER BY {order}")).unwrap_or_default();
        let (columns, name) = (list_of(columns), self.name);
        QueryText::composed(format!("SELECT {columns} FROM {name}{order}"))
    }

    /// PostgreSQL gives its own numbers to rows unless it is told not to.
    pub(crate) fn insert(&self, columns: &[TableColumn]) -> QueryText {
        let into = format!("INSERT INTO {} ({})", self.name, list_of(columns));
        let rows = format!("VALUES {{rows}}{}", self.on_conflict(columns));
        QueryText::spelled(
            format!("{into} {rows}"),
            format!("{into} OVERRIDING SYSTEM VALUE {rows}"),
        )
    }

    fn on_conflict(&self, columns: &[TableColumn]) -> String {
        if self.carried != Carried::OneRow {
            return String::new();
        }
        let set =
            columns.iter().map(|TableColumn { name, .. }| format!("{name} = excluded.{name}"));
        format!(" ON CONFLICT (only_row) DO UPDATE SET {}", set.collect::<Vec<_>>().join(", "))
    }

    /// Lets the table count on from its highest number, as SQLite does by itself.
    pub(crate) fn count_on(&self) -> Option<QueryText> {
        let name = self.name;
        self.has_counter.then(|| {
            QueryText::spelled(
                "SELECT 1".to_owned(),
                format!(
                    "SELECT setval(pg_get_serial_sequence('{name}', 'id'),
                        (SELECT COALESCE(MAX(id), 0) + 1 FROM {name}), FALSE)"
                ),
            )
        })
    }
}

/// A column of a table, the same on both databases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableColumn {
    /// What the schema calls it.
    pub name: String,
    /// What it holds.
    #[serde(with = "KindWord")]
    pub kind: ColumnKind,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ColumnKind")]
enum KindWord {
    Integer,
    Text,
    Bytes,
    Boolean,
}

impl TableColumn {
    /// What a row of a store that is made anew holds here: nobody has leased anything there.
    pub(crate) fn carried(&self, value: AnyValue) -> AnyValue {
        if self.name == LEASE { AnyValue::Integer(0) } else { value }
    }
}

fn list_of(columns: &[TableColumn]) -> String {
    columns.iter().map(|column| &*column.name).collect::<Vec<_>>().join(", ")
}

const fn rows(name: &'static str) -> StoreTable {
    StoreTable { name, order: None, carried: Carried::Rows, has_counter: false }
}

/// The database numbers its rows.
const fn counted(name: &'static str) -> StoreTable {
    StoreTable { has_counter: true, ..rows(name) }
}

const fn ordered(name: &'static str, order: &'static str) -> StoreTable {
    StoreTable { order: Some(order), ..rows(name) }
}

const fn one_row(name: &'static str) -> StoreTable {
    StoreTable { carried: Carried::OneRow, ..rows(name) }
}

const fn left_out(name: &'static str) -> StoreTable {
    StoreTable { carried: Carried::No, ..rows(name) }
}
