//! One hash for another, and only where it is what we think.

use std::{error::Error, sync::Arc};

use directory::{Ability, Columns, Directory, Mapping, WriteError, WriteGrant};
use model::{Account, Credential, StoredHash};

use crate::{
    reading::{ID_TYPES, folding},
    site::{Kind, Site, id, replace_if, scan, small, small_from},
};

/// Long enough that it stands nowhere by chance.
const OLD: &str = "$2b$10$old-old-old-old";
const NEW: &str = "$2b$10$new-new-new-new";
const OTHER: &str = "$2b$10$other-other-other";

fn hash(text: &str) -> StoredHash {
    StoredHash::from_column(Some(text.to_owned())).unwrap()
}

/// A table of two people with the same hash, made of columns of these types.
async fn with_users(site: &Site, id_type: &str, hash_type: &str) {
    site.run(&[
        &format!("CREATE TABLE users (id {id_type}, email TEXT, hash {hash_type}, at TEXT)"),
        &format!("INSERT INTO users VALUES (1, 'a@b.example', '{OLD}', '2016-06-08')"),
        &format!("INSERT INTO users VALUES (2, 'c@d.example', '{OLD}', '2016-06-08')"),
    ])
    .await;
}

/// The hashes of all accounts, in the order of the ids.
async fn hashes(directory: &Arc<dyn Directory>) -> Vec<String> {
    let accounts = scan(directory).await;
    let shown = |hash: &StoredHash| hash.expose().to_owned();
    accounts
        .iter()
        .map(|account| {
            account.credential.as_ref().map(Credential::hash).map(shown).unwrap_or_default()
        })
        .collect()
}

/// Tries to replace the hash of account 1.
async fn replace(directory: &Arc<dyn Directory>, expected: &str) -> Result<bool, WriteError> {
    replace_if(directory, &id("1"), &hash(expected), &hash(NEW)).await
}

/// Tries to replace the hash of whichever account.
async fn replace_of(directory: &Arc<dyn Directory>, account: &str) -> bool {
    replace_if(directory, &id(account), &hash(OLD), &hash(NEW)).await.unwrap()
}

/// The error of an attempt that must not have changed anything, and must not show a hash.
async fn refused(site: &Site, mapping: Mapping) -> WriteError {
    let directory = site.open_writable(mapping).await;
    let before = hashes(&directory).await;
    let error = replace(&directory, OLD).await.unwrap_err();
    assert_eq!(hashes(&directory).await, before, "{error}");
    assert_shows_no_hash(&error);
    error
}

fn assert_shows_no_hash(error: &dyn Error) {
    let shown = format!("{error} {error:?} {error:#?}");
    for hash in [OLD, NEW] {
        assert!(!shown.contains(hash), "{shown}");
    }
    if let Some(source) = error.source() {
        assert_shows_no_hash(source);
    }
}

#[tokio::test]
async fn a_hash_is_replaced_once_and_nothing_else_is_touched() {
    for site in Site::each() {
        with_users(&site, "BIGINT PRIMARY KEY", "TEXT").await;
        let columns = Columns { hash_changed_at: Some("at".into()), ..small().columns };
        let directory = site.open_writable(Mapping { columns, ..small() }).await;
        assert!(replace(&directory, OLD).await.unwrap());
        assert!(!replace(&directory, OLD).await.unwrap());
        assert_eq!(hashes(&directory).await, [NEW, OLD]);
        let changed = "SELECT COUNT(*) FROM users WHERE at <> '2016-06-08'";
        assert_eq!(site.number(changed).await, 0);
    }
}

#[tokio::test]
async fn a_change_of_the_persons_own_wins() {
    for site in Site::each() {
        with_users(&site, "BIGINT PRIMARY KEY", "TEXT").await;
        let directory = site.open_writable(small()).await;
        for theirs in [format!("'{OTHER}'"), "'!unusable'".into(), "''".into(), "NULL".into()] {
            site.run(&[&format!("UPDATE users SET hash = {theirs} WHERE id = 1")]).await;
            assert!(!replace(&directory, OLD).await.unwrap(), "{theirs}");
            let kept = format!("SELECT COUNT(*) FROM users WHERE id = 1 AND hash = '{NEW}'");
            assert_eq!(site.number(&kept).await, 0);
        }
        site.run(&["DELETE FROM users WHERE id = 1"]).await;
        assert!(!replace(&directory, OLD).await.unwrap());
        assert_eq!(hashes(&directory).await, [OLD]);
    }
}

#[tokio::test]
async fn of_many_at_once_one_wins() {
    for site in Site::each() {
        with_users(&site, "BIGINT PRIMARY KEY", "TEXT").await;
        let directory = site.open_writable(small()).await;
        let attempts = (0..20).map(|number| {
            let directory = directory.clone();
            tokio::spawn(async move {
                let new = hash(&format!("{NEW}{number}"));
                replace_if(&directory, &id("1"), &hash(OLD), &new).await.unwrap()
            })
        });
        let mut winners = Vec::new();
        for (number, attempt) in attempts.collect::<Vec<_>>().into_iter().enumerate() {
            if attempt.await.unwrap() {
                winners.push(format!("{NEW}{number}"));
            }
        }
        assert_eq!(winners.len(), 1);
        assert_eq!(hashes(&directory).await[0], winners[0]);
    }
}

#[tokio::test]
async fn ids_of_every_type_are_hit_exactly() {
    for (type_name, keys, strangers) in ID_TYPES {
        for site in Site::each() {
            let type_name = site.key_type(type_name);
            let table =
                format!("CREATE TABLE users (id {type_name} PRIMARY KEY, email TEXT, hash TEXT)");
            let row =
                |key: &str| format!("('{}', 'a@b.example', '{OLD}')", key.replace('\'', "''"));
            let rows = keys.map(row).join(", ");
            site.run(&[&table, &format!("INSERT INTO users VALUES {rows}")]).await;
            let directory = site.open_writable(small()).await;
            for stranger in *strangers {
                assert!(!replace_of(&directory, stranger).await, "{type_name} {stranger}");
            }
            assert!(replace_of(&directory, keys[1]).await, "{type_name}");
            let one = format!("SELECT COUNT(*) FROM users WHERE hash = '{NEW}'");
            assert_eq!(site.number(&one).await, 1, "{type_name}");
            let account = &directory.by_ids(&[id(keys[1])]).await.unwrap()[0];
            assert_eq!(account.credential.as_ref().unwrap().hash().expose(), NEW);
        }
    }
}

#[tokio::test]
async fn an_id_that_only_the_database_thinks_equal_is_somebody_elses() {
    for site in Site::each() {
        let id_type = folding(&site).await;
        let table = format!("CREATE TABLE users (id {id_type} PRIMARY KEY, email TEXT, hash TEXT)");
        let row = format!("INSERT INTO users VALUES ('Bo', 'a@b.example', '{OLD}')");
        site.run(&[&table, &row]).await;
        let directory = site.open_writable(small()).await;
        assert!(!replace_of(&directory, "bo").await);
        assert_eq!(hashes(&directory).await, [OLD]);
    }
}

#[tokio::test]
async fn spaces_at_the_end_are_part_of_a_hash_where_the_column_keeps_them() {
    for site in Site::each() {
        with_users(&site, "BIGINT PRIMARY KEY", "VARCHAR(40)").await;
        site.run(&["UPDATE users SET hash = hash || '  '"]).await;
        let directory = site.open_writable(small()).await;
        assert!(!replace(&directory, OLD).await.unwrap());
        assert!(replace(&directory, &format!("{OLD}  ")).await.unwrap());
    }
    for padded in [Site::postgres(), Site::mariadb()] {
        with_users(&padded, "BIGINT PRIMARY KEY", "CHAR(40)").await;
        let directory = padded.open_writable(small()).await;
        assert!(replace(&directory, OLD).await.unwrap());
        assert_eq!(hashes(&directory).await, [NEW, OLD]);
    }
}

#[tokio::test]
async fn two_rows_of_one_id_are_refused() {
    for site in Site::each() {
        with_users(&site, "BIGINT", "TEXT").await;
        let directory = site.open_writable(small()).await;
        site.run(&["UPDATE users SET id = 1"]).await;
        let error = replace(&directory, OLD).await.unwrap_err();
        assert!(matches!(error, WriteError::Repeated { rows: 2, .. }), "{error}");
        assert!(error.to_string().starts_with("2 rows have the id 1, so"), "{error}");
        let changed = format!("SELECT COUNT(*) FROM users WHERE hash = '{NEW}'");
        assert_eq!(site.number(&changed).await, 0);
    }
}

#[tokio::test]
async fn what_cannot_be_written_to_is_named_by_its_setting() {
    for site in Site::each() {
        with_users(&site, "BIGINT PRIMARY KEY", "TEXT").await;
        let query = refused(&site, small_from("SELECT * FROM users")).await;
        assert!(matches!(query, WriteError::Query));
        assert!(query.to_string().contains("`directory.write.table`"), "{query}");
        let read_only = replace(&site.open(small()).await, OLD).await;
        assert!(matches!(read_only, Err(WriteError::NotConfigured)));
    }
}

#[tokio::test]
async fn without_the_grant_nothing_is_replaced() {
    let site = Site::postgres();
    with_users(&site, "BIGINT PRIMARY KEY", "TEXT").await;
    site.run(&["CREATE ROLE sealer LOGIN", "GRANT SELECT ON users TO sealer"]).await;
    let url = site.url.replace("postgres@", "sealer@");
    let directory = directory::open(&url, Some(&url), small()).await.unwrap();
    let error = replace(&directory, OLD).await.unwrap_err();
    assert!(error.to_string().contains("permission denied for table users"), "{error}");
    site.run(&["GRANT UPDATE (hash) ON users TO sealer"]).await;
    assert!(replace(&directory, OLD).await.unwrap());
}

#[tokio::test]
async fn a_database_that_holds_back_is_not_a_person_who_was_first() {
    let sqlite = Site::sqlite();
    with_users(&sqlite, "BIGINT PRIMARY KEY", "TEXT").await;
    sqlite
        .run(&["CREATE TRIGGER hold BEFORE UPDATE ON users BEGIN SELECT RAISE(IGNORE); END"])
        .await;
    let postgres = Site::postgres();
    with_users(&postgres, "BIGINT PRIMARY KEY", "TEXT").await;
    postgres
        .run(&[
            "CREATE FUNCTION hold() RETURNS TRIGGER AS 'BEGIN RETURN NULL; END' LANGUAGE plpgsql",
            "CREATE TRIGGER hold BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION hold()",
        ])
        .await;
    for site in [sqlite, postgres] {
        let error = refused(&site, small()).await;
        assert!(matches!(error, WriteError::Untouched { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_hash_that_the_database_alters_is_not_written() {
    let sqlite = Site::sqlite();
    sqlite
        .run(&[
            "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash INTEGER)",
            "INSERT INTO users VALUES (1, 'a@b.example', 5)",
        ])
        .await;
    let directory = sqlite.open_writable(small()).await;
    let altered = replace_if(&directory, &id("1"), &hash("5"), &hash("007")).await;
    assert!(matches!(altered, Err(WriteError::Altered { .. })));
    assert_eq!(hashes(&directory).await, ["5"]);

    let postgres = Site::postgres();
    with_users(&postgres, "BIGINT PRIMARY KEY", "TEXT").await;
    postgres
        .run(&[
            "CREATE FUNCTION shout() RETURNS TRIGGER AS \
         'BEGIN NEW.hash = UPPER(NEW.hash); RETURN NEW; END' LANGUAGE plpgsql",
            "CREATE TRIGGER shout BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION shout()",
        ])
        .await;
    let mariadb = Site::mariadb();
    with_users(&mariadb, "BIGINT PRIMARY KEY", "TEXT").await;
    mariadb
        .run(&["CREATE TRIGGER shout BEFORE UPDATE ON users FOR EACH ROW \
                SET NEW.hash = UPPER(NEW.hash)"])
        .await;
    for site in [postgres, mariadb] {
        let altered = refused(&site, small()).await;
        assert!(matches!(altered, WriteError::Altered { .. }), "{altered}");
    }
}

#[tokio::test]
async fn a_hash_that_a_trigger_puts_back_afterwards_is_not_written() {
    let sqlite = Site::sqlite();
    with_users(&sqlite, "BIGINT PRIMARY KEY", "TEXT").await;
    sqlite
        .run(&["CREATE TRIGGER back AFTER UPDATE OF hash ON users WHEN NEW.hash <> OLD.hash \
                BEGIN UPDATE users SET hash = OLD.hash WHERE id = OLD.id; END"])
        .await;
    let postgres = Site::postgres();
    with_users(&postgres, "BIGINT PRIMARY KEY", "TEXT").await;
    postgres
        .run(&[
            "CREATE FUNCTION back() RETURNS TRIGGER AS 'BEGIN UPDATE users SET hash = OLD.hash \
             WHERE id = OLD.id; RETURN NULL; END' LANGUAGE plpgsql",
            "CREATE TRIGGER back AFTER UPDATE OF hash ON users FOR EACH ROW \
             WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION back()",
        ])
        .await;
    for site in [sqlite, postgres] {
        let error = refused(&site, small()).await;
        assert!(matches!(error, WriteError::Altered { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_view_is_written_through() {
    for site in [Site::sqlite(), Site::postgres()] {
        with_users(&site, "BIGINT PRIMARY KEY", "TEXT").await;
        site.run(&[
            "ALTER TABLE users RENAME TO people",
            "CREATE VIEW users AS SELECT * FROM people",
        ])
        .await;
        if site.kind() == Kind::Sqlite {
            site.run(&["CREATE TRIGGER through INSTEAD OF UPDATE ON users BEGIN \
                        UPDATE people SET hash = NEW.hash WHERE id = NEW.id; END"])
                .await;
        }
        let directory = site.open_writable(small()).await;
        assert!(replace(&directory, OLD).await.unwrap());
        assert_eq!(hashes(&directory).await, [NEW, OLD]);
    }
}

#[tokio::test]
async fn no_refusal_shows_a_hash() {
    let check = Site::each();
    for site in &check {
        with_users(site, "BIGINT PRIMARY KEY", &format!("TEXT CHECK (hash = '{OLD}')")).await;
    }
    let unique = Site::each();
    for site in &unique {
        with_users(site, "BIGINT PRIMARY KEY", "TEXT").await;
        let index = site.word("hash", "hash", "hash(80)");
        site.run(&[
            &format!("UPDATE users SET hash = '{NEW}' WHERE id = 2"),
            &format!("CREATE UNIQUE INDEX one ON users ({index})"),
        ])
        .await;
    }
    let hidden = Site::postgres();
    with_users(&hidden, "BIGINT PRIMARY KEY", "TEXT").await;
    let view =
        format!("CREATE VIEW users AS SELECT * FROM people WHERE hash = '{OLD}' WITH CHECK OPTION");
    hidden.run(&["ALTER TABLE users RENAME TO people", &view]).await;
    let talkative = Site::postgres();
    with_users(&talkative, "BIGINT PRIMARY KEY", "TEXT").await;
    talkative
        .run(&[
            "CREATE FUNCTION tell() RETURNS TRIGGER AS \
         'BEGIN RAISE ''no % for %'', NEW.hash, OLD.hash; END' LANGUAGE plpgsql",
            "CREATE TRIGGER tell BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION tell()",
        ])
        .await;
    let loud = Site::mariadb();
    with_users(&loud, "BIGINT PRIMARY KEY", "TEXT").await;
    loud.run(&["CREATE TRIGGER tell BEFORE UPDATE ON users FOR EACH ROW BEGIN \
                DECLARE said TEXT DEFAULT CONCAT('no ', NEW.hash, ' for ', OLD.hash); \
                SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = said; END"])
        .await;
    for site in check.into_iter().chain(unique).chain([hidden, talkative, loud]) {
        let error = refused(&site, small()).await;
        assert!(matches!(error, WriteError::Refused { .. }), "{error}");
    }
}

fn as_bytes(site: &Site, text: &str) -> String {
    let [begin, end] =
        site.word(["CAST(", " AS BLOB)"], ["convert_to(", ", 'UTF8')"], ["CAST(", " AS BINARY)"]);
    format!("{begin}'{text}'{end}")
}

/// What a row of bytes holds afterwards, in the database's own words.
async fn forms(site: &Site, account: u32) -> (bool, bool) {
    let kind = site.word(
        "typeof(hash) = 'blob'",
        "pg_typeof(hash)::text = 'bytea'",
        "COLLATION(hash) = 'binary'",
    );
    let bytes = |text: &str| as_bytes(site, text);
    let count = |condition: String| {
        format!("SELECT COUNT(*) FROM users WHERE id = {account} AND {condition}")
    };
    let is_bytes = site.number(&count(kind.to_owned())).await == 1;
    let is_new = site.number(&count(format!("hash = {}", bytes(NEW)))).await == 1;
    (is_bytes, is_new)
}

#[tokio::test]
async fn a_column_of_bytes_is_read_and_written_as_bytes() {
    for site in Site::each() {
        let hash_type = site.word("BLOB", "BYTEA", "BLOB");
        let [old, unusable] = [OLD, "!"].map(|text| as_bytes(&site, text));
        site.run(&[
            &format!("CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash {hash_type})"),
            &format!("INSERT INTO users VALUES (1, 'a@b.example', {old})"),
            &format!("INSERT INTO users VALUES (2, 'c@d.example', {unusable})"),
            "INSERT INTO users VALUES (3, 'e@f.example', NULL)",
        ])
        .await;
        let directory = site.open_writable(small()).await;
        assert_eq!(directory.check().await.unwrap().write, WriteGrant::Granted);
        assert_eq!(hashes(&directory).await, [OLD, "", ""]);
        assert!(directory.look(&id("1")).await.unwrap().is(&hash(OLD)));
        assert!(!replace(&directory, OTHER).await.unwrap());
        assert!(replace(&directory, OLD).await.unwrap());
        assert_eq!(hashes(&directory).await, [NEW, "", ""]);
        assert_eq!(forms(&site, 1).await, (true, true));
        assert!(replace_if(&directory, &id("1"), &hash(NEW), &hash(OLD)).await.unwrap());
        assert_eq!(hashes(&directory).await, [OLD, "", ""]);
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_hide_nobody_else() {
    for site in Site::each() {
        let blob = ("BLOB", "x'00ff80'");
        let (hash_type, binary) = site.word(blob, ("BYTEA", "'\\x00ff80'::bytea"), blob);
        site.run(&[
            &format!("CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash {hash_type})"),
            &format!("INSERT INTO users VALUES (1, 'a@b.example', {binary})"),
        ])
        .await;
        let directory = site.open_writable(small()).await;
        let read = hashes(&directory).await;
        assert_eq!(read[0].to_lowercase(), "\\x00ff80");
        assert!(replace(&directory, &read[0]).await.unwrap());
        assert_eq!(forms(&site, 1).await, (true, true));
    }
}

#[tokio::test]
async fn rows_of_several_forms_keep_each_its_own() {
    let site = Site::sqlite();
    with_users(&site, "BIGINT PRIMARY KEY", "").await;
    site.run(&["UPDATE users SET hash = CAST(hash AS BLOB) WHERE id = 2"]).await;
    let directory = site.open_writable(small()).await;
    assert_eq!(hashes(&directory).await, [OLD, OLD]);
    for account in ["1", "2"] {
        assert!(replace_of(&directory, account).await, "{account}");
    }
    assert_eq!(hashes(&directory).await, [NEW, NEW]);
    assert_eq!(forms(&site, 1).await, (false, false));
    assert_eq!(forms(&site, 2).await, (true, true));
}

#[tokio::test]
async fn the_text_that_postgresql_makes_of_bytes_stays_such_a_text() {
    for site in Site::each() {
        with_users(&site, "BIGINT PRIMARY KEY", "TEXT").await;
        let slash = site.word("\\", "\\", "\\\\");
        let hex = |text: &str| format!("{slash}x{}", model::canonical::hex_of(text.as_bytes()));
        site.run(&[&format!("UPDATE users SET hash = '{}' WHERE id = 1", hex(OLD))]).await;
        let directory = site.open_writable(small()).await;
        assert_eq!(hashes(&directory).await, [OLD, OLD]);
        assert!(replace(&directory, OLD).await.unwrap());
        let kept = format!("SELECT COUNT(*) FROM users WHERE hash = '{}'", hex(NEW));
        assert_eq!(site.number(&kept).await, 1);
    }
}

#[tokio::test]
async fn a_hash_of_another_type_is_told_beforehand() {
    let site = Site::postgres();
    with_users(&site, "BIGINT PRIMARY KEY", "TEXT").await;
    site.run(&["ALTER TABLE users ALTER hash TYPE jsonb USING to_jsonb(hash)"]).await;
    let directory = site.open_writable(small()).await;
    let WriteGrant::Refused(reason) = directory.try_write().await.unwrap() else { panic!() };
    assert!(reason.contains("jsonb"), "{reason}");
}

#[tokio::test]
async fn a_row_that_its_database_refuses_is_told_from_a_database_that_fails() {
    for site in Site::each() {
        with_users(&site, "BIGINT PRIMARY KEY", "TEXT").await;
        if site.kind() == Kind::Mariadb {
            site.run(&["CREATE TRIGGER staff BEFORE UPDATE ON users FOR EACH ROW BEGIN \
                        IF OLD.id = 1 THEN SIGNAL SQLSTATE '45000' \
                        SET MESSAGE_TEXT = 'staff go by another way'; END IF; END"])
                .await;
        } else if site.kind() == Kind::Postgres {
            site.run(&[
                "CREATE FUNCTION staff() RETURNS TRIGGER AS \
                 'BEGIN RAISE ''staff go by another way''; END' LANGUAGE plpgsql",
                "CREATE TRIGGER staff BEFORE UPDATE ON users FOR EACH ROW WHEN (OLD.id = 1) \
                 EXECUTE FUNCTION staff()",
            ])
            .await;
        } else {
            site.run(&["CREATE TRIGGER staff BEFORE UPDATE ON users WHEN OLD.id = 1 BEGIN \
                        SELECT RAISE(ABORT, 'staff go by another way'); END"])
                .await;
        }
        let directory = site.open_writable(small()).await;
        let error = replace(&directory, OLD).await.unwrap_err();
        assert!(error.is_of_row() && error.to_string().contains("another way"), "{error}");
        assert_eq!(directory.try_write().await.unwrap(), WriteGrant::Granted);
        assert!(replace_of(&directory, "2").await);
    }
}

#[tokio::test]
async fn a_rule_that_speaks_at_the_end_is_told_from_a_lost_answer() {
    let site = Site::postgres();
    with_users(&site, "BIGINT PRIMARY KEY", "TEXT").await;
    site.run(&[
        "CREATE FUNCTION late() RETURNS TRIGGER AS 'BEGIN RAISE ''too late for %'', NEW.hash; END' \
         LANGUAGE plpgsql",
        "CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON users DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION late()",
    ])
    .await;
    let error = refused(&site, small()).await;
    assert!(error.is_of_row() && error.to_string().contains("too late for (a hash)"), "{error}");
}

#[tokio::test]
async fn whether_somebody_is_let_in_is_seen_while_the_row_is_held() {
    for site in Site::each() {
        with_users(&site, "BIGINT PRIMARY KEY", "TEXT").await;
        site.run(&[
            "ALTER TABLE users ADD state TEXT",
            "UPDATE users SET state = 'active', at = NULL",
        ])
        .await;
        let columns = Columns {
            active: Some("state".into()),
            inactive: Some("at".into()),
            ..small().columns
        };
        let directory = site.open_writable(Mapping { columns, ..small() }).await;
        let is_active = async || directory.lock(&id("1")).await.unwrap().is_active();
        assert!(is_active().await);
        for out in ["state = 'banned'", "state = NULL", "state = 'active', at = '2024-05-01'"] {
            site.run(&[&format!("UPDATE users SET {out} WHERE id = 1")]).await;
            assert!(!is_active().await, "{out}");
            let accounts = scan(&directory).await;
            assert_eq!(
                accounts.iter().map(Account::is_deactivated).collect::<Vec<_>>(),
                [true, false]
            );
        }
        site.run(&["UPDATE users SET state = 'pending', at = NULL WHERE id = 1"]).await;
        let held = directory.lock(&id("1")).await.err().unwrap();
        let error = held.to_string();
        assert!(error.starts_with("active of account 1 is `pending`"), "{error}");
        assert!(error.contains("`directory.columns.active`") && !held.is_of_row(), "{error}");
        let read = directory.by_ids(&[id("1")]).await.unwrap().remove(0);
        assert!(read.is_deactivated() && read.unreadable == Some("active"));
    }
}

#[tokio::test]
async fn whether_addresses_are_verified_is_known() {
    let site = Site::sqlite();
    with_users(&site, "BIGINT PRIMARY KEY", "TEXT").await;
    assert!(!site.open(small()).await.capabilities().can(Ability::RecordVerified));
    let columns = Columns { email_verified: Some("at".into()), ..small().columns };
    site.run(&["UPDATE users SET at = 'yes'"]).await;
    assert!(
        site.open(Mapping { columns, ..small() }).await.capabilities().can(Ability::RecordVerified)
    );
}
