use sql::{Access, Db, OpenOptions, QueryText, Record};

/// A database of each sort.
async fn both() -> (Vec<Db>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite:{}", folder.path().join("some.db").display());
    let options = OpenOptions { access: Access::Create, connections_max: 1 };
    let mut databases = Vec::new();
    for url in [sqlite, testkit::postgres().database().url] {
        databases.push(Db::open(&url, options).await.unwrap());
    }
    (databases, folder)
}

async fn answer<R: Record>(db: &Db, text: &str) -> Result<R, String> {
    let mut tx = db.read().await.unwrap();
    let answer = tx.run(&QueryText::composed(text.to_owned())).one().await;
    answer.map_err(|error| error.to_string())
}

/// What is said of a column that cannot be a `T`.
async fn refusal<T: sql::Decode + Send>(db: &Db, text: &str) -> String {
    match answer::<(T,)>(db, &format!("SELECT {text} AS found")).await {
        Ok(_) => panic!("{text} was read"),
        Err(refusal) => refusal,
    }
}

#[tokio::test]
async fn null_is_nothing_but_none() {
    let (databases, _folder) = both().await;
    for db in databases {
        let expected = "the column `found` cannot be read: it holds NULL instead of";
        let null = |type_name: &str| format!("CAST(NULL AS {type_name})");
        assert_eq!(refusal::<i64>(&db, &null("BIGINT")).await, format!("{expected} a number"));
        assert_eq!(refusal::<String>(&db, &null("TEXT")).await, format!("{expected} text"));
        assert_eq!(
            refusal::<bool>(&db, &null("BIGINT")).await,
            format!("{expected} a truth value")
        );
        assert_eq!(refusal::<Vec<u8>>(&db, &null("TEXT")).await, format!("{expected} bytes"));
        let none = answer::<(Option<i64>, Option<String>)>(&db, "SELECT NULL, NULL").await;
        assert_eq!(none, Ok((None, None)));
    }
}

#[tokio::test]
async fn a_value_of_another_type_is_refused() {
    let (databases, _folder) = both().await;
    for db in databases {
        let text = "CAST('12x' AS TEXT)";
        assert!(refusal::<i64>(&db, text).await.ends_with("it holds text instead of a number"));
        assert!(refusal::<Option<i64>>(&db, text).await.ends_with("instead of a number"));
        assert!(refusal::<Vec<u8>>(&db, text).await.ends_with("instead of bytes"));
        assert!(refusal::<String>(&db, "7").await.ends_with("it holds a number instead of text"));
        assert!(refusal::<bool>(&db, "7").await.ends_with("instead of a truth value"));
        let numbers = answer::<(i64, bool)>(&db, "SELECT 7, 1 = 1").await;
        assert_eq!(numbers, Ok((7, true)));
    }
}

#[tokio::test]
async fn a_column_of_sqlite_that_holds_all_types_is_read_value_by_value() {
    let (databases, _folder) = both().await;
    let db = &databases[0];
    let mut tx = db.begin().await.unwrap();
    for text in [
        "CREATE TABLE mixed (place INTEGER PRIMARY KEY, number BIGINT)",
        "INSERT INTO mixed VALUES (1, 12), (2, 'twelve'), (3, 1.5), (4, x'12'), (5, NULL)",
    ] {
        tx.run(&QueryText::composed(text.to_owned())).execute().await.unwrap();
    }
    tx.commit().await.unwrap();
    let at = |place: u8| format!("SELECT number FROM mixed WHERE place = {place}");
    assert_eq!(answer::<(i64,)>(db, &at(1)).await, Ok((12,)));
    let reasons = ["it holds text", "no value of type REAL is read", "it holds bytes"];
    for (place, reason) in (2..).zip(reasons) {
        let refusal = answer::<(Option<i64>,)>(db, &at(place)).await.unwrap_err();
        assert!(refusal.contains(reason), "{refusal}");
    }
    assert_eq!(answer::<(Option<i64>,)>(db, &at(5)).await, Ok((None,)));
}

#[tokio::test]
async fn a_value_that_no_column_can_hold_never_reaches_the_database() {
    struct Huge;
    impl sql::Bind for Huge {
        fn bind(_: Option<Self>) -> Result<sql::Value, sql::Misfit> {
            Err("it is too large".into())
        }
    }
    let (databases, _folder) = both().await;
    for db in databases {
        let mut tx = db.begin().await.unwrap();
        let insert = QueryText::composed("INSERT INTO nowhere VALUES ($1)".to_owned());
        let refusal = tx.run(&insert).bind(Huge).execute().await.unwrap_err();
        assert_eq!(refusal.to_string(), "a value cannot be written: it is too large");
    }
}
