use sql::{Access, Db, OpenOptions, QueryText, SqlError};

/// What a server says when a pooler has given the connection to somebody else since: what was prepared is
/// gone, or there already.
#[tokio::test]
async fn a_prepared_statement_that_is_gone_or_there_already_is_a_poolers_doing() {
    let options = OpenOptions { access: Access::Write, connections_max: 1 };
    let db = Db::open(&testkit::postgres().database().url, options).await.unwrap();
    for statements in
        [&["DEALLOCATE gone"][..], &["PREPARE one AS SELECT 1", "PREPARE one AS SELECT 2"]]
    {
        let mut tx = db.begin().await.unwrap();
        let (last, before) = statements.split_last().unwrap();
        let text = |text: &str| QueryText::composed(text.to_owned());
        for statement in before {
            tx.run(&text(statement)).execute().await.unwrap();
        }
        let error = tx.run(&text(last)).execute().await.unwrap_err();
        assert!(matches!(error, SqlError::Pooler(_)), "{error}");
        assert!(error.to_string().contains("pool_mode = session"), "{error}");
    }
}
