//! Whoever owns our database, and has neither the instance key nor an operator's: they drop what keeps
//! rows as they are, and write what they like.

use model::canonical::hex_of;

use crate::office::Office;

/// Puts the program to work until nothing is left to do.
pub(crate) const WORK: &[&str] = &["worker", "--until-done"];

/// PostgreSQL checks what columns may hold, whoever writes. SQLite does not if it is asked not to.
const CHECKS_DROPPED: &str = "DO $$ DECLARE of record; BEGIN \
    FOR of IN SELECT conrelid::regclass AS rows, conname FROM pg_constraint \
        WHERE contype = 'c' AND connamespace = current_schema()::regnamespace LOOP \
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', of.rows, of.conname); \
    END LOOP; END $$";

/// One thing that an owner does, and what is said of it.
pub(crate) struct Attack {
    /// What is done to the rows.
    pub(crate) harm: &'static [&'static str],
    /// Commands that must not go on.
    pub(crate) refused: &'static [&'static [&'static str]],
    /// What each of them says: which row it is.
    pub(crate) says: &'static str,
}

/// What an owner has the database do by itself.
pub(crate) struct Trigger {
    pub(crate) table: &'static str,
    /// From the moment on: `BEFORE INSERT ON notice BEGIN` and what is done.
    pub(crate) sqlite: &'static str,
    /// What is done before each row.
    pub(crate) postgres: &'static str,
}

/// The owner of an office's store.
pub(crate) struct Owner<'a> {
    office: &'a Office,
}

impl<'a> Owner<'a> {
    /// From now on nothing keeps rows as they are. What counts them still does.
    pub(crate) fn of(office: &'a Office) -> Self {
        office.distrust_rows();
        let owner = Self { office };
        match office.instance.store() {
            None => owner.drop_triggers("sql LIKE '%RAISE(ABORT%'"),
            Some(_) => owner.write(CHECKS_DROPPED),
        }
        owner
    }

    /// A SQLite store has none left.
    pub(crate) fn drop_all_triggers(&self) {
        self.drop_triggers("TRUE");
    }

    /// What keeps rows of a table as they are does so no more, for our program either.
    pub(crate) fn drop_guards(&self, tables: &[&str]) {
        if self.office.instance.store().is_some() {
            for table in tables {
                self.write(&format!("ALTER TABLE {table} DISABLE TRIGGER USER"));
            }
        }
    }

    /// Those of a SQLite store of which a condition is true.
    fn drop_triggers(&self, those: &str) {
        let names = format!(
            "SELECT group_concat(name) FROM sqlite_master WHERE type = 'trigger' AND {those}"
        );
        let names = self.office.instance.ask(&names).replace("None", "");
        let names = names.split(|c: char| !c.is_ascii_lowercase() && c != '_');
        for name in names.filter(|name| !name.is_empty()) {
            self.write(&format!("DROP TRIGGER {name}"));
        }
    }

    /// A server's superuser tells it to ask neither triggers nor keys.
    pub(crate) fn write(&self, statement: &str) {
        let unasked = self.on_postgres("SET session_replication_role = replica; ");
        self.office.instance.ask(&format!("{unasked}{statement}"));
    }

    pub(crate) fn put_trigger(&self, Trigger { table, sqlite, postgres }: &Trigger) {
        if self.office.instance.store().is_none() {
            return self.write(&format!("CREATE TRIGGER zz_{table} {sqlite} END"));
        }
        let moment = sqlite.split(' ').nth(1).unwrap();
        self.write(&format!(
            "CREATE FUNCTION zz_{table}() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN {postgres} END'; \
             CREATE TRIGGER zz_{table} BEFORE {moment} ON {table} FOR EACH ROW \
             EXECUTE FUNCTION zz_{table}()"
        ));
    }

    pub(crate) fn drop_trigger(&self, Trigger { table, .. }: &Trigger) {
        let on = self.on_postgres("ON ");
        let of = if on.is_empty() { "" } else { table };
        self.write(&format!("DROP TRIGGER zz_{table} {on}{of}"));
    }

    pub(crate) fn write_all(&self, statements: &[&str]) {
        for statement in statements {
            self.write(statement);
        }
    }

    /// Copies tables as they are now, each to `kept_` and its name.
    pub(crate) fn keep(&self, tables: &[&str]) {
        for table in tables {
            self.write(&format!("DROP TABLE IF EXISTS kept_{table}"));
            self.write(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}"));
        }
    }

    /// Makes tables what they were when they were kept.
    pub(crate) fn put_back(&self, tables: &[&str]) {
        for table in tables {
            self.put_back_rows(table, "TRUE");
        }
    }

    /// Makes the rows of which a condition is true what they were.
    pub(crate) fn put_back_rows(&self, table: &str, rows: &str) {
        let with_keys = self.on_postgres("OVERRIDING SYSTEM VALUE ");
        self.write(&format!("DELETE FROM {table} WHERE {rows}"));
        let kept = format!("SELECT * FROM kept_{table} WHERE {rows}");
        self.write(&format!("INSERT INTO {table} {with_keys}{kept}"));
    }

    /// Bytes as they stand in a statement.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> String {
        let hex = hex_of(bytes);
        match self.office.instance.store() {
            None => format!("x'{hex}'"),
            Some(_) => format!("'\\x{hex}'::bytea"),
        }
    }

    /// Does each of them, sees it refused by name, and mends it. Nobody is locked out or told
    /// meanwhile.
    #[track_caller]
    pub(crate) fn try_all(&self, attacks: &[Attack], mend: impl Fn()) {
        let before = (self.office.locked_out(), self.office.told_once());
        for Attack { harm, refused, says } in attacks {
            self.write_all(harm);
            self.assert_refused(refused, says);
            mend();
        }
        assert_eq!((self.office.locked_out(), self.office.told_once()), before);
    }

    /// Each of these commands prints no result, and says why.
    #[track_caller]
    pub(crate) fn assert_refused(&self, commands: &[&[&str]], says: &str) {
        for command in commands {
            let run = self.office.run(command);
            assert_eq!(run.code, 3, "{command:?}: {}{}", run.stdout, run.stderr);
            assert!(run.stderr.contains(says), "{command:?} does not say {says}: {}", run.stderr);
            assert!(run.stdout.is_empty(), "{command:?}: {}", run.stdout);
        }
    }

    fn on_postgres(&self, words: &'static str) -> &'static str {
        if self.office.instance.store().is_some() { words } else { "" }
    }
}
