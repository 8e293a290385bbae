use std::borrow::Cow;

use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

/// One query in the spelling of each database.
///
/// Placeholders are `$1`, `$2` and so on in all of them. `{rows}` stands for the rows of a bulk insert,
/// `{list}` for the members of an `IN (...)`.
#[derive(Debug, Clone)]
pub struct QueryText {
    sqlite: Cow<'static, str>,
    postgres: Cow<'static, str>,
    mysql: Cow<'static, str>,
}

impl QueryText {
    /// For [`queries!`](crate::queries): for databases of our own, which MySQL is not.
    #[must_use]
    pub const fn new(sqlite: &'static str, postgres: &'static str) -> Self {
        Self::of_each(sqlite, postgres, "")
    }

    /// For databases of a site.
    #[must_use]
    pub const fn of_each(
        sqlite: &'static str,
        postgres: &'static str,
        mysql: &'static str,
    ) -> Self {
        Self {
            sqlite: Cow::Borrowed(sqlite),
            postgres: Cow::Borrowed(postgres),
            mysql: Cow::Borrowed(mysql),
        }
    }

    /// A text put together at run time, out of parts that the caller has quoted for the database that
    /// will get it.
    #[must_use]
    pub fn composed(text: String) -> Self {
        let text = Cow::<'static, str>::Owned(text);
        Self { sqlite: text.clone(), postgres: text.clone(), mysql: text }
    }

    /// The same for databases of our own, where the dialects differ.
    #[must_use]
    pub fn spelled(sqlite: String, postgres: String) -> Self {
        Self {
            sqlite: Cow::Owned(sqlite),
            postgres: Cow::Owned(postgres),
            mysql: Cow::Borrowed(""),
        }
    }

    /// Puts `count` rows of placeholders in the place of `{rows}`, numbered from `$1`.
    ///
    /// A row has as many values as the statement's first parenthesis names columns.
    #[must_use]
    pub fn with_rows(&self, count: usize) -> Self {
        let columns = columns_named(&self.sqlite);
        let rows: Vec<_> = (0..count).map(|row| placeholders(row * columns, columns)).collect();
        self.replace("{rows}", &rows.join(", "))
    }

    /// Puts `count` placeholders in the place of `{list}`, numbered after the `before` others.
    #[must_use]
    pub fn with_list(&self, before: usize, count: usize) -> Self {
        self.replace("{list}", &placeholders(before, count))
    }

    /// As [`QueryText::with_list`], each placeholder in the place of `{}` in `form`: as
    /// `CAST({} AS int8)`, where a text is compared with a column of another type.
    #[must_use]
    pub fn with_list_as(&self, form: &str, before: usize, count: usize) -> Self {
        let member = |n: usize| form.replace("{}", &format!("${}", before + n));
        let members: Vec<_> = (1..=count).map(member).collect();
        self.replace("{list}", &format!("({})", members.join(", ")))
    }

    /// How many values one row of `{rows}` takes.
    #[must_use]
    pub fn values_per_row(&self) -> usize {
        columns_named(&self.sqlite)
    }

    /// As SQLite spells it.
    pub(crate) fn sqlite(&self) -> SqlStr {
        text(self.sqlite.clone())
    }

    /// As PostgreSQL spells it.
    pub(crate) fn postgres(&self) -> SqlStr {
        text(self.postgres.clone())
    }

    /// As MySQL and MariaDB spell it.
    pub(crate) fn mysql(&self) -> SqlStr {
        text(self.mysql.clone())
    }

    fn replace(&self, mark: &str, text: &str) -> Self {
        let replaced = |spelling: &str| Cow::Owned(spelling.replace(mark, text));
        Self {
            sqlite: replaced(&self.sqlite),
            postgres: replaced(&self.postgres),
            mysql: replaced(&self.mysql),
        }
    }
}

/// Text that stands in the program is not copied for each run.
fn text(spelling: Cow<'static, str>) -> SqlStr {
    match spelling {
        Cow::Borrowed(text) => text.into_sql_str(),
        Cow::Owned(text) => AssertSqlSafe(text).into_sql_str(),
    }
}

fn columns_named(insert: &str) -> usize {
    let columns = insert.split('(').nth(1).and_then(|rest| rest.split(')').next());
    columns.map_or(0, |names| names.split(',').count())
}

fn placeholders(before: usize, count: usize) -> String {
    let numbers: Vec<_> = (1..=count).map(|n| format!("${}", before + n)).collect();
    format!("({})", numbers.join(", "))
}

/// Writes queries once for both databases.
///
/// ```
/// sql::queries! {
///     TAKE = ["SELECT id FROM job WHERE lease_until < " NOW " LIMIT $1" SKIP_LOCKED];
/// }
/// assert_eq!(ALL.len(), 1);
/// ```
///
/// Besides a constant for each query it makes `ALL`, the list that a test describes on both
/// servers.
#[macro_export]
macro_rules! queries {
    ($($(#[$doc:meta])* $name:ident = [$($part:tt)+];)+) => {
        $(
            $(#[$doc])*
            const $name: $crate::QueryText = $crate::QueryText::new(
                concat!($($crate::word!(sqlite $part)),+),
                concat!($($crate::word!(postgres $part)),+),
            );
        )+

        /// Every query of this file, by name.
        pub(crate) const ALL: &[(&str, $crate::QueryText)] = &[$((stringify!($name), $name)),+];
    };
}

/// Where the dialects differ: one named word a difference.
#[doc(hidden)]
#[macro_export]
macro_rules! word {
    // The database's own clock, in microseconds.
    (sqlite NOW) => {
        "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
    };
    (postgres NOW) => {
        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
    };
    // Rows that another claimer holds are passed over; SQLite has one writer at a time.
    (sqlite SKIP_LOCKED) => {
        ""
    };
    (postgres SKIP_LOCKED) => {
        " FOR UPDATE SKIP LOCKED"
    };
    // Holds the row until the transaction ends.
    (sqlite FOR_UPDATE) => {
        ""
    };
    (postgres FOR_UPDATE) => {
        " FOR UPDATE"
    };
    // Lets a writer of the row wait until the transaction ends.
    (sqlite FOR_SHARE) => {
        ""
    };
    (postgres FOR_SHARE) => {
        " FOR SHARE"
    };
    // Whether what this connection commits survives a loss of power.
    (sqlite DURABLE) => {
        "(SELECT journal_mode FROM pragma_journal_mode) = 'wal'
            AND (SELECT synchronous FROM pragma_synchronous) >= 2"
    };
    (postgres DURABLE) => {
        "current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'
            AND current_setting('synchronous_commit') IN ('on', 'remote_apply')"
    };
    // What `SqlTx::identity` cannot tell: on which of its ways a database goes on. A standby that takes
    // over begins another one, and so does whoever restores a server to a moment.
    (sqlite TIMELINE) => {
        "''"
    };
    (postgres TIMELINE) => {
        "CASE WHEN pg_is_in_recovery() THEN '/standby'
            ELSE '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END"
    };
    // How many servers follow this one, or did and may come back, with whatever they have got by then.
    // Subscribers of logical replication take nothing over, nor does a base backup under way.
    (sqlite STANDBYS) => {
        "0"
    };
    (postgres STANDBYS) => {
        "(SELECT COUNT(*) FROM pg_stat_replication AS sender
            WHERE sender.state IS DISTINCT FROM 'backup' AND NOT EXISTS (
                SELECT 1 FROM pg_replication_slots AS slot
                WHERE slot.active_pid = sender.pid AND slot.slot_type = 'logical')) +
            (SELECT COUNT(*) FROM pg_replication_slots
                WHERE slot_type = 'physical' AND active_pid IS NULL)"
    };
    // Whether a commit waits for standbys.
    (sqlite WAITS_FOR_STANDBYS) => {
        "FALSE"
    };
    (postgres WAITS_FOR_STANDBYS) => {
        "current_setting('synchronous_standby_names') <> ''"
    };
    // In which encoding the database keeps texts. A SQLite file has one of Unicode's, whichever.
    (sqlite ENCODING) => {
        "'UTF8'"
    };
    (postgres ENCODING) => {
        "current_setting('server_encoding')"
    };
    // What `SqlTx::identity` tells the database from its copies by: the file, or cluster and database.
    (sqlite DATABASE) => {
        "(SELECT file FROM pragma_database_list WHERE name = 'main')"
    };
    (postgres DATABASE) => {
        "(SELECT system_identifier::text FROM pg_control_system()) || '/' ||
            (SELECT oid::text FROM pg_database WHERE datname = current_database())"
    };
    ($dialect:ident $text:literal) => {
        $text
    };
}

#[cfg(test)]
mod tests {

    queries! {
        INSERT = ["INSERT INTO t (a, b) VALUES {rows} ON CONFLICT (a) DO NOTHING"];
        TAKE = ["SELECT a FROM t WHERE b = $1 AND a IN {list}" SKIP_LOCKED];
    }

    #[test]
    fn rows_take_as_many_values_as_the_statement_names_columns() {
        assert_eq!(INSERT.values_per_row(), 2);
        let two = INSERT.with_rows(2);
        assert!(two.postgres.contains("VALUES ($1, $2), ($3, $4) ON"), "{two:?}");
    }

    #[test]
    fn a_list_is_numbered_after_the_other_values() {
        let statement = TAKE.with_list(1, 3);
        assert!(statement.sqlite.ends_with("a IN ($2, $3, $4)"), "{statement:?}");
        assert!(statement.postgres.ends_with("($2, $3, $4) FOR UPDATE SKIP LOCKED"));
        assert_eq!(ALL.len(), 2);
    }

    #[test]
    fn the_members_of_a_list_take_a_form() {
        let statement = TAKE.with_list_as("CAST({} AS int8)", 1, 2);
        assert!(
            statement.postgres.contains("(CAST($2 AS int8), CAST($3 AS int8))"),
            "{statement:?}"
        );
    }
}
