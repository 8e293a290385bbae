use std::sync::Arc;

use directory::{Columns, Directory, Mapping, ReadError, Source};
use futures_util::StreamExt as _;
use model::Timestamp;

use crate::site::{Kind, Site, id, ids, ids_of, replace_if, scan, small, small_from};

/// Ids of one type, the table's column for them, and what a collation or a cast could mistake for
/// one of them.
pub(crate) const ID_TYPES: &[(&str, [&str; 3], &[&str])] = &[
    ("INTEGER", ["1", "20", "-3"], &["01", "1.0", "1x", "99999999999", "x"]),
    ("BIGINT", ["1", "9007199254740993", "-3"], &["+1", "9007199254740992", "1 "]),
    ("TEXT", ["a", "B", "'; DROP TABLE users; --"], &["A", "b"]),
    ("VARCHAR(40)", ["a", "é", "$1"], &["A", "e"]),
    (
        "UUID",
        [
            "6f1c2b1e-0d5c-4b7e-9a4e-3f6f0a1b2c3d",
            "00000000-0000-0000-0000-000000000001",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
        ],
        &["6F1C2B1E-0D5C-4B7E-9A4E-3F6F0A1B2C3D", "1", "none"],
    ),
];

#[tokio::test]
async fn ids_of_every_type_are_found_exactly() {
    for (type_name, keys, strangers) in ID_TYPES {
        for site in Site::each() {
            let type_name = site.key_type(type_name);
            let table =
                format!("CREATE TABLE users (id {type_name} PRIMARY KEY, email TEXT, hash TEXT)");
            let rows =
                keys.map(|key| format!("('{}', 'a@b.example', 'h')", key.replace('\'', "''")));
            let rows = format!("INSERT INTO users VALUES {}", rows.join(", "));
            site.run(&[&table, &rows]).await;
            let directory = site.open(small()).await;

            let mut all = ids(keys);
            all.sort();
            let texts: Vec<_> = all.iter().map(model::AccountId::as_str).collect();
            assert_eq!(ids_of(&scan(&directory).await), texts, "{type_name}");

            let found = directory.by_ids(&all).await.unwrap();
            assert_eq!(ids_of(&found), texts, "{type_name} {}", site.url);
            let found = directory.by_ids(&ids(strangers)).await.unwrap();
            assert!(found.is_empty(), "{type_name} {:?}", ids_of(&found));
            assert_eq!(directory.count().await.unwrap(), 3);
        }
    }
}

#[tokio::test]
async fn ids_that_only_the_database_thinks_equal_are_two_accounts() {
    for site in Site::each() {
        let type_name = folding(&site).await;
        let table =
            format!("CREATE TABLE users (id {type_name} PRIMARY KEY, email TEXT, hash TEXT)");
        site.run(&[&table, "INSERT INTO users VALUES ('Bo', 'a@b.example', 'h')"]).await;
        let directory = site.open(small()).await;
        assert!(directory.by_ids(&ids(&["bo", "BO"])).await.unwrap().is_empty());
        assert_eq!(directory.by_ids(&ids(&["bo", "Bo"])).await.unwrap().len(), 1);
    }
}

/// A type of text that the database compares without regard to capitals.
pub(crate) async fn folding(site: &Site) -> &'static str {
    if site.kind() == Kind::Postgres {
        site.run(&["CREATE EXTENSION citext"]).await;
    }
    site.word("TEXT COLLATE NOCASE", "CITEXT", "VARCHAR(40)")
}

#[tokio::test]
async fn any_number_of_ids_is_looked_up_and_none_twice() {
    for site in Site::each() {
        site.run(&[
            "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT)",
            "INSERT INTO users WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
             WHERE i < 3000) SELECT i, 'p' || i || '@b.example', 'h' FROM n",
        ])
        .await;
        let directory = site.open(small()).await;
        let wanted: Vec<_> =
            (1..=2000).chain(500..=5000).map(|n: u32| id(&n.to_string())).collect();
        let found = directory.by_ids(&wanted).await.unwrap();
        assert_eq!(found.len(), 3000);
        assert!(directory.by_ids(&[]).await.unwrap().is_empty());
    }
}

/// The ids of the accounts that these texts lead to.
async fn named(directory: &Arc<dyn Directory>, names: &[&str]) -> Vec<String> {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let found = directory.by_names(&names).await.unwrap();
    ids_of(&found).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn people_are_found_by_address_and_by_username() {
    for site in Site::each() {
        site.run(&[
            "CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(80), username VARCHAR(80), \
             password_hash TEXT)",
            "INSERT INTO users VALUES (1, 'Jane@Example.org', 'jane', 'h'), \
             (2, 'jane@example.org', 'Jane', 'h'), (3, NULL, 'jane@example.org', 'h'), \
             (4, 'j%@example.org', '', 'h')",
        ])
        .await;
        let directory = site.open(Mapping::generic()).await;
        assert_eq!(named(&directory, &["jane@example.org"]).await, ["1", "2", "3"]);
        assert_eq!(named(&directory, &["jane"]).await, ["1"]);
        assert_eq!(named(&directory, &["Jane", "jane"]).await, ["1", "2"]);
        assert_eq!(named(&directory, &["j%@example.org"]).await, ["4"]);
        assert_eq!(named(&directory, &["%", "j", "' OR 1 = 1 --"]).await, [""; 0]);
        assert_eq!(named(&directory, &[]).await, [""; 0]);
        let email_alone = Columns { username: None, ..Mapping::generic().columns };
        let mapping = Mapping { columns: email_alone, ..Mapping::generic() };
        let directory = site.open(mapping).await;
        assert_eq!(named(&directory, &["jane"]).await, [""; 0]);
    }
}

#[tokio::test]
async fn two_accounts_of_one_id_are_an_error() {
    for site in Site::each() {
        site.run(&[
            "CREATE TABLE users (id INTEGER, email TEXT, hash TEXT)",
            "INSERT INTO users VALUES (1, 'a@b.example', 'h'), (1, 'c@d.example', 'h')",
        ])
        .await;
        let mapping = small();
        let error = directory::open(&site.url, None, mapping).await;
        assert_eq!(
            error.unwrap_err().to_string(),
            "two accounts have the id 1: `directory.columns.id` must name a unique column"
        );
    }
}

/// A table that records everything, under the names of the fields.
fn full() -> Mapping {
    let named = |name: &str| Some(name.to_owned());
    let columns = Columns {
        hash: "hash".to_owned(),
        hash_changed_at: named("hash_changed_at"),
        email_verified: named("email_verified"),
        locale: named("locale"),
        last_login_at: named("last_login_at"),
        second_factor: named("second_factor"),
        ..Mapping::generic().columns
    };
    Mapping { source: Source::Table("account".into()), columns, ..Mapping::generic() }
}

#[tokio::test]
async fn every_column_of_any_type_is_read() {
    for site in Site::each() {
        let create = site.word(
            "CREATE TABLE account (id, email, username, hash, hash_changed_at, email_verified, \
             locale, last_login_at REAL, second_factor)",
            "CREATE TABLE account (id INTEGER, email TEXT, username TEXT, hash CHAR(8), \
             hash_changed_at TIMESTAMPTZ, email_verified BOOLEAN, locale TEXT, \
             last_login_at DOUBLE PRECISION, second_factor SMALLINT)",
            "CREATE TABLE account (id INTEGER, email TEXT, username TEXT, hash CHAR(8), \
             hash_changed_at VARCHAR(40), email_verified ENUM('no', 'yes'), locale TEXT, \
             last_login_at DOUBLE PRECISION, second_factor SMALLINT)",
        );
        site.run(&[
            create,
            "INSERT INTO account VALUES (7, 'a@b.example', 'ana', 'h1', \
             '2016-06-08 14:30:00.5+02:00', 'yes', 'de', 1465389000.25, 0)",
            "INSERT INTO account VALUES (8, '', NULL, '!', NULL, NULL, '', 0, NULL)",
        ])
        .await;
        let mapping = if site.kind() == Kind::Sqlite {
            // A column without a type holds numbers, which no text equals.
            let columns = "SELECT CAST(id AS TEXT) AS id, email, username, hash, hash_changed_at, \
                           email_verified, locale, last_login_at, second_factor FROM account";
            Mapping { source: Source::Query(columns.into()), ..full() }
        } else {
            full()
        };
        let accounts = scan(&site.open(mapping).await).await;
        let [ana, nobody] = &accounts[..] else { panic!("two accounts, not {}", accounts.len()) };
        assert_eq!(ana.username.as_deref(), Some("ana"));
        assert_eq!(ana.credential.as_ref().unwrap().hash().expose(), "h1");
        let noon = Timestamp::from_micros(1_465_389_000_500_000);
        assert_eq!(ana.hash_changed_at, Some(noon));
        assert_eq!(ana.email_verified, Some(true));
        assert_eq!(ana.locale.as_deref(), Some("de"));
        assert_eq!(ana.last_login_at.unwrap().as_micros(), 1_465_389_000_250_000);
        assert_eq!(ana.second_factor, Some(false));
        assert!(nobody.email.is_none() && nobody.credential.is_none() && nobody.locale.is_none());
        assert!(nobody.last_login_at.is_none() && nobody.second_factor.is_none());
    }
}

#[tokio::test]
async fn a_query_is_read_like_a_table() {
    let query = "SELECT u.uid AS id, m.address AS email, u.pw AS hash FROM people u \
                 JOIN mail m ON m.uid = u.uid WHERE u.active -- nobody else\n;";
    for site in Site::each() {
        site.run(&[
            "CREATE TABLE people (uid BIGINT PRIMARY KEY, pw TEXT, active BOOLEAN)",
            "CREATE TABLE mail (uid BIGINT, address TEXT)",
            "INSERT INTO people VALUES (1, 'h1', TRUE), (2, 'h2', FALSE), (3, 'h3', TRUE)",
            "INSERT INTO mail VALUES (1, 'a@b.example'), (2, 'c@d.example'), (3, 'e@f.example')",
        ])
        .await;
        let directory = site.open(small_from(query)).await;
        assert_eq!(ids_of(&scan(&directory).await), ["1", "3"]);
        let found = directory.by_ids(&ids(&["2", "3"])).await.unwrap();
        assert_eq!(ids_of(&found), ["3"]);
        assert_eq!(found[0].email.as_deref(), Some("e@f.example"));
    }
}

#[tokio::test]
async fn an_account_has_each_of_its_addresses() {
    for site in Site::each() {
        let (others, both) = site.word(
            ("TEXT", "'[\"old@b.example\", \"older@b.example\"]'"),
            ("TEXT[]", "'{old@b.example,older@b.example}'"),
            ("TEXT", "'old@b.example, older@b.example'"),
        );
        let odd = site.word("'jane'", "'{jane}'", "'jane'");
        site.run(&[
            &format!(
                "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT, more {others})"
            ),
            &format!(
                "INSERT INTO users VALUES (1, 'a@b.example', 'h1', {both}), \
                 (2, 'c@b.example', 'h2', NULL), (3, NULL, 'h3', {both}), (4, NULL, 'h4', {odd})"
            ),
        ])
        .await;
        let columns = Columns { other_emails: Some("more".into()), ..small().columns };
        let directory = site.open(Mapping { columns, ..small() }).await;
        let accounts = scan(&directory).await;
        let told = accounts.iter().map(|account| (account.other_emails.len(), account.unreadable));
        let expected = [(2, None), (0, None), (2, None), (0, Some("other_emails"))];
        assert_eq!(told.collect::<Vec<_>>(), expected);
        assert_eq!(accounts[0].other_emails, ["old@b.example", "older@b.example"]);
        assert_eq!(directory.check().await.unwrap().accounts.nameless, 1);
        let query = "SELECT u.id, u.email, u.hash, (SELECT {all} FROM users o WHERE o.id < 4) AS more \
                     FROM users u";
        let all = site.word(
            "group_concat(o.email, ' ')",
            "string_agg(o.email, ' ')",
            "GROUP_CONCAT(o.email SEPARATOR ' ')",
        );
        let mapping = small_from(&query.replace("{all}", all));
        let columns = Columns { other_emails: Some("more".into()), ..small().columns };
        let found = scan(&site.open(Mapping { columns, ..mapping }).await).await;
        assert_eq!(found[1].other_emails, ["a@b.example", "c@b.example"]);
    }
}

/// A server cuts a list off at 1,024 bytes unless it is told otherwise.
#[tokio::test]
async fn no_address_of_many_is_cut_off() {
    let site = Site::mariadb();
    site.run(&[
        "CREATE TABLE addresses (nr BIGINT)",
        "INSERT INTO addresses WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
         WHERE i < 200) SELECT i FROM n",
    ])
    .await;
    let mapping = small_from(
        "SELECT 1 AS id, 'a@b.example' AS email, 'h' AS hash, (SELECT GROUP_CONCAT(CONCAT('somebody.', \
         nr, '@b.example') SEPARATOR ' ') FROM addresses) AS more",
    );
    let columns = Columns { other_emails: Some("more".into()), ..small().columns };
    let accounts = scan(&site.open(Mapping { columns, ..mapping }).await).await;
    assert_eq!(accounts[0].other_emails.len(), 200);
}

#[tokio::test]
async fn names_are_quoted() {
    for site in Site::each() {
        let schema = site.word("main", "public", site.database());
        site.run(&[
            "CREATE TABLE \"Odd \"\"users\" (\"select\" BIGINT PRIMARY KEY, \"e\"\"mail\" TEXT, \
             \"Hash\" TEXT)",
            "INSERT INTO \"Odd \"\"users\" VALUES (1, 'a@b.example', 'h')",
        ])
        .await;
        let mapping = Mapping {
            source: Source::Table(format!("{schema}.Odd \"users")),
            columns: Columns {
                id: "select".into(),
                email: Some("e\"mail".into()),
                hash: "Hash".into(),
                ..small().columns
            },
            ..small()
        };
        let accounts = scan(&site.open(mapping).await).await;
        assert_eq!(accounts[0].email.as_deref(), Some("a@b.example"));
    }
}

#[tokio::test]
async fn a_faulty_row_is_one_of_many() {
    for site in Site::each() {
        let (garbled, type_name) =
            site.word(("CAST(x'41ff42' AS TEXT)", "TEXT"), ("'?'", "TEXT"), ("'?'", "TEXT"));
        site.run(&[
            &format!(
                "CREATE TABLE users (id VARCHAR(300), email TEXT, hash TEXT, seen TEXT, \
                 verified {type_name})"
            ),
            "INSERT INTO users VALUES (1, 'a@b.example', 'h1', '0044-03-15 BC', '2016-06-08'), \
             (2, 'c@d.example', '$2b$hidden', 'yesterday', NULL)",
            &format!("INSERT INTO users VALUES (3, {garbled}, 'h3', '?', '9999-01-01')"),
        ])
        .await;
        let mapping = Mapping {
            columns: Columns {
                last_login_at: Some("seen".into()),
                email_verified: Some("verified".into()),
                ..small().columns
            },
            ..small()
        };
        let directory = site.open(mapping).await;
        let accounts = scan(&directory).await;
        let unreadable = accounts.iter().map(|account| account.unreadable).collect::<Vec<_>>();
        let third = site.word("email", "last_login_at", "last_login_at");
        assert_eq!(unreadable, [None, Some("last_login_at"), Some(third)]);
        let verified = accounts.iter().map(|account| account.email_verified).collect::<Vec<_>>();
        assert_eq!(verified, [Some(true), None, Some(false)]);
        let found = directory.by_ids(&ids(&["2"])).await.unwrap().remove(0);
        assert_eq!(found.credential.unwrap().hash().expose(), "$2b$hidden");
        site.run(&["INSERT INTO users (id, email) VALUES (NULL, 'e@f.example')"]).await;
        let report = directory.check().await.unwrap();
        assert_eq!((report.accounts.all, report.accounts.unreadable), (4, 3));
        let first = report.accounts.unreadable_first.unwrap();
        let told = ["last_login_at of account 2", "an account has no id"];
        assert!(told.contains(&first.as_str()) || first.ends_with("of account 3"), "{first}");
    }
}

/// Such as Latin-1 in a database that knows no encoding, or in a column of bytes; or a byte that the
/// database's own encoding has no character for.
#[tokio::test]
async fn a_text_in_another_encoding_is_one_accounts_fault() {
    let server = testkit::postgres();
    let unknown = Site::at(&server.database_without_encoding().url);
    let windows = Site::at(&server.database_in("WIN1252").url);
    let japanese = Site::at(&server.database_in("EUC_JP").url);
    for (site, [type_name, garbled]) in [
        (unknown, ["TEXT", "convert_from('\\x4de96c'::bytea, 'SQL_ASCII')"]),
        (windows, ["TEXT", "'M' || chr(129) || 'l'"]),
        (japanese, ["TEXT", "convert_from('\\x4da9a1'::bytea, 'EUC_JP')"]),
        (Site::mariadb(), ["BLOB", "UNHEX('4DE96C')"]),
    ] {
        site.run(&[
            &format!(
                "CREATE TABLE users (id BIGINT PRIMARY KEY, email {type_name}, \
                 username {type_name}, hash VARCHAR(80), salt {type_name})"
            ),
            "INSERT INTO users VALUES (1, 'mél@b.example', 'mél', 'h1', 's')",
            &format!("INSERT INTO users VALUES (2, {garbled}, 'two', 'h2', 's')"),
            &format!("INSERT INTO users VALUES (3, 'c@b.example', {garbled}, 'h3', 's')"),
            &format!("INSERT INTO users VALUES (4, NULL, 'four', 'h4', {garbled})"),
        ])
        .await;
        let columns = Columns {
            username: Some("username".into()),
            beside: [("salt".to_owned(), "salt".to_owned())].into(),
            ..small().columns
        };
        let directory = site.open_writable(Mapping { columns, ..small() }).await;
        let accounts = scan(&directory).await;
        let told = accounts.iter().map(|account| (account.email.as_deref(), account.unreadable));
        let of_bytes = site.word(None, Some("hash"), None);
        let expected = [
            (Some("mél@b.example"), None),
            (None, Some("email")),
            (Some("c@b.example"), Some("username")),
            (None, of_bytes),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
        let names = ["mél@b.example".to_owned(), "two".to_owned()];
        assert_eq!(ids_of(&directory.by_names(&names).await.unwrap()), ["1", "2"]);
        let report = directory.check().await.unwrap();
        let first = report.accounts.unreadable_first.unwrap();
        assert_eq!(first, "email of account 2");
        let held = accounts[0].credential.as_ref().unwrap().hash().clone();
        assert!(replace_if(&directory, &id("1"), &held, &held.with_text("new")).await.unwrap());
    }
}

/// Anybody can type it, and whoever is looked up with them is found all the same.
#[tokio::test]
async fn what_a_database_has_no_characters_for_is_nobodys_name() {
    let in_encoding = |name: &str| (Site::at(&testkit::postgres().database_in(name).url), "TEXT");
    let in_charset = |type_name| (Site::mariadb(), type_name);
    for (site, type_name) in [
        in_encoding("LATIN1"),
        in_encoding("WIN1252"),
        in_encoding("EUC_JP"),
        in_charset("VARCHAR(80) CHARACTER SET latin1"),
        in_charset("VARCHAR(80) CHARACTER SET utf8mb3"),
        in_charset("VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin"),
    ] {
        site.run(&[
            &format!(
                "CREATE TABLE users (id BIGINT PRIMARY KEY, email {type_name}, \
                 username {type_name}, hash VARCHAR(80))"
            ),
            "INSERT INTO users VALUES (1, 'a@b.example', 'ana', 'h')",
        ])
        .await;
        let columns = Columns { username: Some("username".into()), ..small().columns };
        let directory = site.open(Mapping { columns, ..small() }).await;
        for strange in ["имя", "имя@b.example", "ana\u{1f511}", "\u{ffff}"] {
            let names = [strange, "ana"].map(str::to_owned);
            assert_eq!(ids_of(&directory.by_names(&names).await.unwrap()), ["1"], "{type_name}");
            let alone = directory.by_names(&names[..1]).await.unwrap();
            assert!(alone.is_empty(), "{type_name} {strange}");
        }
    }
}

/// As Laravel's `two_factor_confirmed_at` is.
#[tokio::test]
async fn a_flag_may_be_the_moment_since_when_it_is_set() {
    for site in Site::each() {
        let moment = site.word("TEXT", "TIMESTAMPTZ", "DATETIME");
        site.run(&[
            &format!(
                "CREATE TABLE users (id BIGINT PRIMARY KEY, email VARCHAR(80), hash VARCHAR(80), \
                 confirmed {moment}, activated {moment})"
            ),
            "INSERT INTO users VALUES (1, 'a@b', 'h', '2024-05-01 10:00:00', '2024-05-01 10:00:00')",
            "INSERT INTO users VALUES (2, 'c@d', 'h', NULL, '2199-01-01 00:00:00')",
            "INSERT INTO users VALUES (3, 'e@f', 'h', '2199-01-01 00:00:00', NULL)",
        ])
        .await;
        let columns = Columns {
            second_factor: Some("confirmed".into()),
            active: Some("activated".into()),
            ..small().columns
        };
        let directory = site.open_writable(Mapping { columns, ..small() }).await;
        let accounts = scan(&directory).await;
        let told = accounts.iter().map(|account| (account.second_factor, account.active));
        let expected = [(Some(true), Some(true)), (None, Some(false)), (Some(false), Some(false))];
        assert_eq!(told.collect::<Vec<_>>(), expected);
        for (account, expected) in ["1", "2", "3"].into_iter().zip([true, false, false]) {
            let held = directory.lock(&id(account)).await.unwrap();
            assert_eq!(held.is_active(), expected, "{account}");
            held.roll_back().await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_id_that_cannot_be_kept_is_one_rows_fault() {
    for site in Site::each() {
        let long = "x".repeat(300);
        site.run(&[
            "CREATE TABLE users (id VARCHAR(300), email TEXT, hash TEXT)",
            &format!("INSERT INTO users VALUES ('{long}', 'a@b.example', 'h1'), ('2', 'c', 'h2')"),
        ])
        .await;
        let directory = site.open(small()).await;
        let rows: Vec<_> = directory.scan().collect().await;
        let read = rows.iter().filter(|row| row.is_ok()).count();
        let faulty = rows.iter().filter(|row| matches!(row, Err(ReadError::Row(_)))).count();
        assert_eq!((read, faulty), (1, 1));
    }
}
