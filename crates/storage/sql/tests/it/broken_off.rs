use std::time::Duration;

use sql::{Access, Db, OpenOptions, QueryText};
use tokio::time::timeout;

fn text(statement: &str) -> QueryText {
    QueryText::composed(statement.to_owned())
}

/// A database of each sort, over one connection each.
async fn each() -> (Vec<Db>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite:{}?mode=rwc", folder.path().join("some.db").display());
    let servers = [testkit::postgres().database().url, testkit::mariadb().database().url];
    let mut databases = Vec::new();
    for url in [sqlite].into_iter().chain(servers) {
        let options = OpenOptions { access: Access::Write, connections_max: 1 };
        databases.push(Db::open(&url, options).await.unwrap());
    }
    (databases, folder)
}

/// Whoever takes the connection next writes, and what they write stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_nobody_waits_for_is_over() {
    let (databases, _folder) = each().await;
    for db in databases {
        let mut tx = db.begin().await.unwrap();
        tx.run(&text("CREATE TABLE kept (round INTEGER)")).execute().await.unwrap();
        tx.commit().await.unwrap();
        for round in 0..100 {
            let patience = Duration::from_micros(10 * round);
            let reading = timeout(patience, async {
                let mut tx = db.read().await.unwrap();
                tx.run(&text("SELECT COUNT(*) FROM kept")).one::<(i64,)>().await.unwrap();
                std::future::pending::<()>().await;
            });
            assert!(reading.await.is_err());
            let mut tx = db.begin().await.unwrap();
            let insert = text("INSERT INTO kept VALUES ($1)");
            tx.run(&insert).bind(round.cast_signed()).execute().await.unwrap();
            tx.commit().await.unwrap();
        }
        let mut tx = db.read().await.unwrap();
        let (kept,) = tx.run(&text("SELECT COUNT(*) FROM kept")).one::<(i64,)>().await.unwrap();
        assert_eq!(kept, 100);
    }
}
