//! The SQL that a mapping amounts to.
//!
//! A column is always named as `account."column"`: SQLite takes a lone `"column"` that does not
//! exist for a string. Only the operator's own query is pasted as it is.

use sql::QueryText;

use crate::{
    engine::Engine,
    hash_layout::HashLayout,
    limits::{ACCOUNTS_PER_NAME_MAX, LATEST_CHANGES_READ},
    mapped_field::MappedField,
    mapping::{Columns, Mapping, Source},
    row::SUBSTITUTE,
};

/// A mapping, in the words of its database.
pub(super) struct Statements {
    pub(super) mapping: Mapping,
    pub(super) engine: &'static dyn Engine,
    pub(super) shape: HashLayout,
    pub(super) types: ColumnTypes,
    /// Where hashes are replaced.
    pub(super) written: Option<WrittenTable>,
    /// Whether the database takes addresses for equal that differ in capitals.
    pub(super) folds_addresses: bool,
    /// What it could not tell of its texts.
    pub(super) untold: UntoldTexts,
}

/// What a server cannot tell of texts in its own encoding.
pub(super) enum UntoldTexts {
    /// Nothing.
    Nothing,
    /// These bytes, each of which would be a character.
    Bytes(Vec<u8>),
    /// Characters of several bytes: texts are asked for as bytes.
    Characters,
}

/// The types of the mapped columns, as their database calls them.
#[derive(Default, Clone)]
pub(super) struct ColumnTypes {
    fields: [String; MappedField::ALL.len()],
    /// Those of the columns that hold the hash.
    pub(super) hash: Vec<String>,
}

impl ColumnTypes {
    /// Those of the columns that hold the hash.
    pub(super) fn of_hash(hash: Vec<String>) -> Self {
        let mut types = Self { hash, ..Self::default() };
        let first = types.hash.first().cloned().unwrap_or_default();
        types.set(MappedField::Hash, first);
        types
    }

    /// Empty for a field without a column.
    pub(super) fn of(&self, field: MappedField) -> &str {
        &self.fields[field as usize]
    }

    pub(super) fn set(&mut self, field: MappedField, type_name: String) {
        self.fields[field as usize] = type_name;
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
        let written = self.written.as_ref()?;
        let engine = self.engine;
        let of = written.qualifier(engine);
        let columns: Vec<_> = self.hash_columns(&written.types).collect();
        let id = engine.text(
            &format!("{of}.{}", engine.quoted(&written.id)),
            written.types.of(MappedField::Id),
            true,
        );
        let held = columns.iter().map(|column| column.told(engine, &of));
        let held = held.collect::<Vec<_>>().join(", ");
        let activity = [MappedField::Active, MappedField::Inactive];
        let [active, inactive] = activity.map(|field| self.written_text(written, &of, field));
        let (table, transaction) = (engine.quoted_path(&written.path), engine.transaction());
        let holding = engine.holding();
        let named = written.named(engine, &of);
        let seen = format!("SELECT {id}, {held} FROM {table} WHERE {named}");
        let alone = format!(
            "SELECT {id}, {active}, {inactive}, {transaction}, {held} FROM {table} WHERE \
             {named}{holding}"
        );
        let returning = engine.tells_changes().then(|| format!(" RETURNING {id}, {held}"));
        let update = UpdateText { engine, table, of, columns, named, returning };
        let before_lock = QueryText::composed(engine.before_lock(&written.path));
        Some(Replacing {
            before_lock,
            look: QueryText::composed(seen),
            lock: QueryText::composed(alone),
            update,
        })
    }

    /// The columns that hold the hash, of these types.
    fn hash_columns<'a>(&'a self, types: &'a ColumnTypes) -> impl Iterator<Item = HashColumn> + 'a {
        let others = self.mapping.columns.mapped();
        let others: Vec<_> = others.filter(|(field, _)| *field != MappedField::Hash).collect();
        let columns = self.shape.columns().iter().zip(&types.hash).enumerate();
        columns.map(move |(place, (name, type_name))| HashColumn {
            name: name.clone(),
            type_name: type_name.clone(),
            is_document: self.shape.is_document(place),
            is_beside: place > 0,
            is_other: others.iter().any(|(_, other)| other == name),
        })
    }

    /// Another table holds nothing but the hash.
    fn written_text(&self, written: &WrittenTable, of: &str, field: MappedField) -> String {
        if written.is_apart { self.engine.no_text().to_owned() } else { self.as_text(of, field) }
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
        let fields = MappedField::ALL.iter().map(|field| self.as_text("account", *field));
        let beside = self.hash_columns(&self.types).skip(1);
        let beside = beside.map(|column| column.text(self.engine, "account"));
        let columns: Vec<_> = fields.chain(beside).map(|text| self.decodable(text)).collect();
        format!("SELECT {} FROM {}", columns.join(", "), self.from())
    }

    /// The same text, or one that stands for what the server cannot tell as text.
    fn decodable(&self, text: String) -> String {
        let lone_bytes = match &self.untold {
            UntoldTexts::Nothing => return text,
            UntoldTexts::Characters => return self.engine.bytes_of(&text),
            UntoldTexts::Bytes(bytes) => bytes,
        };
        let bytes: Vec<_> = lone_bytes.iter().map(|byte| format!("chr({byte})")).collect();
        let bytes = bytes.join(" || ");
        format!(
            "CASE WHEN translate({text}, {bytes}, '') <> {text} THEN '{SUBSTITUTE}' ELSE {text} END"
        )
    }

    /// NULL stands for a field that the site does not record.
    fn as_text(&self, of: &str, field: MappedField) -> String {
        let column = match field {
            MappedField::Hash => self.shape.columns().first().map(String::as_str),
            _ => self.mapping.columns.of(field),
        };
        let Some(column) = column else { return self.engine.no_text().to_owned() };
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

/// Statements on the accounts whose ids are in `{list}`. They return ids, and of each column that holds
/// the hash its text, and whether that stands for bytes.
pub(super) struct Replacing {
    /// Whether this is a standby, and what the table is if its rows cannot be held.
    pub(super) before_lock: QueryText,
    /// What they hold.
    pub(super) look: QueryText,
    /// The same, held until the transaction ends; behind the id, whether the site lets the account in,
    /// by each of the two columns; and the transaction.
    pub(super) lock: QueryText,
    pub(super) update: UpdateText,
}

/// Puts other texts in the place of some of a row's columns.
pub(super) struct UpdateText {
    engine: &'static dyn Engine,
    table: String,
    of: String,
    pub(super) columns: Vec<HashColumn>,
    named: String,
    returning: Option<String>,
}

impl UpdateText {
    /// A statement that takes the new texts of these columns, what all of them hold now, and the ids.
    /// Whether it returns anything, the engine knows.
    pub(super) fn setting(&self, places: &[usize]) -> QueryText {
        let Self { engine, table, of, columns, named, returning } = self;
        let numbered = (1..)
            .zip(places)
            .filter_map(|(number, place)| Some(columns.get(*place)?.set(*engine, number)));
        let set = numbered.collect::<Vec<_>>().join(", ");
        let held = (places.len() + 1..).zip(columns);
        let held = held.map(|(number, column)| column.is_held(*engine, of, number));
        let held = held.collect::<Vec<_>>().join(" AND ");
        let returning = returning.as_deref().unwrap_or_default();
        QueryText::composed(format!("UPDATE {table} SET {set} WHERE {named} AND {held}{returning}"))
    }
}

/// A column that holds a hash, or a part of it.
pub(super) struct HashColumn {
    name: String,
    pub(super) type_name: String,
    is_document: bool,
    /// It is not the one that holds the hash itself.
    is_beside: bool,
    /// It says something else of the account as well, such as its name.
    pub(super) is_other: bool,
}

impl HashColumn {
    fn column(&self, engine: &dyn Engine, of: &str) -> String {
        format!("{of}.{}", engine.quoted(&self.name))
    }

    fn text(&self, engine: &dyn Engine, of: &str) -> String {
        let column = self.column(engine, of);
        if self.is_beside {
            engine.beside_as_text(&column, &self.type_name)
        } else {
            engine.hash_as_text(&column, &self.type_name)
        }
    }

    fn told(&self, engine: &dyn Engine, of: &str) -> String {
        let holds_bytes = engine.holds_bytes(&self.column(engine, of), &self.type_name);
        format!("{}, {holds_bytes}", self.text(engine, of))
    }

    fn set(&self, engine: &dyn Engine, number: usize) -> String {
        let value = engine.value(&self.type_name, self.is_document, &format!("${number}"));
        format!("{} = {value}", engine.quoted(&self.name))
    }

    fn is_held(&self, engine: &dyn Engine, of: &str, number: usize) -> String {
        engine.is_text(&self.text(engine, of), &format!("${number}"))
    }
}

/// The table of an `UPDATE`. It goes without an alias, which SQLite does not know in `RETURNING` nor on
/// a view.
pub(super) struct WrittenTable {
    pub(super) path: String,
    pub(super) id: String,
    /// What else holds for the row of an account, in the operator's own words.
    pub(super) condition: Option<String>,
    /// Whether it is another table than the one that is read.
    pub(super) is_apart: bool,
    pub(super) types: ColumnTypes,
}

impl WrittenTable {
    /// Everything that it has, to be described and not to be run.
    pub(super) fn everything(engine: &dyn Engine, path: &str) -> QueryText {
        QueryText::composed(format!("SELECT * FROM {}", engine.quoted_path(path)))
    }

    /// What the table's columns are qualified with.
    fn qualifier(&self, engine: &dyn Engine) -> String {
        engine.quoted(self.path.rsplit('.').next().unwrap_or(&self.path))
    }

    fn named(&self, engine: &dyn Engine, of: &str) -> String {
        let named = format!("{of}.{} IN {{list}}", engine.quoted(&self.id));
        match &self.condition {
            // It may end in a comment, which the line break ends.
            Some(condition) => format!("{named} AND ({condition}\n)"),
            None => named,
        }
    }
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
        let at = Location {
            read_url: url.to_owned(),
            write_url: None,
            mapping: Mapping::generic(),
            kind: model::InstanceKind::Site,
        };
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
