//! The SQL that a mapping amounts to.
//!
//! A column is always named as `account."column"`: SQLite takes a lone `"column"` that does not
//! exist for a string. Only the operator's own query is pasted as it is.

use sql::QueryText;

use crate::{
    engine::Engine,
    limits::{ACCOUNTS_PER_NAME_MAX, LATEST_CHANGES_READ},
    mapping::{Columns, Mapping, Source},
    row::MappedField,
};

/// A mapping, in the words of its database.
pub(super) struct Statements {
    pub(super) mapping: Mapping,
    pub(super) engine: &'static dyn Engine,
    pub(super) types: ColumnTypes,
    /// Whether the database takes addresses for equal that differ in capitals.
    pub(super) folds_addresses: bool,
}

/// The types of the mapped columns, as their database calls them.
#[derive(Default)]
pub(super) struct ColumnTypes([String; MappedField::ALL.len()]);

impl ColumnTypes {
    /// Empty for a field without a column.
    pub(super) fn of(&self, field: MappedField) -> &str {
        &self.0[field as usize]
    }

    pub(super) fn set(&mut self, field: MappedField, type_name: String) {
        self.0[field as usize] = type_name;
    }
}

impl Statements {
    /// Every account, its columns in the order of [`MappedField::ALL`].
    pub(super) fn accounts(&self) -> QueryText {
        QueryText::composed(self.select())
    }

    /// One account, whichever the database has at hand.
    pub(super) fn first_account(&self) -> QueryText {
        QueryText::composed(format!("{} LIMIT 1", self.select()))
    }

    /// The accounts whose ids are in `{list}`.
    ///
    /// It compares the column itself, so that its index is used.
    pub(super) fn accounts_by_id(&self) -> QueryText {
        QueryText::composed(self.select_by_id())
    }

    /// The accounts that have an address, in lower case, or a username in `{list}`.
    ///
    /// A large site needs an index on `lower(email)` for it, as for any sign-in by address; where the
    /// database takes capitals for nothing, on the address itself.
    pub(super) fn accounts_by_name(&self) -> QueryText {
        QueryText::composed(self.select_by_name())
    }

    /// The accounts that changed last, the latest first.
    pub(super) fn latest_changes(&self, column: &str) -> QueryText {
        let (select, column) = (self.select(), self.engine.quoted(column));
        QueryText::composed(format!(
            "{select} WHERE account.{column} IS NOT NULL ORDER BY account.{column} DESC LIMIT \
             {LATEST_CHANGES_READ}"
        ))
    }

    /// The accounts that have changed since a moment, which the engine has written.
    pub(super) fn changes(&self, column: &str, since: &str) -> QueryText {
        let (select, column) = (self.select(), self.engine.quoted(column));
        QueryText::composed(format!("{select} WHERE account.{column} >= {since}"))
    }

    /// The accounts that have ever changed.
    pub(super) fn all_changes(&self, column: &str) -> QueryText {
        let (select, column) = (self.select(), self.engine.quoted(column));
        QueryText::composed(format!("{select} WHERE account.{column} IS NOT NULL"))
    }

    /// Whether the database takes addresses for equal that differ in capitals, where that depends on
    /// the column; a row of one truth value, or none.
    pub(super) fn folding(&self) -> Option<QueryText> {
        let column = self.column("account", self.mapping.columns.email.as_deref()?);
        let folds = self.engine.folding(&column)?;
        Some(QueryText::composed(format!("SELECT {folds} FROM {} LIMIT 1", self.from())))
    }

    /// How many accounts there are.
    pub(super) fn count(&self) -> QueryText {
        QueryText::composed(format!("SELECT COUNT(*) FROM {}", self.from()))
    }

    /// How many accounts share their id with an earlier one.
    pub(super) fn count_repeated(&self) -> QueryText {
        let id = self.engine.quoted(&self.mapping.columns.id);
        let from = self.from();
        QueryText::composed(format!("SELECT COUNT(*) - COUNT(DISTINCT account.{id}) FROM {from}"))
    }

    /// What a change of a hash takes, if there is a table to write to.
    pub(super) fn replacement(&self) -> Option<Replacing> {
        let Source::Table(path) = &self.mapping.source else { return None };
        let engine = self.engine;
        let Written { table, of } = written(engine, path);
        let Columns { id, hash, .. } = &self.mapping.columns;
        let (id, hash) = (engine.quoted(id), engine.quoted(hash));
        let column = format!("{of}.{hash}");
        let hash_type = self.types.of(MappedField::Hash);
        let told = format!(
            "{}, {}, {}",
            self.as_text(&of, MappedField::Id),
            engine.hash_as_text(&column, hash_type),
            engine.holds_bytes(&column, hash_type)
        );
        let activity = [MappedField::Active, MappedField::Inactive];
        let [active, inactive] = activity.map(|field| self.as_text(&of, field));
        let named = format!("{of}.{id} IN {{list}}");
        let (transaction, holding) = (engine.transaction(), engine.holding());
        let look = format!("SELECT {told} FROM {table} WHERE {named}");
        let held = format!(
            "SELECT {told}, {active}, {inactive}, {transaction} FROM {table} WHERE {named}{holding}"
        );
        let is_old = engine.is_hash(&column, hash_type, "$2");
        let telling =
            if engine.tells_changes() { format!(" RETURNING {told}") } else { String::new() };
        let update = format!("UPDATE {table} SET {hash} = $1 WHERE {named} AND {is_old}{telling}");
        let before_lock = QueryText::composed(engine.before_lock(path));
        let [look, held, update] = [look, held, update].map(QueryText::composed);
        Some(Replacing { before_lock, look, lock: held, update })
    }

    fn select_by_id(&self) -> String {
        let id = self.engine.quoted(&self.mapping.columns.id);
        format!("{} WHERE account.{id} IN {{list}}", self.select())
    }

    fn select_by_name(&self) -> String {
        let Columns { email, username, .. } = &self.mapping.columns;
        let email = email.as_deref().map(|name| {
            let (column, of) = (self.column("account", name), self.types.of(MappedField::Email));
            self.engine.is_address(&column, of, self.folds_addresses)
        });
        let username = username.as_deref().map(|name| {
            let (column, of) = (self.column("account", name), self.types.of(MappedField::Username));
            self.engine.is_username(&column, of)
        });
        let names: Vec<_> = [email, username].into_iter().flatten().collect();
        let (select, names) = (self.select(), names.join(" OR "));
        format!("{select} WHERE {names} LIMIT {ACCOUNTS_PER_NAME_MAX}")
    }

    fn select(&self) -> String {
        let fields = MappedField::ALL.iter();
        let columns: Vec<_> = fields.map(|field| self.as_text("account", *field)).collect();
        format!("SELECT {} FROM {}", columns.join(", "), self.from())
    }

    /// NULL stands for a field that the site does not record.
    fn as_text(&self, of: &str, field: MappedField) -> String {
        let Some(column) = self.mapping.columns.of(field) else {
            return self.engine.no_text().to_owned();
        };
        let column = self.column(of, column);
        let type_name = self.types.of(field);
        let text = |is_id| self.engine.text(&column, type_name, is_id);
        match field {
            MappedField::Hash => self.engine.hash_as_text(&column, type_name),
            MappedField::Active => format!("COALESCE({}, '')", text(false)),
            _ => text(field == MappedField::Id),
        }
    }

    fn column(&self, of: &str, name: &str) -> String {
        format!("{of}.{}", self.engine.quoted(name))
    }

    fn from(&self) -> String {
        self.mapping.from(self.engine)
    }
}

impl Mapping {
    /// Everything that the source has, to be described and not to be run.
    pub(super) fn everything(&self, engine: &dyn Engine) -> QueryText {
        QueryText::composed(format!("SELECT * FROM {}", self.from(engine)))
    }

    fn from(&self, engine: &dyn Engine) -> String {
        match &self.source {
            Source::Table(table) => format!("{} AS account", engine.quoted_path(table)),
            // The query may end in a comment, which the line break ends.
            Source::Query(query) => format!("(\n{}\n) AS account", bare(query)),
        }
    }
}

/// Statements on the accounts whose ids are in `{list}`. They return ids, hashes, and whether those are
/// bytes.
pub(super) struct Replacing {
    /// Whether this is a standby, and what the table is if its rows cannot be held.
    pub(super) before_lock: QueryText,
    /// What they hold.
    pub(super) look: QueryText,
    /// The same, held until the transaction ends; whether the site lets the account in, by each of
    /// the two columns; and the transaction.
    pub(super) lock: QueryText,
    /// Puts `$1` in the place of the hash `$2`. Whether it returns anything, the engine knows.
    pub(super) update: QueryText,
}

/// The table of an `UPDATE`, quoted. It goes without an alias, which SQLite does not know in
/// `RETURNING` nor on a view.
struct Written {
    table: String,
    /// What the table's columns are qualified with.
    of: String,
}

fn written(engine: &dyn Engine, table: &str) -> Written {
    let of = engine.quoted(table.rsplit('.').next().unwrap_or(table));
    Written { table: engine.quoted_path(table), of }
}

/// A statement without the semicolon that people end it with.
pub(super) fn bare(statement: &str) -> &str {
    statement.trim_end_matches(|c: char| c == ';' || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use sql::{Access, Db, OpenOptions, Record};
    use tempfile::TempDir;

    use super::*;
    use crate::{
        engine::{mysql::MySql, postgres::Postgres, sqlite::Sqlite},
        location::Location,
        table::connection::TableDirectory,
    };

    #[tokio::test]
    async fn a_look_up_uses_the_index_of_the_id() {
        let folder = TempDir::new().unwrap();
        let sqlite = format!("sqlite://{}/site.sqlite3", folder.path().display());
        let steps: Vec<(i64, i64, i64, String)> =
            plan(&Sqlite, &sqlite, "EXPLAIN QUERY PLAN").await;
        let step = &steps[0].3;
        assert!(step.starts_with("SEARCH account USING INTEGER PRIMARY KEY"), "{step}");

        let postgres = testkit::postgres().database().url;
        let steps: Vec<(String,)> = plan(&Postgres, &postgres, "EXPLAIN").await;
        let steps = format!("{steps:?}");
        assert!(steps.contains("users_pkey") && !steps.contains("Seq Scan"), "{steps}");

        let mariadb = testkit::mariadb().database().url;
        let plan: Vec<(String,)> = plan(&MySql, &mariadb, "EXPLAIN FORMAT = JSON").await;
        let plan = &plan[0].0;
        assert!(plan.contains("range") && plan.contains("\"PRIMARY\""), "{plan}");
    }

    /// How the database goes about looking two accounts up.
    async fn plan<R: Record>(engine: &'static dyn Engine, url: &str, explain: &str) -> Vec<R> {
        let db = many_users(url).await;
        let at =
            Location { read_url: url.to_owned(), write_url: None, mapping: Mapping::generic() };
        let directory = TableDirectory::open(engine, at).await.unwrap();
        let select = directory.statements.select_by_id();
        let text = QueryText::composed(format!("{explain} {select}"));
        let text = text.with_list_as(&directory.key(), 0, 2);
        let mut tx = db.read().await.unwrap();
        let query = tx.run(&text).bind("7".to_owned()).bind("8".to_owned());
        query.all().await.unwrap()
    }

    async fn many_users(url: &str) -> Db {
        let access = if url.starts_with("mysql") { Access::Write } else { Access::Create };
        let db = Db::open(url, OpenOptions { access, connections_max: 1 }).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        if url.starts_with("mysql") {
            let recursion = "SET autocommit = 1 /*M!100300 , max_recursive_iterations = 20000 */ \
                             /*!80000 , cte_max_recursion_depth = 20000 */"
                .to_owned();
            tx.run(&QueryText::composed(recursion)).execute().await.unwrap();
        }
        for text in [
            "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, username TEXT, \
             password_hash TEXT)",
            "INSERT INTO users (id) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 \
             FROM n WHERE i < 20000) SELECT i FROM n",
            if url.starts_with("mysql") { "ANALYZE TABLE users" } else { "ANALYZE" },
        ] {
            let statement = QueryText::composed(text.to_owned());
            tx.run(&statement).execute().await.unwrap();
        }
        tx.commit().await.unwrap();
        db
    }

    #[test]
    fn a_query_may_end_in_a_semicolon_and_a_comment() {
        let source = Source::Query("SELECT 1 AS id -- all ;\n ; ".into());
        let mapping = Mapping { source, ..Mapping::generic() };
        assert_eq!(mapping.from(&Sqlite), "(\nSELECT 1 AS id -- all\n) AS account");
    }
}
