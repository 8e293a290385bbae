use sql::{Access, Db, OpenOptions, QueryText, SqlError};

fn options(access: Access) -> OpenOptions {
    OpenOptions { access, connections_max: 1 }
}

#[tokio::test]
async fn nothing_of_ours_is_kept_there() {
    let database = testkit::mariadb().database();
    let refused = Db::open(&database.url, options(Access::Create)).await.unwrap_err();
    let refused = refused.to_string();
    assert!(refused.contains("takes sqlite: or postgres:"), "{refused}");
}

type Told = (i64, String, Vec<u8>, bool, i64, Option<i64>, String);

#[tokio::test]
async fn values_go_in_and_come_out() {
    let url = testkit::mariadb().database().url.replace("mysql:", "mariadb:");
    let db = Db::open(&url, options(Access::Write)).await.unwrap();
    assert!(db.version().await.unwrap().starts_with('M'));
    let mut tx = db.begin().await.unwrap();
    let text = "SELECT $2, $1, $3, $4, CAST($2 AS UNSIGNED), NULL, $1";
    let query = tx.run(&QueryText::composed(text.to_owned()));
    let query = query.bind("it's \\ ünï".to_owned()).bind(7).bind(vec![0_u8, 255]).bind(true);
    let told: Told = query.one().await.unwrap();
    let expected = "it's \\ ünï".to_owned();
    assert_eq!(told, (7, expected.clone(), vec![0, 255], true, 7, None, expected));
    let huge = QueryText::composed("SELECT 18446744073709551615".to_owned());
    let refused = tx.run(&huge).one::<(i64,)>().await.unwrap_err();
    assert!(matches!(refused, SqlError::Column { .. }), "{refused}");
}

#[tokio::test]
async fn columns_are_called_what_they_are() {
    let url = testkit::mariadb().database().url;
    let db = Db::open(&url, options(Access::Write)).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let create = "CREATE TABLE t (a VARCHAR(9) COLLATE utf8mb4_bin, b VARBINARY(9), c LONGTEXT COLLATE utf8mb4_bin, \
                  d BLOB, e CHAR(9) COLLATE latin1_bin, f BINARY(9), g INT UNSIGNED)";
    tx.run(&QueryText::composed(create.to_owned())).execute().await.unwrap();
    let columns = tx.describe(&QueryText::composed("SELECT * FROM t".to_owned())).await.unwrap();
    let types: Vec<_> = columns.iter().map(|column| column.type_name.as_str()).collect();
    let expected = ["VARCHAR", "VARBINARY", "TEXT", "BLOB", "CHAR", "BINARY", "INT UNSIGNED"];
    assert_eq!(types, expected);
}
