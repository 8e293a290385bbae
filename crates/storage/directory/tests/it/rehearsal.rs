//! A rehearsal writes to nothing that people may sign in with.

use std::sync::Arc;

use directory::{Directory, Mapping, Sessions, Source, WriteError, WriteTable};
use model::{InstanceKind, StoredHash};

use crate::site::{Kind, Site, id, replace_if, small};

const USERS: &str = "CREATE TABLE users (id BIGINT PRIMARY KEY, email VARCHAR(80), hash TEXT)";
const ONE: &str = "INSERT INTO users VALUES (1, 'a@b.example', 'old')";
const MARK: &str = "CREATE TABLE countersign_rehearsal (why TEXT)";

/// A copy that says what it is for.
async fn marked(site: Site) -> Site {
    site.run(&[USERS, ONE, MARK]).await;
    site
}

async fn opened(site: &Site, mapping: Mapping) -> Arc<dyn Directory> {
    let kind = InstanceKind::Rehearsal;
    directory::open_for(kind, &site.url, Some(&site.url), mapping).await.unwrap()
}

fn table(path: &str) -> Mapping {
    Mapping { source: Source::Table(path.to_owned()), ..small() }
}

fn written(path: &str) -> Mapping {
    let (table, id) = (path.to_owned(), "id".to_owned());
    Mapping { write: Some(WriteTable { table, id, condition: None }), ..small() }
}

async fn may_write(directory: &Arc<dyn Directory>) {
    directory.try_rehearsal().await.unwrap().unwrap();
    let hash = |text: &str| StoredHash::from_column(Some(text.to_owned())).unwrap();
    for (old, new) in [("old", "new"), ("new", "old")] {
        assert!(replace_if(directory, &id("1"), &hash(old), &hash(new)).await.unwrap());
    }
}

/// Why not: the same at the start and at a write.
async fn refused(directory: &Arc<dyn Directory>) -> String {
    let first = directory.try_rehearsal().await.unwrap().unwrap_err();
    let held = directory.lock(&id("1")).await.err().unwrap();
    let signed_out = directory.end_sessions(&[id("1")]).await.unwrap_err();
    for error in [&first, &held, &signed_out] {
        assert!(error.is_of_rehearsal(), "{error}");
        assert_eq!(error.to_string(), first.to_string());
    }
    first.to_string()
}

#[track_caller]
fn assert_says(error: &str, words: &[&str]) {
    assert!(words.iter().all(|word| error.contains(word)), "{error}");
}

/// The mark that the error asks for, made as it says.
async fn mark_as_told(site: &Site, error: &str) {
    let at = error.find("CREATE TABLE").unwrap();
    site.run(&[&error[at..]]).await;
}

#[tokio::test]
async fn a_table_may_be_written_to_while_its_place_is_marked() {
    for site in Site::each() {
        site.run(&[USERS, ONE]).await;
        let directory = opened(&site, small()).await;
        let error = refused(&directory).await;
        assert_says(
            &error,
            &["`directory.table` leads to", "does not say that it is for rehearsals"],
        );
        mark_as_told(&site, &error).await;
        may_write(&directory).await;
        may_write(&opened(&site, written("users")).await).await;
        site.run(&["DROP TABLE countersign_rehearsal"]).await;
        refused(&directory).await;
        site.run(&[MARK, "DROP TABLE users"]).await;
        assert_says(&refused(&directory).await, &["no table that is there"]);
    }
}

#[tokio::test]
async fn a_mark_elsewhere_does_not_count() {
    let postgres = marked(Site::postgres()).await;
    postgres.run(&["CREATE SCHEMA live", "CREATE TABLE live.users AS SELECT * FROM users"]).await;
    let (copy, live) = (marked(Site::mariadb()).await, Site::mariadb());
    live.run(&[USERS, ONE]).await;
    for (site, live) in [(&postgres, "live"), (&copy, live.database())] {
        let path = format!("{live}.users");
        let mappings =
            [(table(&path), "`directory.table`"), (written(&path), "`directory.write.table`")];
        for (mapping, setting) in mappings {
            let error = refused(&opened(site, mapping).await).await;
            assert_says(&error, &[setting, live, "does not say that it is for rehearsals"]);
        }
        let sessions = Sessions::Django { table: path.clone() };
        let error = refused(&opened(site, Mapping { sessions, ..small() }).await).await;
        assert_says(&error, &["`directory.sessions.django_table`", live]);

        mark_as_told(site, &error).await;
        may_write(&opened(site, table(&path)).await).await;
        may_write(&opened(site, written(&path)).await).await;
    }
}

#[tokio::test]
async fn a_view_may_lead_anywhere() {
    for site in Site::each() {
        site.run(&[USERS, ONE, MARK, "ALTER TABLE users RENAME TO people"]).await;
        site.run(&["CREATE VIEW users AS SELECT * FROM people"]).await;
        if site.kind() == Kind::Sqlite {
            site.run(&["CREATE TRIGGER led INSTEAD OF UPDATE ON users BEGIN \
                        UPDATE people SET hash = NEW.hash WHERE id = NEW.id; END"])
                .await;
        }
        let directory = opened(&site, small()).await;
        assert_says(&refused(&directory).await, &["`directory.table` names", "a view"]);
        let directory = opened(&site, table("people")).await;
        may_write(&directory).await;
    }
}

#[tokio::test]
async fn the_search_path_tells_which_table_is_meant() {
    let site = marked(Site::postgres()).await;
    site.run(&["CREATE SCHEMA live", "CREATE TABLE live.users AS SELECT * FROM users"]).await;
    let live = Site::at(&format!("{}&options=-csearch_path%3Dlive,public", site.url));
    let error = refused(&opened(&live, small()).await).await;
    assert_says(&error, &["\"live\".countersign_rehearsal"]);
    let copy = Site::at(&format!("{}&options=-csearch_path%3Dpublic,live", site.url));
    may_write(&opened(&copy, small()).await).await;
}

#[tokio::test]
async fn a_change_reaches_partitions_heirs_and_rules() {
    let site = marked(Site::postgres()).await;
    let directory = opened(&site, small()).await;
    site.run(&["CREATE SCHEMA live", "CREATE TABLE heirs () INHERITS (users)"]).await;
    may_write(&directory).await;
    site.run(&["CREATE TABLE live.grandchildren () INHERITS (heirs)"]).await;
    assert_says(&refused(&directory).await, &["\"live\".countersign_rehearsal"]);
    site.run(&["DROP TABLE heirs CASCADE"]).await;
    may_write(&directory).await;
    site.run(&["CREATE RULE led AS ON UPDATE TO users DO ALSO NOTHING"]).await;
    assert_says(&refused(&directory).await, &["a table with a rule"]);

    site.run(&[
        "CREATE TABLE parted (id BIGINT PRIMARY KEY, email TEXT, hash TEXT) \
         PARTITION BY RANGE (id)",
        "CREATE TABLE low PARTITION OF parted FOR VALUES FROM (0) TO (10)",
        "INSERT INTO parted SELECT * FROM users",
    ])
    .await;
    let directory = opened(&site, table("parted")).await;
    may_write(&directory).await;
    site.run(&["CREATE TABLE live.high PARTITION OF parted FOR VALUES FROM (10) TO (20)"]).await;
    assert_says(&refused(&directory).await, &["`directory.table`", "\"live\""]);
}

#[tokio::test]
async fn a_foreign_table_leads_to_another_database() {
    let (site, live) = (Site::postgres(), Site::postgres());
    live.run(&[USERS, ONE]).await;
    let (_, socket) = site.url.split_once("?host=").unwrap();
    site.run(&[
        MARK,
        "CREATE EXTENSION postgres_fdw",
        &format!(
            "CREATE SERVER live FOREIGN DATA WRAPPER postgres_fdw \
             OPTIONS (host '{socket}', dbname '{}')",
            live.database()
        ),
        "CREATE USER MAPPING FOR CURRENT_USER SERVER live OPTIONS (user 'postgres')",
        "IMPORT FOREIGN SCHEMA public LIMIT TO (users) FROM SERVER live INTO public",
    ])
    .await;
    let error = refused(&opened(&site, small()).await).await;
    assert_says(&error, &["`directory.table` names, or leads to, a foreign table"]);
}

#[tokio::test]
async fn an_engine_that_keeps_no_rows_itself_leads_elsewhere() {
    let (site, live) = (Site::mariadb(), Site::mariadb());
    let users = format!("{USERS} ENGINE = MyISAM");
    live.run(&[&users, ONE]).await;
    let merged = format!("{USERS} ENGINE = MERGE UNION = ({}.users)", live.database());
    site.run(&[MARK, &merged]).await;
    let error = refused(&opened(&site, small()).await).await;
    assert_says(&error, &["a table of the engine MRG_MyISAM"]);
}

#[tokio::test]
async fn what_is_written_to_by_no_name_is_not_for_rehearsals() {
    let site = marked(Site::sqlite()).await;
    let mapping = Mapping { source: Source::Query("SELECT * FROM users".into()), ..small() };
    let directory = opened(&site, mapping).await;
    let untold = directory.try_rehearsal().await.unwrap().unwrap_err();
    assert!(matches!(untold, WriteError::Query), "{untold}");
}
