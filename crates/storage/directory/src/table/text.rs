//! The SQL that a mapping amounts to.
//!
//! A column is always named as `account."column"`: SQLite takes a lone `"column"` that does not
//! exist for a string. Only the operator's own query is pasted as it is.

use sql::QueryText;

use crate::{
    engine::Engine,
    limits::{ACCOUNTS_PER_NAME_MAX, LATEST_CHANGES_READ},
    mapping::{Columns, Mapping, Source},
    quoting::{quoted, quoted_path},
    row::MappedField,
};

impl Mapping {
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
    /// A large site needs an index on `lower(email)` for it, as for any sign-in by address.
    pub(super) fn accounts_by_name(&self) -> QueryText {
        QueryText::composed(self.select_by_name())
    }

    /// The accounts that changed last, the latest first.
    pub(super) fn latest_changes(&self, column: &str) -> QueryText {
        let (select, column) = (self.select(), quoted(column));
        QueryText::composed(format!(
            "{select} WHERE account.{column} IS NOT NULL ORDER BY account.{column} DESC LIMIT \
             {LATEST_CHANGES_READ}"
        ))
    }

    /// The accounts that have changed since a moment, which the engine has written.
    pub(super) fn changes(&self, column: &str, since: &str) -> QueryText {
        let (select, column) = (self.select(), quoted(column));
        QueryText::composed(format!("{select} WHERE account.{column} >= {since}"))
    }

    /// The accounts that have ever changed.
    pub(super) fn all_changes(&self, column: &str) -> QueryText {
        let (select, column) = (self.select(), quoted(column));
        QueryText::composed(format!("{select} WHERE account.{column} IS NOT NULL"))
    }

    /// How many accounts there are.
    pub(super) fn count(&self) -> QueryText {
        QueryText::composed(format!("SELECT COUNT(*) FROM {}", self.from()))
    }

    /// How many accounts share their id with an earlier one.
    pub(super) fn count_repeated(&self) -> QueryText {
        let id = quoted(&self.columns.id);
        let from = self.from();
        QueryText::composed(format!("SELECT COUNT(*) - COUNT(DISTINCT account.{id}) FROM {from}"))
    }

    /// Everything that the source has, to be described and not to be run.
    pub(super) fn everything(&self) -> QueryText {
        QueryText::composed(format!("SELECT * FROM {}", self.from()))
    }

    /// Changes nothing, and is refused without the grant to change hashes.
    pub(super) fn write_probe(&self) -> Option<QueryText> {
        let Written { table, of, id, hash } = self.written()?;
        Some(QueryText::composed(format!(
            "UPDATE {table} SET {hash} = {of}.{hash} WHERE 1 = 0 AND {of}.{id} IS NULL"
        )))
    }

    /// What a change of a hash takes, if there is a table to write to.
    pub(super) fn replacement(&self, engine: &dyn Engine) -> Option<Replacing> {
        let Written { table, of, id, hash } = self.written()?;
        let told = format!("CAST({of}.{id} AS TEXT), CAST({of}.{hash} AS TEXT)");
        let named = format!("{of}.{id} IN {{list}}");
        let (transaction, holding) = (engine.transaction(), engine.holding());
        let look = format!("SELECT {told} FROM {table} WHERE {named}");
        let lock = format!("SELECT {told}, {transaction} FROM {table} WHERE {named}{holding}");
        let update = format!(
            "UPDATE {table} SET {hash} = $1 WHERE {named} AND {of}.{hash} = $2 RETURNING {told}"
        );
        let [look, lock, update] = [look, lock, update].map(QueryText::composed);
        Some(Replacing { look, lock, update })
    }

    /// What is written to, if it is a table.
    fn written(&self) -> Option<Written> {
        let Source::Table(table) = &self.source else {
            return None;
        };
        Some(Written {
            table: quoted_path(table),
            of: quoted(table.rsplit('.').next().unwrap_or(table)),
            id: quoted(&self.columns.id),
            hash: quoted(&self.columns.hash),
        })
    }

    fn select_by_id(&self) -> String {
        let id = quoted(&self.columns.id);
        format!("{} WHERE account.{id} IN {{list}}", self.select())
    }

    fn select_by_name(&self) -> String {
        let Columns { email, username, .. } = &self.columns;
        let email = email.as_deref().map(|name| format!("lower(account.{})", quoted(name)));
        let username = username.as_deref().map(|name| format!("account.{}", quoted(name)));
        let names = [email, username].into_iter().flatten();
        let names: Vec<_> = names.map(|name| format!("{name} IN {{list}}")).collect();
        let (select, names) = (self.select(), names.join(" OR "));
        format!("{select} WHERE {names} LIMIT {ACCOUNTS_PER_NAME_MAX}")
    }

    fn select(&self) -> String {
        let columns: Vec<_> = MappedField::ALL.iter().map(|field| self.as_text(*field)).collect();
        format!("SELECT {} FROM {}", columns.join(", "), self.from())
    }

    fn as_text(&self, field: MappedField) -> String {
        match self.columns.of(field) {
            Some(column) => format!("CAST(account.{} AS TEXT)", quoted(column)),
            None => "CAST(NULL AS TEXT)".to_owned(),
        }
    }

    fn from(&self) -> String {
        match &self.source {
            Source::Table(table) => format!("{} AS account", quoted_path(table)),
            // The query may end in a comment, which the line break ends.
            Source::Query(query) => format!("(\n{}\n) AS account", bare(query)),
        }
    }
}

/// Statements on the accounts whose ids are in `{list}`. All return ids and hashes.
pub(super) struct Replacing {
    /// What they hold.
    pub(super) look: QueryText,
    /// The same, held until the transaction ends; and the transaction.
    pub(super) lock: QueryText,
    /// Puts `$1` in the place of the hash `$2`.
    pub(super) update: QueryText,
}

/// The parts of an `UPDATE`, quoted. It goes without an alias, which SQLite does not know in
/// `RETURNING` nor on a view.
struct Written {
    table: String,
    /// What the table's columns are qualified with.
    of: String,
    id: String,
    hash: String,
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
        engine::{postgres::Postgres, sqlite::Sqlite},
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
    }

    /// How the database goes about looking two accounts up.
    async fn plan<R: Record>(engine: &'static dyn Engine, url: &str, explain: &str) -> Vec<R> {
        let db = many_users(url).await;
        let at =
            Location { read_url: url.to_owned(), write_url: None, mapping: Mapping::generic() };
        let directory = TableDirectory::open(engine, at).await.unwrap();
        let select = directory.mapping.select_by_id();
        let text = QueryText::composed(format!("{explain} {select}"));
        let text = text.with_list_as(&directory.id_type(), 0, 2);
        let mut tx = db.read().await.unwrap();
        let query = tx.run(&text).bind("7".to_owned()).bind("8".to_owned());
        query.all().await.unwrap()
    }

    async fn many_users(url: &str) -> Db {
        let options = OpenOptions { access: Access::Create, connections_max: 1 };
        let db = Db::open(url, options).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        for text in [
            "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, username TEXT, \
             password_hash TEXT)",
            "INSERT INTO users (id) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 \
             FROM n WHERE i < 20000) SELECT i FROM n",
            "ANALYZE",
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
        assert_eq!(mapping.from(), "(\nSELECT 1 AS id -- all\n) AS account");
    }
}
