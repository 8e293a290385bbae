//! Who has changed since we last looked.

use std::sync::Arc;

use directory::{Ability, ChangeMark, Columns, Directory, Mapping, ReadError};
use futures_util::TryStreamExt;

use crate::site::{Kind, Site, small};

/// Types of a change column, and what a site writes there for 12:00, 15:00, 18:00 and a time that
/// is yet to come.
const FORMS: [(Kind, &str, [&str; 4]); 9] = [
    (Kind::Sqlite, "TEXT", ISO),
    (Kind::Sqlite, "DATETIME", ISO),
    (Kind::Sqlite, "INTEGER", ["1465387200", "1465398000", "1465408800", "4102444800"]),
    (Kind::Postgres, "TIMESTAMPTZ", ISO),
    (Kind::Postgres, "TIMESTAMP", ISO),
    (
        Kind::Postgres,
        "BIGINT",
        ["1465387200000", "1465398000000", "1465408800000", "4102444800000"],
    ),
    (
        Kind::Mariadb,
        "TIMESTAMP(3) NULL",
        [
            "'2016-06-08 12:00:00.25'",
            "'2016-06-08 15:00:00.25'",
            "'2016-06-08 18:00:00.25'",
            "'2036-01-01 00:00:00.00'",
        ],
    ),
    (Kind::Mariadb, "DATETIME", ISO),
    (Kind::Mariadb, "VARCHAR(40)", ISO),
];

const ISO: [&str; 4] = [
    "'2016-06-08 12:00:00.25'",
    "'2016-06-08 15:00:00.25'",
    "'2016-06-08 18:00:00.25'",
    "'2100-01-01 00:00:00.00'",
];

fn with_changes() -> Mapping {
    Mapping {
        columns: Columns { changed_at: Some("changed".into()), ..small().columns },
        ..small()
    }
}

async fn changed(directory: &Arc<dyn Directory>, mark: &ChangeMark) -> (Vec<String>, ChangeMark) {
    let changes = directory.changed_since(Some(mark)).await.unwrap();
    let mark = changes.mark.clone();
    let accounts: Vec<_> = changes.accounts.try_collect().await.unwrap();
    let mut ids: Vec<_> = accounts.iter().map(|account| account.id.as_str().to_owned()).collect();
    ids.sort();
    (ids, mark)
}

#[tokio::test]
async fn changes_are_told_once_the_mark_is_behind_them() {
    for (database, column_type, [noon, three, six, future]) in FORMS {
        let site = Site::of(database);
        site.run(&[
            &format!(
                "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT, \
                 changed {column_type})"
            ),
            &format!("INSERT INTO users VALUES (1, 'a', 'h', {noon}), (2, 'b', 'h', NULL)"),
            &format!("INSERT INTO users VALUES (3, 'c', 'h', {noon})"),
        ])
        .await;
        let directory = site.open(with_changes()).await;
        assert!(directory.capabilities().can(Ability::TellChanges));
        let begin = directory.changed_since(None).await.unwrap();
        let mark = begin.mark.clone();
        assert_eq!(begin.accounts.try_collect::<Vec<_>>().await.unwrap().len(), 0);

        // Two share the time of the mark: both come again.
        assert_eq!(changed(&directory, &mark).await.0, ["1", "3"], "{column_type}");
        let change = format!("UPDATE users SET changed = {three} WHERE id = 1");
        site.run(&[&change]).await;
        let (ids, mark) = changed(&directory, &mark).await;
        assert_eq!(ids, ["1", "3"], "{column_type}");

        // By now the mark is three hours behind those that did not change.
        let mark = ChangeMark::new(mark.as_str().to_owned());
        assert_eq!(changed(&directory, &mark).await.0, ["1"], "{column_type}");

        // A wrong date is told each time, and hides nothing.
        let wrong = format!("UPDATE users SET changed = {future} WHERE id = 3");
        site.run(&[&wrong]).await;
        let (ids, mark) = changed(&directory, &mark).await;
        assert_eq!(ids, ["1", "3"], "{column_type}");
        site.run(&[&format!("UPDATE users SET changed = {six} WHERE id = 2")]).await;
        assert_eq!(changed(&directory, &mark).await.0, ["1", "2", "3"], "{column_type}");
    }
}

#[tokio::test]
async fn the_first_change_of_all_is_told() {
    for site in Site::each() {
        site.run(&[
            "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT, changed TIMESTAMP NULL)",
            "INSERT INTO users VALUES (1, 'a', 'h', NULL)",
        ])
        .await;
        let directory = site.open(with_changes()).await;
        let mark = directory.changed_since(None).await.unwrap().mark;
        assert!(changed(&directory, &mark).await.0.is_empty());
        site.run(&["UPDATE users SET changed = '2016-06-08 12:00:00'"]).await;
        assert_eq!(changed(&directory, &mark).await.0, ["1"]);
    }
}

#[tokio::test]
async fn what_committed_late_is_told() {
    for site in Site::each() {
        site.run(&[
            "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT, changed TIMESTAMP NULL)",
            "INSERT INTO users VALUES (1, 'a', 'h', '2016-06-08 12:00:00')",
        ])
        .await;
        let directory = site.open(with_changes()).await;
        let mark = directory.changed_since(None).await.unwrap().mark;
        site.run(&["INSERT INTO users VALUES (2, 'b', 'h', '2016-06-08 11:00:00')"]).await;
        assert_eq!(changed(&directory, &mark).await.0, ["1", "2"]);
    }
}

#[tokio::test]
async fn without_a_column_or_with_another_ones_mark_nothing_is_told() {
    for site in Site::each() {
        site.run(&[
            "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT, changed TIMESTAMP NULL)",
        ])
        .await;
        let silent = site.open(small()).await;
        assert!(!silent.capabilities().can(Ability::TellChanges));
        assert!(matches!(silent.changed_since(None).await, Err(ReadError::NoChanges)));
        let directory = site.open(with_changes()).await;
        let odd = ChangeMark::new("'; DROP TABLE users".to_owned());
        let refused = directory.changed_since(Some(&odd)).await;
        assert!(matches!(refused, Err(ReadError::Mark { .. })), "{refused:?}");
    }
}
