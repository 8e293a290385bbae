//! Presets, on the tables that applications publish as theirs.

use std::sync::Arc;

use directory::{Directory, SitePreset, SiteTables, WriteGrant};
use model::{Account, Credential};

use crate::site::{Kind, Site, id, ids, replace_if, scan};

/// One application's tables with two people: the first as people are, the second let in no more.
struct Published {
    preset: &'static str,
    prefix: Option<&'static str>,
    on: &'static [Kind],
    tables: &'static [&'static str],
    /// Id and hash of the first.
    first: (&'static str, &'static str),
    /// Whether the first has proved the address, where that is recorded.
    verified: Option<bool>,
    /// Whether both are let in.
    active: [Option<bool>; 2],
    /// Counts the first one's sessions.
    sessions: Option<&'static str>,
}

const ALL: &[Kind] = &[Kind::Sqlite, Kind::Postgres, Kind::Mariadb];

const PUBLISHED: &[Published] = &[
    Published {
        preset: "wordpress",
        prefix: Some("blog_"),
        on: &[Kind::Mariadb],
        tables: &[
            "CREATE TABLE blog_users (ID bigint(20) unsigned NOT NULL auto_increment, \
             user_login varchar(60) NOT NULL default '', user_pass varchar(255) NOT NULL default '', \
             user_nicename varchar(50) NOT NULL default '', \
             user_email varchar(100) NOT NULL default '', user_url varchar(100) NOT NULL default '', \
             user_registered datetime NOT NULL default '2020-01-01 00:00:00', \
             user_activation_key varchar(255) NOT NULL default '', \
             user_status int(11) NOT NULL default '0', display_name varchar(250) NOT NULL default '', \
             spam tinyint(2) NOT NULL default '0', deleted tinyint(2) NOT NULL default '0', \
             PRIMARY KEY (ID), KEY user_email (user_email))",
            "CREATE TABLE blog_usermeta (umeta_id bigint(20) unsigned NOT NULL auto_increment, \
             user_id bigint(20) unsigned NOT NULL default '0', meta_key varchar(255) default NULL, \
             meta_value longtext, PRIMARY KEY (umeta_id))",
            "INSERT INTO blog_users (ID, user_login, user_pass, user_email, deleted) VALUES \
             (1, 'ana', '$wp$2y$10$old', 'ana@b.example', 0), \
             (2, 'bo', '$wp$2y$10$old', 'bo@b.example', 1)",
            "INSERT INTO blog_usermeta (user_id, meta_key, meta_value) VALUES \
             (1, 'session_tokens', 'a:1:{}'), (1, 'nickname', 'ana'), (2, 'session_tokens', 'a:1:{}')",
        ],
        first: ("1", "$wp$2y$10$old"),
        verified: None,
        active: [Some(true), Some(false)],
        sessions: Some(
            "SELECT COUNT(*) FROM blog_usermeta WHERE user_id = 1 AND meta_key = 'session_tokens'",
        ),
    },
    Published {
        preset: "nextcloud",
        prefix: None,
        on: ALL,
        tables: &[
            "CREATE TABLE oc_users (uid VARCHAR(64) NOT NULL PRIMARY KEY, displayname VARCHAR(64), \
             password VARCHAR(255) NOT NULL DEFAULT '', uid_lower VARCHAR(64) DEFAULT '')",
            "CREATE TABLE oc_preferences (userid VARCHAR(64) NOT NULL, appid VARCHAR(32) NOT NULL, \
             configkey VARCHAR(64) NOT NULL, configvalue TEXT, PRIMARY KEY (userid, appid, configkey))",
            "CREATE TABLE oc_authtoken (id INTEGER PRIMARY KEY, uid VARCHAR(64) NOT NULL)",
            "INSERT INTO oc_users (uid, password) VALUES ('ana', '3|old'), ('bo', '3|old')",
            "INSERT INTO oc_preferences VALUES ('ana', 'settings', 'email', 'ana@b.example'), \
             ('ana', 'login', 'lastLogin', '1465389000'), ('bo', 'core', 'enabled', 'false')",
            "INSERT INTO oc_authtoken VALUES (1, 'ana'), (2, 'bo'), (3, 'ana')",
        ],
        first: ("ana", "3|old"),
        verified: None,
        active: [Some(true), Some(false)],
        sessions: Some("SELECT COUNT(*) FROM oc_authtoken WHERE uid = 'ana'"),
    },
    Published {
        preset: "mediawiki",
        prefix: None,
        on: &[Kind::Mariadb],
        tables: &[
            "CREATE TABLE \"user\" (user_id INT UNSIGNED AUTO_INCREMENT NOT NULL, \
             user_name VARBINARY(255) DEFAULT '' NOT NULL, \
             user_real_name VARBINARY(255) DEFAULT '' NOT NULL, user_password TINYBLOB NOT NULL, \
             user_newpassword TINYBLOB NOT NULL, user_newpass_time BINARY(14) DEFAULT NULL, \
             user_email TINYTEXT NOT NULL, user_touched BINARY(14) NOT NULL, \
             user_token BINARY(32) DEFAULT '' NOT NULL, \
             user_email_authenticated BINARY(14) DEFAULT NULL, \
             user_email_token BINARY(32) DEFAULT NULL, \
             user_password_expires VARBINARY(14) DEFAULT NULL, \
             UNIQUE INDEX user_name (user_name), INDEX user_email (user_email(50)), \
             PRIMARY KEY(user_id))",
            "INSERT INTO \"user\" (user_id, user_name, user_password, user_newpassword, user_email, \
             user_touched, user_token, user_email_authenticated) VALUES \
             (1, 'Ana', ':B:old', '', 'ana@b.example', '20240501101112', \
             '0123456789abcdef0123456789abcdef', '20240501101112'), \
             (2, 'Bo', ':B:old', '', 'bo@b.example', '20240501101112', \
             '0123456789abcdef0123456789abcdef', NULL)",
        ],
        first: ("1", ":B:old"),
        verified: Some(true),
        active: [None, None],
        sessions: Some(
            "SELECT COUNT(*) FROM user WHERE user_id = 1 \
             AND user_token = '0123456789abcdef0123456789abcdef'",
        ),
    },
    Published {
        preset: "discourse",
        prefix: None,
        on: &[Kind::Postgres],
        tables: &[
            "CREATE TABLE users (id INTEGER PRIMARY KEY, username VARCHAR(60) NOT NULL, \
             active BOOLEAN DEFAULT FALSE NOT NULL, suspended_till TIMESTAMP, locale VARCHAR(10), \
             last_seen_at TIMESTAMP)",
            "CREATE TABLE user_emails (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, \
             email VARCHAR(513) NOT NULL, \"primary\" BOOLEAN DEFAULT FALSE NOT NULL)",
            "CREATE TABLE user_passwords (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL UNIQUE, \
             password_hash VARCHAR(64) NOT NULL, password_salt VARCHAR(32) NOT NULL, \
             password_algorithm VARCHAR(64) NOT NULL)",
            "CREATE TABLE user_auth_tokens (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL)",
            "INSERT INTO users VALUES (-1, 'system', TRUE, NULL, NULL, NULL), \
             (1, 'ana', TRUE, '2016-06-08', 'en', now()), (2, 'bo', TRUE, '2999-06-08', 'en', NULL)",
            "INSERT INTO user_emails VALUES (1, 1, 'ana@b.example', TRUE), \
             (2, 1, 'else@b.example', FALSE), (3, 2, 'bo@b.example', TRUE), \
             (4, -1, 'no_email', TRUE)",
            "INSERT INTO user_passwords VALUES (1, 1, 'old', 'so', '$pbkdf2-sha256$i=1,l=32$'), \
             (2, 2, 'old', 'so', '$pbkdf2-sha256$i=1,l=32$')",
            "INSERT INTO user_auth_tokens VALUES (1, 1), (2, 2)",
        ],
        first: ("1", "old"),
        verified: Some(true),
        active: [Some(true), Some(false)],
        sessions: Some("SELECT COUNT(*) FROM user_auth_tokens WHERE user_id = 1"),
    },
    Published {
        preset: "keycloak",
        prefix: None,
        on: &[Kind::Postgres, Kind::Mariadb],
        tables: &[
            "CREATE TABLE user_entity (id VARCHAR(36) NOT NULL PRIMARY KEY, email VARCHAR(255), \
             email_verified BOOLEAN DEFAULT FALSE NOT NULL, enabled BOOLEAN DEFAULT FALSE NOT NULL, \
             username VARCHAR(255), realm_id VARCHAR(255), not_before INTEGER DEFAULT 0 NOT NULL)",
            "CREATE TABLE credential (id VARCHAR(36) NOT NULL PRIMARY KEY, type VARCHAR(255), \
             user_id VARCHAR(36), secret_data TEXT, credential_data TEXT)",
            "INSERT INTO user_entity VALUES \
             ('6f1c2b1e-0000-0000-0000-000000000001', 'ana@b.example', TRUE, TRUE, 'ana', 'r', 0), \
             ('6f1c2b1e-0000-0000-0000-000000000002', 'bo@b.example', TRUE, FALSE, 'bo', 'r', 0)",
            "INSERT INTO credential VALUES \
             ('c1', 'password', '6f1c2b1e-0000-0000-0000-000000000001', 'old', '{}'), \
             ('c2', 'otp', '6f1c2b1e-0000-0000-0000-000000000001', 'otp', '{}'), \
             ('c3', 'password', '6f1c2b1e-0000-0000-0000-000000000002', 'old', '{}')",
        ],
        first: ("6f1c2b1e-0000-0000-0000-000000000001", "old"),
        verified: Some(true),
        active: [Some(true), Some(false)],
        sessions: Some(
            "SELECT COUNT(*) FROM user_entity WHERE username = 'ana' AND not_before = 0",
        ),
    },
    Published {
        preset: "gotrue",
        prefix: None,
        on: &[Kind::Postgres],
        tables: &[
            "CREATE SCHEMA auth",
            "CREATE TABLE auth.users (id UUID NOT NULL PRIMARY KEY, email VARCHAR(255), \
             encrypted_password VARCHAR(255), email_confirmed_at TIMESTAMPTZ, \
             last_sign_in_at TIMESTAMPTZ, banned_until TIMESTAMPTZ, deleted_at TIMESTAMPTZ)",
            "CREATE TABLE auth.sessions (id UUID NOT NULL PRIMARY KEY, user_id UUID NOT NULL)",
            "INSERT INTO auth.users VALUES \
             ('6f1c2b1e-0000-0000-0000-000000000001', 'ana@b.example', '$2a$10$old', now(), now(), \
             '2016-06-08', NULL), ('6f1c2b1e-0000-0000-0000-000000000002', 'bo@b.example', \
             '$2a$10$old', NULL, NULL, '2999-06-08', NULL)",
            "INSERT INTO auth.sessions VALUES \
             ('00000000-0000-0000-0000-000000000001', '6f1c2b1e-0000-0000-0000-000000000001')",
        ],
        first: ("6f1c2b1e-0000-0000-0000-000000000001", "$2a$10$old"),
        verified: Some(true),
        active: [None, Some(false)],
        sessions: Some("SELECT COUNT(*) FROM auth.sessions"),
    },
    Published {
        preset: "drupal",
        prefix: None,
        on: ALL,
        tables: &[
            "CREATE TABLE users_field_data (uid INTEGER NOT NULL, langcode VARCHAR(12) NOT NULL, \
             preferred_langcode VARCHAR(12), name VARCHAR(60) NOT NULL, pass VARCHAR(255), \
             mail VARCHAR(254), status SMALLINT NOT NULL, access INTEGER NOT NULL, login INTEGER, \
             PRIMARY KEY (uid, langcode))",
            "CREATE TABLE sessions (uid INTEGER NOT NULL, sid VARCHAR(128) NOT NULL PRIMARY KEY)",
            "INSERT INTO users_field_data VALUES (1, 'en', 'en', 'ana', '$S$old', 'ana@b.example', 1, \
             0, 1465389000), (2, 'en', 'en', 'bo', '$S$old', 'bo@b.example', 0, 0, 0)",
            "INSERT INTO sessions VALUES (1, 'a'), (2, 'b')",
        ],
        first: ("1", "$S$old"),
        verified: None,
        active: [Some(true), Some(false)],
        sessions: Some("SELECT COUNT(*) FROM sessions WHERE uid = 1"),
    },
    Published {
        preset: "devise",
        prefix: None,
        on: ALL,
        tables: &[
            "CREATE TABLE users (id BIGINT PRIMARY KEY, email VARCHAR(255) NOT NULL, \
             encrypted_password VARCHAR(255) NOT NULL, confirmed_at TIMESTAMP NULL, \
             current_sign_in_at TIMESTAMP NULL, deleted_at TIMESTAMP NULL)",
            "INSERT INTO users VALUES (1, 'ana@b.example', '$2a$12$old', '2016-06-08 12:30:00', NULL, \
             NULL), (2, 'bo@b.example', '$2a$12$old', NULL, NULL, '2016-06-08 12:30:00')",
        ],
        first: ("1", "$2a$12$old"),
        verified: Some(true),
        active: [None, Some(false)],
        sessions: None,
    },
    Published {
        preset: "laravel",
        prefix: None,
        on: ALL,
        tables: &[
            "CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR(255), email VARCHAR(255), \
             email_verified_at TIMESTAMP NULL, password VARCHAR(255), remember_token VARCHAR(100))",
            "CREATE TABLE sessions (id VARCHAR(255) PRIMARY KEY, user_id BIGINT, payload TEXT)",
            "INSERT INTO users VALUES \
             (1, 'Ana', 'ana@b.example', '2016-06-08 12:30:00', '$2y$12$old', 'remembered'), \
             (2, 'Bo', 'bo@b.example', NULL, '$2y$12$old', 'remembered')",
            "INSERT INTO sessions VALUES ('a', 1, ''), ('b', 2, '')",
        ],
        first: ("1", "$2y$12$old"),
        verified: Some(true),
        active: [None, None],
        sessions: Some(
            "SELECT (SELECT COUNT(*) FROM sessions WHERE user_id = 1) + (SELECT COUNT(*) FROM users \
             WHERE id = 1 AND remember_token IS NOT NULL)",
        ),
    },
];

async fn open(published: &Published, site: &Site) -> Arc<dyn Directory> {
    let preset = SitePreset::named(published.preset).unwrap();
    site.open_writable(preset.mapping(published.prefix)).await
}

#[tokio::test]
async fn a_preset_reads_the_tables_of_its_application() {
    for published in PUBLISHED {
        let name = published.preset;
        for site in published.on.iter().map(|kind| Site::of(*kind)) {
            site.run(published.tables).await;
            let accounts = scan(&open(published, &site).await).await;
            let [ana, bo] = &accounts[..] else { panic!("{name}: {}", accounts.len()) };
            assert_eq!(ana.id.as_str(), published.first.0, "{name}");
            assert_eq!(ana.email.as_deref(), Some("ana@b.example"), "{name}");
            assert_eq!(text_of(ana), published.first.1, "{name}");
            let others: &[&str] = if name == "discourse" { &["else@b.example"] } else { &[] };
            assert_eq!(ana.other_emails, others, "{name}");
            assert_eq!(ana.email_verified, published.verified, "{name}");
            assert_eq!([ana.active, bo.active], published.active, "{name}");
            assert!([ana, bo].iter().all(|account| account.unreadable.is_none()), "{name}");
        }
    }
}

#[tokio::test]
async fn a_preset_replaces_a_hash_and_ends_the_sessions() {
    for published in PUBLISHED {
        let name = published.preset;
        for site in published.on.iter().map(|kind| Site::of(*kind)) {
            site.run(published.tables).await;
            let directory = open(published, &site).await;
            let grant = directory.check().await.unwrap().write;
            assert_eq!(grant, WriteGrant::Granted, "{name}");
            let account = id(published.first.0);
            let found = directory.by_ids(&ids(&[published.first.0])).await.unwrap().remove(0);
            let old = found.credential.unwrap().into_hash();
            let new = old.with_text("new");
            assert!(replace_if(&directory, &account, &old, &new).await.unwrap(), "{name}");
            assert!(directory.look(&account).await.unwrap().is(&new), "{name}");
            let other = scan(&directory).await;
            assert_eq!(text_of(&other[1]), published.first.1, "{name}");
            let Some(sessions) = published.sessions else { continue };
            assert_ne!(site.number(sessions).await, 0, "{name}");
            directory.end_sessions(&[account]).await.unwrap();
            assert_eq!(site.number(sessions).await, 0, "{name}");
        }
    }
}

#[tokio::test]
async fn a_preset_is_found_by_the_tables_that_are_there() {
    for published in PUBLISHED {
        for site in published.on.iter().map(|kind| Site::of(*kind)) {
            site.run(published.tables).await;
            let tables = SiteTables::read(&site.url).await.unwrap();
            let found = tables.presets().next().map(|found| (found.preset.name, found.prefix));
            let prefix = SitePreset::named(published.preset).unwrap().prefix;
            let prefix = published.prefix.unwrap_or(prefix);
            assert_eq!(found, Some((published.preset, prefix)));
        }
    }
}

fn text_of(account: &Account) -> &str {
    account.credential.as_ref().map(Credential::hash).unwrap().text()
}
