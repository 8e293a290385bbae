use std::sync::Arc;

use directory::{Directory, Mapping, Sessions, WriteError, WriteGrant};

use crate::site::{Site, ids, small, small_from};

/// A site with a role that may do just this.
async fn with_role(role: &str, grants: &[&str]) -> (Site, String) {
    let site = Site::postgres();
    site.run(&[
        "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT)",
        "CREATE TABLE django_session (session_key VARCHAR(40) PRIMARY KEY, session_data TEXT)",
        "INSERT INTO users VALUES (1, 'a@b.example', 'h'), (2, 'c@d.example', NULL), \
         (3, NULL, '!')",
        &format!("CREATE ROLE {role} LOGIN"),
    ])
    .await;
    site.run(grants).await;
    let url = site.url.replace("postgres@", &format!("{role}@"));
    (site, url)
}

fn with_django_sessions() -> Mapping {
    Mapping { sessions: Mapping::django().sessions, ..small() }
}

#[tokio::test]
async fn a_grant_to_read_is_enough_to_read() {
    let (_site, url) = with_role("reader", &["GRANT SELECT ON users TO reader"]).await;
    let directory = directory::open(&url, None, small()).await.unwrap();
    let report = directory.check().await.unwrap();
    assert!(report.database.starts_with("PostgreSQL "), "{}", report.database);
    assert_eq!((report.accounts, report.without_password), (3, 2));
    assert_eq!(report.repeated_ids, 0);
    assert_eq!(report.id_type, "int8");
    let columns = [("id", "id"), ("email", "email"), ("hash", "hash")];
    assert_eq!(report.columns, columns.map(|(field, name)| (field, name.to_owned())));
    assert_eq!(report.write, WriteGrant::NotConfigured);

    let misled = directory::open(&url, Some(&url), small()).await.unwrap();
    refused(&misled, "permission denied for table users").await;
}

#[tokio::test]
async fn a_grant_to_write_is_told_from_half_of_one() {
    let (site, url) = with_role(
        "writer",
        &["GRANT SELECT ON users TO writer", "GRANT UPDATE (hash) ON users TO writer"],
    )
    .await;
    let hashes_only = directory::open(&url, Some(&url), small()).await.unwrap();
    assert_eq!(hashes_only.check().await.unwrap().write, WriteGrant::Granted);

    let both = directory::open(&url, Some(&url), with_django_sessions()).await.unwrap();
    refused(&both, "permission denied for table django_session").await;
    let ended = both.end_sessions(&ids(&["1"])).await.unwrap_err();
    assert!(ended.to_string().contains("permission denied"), "{ended}");

    site.run(&["GRANT SELECT, DELETE ON django_session TO writer"]).await;
    assert_eq!(both.check().await.unwrap().write, WriteGrant::Granted);
}

async fn refused(directory: &Arc<dyn Directory>, because: &str) {
    match directory.check().await.unwrap().write {
        WriteGrant::Refused(reason) => assert!(reason.contains(because), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_reading_connection_cannot_write() {
    let site = Site::postgres();
    site.run(&[
        "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT)",
        "INSERT INTO users VALUES (1, 'a@b.example', 'h')",
        "CREATE FUNCTION spoil() RETURNS TEXT AS 'DELETE FROM users; SELECT ''h''' LANGUAGE SQL",
    ])
    .await;
    let query = "SELECT id, email, spoil() AS hash FROM users";
    let opened = directory::open(&site.url, None, small_from(query)).await;
    let error = opened.unwrap_err().to_string();
    assert!(error.contains("read-only transaction"), "{error}");
    assert_eq!(site.number("SELECT COUNT(*) FROM users").await, 1);
}

#[tokio::test]
async fn without_a_second_address_nothing_is_written() {
    for site in Site::both() {
        site.run(&["CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT)"]).await;
        for mapping in [small(), with_django_sessions()] {
            let directory = site.open(mapping).await;
            let error = directory.end_sessions(&ids(&["1"])).await.unwrap_err();
            assert!(matches!(error, WriteError::NotConfigured));
            assert!(error.to_string().contains("`directory.write_url`"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_query_and_a_wrong_session_setting_are_no_grant() {
    for site in Site::both() {
        site.run(&["CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT)"]).await;
        assert_eq!(
            site.open_writable(small()).await.check().await.unwrap().write,
            WriteGrant::Granted
        );
        let query = site.open_writable(small_from("SELECT * FROM users")).await;
        refused(&query, "set `directory.table`").await;
        refused(&site.open_writable(with_django_sessions()).await, "django_session").await;
        let sessions = Sessions::Statement("DELETE FROM nowhere WHERE id = $1".into());
        let mapping = Mapping { sessions, ..small() };
        refused(&site.open_writable(mapping).await, "nowhere").await;
    }
}
