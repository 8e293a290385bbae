//! Somebody who can write to the store as its owner: edits rows, deletes them, puts older ones back,
//! and drops what would keep them from it.

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

use crate::{
    SimResult,
    dice::Dice,
    run::Run,
    site::{StoreView, connect},
    world::CAMPAIGN,
};

/// How often in thousandths of the steps.
const EDIT_PERMILLE: u64 = 14;

/// Named moments that a run goes on by rows that somebody has edited, while nothing else goes wrong, and
/// then by those rows put right.
const EDITED_STEPS: u64 = 400;
const PUT_RIGHT_STEPS: u64 = 200;

/// How often, in thousandths of those steps, somebody asks for the report.
const ASKS_PERMILLE: u64 = 40;

/// What decides who is sealed and told, and what is reported. Somebody who can write here could also
/// write to the log: that it is cut or forged, `crates/edges/countersign/tests/it/` tries.
// What lets everything go on is edited most often.
const TABLES: &[&str] = &[
    "campaign",
    "campaign",
    "campaign",
    "campaign",
    "notice",
    "notice_line",
    "kill_switch",
    "target",
    "target_finding",
    "campaign_address",
    "reset_line",
    "swap",
    "finding",
    "approval",
    "plan",
    "roster_document",
    "arming",
    "fold_snapshot",
    "leak",
    "sending_pause",
    "subject",
];

/// Words that stand in no other row, but that the program knows.
const STATES: &[(&str, &[&str])] = &[
    ("campaign", &["canary", "soak", "ramp", "done", "halted", "closed"]),
    ("notice", &["pending", "inflight", "sent", "refused", "uncertain"]),
    ("target", &["pending", "sealing", "sealed", "skipped", "reset", "overtaken", "put_back"]),
    ("swap", &["intended", "done", "undone", "overtaken"]),
    ("kill_switch", &["released", "pulled"]),
    ("finding", &["open", "dismissed", "reset"]),
];

/// Columns that the program writes together with another: where that one has moved, this one is the
/// program's again, even if it says what the editor wrote.
const WRITTEN_WITH: &[(&str, &str)] = &[("skip_reason", "state")];

/// Whoever edits, with what they have edited so far and can put right.
#[derive(Debug)]
pub(crate) struct Editor {
    dice: Dice,
    /// Of their own: it keeps each row as it was, and as they have left it.
    store: SqliteConnection,
    /// Whether they hold the store as it was at some moment before.
    has_copy: bool,
    edits: Vec<Edit>,
    count: usize,
    pub(crate) has_edited: bool,
}

#[derive(Debug)]
struct Edit {
    number: usize,
    table: Table,
    is_deleted: bool,
}

/// A table with its columns.
#[derive(Debug, Clone)]
struct Table {
    name: &'static str,
    columns: Vec<String>,
    key: Vec<String>,
    /// What is edited: all but the key.
    other: Vec<String>,
}

impl Table {
    /// All of `columns`, as a list in an SQL text.
    fn list(columns: &[String]) -> String {
        columns.join(", ")
    }

    /// That a row is the one that another table holds alone.
    fn is_of(&self, other: &str) -> String {
        let key = Self::list(&self.key);
        format!("({key}) = (SELECT {key} FROM {other})")
    }
}

impl Editor {
    pub(crate) async fn open(store: &Path, seed: u64) -> SimResult<Self> {
        let mut connection = connect(store).await?;
        for pragma in ["foreign_keys = OFF", "ignore_check_constraints = ON"] {
            run_text(&mut connection, &format!("PRAGMA {pragma}")).await?;
        }
        Ok(Self {
            dice: Dice::new(seed),
            store: connection,
            has_copy: false,
            edits: Vec::new(),
            count: 0,
            has_edited: false,
        })
    }

    pub(crate) async fn close(self) -> SimResult {
        Ok(self.store.close().await?)
    }

    /// Edits something, or gets ready to, or puts everything right. Says what, if anything.
    async fn meddle(&mut self, copy: &Path, view: &mut StoreView) -> SimResult<Option<String>> {
        if !self.dice.happens(EDIT_PERMILLE) {
            return Ok(None);
        }
        match self.dice.below(5) {
            0 if !self.edits.is_empty() => self.put_right().await.map(Some),
            0 | 1 => self.copy(copy, view).await.map(|()| Some("keeps a copy".to_owned())),
            _ => self.edit().await,
        }
    }

    async fn copy(&mut self, to: &Path, view: &mut StoreView) -> SimResult {
        if self.has_copy {
            run_text(&mut self.store, "DETACH older").await?;
        }
        view.back_up(to).await?;
        run_text(&mut self.store, &format!("ATTACH '{}' AS older", to.display())).await?;
        self.has_copy = true;
        Ok(())
    }

    async fn edit(&mut self) -> SimResult<Option<String>> {
        let table = *self.dice.pick(TABLES);
        let table = self.table(table).await?;
        let (number, name, key) = (self.count, table.name, Table::list(&table.key));
        let rows = number_of(&mut self.store, &format!("SELECT COUNT(*) FROM {name}")).await?;
        if rows == 0 {
            return Ok(None);
        }
        self.count += 1;
        let at = self.dice.below(rows.unsigned_abs());
        let one = format!("SELECT * FROM {name} ORDER BY {key} LIMIT 1 OFFSET {at}");
        run_text(&mut self.store, &format!("CREATE TEMP TABLE was_{number} AS {one}")).await?;
        let was = format!("was_{number}");
        let is_it = table.is_of(&was);
        let (what, text) = self.choose(&table, &was).await?;
        let triggers = self.drop_triggers(&table).await?;
        let done = sqlx::query(AssertSqlSafe(text)).execute(&mut self.store).await;
        for trigger in triggers {
            run_text(&mut self.store, &trigger).await?;
        }
        // Another row is unique by this one's new values.
        if done.is_err() {
            return Ok(None);
        }
        let became =
            format!("CREATE TEMP TABLE became_{number} AS SELECT * FROM {name} WHERE {is_it}");
        run_text(&mut self.store, &became).await?;
        let left = format!("SELECT COUNT(*) FROM became_{number}");
        let is_deleted = number_of(&mut self.store, &left).await? == 0;
        let same = format!(
            "SELECT COUNT(*) FROM (SELECT * FROM was_{number} EXCEPT SELECT * FROM became_{number})"
        );
        if number_of(&mut self.store, &same).await? == 0 {
            return Ok(None);
        }
        let row = self.row_key(&table, &was).await?;
        self.edits.push(Edit { number, table, is_deleted });
        self.has_edited = true;
        Ok(Some(format!("{what} {name} {row}")))
    }

    /// What is done to the row that `was` holds, and the text that does it.
    async fn choose(&mut self, table: &Table, was: &str) -> SimResult<(String, String)> {
        let (name, is_it) = (table.name, table.is_of(was));
        let kind = self.dice.below(10);
        if kind < 2 || table.other.is_empty() {
            return Ok(("deletes".to_owned(), format!("DELETE FROM {name} WHERE {is_it}")));
        }
        if kind < 6 && self.has_copy {
            let others = Table::list(&table.other);
            let text = format!(
                "UPDATE {name} SET ({others}) = (SELECT {others} FROM older.{name} WHERE {is_it}) \
                 WHERE {is_it} AND EXISTS (SELECT 1 FROM older.{name} WHERE {is_it})"
            );
            return Ok(("puts back".to_owned(), text));
        }
        let column = self.dice.pick(&table.other).clone();
        let is_state = matches!(&*column, "state" | "position");
        let words = STATES.iter().find(|(of, _)| *of == name && is_state).map(|(_, words)| *words);
        let value = if let Some(words) = words {
            format!("'{}'", self.dice.pick(words))
        } else {
            self.other_value(table, &column, was).await?
        };
        let text = format!("UPDATE {name} SET {column} = {value} WHERE {is_it}");
        Ok((format!("sets {column} = {value} in"), text))
    }

    /// What stands in that column of another row; something near, if there is no other row.
    async fn other_value(&mut self, table: &Table, column: &str, was: &str) -> SimResult<String> {
        let others =
            format!("FROM {} WHERE {column} IS NOT (SELECT {column} FROM {was})", table.name);
        let count = number_of(&mut self.store, &format!("SELECT COUNT(*) {others}")).await?;
        if count > 0 {
            let (at, key) = (self.dice.below(count.unsigned_abs()), Table::list(&table.key));
            return Ok(format!("(SELECT {column} {others} ORDER BY {key} LIMIT 1 OFFSET {at})"));
        }
        let is_more = self.dice.happens(500);
        let by = if is_more { "+ 1" } else { "- 1" };
        Ok(format!(
            "CASE typeof({column}) WHEN 'integer' THEN {column} {by} \
             WHEN 'blob' THEN zeroblob(length({column})) WHEN 'text' THEN 'other' ELSE 1 END"
        ))
    }

    /// What they have edited is as it would be had they not, as far as the program has not moved it since.
    async fn put_right(&mut self) -> SimResult<String> {
        for Edit { number, table, is_deleted } in std::mem::take(&mut self.edits).into_iter().rev()
        {
            let (name, columns) = (table.name, Table::list(&table.columns));
            let text = if is_deleted {
                format!(
                    "INSERT OR IGNORE INTO {name} ({columns}) SELECT {columns} FROM was_{number}"
                )
            } else {
                let is_left =
                    |column: &str| format!("{column} IS (SELECT {column} FROM became_{number})");
                let right = table.columns.iter().map(|column| {
                    let with = WRITTEN_WITH.iter().find(|(written, _)| written == column);
                    let with =
                        with.map_or(String::new(), |(_, with)| format!(" AND {}", is_left(with)));
                    format!(
                        "{column} = CASE WHEN {}{with} THEN (SELECT {column} FROM was_{number}) \
                         ELSE {column} END",
                        is_left(column)
                    )
                });
                let (right, is_it) = (
                    right.collect::<Vec<_>>().join(", "),
                    table.is_of(&format!("became_{number}")),
                );
                format!("UPDATE {name} SET {right} WHERE {is_it}")
            };
            let triggers = self.drop_triggers(&table).await?;
            run_text(&mut self.store, &text).await?;
            for trigger in triggers {
                run_text(&mut self.store, &trigger).await?;
            }
        }
        Ok("puts everything right".to_owned())
    }

    /// Drops what keeps rows of a table as they are; returns what makes it again.
    async fn drop_triggers(&mut self, table: &Table) -> SimResult<Vec<String>> {
        let text = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?";
        let rows = sqlx::query(text).bind(table.name).fetch_all(&mut self.store).await?;
        let mut made = Vec::new();
        for row in rows {
            let (name, text): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            run_text(&mut self.store, &format!("DROP TRIGGER {name}")).await?;
            made.push(text);
        }
        Ok(made)
    }

    async fn table(&mut self, name: &'static str) -> SimResult<Table> {
        let text = "SELECT name, pk FROM pragma_table_info(?) ORDER BY cid";
        let rows = sqlx::query(text).bind(name).fetch_all(&mut self.store).await?;
        let mut table = Table { name, columns: Vec::new(), key: Vec::new(), other: Vec::new() };
        for row in rows {
            let (column, key): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
            table.columns.push(column.clone());
            if key > 0 {
                table.key.push(column);
            } else {
                table.other.push(column);
            }
        }
        Ok(table)
    }

    async fn row_key(&mut self, table: &Table, was: &str) -> SimResult<String> {
        let key = table.key.join(" || '/' || ");
        let query = sqlx::query(AssertSqlSafe(format!("SELECT CAST({key} AS TEXT) FROM {was}")));
        Ok(query.fetch_one(&mut self.store).await?.try_get(0)?)
    }
}

impl Run<'_> {
    /// Somebody may edit the store, if this run has somebody who does.
    pub(crate) async fn meddle(&mut self) -> SimResult {
        let Some(editor) = &mut self.editor else { return Ok(()) };
        let copy = self.world.path("older.db");
        if let Some(what) = editor.meddle(&copy, &mut self.store).await? {
            self.trace.line(format!("  the editor {what}"));
            if editor.has_edited {
                self.oracle.edited();
            }
        }
        Ok(())
    }

    /// Nothing else goes wrong any more. What the program does by edited rows is told to somebody, and what
    /// is reported is true. Then the rows are put right.
    pub(crate) async fn look_on_edited(&mut self) -> SimResult {
        self.trace.line("-- edited".to_owned());
        self.be_honest().await?;
        self.trace.forget_errors();
        let mut left = EDITED_STEPS;
        while left > 0 && !self.oracle.is_broken() && !self.is_settled() {
            left -= 1;
            self.go_on().await?;
            self.ask_for_report().await?;
        }
        if !self.oracle.is_broken() && !self.is_settled() && self.is_silent().await {
            self.oracle
                .break_by("edited rows keep the run from its end, and nobody says so".into());
        }
        let Some(editor) = &mut self.editor else { return Ok(()) };
        let what = editor.put_right().await?;
        self.trace.line(format!("-- the editor {what}"));
        for _ in 0..PUT_RIGHT_STEPS {
            if self.oracle.is_broken() {
                break;
            }
            self.go_on().await?;
        }
        Ok(())
    }

    async fn ask_for_report(&mut self) -> SimResult {
        let Some(editor) = &mut self.editor else { return Ok(()) };
        if editor.dice.happens(ASKS_PERMILLE) {
            self.oracle.judge_asked(&self.hosts[0], &self.server).await?;
        }
        Ok(())
    }

    /// Whether neither a worker nor what operators ask for tells that anything is wrong.
    async fn is_silent(&self) -> bool {
        let instance = &self.hosts[0].instance;
        let found = campaigns::contradictions(instance).await;
        let report = campaigns::report_campaign(instance, CAMPAIGN).await;
        self.trace.errors() == 0 && report.is_ok() && found.is_ok_and(|found| found.is_empty())
    }
}

async fn run_text(store: &mut SqliteConnection, text: &str) -> SimResult {
    sqlx::query(AssertSqlSafe(text.to_owned())).execute(store).await?;
    Ok(())
}

async fn number_of(store: &mut SqliteConnection, text: &str) -> SimResult<i64> {
    let query = sqlx::query(AssertSqlSafe(text.to_owned()));
    Ok(query.fetch_one(store).await?.try_get(0)?)
}
