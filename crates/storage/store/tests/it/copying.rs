use std::collections::BTreeSet;

use futures_util::TryStreamExt as _;
use model::{InstanceKind, NoticeKind};
use store::{
    AnyRow, AnyValue, InstanceRow, NewLeak, NewLogEntry, NewMailRequest, Store, StoreTable,
    TableColumn,
};

use crate::support::{
    LONG, TestStore, frozen, new_file, new_leak, open, sqlite_url, subject, time, worker,
};

/// An instance, a log, a leak, and somebody who was sealed and is to be told.
async fn fill(store: &TestStore) {
    let mut tx = store.tx().await;
    tx.create_instance(&InstanceRow {
        id: "0123456789abcdef0123456789abcdef".to_owned(),
        kind: InstanceKind::Rehearsal,
        created_at: time(5),
        key_check: vec![1, 2, 3],
    })
    .await
    .unwrap();
    let entry = NewLogEntry { campaign: None, body: b"{}".to_vec() };
    tx.append_log(0, time(5), &[entry], 0, &[[7; 32]]).await.unwrap();
    tx.commit().await.unwrap();
    let frozen = frozen(store, 1).await;
    let mut tx = store.tx().await;
    let lease = tx.take_address(frozen.campaign, 0, &worker(1), LONG).await.unwrap().unwrap();
    frozen.seal(&mut tx, 0).await;
    let due = tx.add_notice(frozen.campaign, 0, &[subject("0")], time(7)).await.unwrap();
    assert!(tx.finish_address(&lease, false).await.unwrap());
    tx.begin_notice(due, 1, &worker(1), LONG).await.unwrap();
    tx.put_arming(b"signed", LONG).await.unwrap();
    let (wrapped_key, asked) = (vec![1], vec![2]);
    let asked = NewMailRequest { kind: NoticeKind::ResetLink, source: [1; 32], wrapped_key, asked };
    tx.add_mail_request(asked).await.unwrap();
    tx.commit().await.unwrap();
}

type Table = (&'static StoreTable, Vec<TableColumn>, Vec<AnyRow>);

async fn read(store: &Store) -> Vec<Table> {
    let mut tx = store.read().await.unwrap();
    let mut tables = Vec::new();
    for table in StoreTable::carried() {
        let columns = tx.table_columns(table).await.unwrap();
        let rows = tx.table_rows(table, &columns).try_collect().await.unwrap();
        tables.push((table, columns, rows));
    }
    tables
}

async fn write(store: &Store, tables: &[Table]) {
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.first_used_table().await.unwrap(), None);
    for (table, columns, rows) in tables {
        tx.put_table_rows(table, columns, rows.clone()).await.unwrap();
    }
    tx.count_on().await.unwrap();
    tx.commit().await.unwrap();
}

/// The rows with truth values and leases as any store may have them, in any order.
fn plain(tables: &[Table]) -> Vec<(&'static str, BTreeSet<String>)> {
    let value = |(column, value): (&TableColumn, &AnyValue)| {
        let value = match value {
            _ if column.name == "lease_until" => &AnyValue::Null,
            AnyValue::Boolean(is_so) => &AnyValue::Integer((*is_so).into()),
            value => value,
        };
        format!("{}: {value:?}", column.name)
    };
    let row = |columns: &[TableColumn], AnyRow(row): &AnyRow| {
        let values: BTreeSet<_> = columns.iter().zip(row).map(value).collect();
        format!("{values:?}")
    };
    let table = |(table, columns, rows): &Table| {
        (table.name(), rows.iter().map(|found| row(columns, found)).collect())
    };
    tables.iter().map(table).collect()
}

async fn is_copied(from: TestStore, to: &str) {
    fill(&from).await;
    let tables = read(&from).await;
    let to = TestStore::empty_at(to).await;
    write(&to, &tables).await;
    assert_eq!(plain(&read(&to).await), plain(&tables));
    let used = to.read().await.unwrap().first_used_table().await.unwrap();
    assert_eq!(used.map(StoreTable::name), Some("instance"));
    goes_on(&to).await;
}

/// Numbers, rules and counts are as in the store that was copied, and nobody holds anything.
async fn goes_on(store: &TestStore) {
    let mut tx = store.tx().await;
    assert_eq!(tx.arming().await.unwrap(), None);
    assert_eq!(tx.mail_requests_waiting().await.unwrap(), 0);
    let before = tx.leaks().await.unwrap();
    let leak = NewLeak { spool_key: vec![1], ..new_leak("Another") };
    let leak = tx.add_leak(&leak, &[new_file("b")]).await.unwrap();
    assert!(before.iter().all(|known| known.id < leak), "{leak} of {before:?}");
    tx.commit().await.unwrap();
    let leased = "SELECT COUNT(*) FROM notice WHERE lease_until > 0 OR lease_owner IS NULL";
    assert_eq!(store.ask::<(i64,)>(leased).await, [(0,)]);
    let objection = store.objection("UPDATE log_head SET size = 0").await;
    assert!(objection.contains("only grows"), "{objection}");
    assert!(store.raw("DELETE FROM campaign").await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_in_a_file_is_copied_to_a_server() {
    is_copied(TestStore::sqlite().await, &testkit::postgres().database().url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_on_a_server_is_copied_to_a_file() {
    let (url, _folder) = sqlite_url();
    is_copied(TestStore::postgres().await, &url).await;
}

on_both! {
    every_table_is_known,
    a_column_of_another_type_is_named,
}

async fn every_table_is_known(store: TestStore) {
    let listed = if store.url.starts_with("sqlite:") {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    } else {
        "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()"
    };
    let listed = store.ask::<(String,)>(listed).await.into_iter().map(|(name,)| name);
    let found: BTreeSet<_> = listed.filter(|name| name != "_sqlx_migrations").collect();
    let known = StoreTable::carried().chain(StoreTable::left_out());
    assert_eq!(found, known.map(|table| table.name().to_owned()).collect());
}

async fn a_column_of_another_type_is_named(store: TestStore) {
    store.raw("ALTER TABLE tombstone ADD COLUMN weight REAL").await.unwrap();
    let store = open(&store.url).await;
    let table = StoreTable::carried().find(|table| table.name() == "tombstone").unwrap();
    let error = store.read().await.unwrap().table_columns(table).await.unwrap_err().to_string();
    assert!(error.starts_with("the column `weight` of the table tombstone is of"), "{error}");
}
