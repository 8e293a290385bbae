use directory::{EndedSessions, Mapping, Sessions, WriteError};

use crate::site::{Kind, Site, ids, small};

async fn with_sessions() -> [Site; 3] {
    let sites = Site::each();
    for site in &sites {
        site.run(&[
            "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT)",
            "CREATE TABLE login (person BIGINT, token TEXT)",
            "INSERT INTO login VALUES (1, 'a'), (1, 'b'), (2, 'c'), (3, 'd')",
        ])
        .await;
    }
    sites
}

/// The account's id in the site's statement.
fn number(site: &Site) -> &'static str {
    site.word("CAST($1 AS BIGINT)", "CAST($1 AS BIGINT)", "CAST($1 AS SIGNED)")
}

fn by_statement(text: &str) -> Mapping {
    Mapping { sessions: Sessions::Statement(text.into()), ..small() }
}

#[tokio::test]
async fn the_sites_own_statement_runs_for_each_account() {
    for site in with_sessions().await {
        let text = format!("DELETE FROM login WHERE person = {};\n", number(&site));
        let directory = site.open_writable(by_statement(&text)).await;
        let ended = directory.end_sessions(&ids(&["1", "3", "4"])).await.unwrap();
        assert_eq!(ended, EndedSessions { deleted: 3, unreadable: 0 });
        assert_eq!(site.number("SELECT person FROM login").await, 2);
    }
}

#[tokio::test]
async fn a_statement_that_fails_half_way_ends_nothing() {
    for site in with_sessions().await {
        let number = number(&site);
        let text = format!(
            "INSERT INTO login (person, token) SELECT {number}, NULL \
             WHERE 1 / (3 - {number}) = 9 OR {number} <> 3"
        );
        // SQLite divides by zero without complaint, so its table refuses the third.
        if site.kind() == Kind::Sqlite {
            site.run(&["CREATE TRIGGER no BEFORE INSERT ON login WHEN NEW.person = 2 \
                        BEGIN SELECT RAISE(ABORT, 'no'); END"])
                .await;
        }
        let directory = site.open_writable(by_statement(&text)).await;
        let failing = site.word("2", "3", "3");
        let error = directory.end_sessions(&ids(&["1", failing])).await;
        assert!(matches!(error, Err(WriteError::Sessions(_))));
        assert_eq!(site.number("SELECT COUNT(*) FROM login").await, 4);
    }
}

#[tokio::test]
async fn an_empty_list_is_an_error_and_never_everybody() {
    for site in with_sessions().await {
        let text = format!("DELETE FROM login WHERE person = {}", number(&site));
        for mapping in [by_statement(&text), small()] {
            let directory = site.open_writable(mapping).await;
            let error = directory.end_sessions(&[]).await;
            assert!(matches!(error, Err(WriteError::Nobody)));
        }
        assert_eq!(site.number("SELECT COUNT(*) FROM login").await, 4);
    }
}

#[tokio::test]
async fn sessions_that_are_not_ours_to_end_stay() {
    for site in with_sessions().await {
        let directory = site.open_writable(small()).await;
        let ended = directory.end_sessions(&ids(&["1"])).await.unwrap();
        assert_eq!(ended, EndedSessions::default());
    }
}
