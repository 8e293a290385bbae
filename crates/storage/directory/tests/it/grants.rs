use std::sync::Arc;

use futures_util::TryStreamExt as _;

use directory::{Columns, Directory, Mapping, Sessions, WriteError, WriteGrant};

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
    assert_eq!((report.accounts.all, report.accounts.without_password), (3, 2));
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

/// A role that sees one of three rows, and may write to it.
async fn with_policy(role: &str) -> (Site, String) {
    let grants = [
        &format!("GRANT SELECT ON users TO {role}"),
        &format!("GRANT UPDATE (hash) ON users TO {role}"),
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY own ON users USING (id = 1)",
    ];
    with_role(role, &grants.map(|grant| grant)).await
}

#[tokio::test]
async fn a_role_that_row_security_holds_back_reads_nothing_rather_than_less() {
    let (site, url) = with_policy("tenant").await;
    let hidden = directory::open(&url, None, small()).await.unwrap_err().to_string();
    assert!(hidden.contains("row security") && hidden.contains("BYPASSRLS"), "{hidden}");
    let query = small_from("SELECT * FROM users");
    let hidden = directory::open(&url, None, query).await.unwrap_err().to_string();
    assert!(hidden.contains("BYPASSRLS"), "{hidden}");
    site.run(&["ALTER ROLE tenant BYPASSRLS"]).await;
    let directory = directory::open(&url, Some(&url), small()).await.unwrap();
    let report = directory.check().await.unwrap();
    assert_eq!((report.accounts.all, report.write), (3, WriteGrant::Granted));
}

#[tokio::test]
async fn a_policy_that_comes_later_stops_a_look_at_everybody() {
    let (site, url) = with_role("late_tenant", &["GRANT SELECT ON users TO late_tenant"]).await;
    let directory = directory::open(&url, None, small()).await.unwrap();
    assert_eq!(directory.count().await.unwrap(), 3);
    site.run(&[
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY own ON users USING (id = 1)",
    ])
    .await;
    let scanned: Result<Vec<_>, _> = directory.scan().try_collect().await;
    assert!(scanned.unwrap_err().to_string().contains("BYPASSRLS"));
    assert!(directory.count().await.is_err() && directory.by_ids(&ids(&["1"])).await.is_err());
}

#[tokio::test]
async fn a_writing_role_that_row_security_holds_back_is_no_grant() {
    let (site, url) = with_policy("half_sealer").await;
    let directory = directory::open(&site.url, Some(&url), small()).await.unwrap();
    assert_eq!(directory.count().await.unwrap(), 3);
    refused(&directory, "BYPASSRLS").await;
    let locked = directory.lock(&ids(&["3"])[0]).await.err().unwrap();
    assert!(!locked.is_of_row() && locked.to_string().contains("BYPASSRLS"), "{locked}");
}

#[tokio::test]
async fn a_grant_that_misses_a_column_is_told_beforehand() {
    let (site, url) = with_role(
        "narrow",
        &[
            "ALTER TABLE users ADD is_active BOOLEAN NOT NULL DEFAULT TRUE",
            "GRANT SELECT (id, hash), UPDATE (hash) ON users TO narrow",
        ],
    )
    .await;
    let columns = Columns { active: Some("is_active".into()), ..small().columns };
    let mapping = Mapping { columns, ..small() };
    let directory = directory::open(&site.url, Some(&url), mapping).await.unwrap();
    refused(&directory, "permission denied for table users").await;
    site.run(&["GRANT SELECT (is_active) ON users TO narrow"]).await;
    assert_eq!(directory.try_write().await.unwrap(), WriteGrant::Granted);
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
    for site in Site::each() {
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
    for site in Site::each() {
        site.run(&["CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT)"]).await;
        assert_eq!(
            site.open_writable(small()).await.check().await.unwrap().write,
            WriteGrant::Granted
        );
        let query = site.open_writable(small_from("SELECT * FROM users")).await;
        refused(&query, "set `directory.write.table`").await;
        refused(&site.open_writable(with_django_sessions()).await, "django_session").await;
        let sessions = Sessions::Statement("DELETE FROM nowhere WHERE id = $1".into());
        let mapping = Mapping { sessions, ..small() };
        refused(&site.open_writable(mapping).await, "nowhere").await;
    }
}
