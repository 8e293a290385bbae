//! What is special to MySQL and MariaDB: many types, lax comparisons, tables without transactions.

use std::sync::Arc;

use directory::{
    Columns, Directory, Kinship, Mapping, Sessions, TransactionFate, WriteError, WriteGrant,
};
use futures_util::TryStreamExt as _;
use model::{SiteTransaction, StoredHash};
use sql::QueryText;
use testkit::MariadbServer;

use crate::site::{Site, id, ids, ids_of, replace_if, scan, small, small_from};

const USERS: &str = "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT)";
const ONE: &str = "INSERT INTO users VALUES (1, 'a@b.example', 'old')";

fn hash(text: &str) -> StoredHash {
    StoredHash::from_column(Some(text.to_owned())).unwrap()
}

async fn with_users() -> Site {
    let site = Site::mariadb();
    site.run(&[USERS, ONE]).await;
    site
}

async fn refused(directory: &Arc<dyn Directory>) -> String {
    match directory.check().await.unwrap().write {
        WriteGrant::Refused(reason) => reason,
        other => panic!("{other:?}"),
    }
}

/// The same database for another user.
async fn for_user(site: &Site, user: &str, grants: &[&str]) -> String {
    site.run(&[&format!("CREATE USER {user}@localhost")]).await;
    site.run(grants).await;
    site.url.replace("root@", &format!("{user}@"))
}

#[tokio::test]
async fn columns_of_every_type_are_read() {
    let site = Site::mariadb();
    site.run(&[
        "SET sql_mode = ''",
        "CREATE TABLE users (id BIGINT UNSIGNED PRIMARY KEY, email VARBINARY(80), \
         username VARCHAR(80) CHARACTER SET latin1, password_hash TINYBLOB, \
         changed DATE, verified BIT(1), locale ENUM('de', 'en'), seen TIMESTAMP(6) NULL, \
         factor TINYINT(1), active DECIMAL(3, 1), inactive DATETIME)",
        "INSERT INTO users VALUES (18446744073709551615, 'Ana@b.example', 'Zoé', 'h1', \
         '2016-06-08', 1, 'de', '2016-06-08 12:30:00.25', 1, 1.0, '0000-00-00 00:00:00')",
        "INSERT INTO users VALUES (8, 'bo@b.example', NULL, NULL, '0000-00-00', 0, NULL, \
         NULL, 0, 1, '2024-05-01 00:00:00')",
    ])
    .await;
    let named = |name: &str| Some(name.to_owned());
    let columns = Columns {
        hash_changed_at: named("changed"),
        email_verified: named("verified"),
        locale: named("locale"),
        last_login_at: named("seen"),
        second_factor: named("factor"),
        active: named("active"),
        inactive: named("inactive"),
        ..Mapping::generic().columns
    };
    let directory = site.open(Mapping { columns, ..Mapping::generic() }).await;
    let accounts = scan(&directory).await;
    let [ana, bo] = &accounts[..] else { panic!("{}", accounts.len()) };
    assert_eq!(ana.id.as_str(), "18446744073709551615");
    assert_eq!(ana.email.as_deref(), Some("Ana@b.example"));
    assert_eq!(ana.username.as_deref(), Some("Zoé"));
    assert_eq!(ana.credential.as_ref().unwrap().hash().expose(), "h1");
    assert_eq!(ana.hash_changed_at.unwrap().to_string(), "2016-06-08T00:00:00Z");
    assert_eq!(ana.last_login_at.unwrap().to_string(), "2016-06-08T12:30:00.25Z");
    assert_eq!((ana.email_verified, ana.second_factor), (Some(true), Some(true)));
    assert_eq!((ana.locale.as_deref(), ana.active), (Some("de"), Some(true)));
    assert_eq!((bo.email_verified, bo.second_factor), (Some(false), Some(false)));
    assert_eq!((bo.hash_changed_at, bo.active), (None, Some(false)));
    for (name, account) in [("ana@b.example", ana), ("Zoé", ana), ("bo@b.example", bo)] {
        let found = directory.by_names(&[name.to_owned()]).await.unwrap();
        assert_eq!(ids_of(&found), [account.id.as_str()], "{name}");
    }
    for stranger in ["zoé", "Zoe", "zoe ", "Bo@b.example"] {
        assert!(directory.by_names(&[stranger.to_owned()]).await.unwrap().is_empty(), "{stranger}");
    }
    let found = directory.by_ids(&ids(&["18446744073709551615", "-1", "8.0"])).await.unwrap();
    assert_eq!(ids_of(&found), ["18446744073709551615"]);
}

#[tokio::test]
async fn ids_of_bytes_and_of_fractions_are_found() {
    const UUID: &str = "6f1c2b1e0d5c4b7e9a4e3f6f0a1b2c3d";
    for (type_name, value, key, strangers) in [
        ("BINARY(16)", format!("UNHEX('{UUID}')"), UUID, ["6F1C", "x"]),
        ("VARBINARY(20)", "'Ana'".to_owned(), "416e61", ["416E61", "416e6"]),
        ("DECIMAL(12, 2)", "10.5".to_owned(), "10.50", ["10.5", "1e1"]),
        ("VARCHAR(20) COLLATE utf8mb4_bin", "'Ana'".to_owned(), "Ana", ["ana", "Ana "]),
    ] {
        let site = Site::mariadb();
        site.run(&[
            &format!("CREATE TABLE users (id {type_name} PRIMARY KEY, email TEXT, hash TEXT)"),
            &format!("INSERT INTO users VALUES ({value}, 'a@b.example', 'old')"),
        ])
        .await;
        let directory = site.open_writable(small()).await;
        assert_eq!(ids_of(&scan(&directory).await), [key], "{type_name}");
        assert_eq!(ids_of(&directory.by_ids(&ids(&[key])).await.unwrap()), [key]);
        assert!(directory.by_ids(&ids(&strangers)).await.unwrap().is_empty(), "{type_name}");
        assert!(replace_if(&directory, &id(key), &hash("old"), &hash("new")).await.unwrap());
        assert!(directory.look(&id(key)).await.unwrap().is(&hash("new")));
    }
}

/// By the collation they are the same.
#[tokio::test]
async fn a_hash_that_differs_in_capitals_or_blanks_is_another() {
    let site = Site::mariadb();
    site.run(&[
        "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, \
         hash VARCHAR(40) CHARACTER SET latin1)",
        "INSERT INTO users VALUES (1, 'a@b.example', 'Old ')",
    ])
    .await;
    let directory = site.open_writable(small()).await;
    for other in ["old ", "Old", "Old  "] {
        assert!(!replace_if(&directory, &id("1"), &hash(other), &hash("new")).await.unwrap());
    }
    assert!(replace_if(&directory, &id("1"), &hash("Old "), &hash("OLD ")).await.unwrap());
    assert!(replace_if(&directory, &id("1"), &hash("OLD "), &hash("new")).await.unwrap());
}

#[tokio::test]
async fn what_no_transaction_holds_is_read_and_not_written_to() {
    let site = with_users().await;
    site.run(&[
        "CREATE TABLE old_users (id BIGINT, email TEXT, hash TEXT) ENGINE = MyISAM",
        "INSERT INTO old_users SELECT * FROM users",
        "CREATE VIEW seen_users AS SELECT * FROM users",
    ])
    .await;
    let qualified = format!("{}.old_users", site.database());
    for (table, told) in [
        ("old_users", "a table of the engine MyISAM"),
        (&qualified, "a table of the engine MyISAM"),
        ("seen_users", "a view"),
    ] {
        let source = directory::Source::Table(table.to_owned());
        let directory = site.open_writable(Mapping { source, ..small() }).await;
        assert_eq!(ids_of(&scan(&directory).await), ["1"]);
        let reason = refused(&directory).await;
        assert!(reason.contains(told) && reason.contains("ENGINE = InnoDB"), "{reason}");
        let held = directory.lock(&id("1")).await.err().unwrap();
        assert!(matches!(held, WriteError::Unholdable { .. }), "{held}");
        assert!(directory.look(&id("1")).await.unwrap().is(&hash("old")));
    }
}

#[tokio::test]
async fn a_grant_that_is_missing_is_named() {
    let site = with_users().await;
    site.run(&["CREATE TABLE login (person BIGINT, token TEXT)"]).await;
    let database = site.database();
    let url = for_user(&site, "reader", &[]).await;
    let error = directory::open(&url, None, small()).await.unwrap_err().to_string();
    assert!(error.contains("Access denied"), "{error}");
    site.run(&[&format!("GRANT SELECT ON {database}.users TO reader@localhost")]).await;
    let sessions = Sessions::Statement("DELETE FROM login WHERE person = $1".into());
    let mapping = Mapping { sessions, ..small() };
    let directory = directory::open(&url, Some(&url), mapping).await.unwrap();
    let reason = refused(&directory).await;
    assert!(reason.contains("`GRANT UPDATE ON ") && reason.contains("users TO ..`"), "{reason}");
    site.run(&[&format!("GRANT UPDATE (hash) ON {database}.users TO reader@localhost")]).await;
    let reason = refused(&directory).await;
    assert!(reason.contains("`GRANT DELETE ON ") && reason.contains("login TO ..`"), "{reason}");
    let ended = directory.end_sessions(&ids(&["1"])).await.unwrap_err();
    assert!(ended.to_string().contains("GRANT DELETE"), "{ended}");
    site.run(&[&format!("GRANT SELECT, DELETE ON {database}.login TO reader@localhost")]).await;
    let report = directory.check().await.unwrap();
    assert_eq!((report.write, report.accounts.all), (WriteGrant::Granted, 1));
    assert_eq!(report.id_type, "bigint");
    assert!(report.database.starts_with('M'), "{}", report.database);
    assert_eq!(site.number("SELECT COUNT(*) FROM users WHERE hash = 'old'").await, 1);
}

#[tokio::test]
async fn the_reading_connection_cannot_write() {
    let site = with_users().await;
    site.run(&["CREATE FUNCTION spoil() RETURNS TEXT BEGIN DELETE FROM users; RETURN 'h'; END"])
        .await;
    let query = "SELECT id, email, spoil() AS hash FROM users";
    let opened = directory::open(&site.url, None, small_from(query)).await;
    let error = opened.unwrap_err().to_string();
    assert!(error.contains("READ ONLY transaction"), "{error}");
    assert_eq!(site.number("SELECT COUNT(*) FROM users").await, 1);
}

#[tokio::test]
async fn a_look_up_has_an_end_and_a_scan_goes_on() {
    let site = with_users().await;
    let directory = site
        .open(small_from(
            "SELECT id, CONCAT(/*M!100300 @@max_statement_time, */ /*!50708 @@max_execution_time, */ \
             ' ', @@lock_wait_timeout) AS email, 'h' AS hash FROM users",
        ))
        .await;
    let limits = |accounts: Vec<model::Account>| accounts[0].email.clone().unwrap();
    let looked_up = limits(directory.by_ids(&ids(&["1"])).await.unwrap());
    assert!(["60.000000 10", "60000 10"].contains(&&*looked_up), "{looked_up}");
    let scanned = limits(scan(&directory).await);
    assert!(["0.000000 10", "0 10"].contains(&&*scanned), "{scanned}");
}

#[tokio::test]
async fn other_rows_are_free_meanwhile_and_nobody_waits_for_ever() {
    let site = with_users().await;
    site.run(&["INSERT INTO users VALUES (3, 'e@f.example', 'other')"]).await;
    let directory = site.open_writable(small()).await;
    let db = site.db().await;
    let mut owner = db.begin().await.unwrap();
    let change = QueryText::composed("UPDATE users SET hash = 'theirs' WHERE id = 1".into());
    owner.run(&change).execute().await.unwrap();
    assert!(replace_if(&directory, &id("3"), &hash("other"), &hash("new")).await.unwrap());
    let error = directory.lock(&id("1")).await.err().unwrap();
    assert!(matches!(error, WriteError::Held { .. }), "{error}");
    assert!(directory.look(&id("1")).await.unwrap().is(&hash("old")));
}

#[tokio::test]
async fn nobody_keeps_a_record_of_transactions() {
    let site = with_users().await;
    let directory = site.open_writable(small()).await;
    let mut row = directory.lock(&id("1")).await.unwrap();
    row.replace(&hash("new")).await.unwrap();
    assert_eq!(row.transaction(), None);
    let changing = "SELECT trx_mysql_thread_id FROM information_schema.INNODB_TRX \
                    JOIN information_schema.PROCESSLIST ON ID = trx_mysql_thread_id \
                    WHERE DB = DATABASE() AND trx_rows_modified > 0";
    let victim = site.number(changing).await;
    site.run(&[&format!("KILL {victim}")]).await;
    assert!(matches!(row.commit().await, Err(WriteError::Hash { .. })));
    let some = SiteTransaction::new("1/2/00000001".into(), 7);
    assert_eq!(directory.fate(&some).await.unwrap(), TransactionFate::Unknown);
    assert!(directory.look(&id("1")).await.unwrap().is(&hash("old")));
}

/// As the server hangs up on whoever stands still.
#[tokio::test]
async fn connections_that_were_cut_off_are_made_anew() {
    let site = with_users().await;
    let directory = site.open_writable(small()).await;
    let one = ids(&["1"]);
    let others = "SELECT ID FROM information_schema.PROCESSLIST \
                  WHERE DB = DATABASE() AND ID <> CONNECTION_ID()";
    let mut tx = site.db().await.begin().await.unwrap();
    let victims: Vec<(i64,)> = tx.run(&QueryText::composed(others.to_owned())).all().await.unwrap();
    let mut cut = 0;
    for (victim,) in victims {
        // One that has gone by itself was nobody's.
        let kill = QueryText::composed(format!("KILL {victim}"));
        cut += i32::from(tx.run(&kill).execute().await.is_ok());
    }
    assert!(cut >= 3, "{cut}");
    assert_eq!(directory.by_ids(&one).await.unwrap().len(), 1);
    assert_eq!(scan(&directory).await.len(), 1);
    assert!(replace_if(&directory, &one[0], &hash("old"), &hash("new")).await.unwrap());
}

#[tokio::test]
async fn a_dollar_in_quotes_is_no_placeholder() {
    let site = with_users().await;
    site.run(&["CREATE TABLE login (person BIGINT, token TEXT)"]).await;
    site.run(&["INSERT INTO login VALUES (1, 'a'), (1, '$1'), (2, '1')"]).await;
    let query = "SELECT * FROM users WHERE hash NOT LIKE '$2y$%' -- not $1, it's old";
    assert_eq!(ids_of(&scan(&site.open(small_from(query)).await).await), ["1"]);
    let text = "DELETE FROM login WHERE person = $1 AND (token = '$1' OR token <> $1)";
    let mapping = Mapping { sessions: Sessions::Statement(text.into()), ..small() };
    let directory = site.open_writable(mapping).await;
    assert_eq!(directory.end_sessions(&ids(&["1"])).await.unwrap().deleted, 2);
}

/// As an administrator may have set them.
#[tokio::test(flavor = "multi_thread")]
async fn the_servers_own_settings_change_nothing() {
    let server = MariadbServer::start(&[
        "--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH,PIPES_AS_CONCAT",
        "--transaction-isolation=SERIALIZABLE",
        "--default-time-zone=+05:00",
        "--autocommit=0",
        "--max-statement-time=0.5",
        "--character-set-server=latin1",
        "--collation-server=latin1_swedish_ci",
    ]);
    let site = Site::at(&server.database().url);
    site.run(&[
        "CREATE TABLE users (id CHAR(20) PRIMARY KEY, email CHAR(80), hash BLOB, \
         seen TIMESTAMP NULL)",
        "INSERT INTO users VALUES ('é', 'A@b.example', 'old', '2016-06-08 12:30:00')",
    ])
    .await;
    let columns = Columns { last_login_at: Some("seen".into()), ..small().columns };
    let directory = site.open_writable(Mapping { columns, ..small() }).await;
    let accounts = scan(&directory).await;
    assert_eq!(accounts[0].email.as_deref(), Some("A@b.example"));
    assert_eq!(accounts[0].last_login_at.unwrap().to_string(), "2016-06-08T12:30:00Z");
    let named = directory.by_names(&["a@b.example".to_owned()]).await.unwrap();
    assert_eq!(ids_of(&named), ["é"]);
    assert!(replace_if(&directory, &id("é"), &hash("old"), &hash("new")).await.unwrap());
    assert!(directory.look(&id("é")).await.unwrap().is(&hash("new")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_on_another_server_is_told_from_the_site() {
    let servers = [MariadbServer::start(&[]), MariadbServer::start(&[])];
    let sites = servers.each_ref().map(|server| Site::at(&server.named("site".to_owned()).url));
    for site in &sites {
        site.run(&[USERS, ONE]).await;
    }
    let [site, copy] = &sites;
    let kinship = async |read: &Site, write: &Site| {
        let directory = directory::open(&read.url, Some(&write.url), small()).await.unwrap();
        directory.kinship().await.unwrap()
    };
    assert_eq!(kinship(site, site).await, Kinship::One);
    let Kinship::Two(why) = kinship(copy, site).await else { panic!() };
    assert!(why.contains("two servers"), "{why}");

    copy.run(&["COMMIT", "SET GLOBAL read_only = 1"]).await;
    let Kinship::Untold(why) = kinship(copy, site).await else { panic!() };
    assert!(why.contains("a standby"), "{why}");
    let Kinship::Untold(_) = kinship(site, copy).await else { panic!() };
    let directory = copy.open_writable(small()).await;
    let reason = refused(&directory).await;
    assert!(reason.contains("leads to a standby"), "{reason}");
    let held = directory.lock(&id("1")).await.err().unwrap();
    assert!(matches!(held, WriteError::Standby), "{held}");
}

#[tokio::test]
async fn every_row_of_a_scan_is_of_one_moment() {
    let site = Site::mariadb();
    site.run(&[
        USERS,
        "INSERT INTO users WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
         WHERE i < 50000) SELECT i, 'a@b.example', 'old' FROM n",
    ])
    .await;
    let directory = site.open(small()).await;
    let mut accounts = directory.scan();
    let first = accounts.try_next().await.unwrap().unwrap();
    assert_eq!(first.id.as_str(), "1");
    site.run(&["UPDATE users SET hash = 'new'", "DELETE FROM users WHERE id > 100"]).await;
    let is_old = |account: &model::Account| {
        account.credential.as_ref().is_some_and(|now| now.hash().expose() == "old")
    };
    let rest: Vec<_> = accounts.try_collect().await.unwrap();
    assert_eq!(rest.iter().filter(|account| is_old(account)).count(), 49_999);
}
