//! Stores as earlier versions have left them, for tests that go on with one.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "it serves tests alone, and a test that cannot be set up must fail"
)]

use sql::{Access, Db, Migrations, OpenOptions, QueryText};

use crate::schema::SCHEMA;

/// Makes a store of this schema version in an empty database, with these rows: statements in SQLite's
/// spelling, each ending a line with `;`. What PostgreSQL needs besides stands in `/* */`.
pub async fn make_older_store(url: &str, schema: usize, rows: &str) {
    let options = OpenOptions { access: Access::Create, connections_max: 1 };
    let db = Db::open(url, options).await.unwrap();
    db.migrate(until(schema)).await.unwrap();
    let rows = if url.starts_with("sqlite:") { rows.to_owned() } else { for_postgres(rows) };
    let mut tx = db.begin().await.unwrap();
    for row in rows.split(";\n").map(str::trim).filter(|row| is_statement(row)) {
        tx.run(&QueryText::composed(row.to_owned())).execute().await.expect(row);
    }
    tx.commit().await.unwrap();
    db.close().await;
}

const fn until(schema: usize) -> Migrations {
    let (sqlite, _) = SCHEMA.sqlite.split_at(schema);
    let (postgres, _) = SCHEMA.postgres.split_at(schema);
    Migrations { sqlite, postgres }
}

fn for_postgres(rows: &str) -> String {
    let rows = rows.replace("X'", r"'\x").replace("AS BLOB", "AS BYTEA");
    rows.replace("/* ", "").replace(" */", "")
}

fn is_statement(row: &str) -> bool {
    !row.is_empty() && !row.starts_with("/*")
}
