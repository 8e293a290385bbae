//! What tables a site's database has, and which application's they are.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use sql::{Access, Db, OpenOptions, QueryText, SqlError};

use crate::{
    engine::{mysql, postgres, sqlite},
    preset::{PRESETS, SitePreset},
};

/// The tables of a database, and their columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteTables(BTreeMap<String, Vec<String>>);

/// A preset that fits.
#[derive(Debug, Clone, Copy)]
pub struct FoundPreset<'t> {
    /// Which.
    pub preset: &'static SitePreset,
    /// What its tables' names begin with.
    pub prefix: &'t str,
}

impl FoundPreset<'_> {
    /// The table with the accounts.
    #[must_use]
    pub fn table(&self) -> String {
        let first = self.preset.tables.first().map_or("", |(table, _)| *table);
        self.preset.with_prefix(first, Some(self.prefix))
    }
}

/// Why the tables could not be looked at.
#[derive(Debug, thiserror::Error)]
#[error("the site's database could not be looked at: {0}")]
pub struct TablesError(#[from] SqlError);

/// Every table with its columns.
const TABLES: QueryText = QueryText::of_each(sqlite::TABLES, postgres::TABLES, mysql::TABLES);

/// What columns with passwords, and with addresses or names to sign in with, are called.
const HASH_WORDS: [&str; 5] = ["password", "passwd", "pass", "hash", "pwd"];
const NAME_WORDS: [&str; 4] = ["mail", "login", "username", "user_name"];

impl SiteTables {
    /// Looks at a site's database, without reading any row of its tables.
    #[must_use]
    pub fn read(url: &str) -> BoxFuture<'_, Result<Self, TablesError>> {
        Box::pin(async move {
            let options = OpenOptions { access: Access::Read, connections_max: 1 };
            let db = Db::open(url, options).await?;
            let rows = db.read().await?.run(&TABLES).all::<(String, String)>().await?;
            db.close().await;
            Ok(rows.into_iter().collect())
        })
    }

    /// The presets that fit, the likeliest first; one with each prefix that its tables have here.
    pub fn presets(&self) -> impl Iterator<Item = FoundPreset<'_>> {
        PRESETS.iter().flat_map(|preset| {
            let fitting = self.prefixes(preset).filter(|prefix| self.has(preset, prefix));
            fitting.map(move |prefix| FoundPreset { preset, prefix })
        })
    }

    /// What a preset expects and this database has not: tables, and columns as `TABLE.COLUMN`.
    #[must_use]
    pub fn missing(&self, preset: &SitePreset, prefix: Option<&str>) -> Vec<String> {
        let mut missing = Vec::new();
        for (table, columns) in preset.tables {
            let table = preset.with_prefix(table, prefix);
            match self.0.get(&table) {
                None => missing.push(table),
                Some(found) => {
                    let lacks = |column: &&&str| !found.iter().any(|name| name == **column);
                    let lacking = columns.iter().filter(lacks);
                    missing.extend(lacking.map(|column| format!("{table}.{column}")));
                }
            }
        }
        missing
    }

    /// Tables that look as if they held accounts, with the columns that look like their hashes and
    /// names.
    pub fn likely(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.0.iter().filter_map(|(table, columns)| {
            let like = |words: &[&str]| {
                let is_like =
                    |name: &&String| words.iter().any(|word| name.to_lowercase().contains(word));
                columns.iter().filter(is_like).map(String::as_str).collect::<Vec<_>>()
            };
            let (hashes, names) = (like(&HASH_WORDS), like(&NAME_WORDS));
            let is_likely = !hashes.is_empty() && !names.is_empty();
            is_likely.then(|| (table.as_str(), [names, hashes].concat()))
        })
    }

    /// Tables besides a preset's that look as if they held passwords of accounts, each with the column.
    pub fn unread<'t>(
        &'t self,
        preset: &'static SitePreset,
        prefix: Option<&str>,
    ) -> impl Iterator<Item = (&'t str, &'t str)> + use<'t> {
        let read = preset.tables.iter().map(|(table, _)| preset.with_prefix(table, prefix));
        let read: Vec<_> = read.collect();
        let others = self.0.iter().filter(move |(table, _)| !read.contains(table));
        others.filter_map(|(table, columns)| {
            let password = columns.iter().find(|column| is_like_password(column))?;
            let has_id = columns.iter().any(|column| column.to_lowercase().ends_with("id"));
            has_id.then_some((table.as_str(), password.as_str()))
        })
    }

    /// What may stand before the names of a preset's tables here.
    fn prefixes<'t>(&'t self, preset: &'static SitePreset) -> impl Iterator<Item = &'t str> {
        let first = preset.tables.first().map_or("", |(table, _)| *table);
        let suffix = first.strip_prefix("{prefix}");
        self.0.keys().filter_map(move |table| match suffix {
            Some(suffix) => table.strip_suffix(suffix),
            None => (table == first).then_some(""),
        })
    }

    fn has(&self, preset: &SitePreset, prefix: &str) -> bool {
        self.missing(preset, Some(prefix)).is_empty()
    }
}

/// Whether a column is called as one that holds stored passwords, and neither as a token nor as a date of
/// one. `bypass` is none, nor is `file_hash`.
fn is_like_password(column: &str) -> bool {
    let name = column.to_lowercase();
    let last = name.rsplit('_').next().unwrap_or_default();
    let joined = name.replace(['_', '-', ' '], "");
    SHORT_WORDS.contains(&last)
        || joined == "hash"
        || PASSWORD_ENDS.iter().any(|end| joined.ends_with(end))
}

/// What the last word of such a name is, or the whole name ends with.
const SHORT_WORDS: [&str; 2] = ["pass", "pw"];
const PASSWORD_ENDS: [&str; 9] = [
    "password",
    "passwd",
    "pwd",
    "passwordhash",
    "passwdhash",
    "passhash",
    "pwhash",
    "passworddigest",
    "userhash",
];

impl FromIterator<(String, String)> for SiteTables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(columns: I) -> Self {
        let mut tables = Self::default();
        for (table, column) in columns {
            tables.0.entry(table).or_default().push(column);
        }
        tables
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(texts: &[(&str, &str)]) -> SiteTables {
        let columns = texts.iter().flat_map(|(table, columns)| {
            columns.split(' ').map(|column| ((*table).to_owned(), column.to_owned()))
        });
        columns.collect()
    }

    #[test]
    fn a_preset_is_known_by_its_tables_whatever_they_begin_with() {
        let wordpress = tables(&[
            ("blog_users", "ID user_login user_pass user_email"),
            ("blog_usermeta", "user_id meta_key meta_value"),
            ("users", "id name"),
        ]);
        let found: Vec<_> = wordpress.presets().map(|f| (f.preset.name, f.prefix)).collect();
        assert_eq!(found, [("wordpress", "blog_")]);
        let preset = SitePreset::named("wordpress").unwrap();
        assert_eq!(wordpress.missing(preset, None), ["wp_users", "wp_usermeta"]);
        let bare = tables(&[("wp_users", "ID user_login user_email"), ("wp_usermeta", "user_id")]);
        let missing = ["wp_users.user_pass", "wp_usermeta.meta_key", "wp_usermeta.meta_value"];
        assert_eq!(bare.missing(preset, None), missing);
        assert_eq!(bare.presets().count(), 0);
    }

    #[test]
    fn every_set_of_tables_that_fits_is_found() {
        let names = ["wp_", "wp2_"].map(|prefix| {
            [
                (format!("{prefix}users"), "ID user_login user_pass user_email"),
                (format!("{prefix}usermeta"), "user_id meta_key meta_value"),
            ]
        });
        let names: Vec<_> = names.as_flattened().iter().map(|(name, it)| (&**name, *it)).collect();
        let tables = tables(&names);
        let found: Vec<_> = tables.presets().map(|found| (found.prefix, found.table())).collect();
        assert_eq!(found, [("wp2_", "wp2_users".to_owned()), ("wp_", "wp_users".to_owned())]);
    }

    #[test]
    fn tables_with_passwords_that_a_preset_does_not_read_are_told() {
        let tables = tables(&[
            ("users", "id email encrypted_password reset_password_token"),
            ("admins", "id email encrypted_password"),
            ("auth.users", "id email encrypted_password"),
            ("staff", "uid user_pass"),
            ("members", "ID passwordHash"),
            ("legacy", "id hash"),
            ("tokens", "id reset_password_token password_changed_at"),
            ("files", "id file_hash bypass"),
            ("wifi", "ssid_name password"),
        ]);
        let unread: Vec<_> = tables.unread(SitePreset::named("devise").unwrap(), None).collect();
        let expected = [
            ("admins", "encrypted_password"),
            ("auth.users", "encrypted_password"),
            ("legacy", "hash"),
            ("members", "passwordHash"),
            ("staff", "user_pass"),
        ];
        assert_eq!(unread, expected);
    }

    #[test]
    fn what_looks_like_accounts_is_shown() {
        let tables = tables(&[
            ("staff", "id Email secret_hash name"),
            ("mails", "id mail body"),
            ("pages", "id password"),
        ]);
        let likely: Vec<_> = tables.likely().collect();
        assert_eq!(likely, [("staff", vec!["Email", "secret_hash"])]);
    }
}
