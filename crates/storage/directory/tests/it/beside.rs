//! Hashes whose salt and costs stand in columns of their own, or in JSON documents, and accounts that are
//! read with one statement and written to in another table.

use std::{collections::BTreeMap, sync::Arc};

use directory::{Columns, Directory, Mapping, Source, WriteGrant, WriteTable};
use model::{Account, Credential, StoredHash};

use crate::site::{Site, id, replace_if, scan, small};

fn beside(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let own = |(operand, name): &(&str, &str)| ((*operand).to_owned(), (*name).to_owned());
    pairs.iter().map(own).collect()
}

fn mapping(hash: &str, pairs: &[(&str, &str)]) -> Mapping {
    let columns = Columns { hash: hash.into(), beside: beside(pairs), ..small().columns };
    Mapping { columns, ..small() }
}

fn hash_of(account: &Account) -> StoredHash {
    account.credential.as_ref().map(Credential::hash).unwrap().clone()
}

/// The hash of account 1.
async fn first(directory: &Arc<dyn Directory>) -> StoredHash {
    hash_of(&scan(directory).await[0])
}

/// Replaces the hash of account 1 by another one with another salt, and puts the old one back.
async fn replace_and_put_back(directory: &Arc<dyn Directory>) -> StoredHash {
    let old = first(directory).await;
    let new = old.with_text("new-hash").with_column("salt", "new-salt");
    assert!(replace_if(directory, &id("1"), &old, &new).await.unwrap());
    assert!(!replace_if(directory, &id("1"), &old, &new).await.unwrap());
    assert_eq!(first(directory).await.expose(), new.expose());
    assert!(directory.look(&id("1")).await.unwrap().is(&new));
    assert!(replace_if(directory, &id("1"), &new, &old).await.unwrap());
    assert_eq!(first(directory).await.expose(), old.expose());
    new
}

#[tokio::test]
async fn a_hash_is_replaced_with_its_salt_and_put_back_with_it() {
    for site in Site::each() {
        let binary = site.word("BLOB", "BYTEA", "VARBINARY(40)");
        let bytes = site.word("x'00ff'", "'\\x00ff'::bytea", "x'00ff'");
        site.run(&[
            &format!(
                "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT, salt VARCHAR(20), \
                 n INTEGER, raw {binary}, kind TEXT)"
            ),
            &format!("INSERT INTO users VALUES (1, 'a@b.example', 'old', 'so', 1000, {bytes}, NULL)"),
            &format!("INSERT INTO users VALUES (2, 'c@d.example', 'old', 'so', 1000, {bytes}, NULL)"),
        ])
        .await;
        let pairs = [("salt", "salt"), ("n", "n"), ("raw", "raw"), ("kind", "kind")];
        let directory = site.open_writable(mapping("hash", &pairs)).await;
        let hash = first(&directory).await;
        let read: Vec<_> = hash.columns().collect();
        assert_eq!(read, [("n", "1000"), ("raw", "\\x00ff"), ("salt", "so")]);
        assert_eq!(directory.check().await.unwrap().write, WriteGrant::Granted);
        replace_and_put_back(&directory).await;
        let new = hash.with_column("raw", "\\xff00").with_column("n", "7");
        assert!(replace_if(&directory, &id("1"), &hash, &new).await.unwrap());
        assert_eq!(first(&directory).await.expose(), new.expose());
        let untouched = "SELECT COUNT(*) FROM users WHERE id = 2 AND hash = 'old' AND salt = 'so' \
                         AND n = 1000 AND kind IS NULL";
        assert_eq!(site.number(untouched).await, 1);
    }
}

#[tokio::test]
async fn a_change_of_the_salt_alone_is_a_change_of_the_hash() {
    for site in Site::each() {
        site.run(&[
            "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT, salt VARCHAR(20))",
            "INSERT INTO users VALUES (1, 'a@b.example', 'old', 'so')",
        ])
        .await;
        let directory = site.open_writable(mapping("hash", &[("salt", "salt")])).await;
        let old = first(&directory).await;
        for theirs in ["'So'", "'so '", "''", "NULL"] {
            site.run(&[&format!("UPDATE users SET salt = {theirs} WHERE id = 1")]).await;
            let replaced = replace_if(&directory, &id("1"), &old, &old.with_text("new")).await;
            assert!(!replaced.unwrap(), "{theirs}");
            assert_ne!(first(&directory).await.expose(), old.expose(), "{theirs}");
        }
        // A salt that is not there stays so.
        let bare = first(&directory).await;
        assert!(replace_if(&directory, &id("1"), &bare, &bare.with_text("new")).await.unwrap());
        let kept = "SELECT COUNT(*) FROM users WHERE hash = 'new' AND salt IS NULL";
        assert_eq!(site.number(kept).await, 1);
    }
}

/// As the site's own driver gives it: MySQL takes the blanks away itself.
#[tokio::test]
async fn a_salt_of_fixed_length_keeps_the_blanks_that_the_site_sees() {
    for (site, salt) in [(Site::postgres(), "so      "), (Site::mariadb(), "so")] {
        site.run(&[
            "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash CHAR(8), salt CHAR(8), \
             kind CHAR(8))",
            "INSERT INTO users VALUES (1, 'a@b.example', 'old', 'so', NULL)",
        ])
        .await;
        let pairs = [("salt", "salt"), ("kind", "kind")];
        let directory = site.open_writable(mapping("hash", &pairs)).await;
        let old = first(&directory).await;
        assert_eq!((old.text(), old.columns().collect::<Vec<_>>()), ("old", vec![("salt", salt)]));
        assert_eq!(directory.check().await.unwrap().write, WriteGrant::Granted);
        let new = old.with_text("new").with_column("salt", &salt.replace("so", "ne"));
        assert!(replace_if(&directory, &id("1"), &old, &new).await.unwrap());
        assert_eq!(first(&directory).await.expose(), new.expose());
        assert!(replace_if(&directory, &id("1"), &new, &old).await.unwrap());
        assert_eq!(first(&directory).await.expose(), old.expose());
    }
}

#[tokio::test]
async fn a_salt_of_bytes_is_read_as_bytes_and_written_as_bytes() {
    for site in Site::each() {
        let binary = site.word("BLOB", "BYTEA", "VARBINARY(8)");
        let bytes = |digits: &str| {
            let (x, pg) = (format!("x'{digits}'"), format!("'\\x{digits}'::bytea"));
            site.word(&x, &pg, &x).to_owned()
        };
        site.run(&[&format!(
            "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash {binary}, salt {binary})"
        )])
        .await;
        // A NUL at either end, no UTF-8, UTF-8, plain text.
        for digits in ["00616263", "61626300", "9f00ff10", "6bc3a473", "61626364"] {
            site.run(&[
                "DELETE FROM users",
                &format!(
                    "INSERT INTO users VALUES (1, 'a@b.example', {}, {})",
                    bytes("6f6c64"),
                    bytes(digits)
                ),
            ])
            .await;
            let directory = site.open_writable(mapping("hash", &[("salt", "salt")])).await;
            let old = first(&directory).await;
            let expected = format!("\\x{digits}");
            assert_eq!((old.text(), old.column("salt")), ("old", Some(expected.as_str())));
            let new = old.with_text("new").with_column("salt", "\\x00ff7f01");
            assert!(replace_if(&directory, &id("1"), &old, &new).await.unwrap());
            let held = format!("SELECT COUNT(*) FROM users WHERE salt = {}", bytes("00ff7f01"));
            assert_eq!(site.number(&held).await, 1, "{digits}");
            assert!(replace_if(&directory, &id("1"), &new, &old).await.unwrap());
            assert_eq!(first(&directory).await.expose(), old.expose());
        }
    }
}

/// Whether such a text stands for bytes is found out where a password is tried.
#[tokio::test]
async fn a_text_that_looks_like_bytes_is_read_and_written_as_it_stands() {
    for site in Site::each() {
        let salt = site.word("'\\x4142'", "'\\x4142'", "'\\\\x4142'");
        site.run(&[
            "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT, salt VARCHAR(20))",
            &format!("INSERT INTO users VALUES (1, 'a@b.example', 'old', {salt})"),
        ])
        .await;
        let directory = site.open_writable(mapping("hash", &[("salt", "salt")])).await;
        let old = first(&directory).await;
        assert_eq!(old.column("salt"), Some("\\x4142"));
        let new = old.with_text("new").with_column("salt", "\\x4344");
        assert!(replace_if(&directory, &id("1"), &old, &new).await.unwrap());
        assert_eq!(first(&directory).await.expose(), new.expose());
        let held = format!(
            "SELECT COUNT(*) FROM users WHERE salt = {}",
            salt.replace("41", "43").replace("42", "44")
        );
        assert_eq!(site.number(&held).await, 1);
    }
}

#[tokio::test]
async fn a_hash_in_a_document_is_replaced_there_and_the_rest_of_it_stays() {
    for site in Site::each() {
        let json = site.word("TEXT", "JSONB", "JSON");
        site.run(&[
            &format!("CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, config {json})"),
            "INSERT INTO users VALUES (1, 'a@b.example', \
             '{\"p\": {\"hash\": \"old\", \"salt\": \"so\", \"n\": 7}, \"theme\": \"dark\"}')",
            "INSERT INTO users VALUES (2, 'c@d.example', '{\"theme\": \"dark\"}')",
        ])
        .await;
        let pairs = [("salt", "config.p.salt"), ("n", "config.p.n")];
        let directory = site.open_writable(mapping("config.p.hash", &pairs)).await;
        let hash = first(&directory).await;
        assert_eq!((hash.text(), hash.column("n")), ("old", Some("7")));
        assert!(scan(&directory).await[1].credential.is_none());
        assert_eq!(directory.check().await.unwrap().write, WriteGrant::Granted);
        replace_and_put_back(&directory).await;
        let kept = "SELECT COUNT(*) FROM users WHERE CAST(config AS CHAR(200)) LIKE '%dark%'";
        assert_eq!(site.number(kept).await, 2);
    }
}

#[tokio::test]
async fn the_name_that_goes_into_a_hash_is_read_and_never_written() {
    let site = Site::postgres();
    site.run(&[
        "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, username TEXT, hash TEXT, salt TEXT)",
        "INSERT INTO users VALUES (1, 'a@b.example', 'Otto', 'old', 'so')",
        "CREATE ROLE salter LOGIN",
        "GRANT SELECT, UPDATE (hash, salt) ON users TO salter",
    ])
    .await;
    let mut mapping = mapping("hash", &[("user", "username"), ("salt", "salt")]);
    mapping.columns.username = Some("username".into());
    let url = site.url.replace("postgres@", "salter@");
    let directory = directory::open(&url, Some(&url), mapping).await.unwrap();
    assert_eq!(directory.try_write().await.unwrap(), WriteGrant::Granted);
    let new = replace_and_put_back(&directory).await;
    assert_eq!(new.column("user"), Some("Otto"));
}

/// People in one table, their hashes in another, where some have several rows.
const APART: &[&str] = &[
    "CREATE TABLE people (id BIGINT PRIMARY KEY, email TEXT)",
    "CREATE TABLE secrets (person BIGINT, kind VARCHAR(20), hash TEXT, salt TEXT)",
    "INSERT INTO people VALUES (1, 'a@b.example'), (2, 'c@d.example')",
    "INSERT INTO secrets VALUES (1, 'password', 'old', 'so'), (1, 'otp', 'otp', 'so'), \
     (2, 'password', 'old', 'so')",
];

const QUERY: &str = "SELECT p.id, p.email, s.hash, s.salt FROM people p \
                     LEFT JOIN secrets s ON s.person = p.id AND s.kind = 'password' -- one each";

fn apart(condition: Option<&str>) -> Mapping {
    let write = WriteTable {
        table: "secrets".into(),
        id: "person".into(),
        condition: condition.map(str::to_owned),
    };
    Mapping {
        source: Source::Query(QUERY.into()),
        write: Some(write),
        ..mapping("hash", &[("salt", "salt")])
    }
}

#[tokio::test]
async fn what_a_query_reads_is_written_where_it_came_from() {
    for site in Site::each() {
        site.run(APART).await;
        let condition = Some("kind = 'password' -- and no other");
        let directory = site.open_writable(apart(condition)).await;
        assert_eq!(directory.check().await.unwrap().write, WriteGrant::Granted);
        let new = replace_and_put_back(&directory).await;
        let old = first(&directory).await;
        assert!(replace_if(&directory, &id("1"), &old, &new).await.unwrap());
        let others = "SELECT COUNT(*) FROM secrets WHERE salt = 'so' AND hash IN ('otp', 'old')";
        assert_eq!(site.number(others).await, 2);
    }
}

#[tokio::test]
async fn of_several_rows_none_is_written_to() {
    for site in Site::each() {
        site.run(APART).await;
        let directory = site.open_writable(apart(None)).await;
        let old = first(&directory).await;
        let refused = replace_if(&directory, &id("1"), &old, &old.with_text("new")).await;
        let error = refused.unwrap_err().to_string();
        assert!(error.starts_with("2 rows have the id 1"), "{error}");
        assert!(replace_if(&directory, &id("2"), &old, &old.with_text("new")).await.unwrap());
    }
}

#[tokio::test]
async fn what_is_not_there_to_be_written_to_is_named() {
    for site in Site::each() {
        site.run(APART).await;
        let open = async |table: &str, id: &str| {
            let write = WriteTable { table: table.into(), id: id.into(), condition: None };
            let mapping = Mapping { write: Some(write), ..apart(None) };
            directory::open(&site.url, Some(&site.url), mapping).await.unwrap_err().to_string()
        };
        let table = open("nowhere", "id").await;
        assert!(table.starts_with("`directory.write.table` cannot be read"), "{table}");
        let key = open("secrets", "owner").await;
        let named = "`directory.write.id` is `owner`, which is none of the columns: person, kind";
        assert!(key.starts_with(named), "{key}");
        let hash = open("people", "id").await;
        assert!(hash.starts_with("`directory.write.hash` is `hash`, which is none"), "{hash}");
    }
}
