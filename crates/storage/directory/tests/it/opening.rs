use directory::{Columns, Mapping, OpenError, Sessions, Source};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::site::{Site, ids, scan, small, small_from};

async fn refusal(site: &Site, mapping: Mapping) -> String {
    let opened = directory::open(&site.url, None, mapping).await;
    opened.unwrap_err().to_string()
}

async fn with_users() -> [Site; 3] {
    let sites = Site::each();
    for site in &sites {
        site.run(&[
            "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT)",
            "INSERT INTO users VALUES (1, 'a@b.example', 'h')",
        ])
        .await;
    }
    sites
}

#[tokio::test]
async fn a_missing_column_is_named_with_those_that_exist() {
    for site in with_users().await {
        let mapping =
            Mapping { columns: Columns { hash: "passwrd".into(), ..small().columns }, ..small() };
        assert_eq!(
            refusal(&site, mapping).await,
            "`directory.columns.hash` is `passwrd`, which is none of the columns: id, email, hash; an \
             empty name leaves out what the site does not record"
        );
    }
}

#[tokio::test]
async fn a_missing_column_beside_the_hash_is_named_by_its_own_setting() {
    for site in with_users().await {
        let beside = [("salt".to_owned(), "slt".to_owned())].into();
        let columns = Columns { beside, ..small().columns };
        let error = refusal(&site, Mapping { columns, ..small() }).await;
        let named = "`directory.hash.columns.salt` is `slt`, which is none of the columns";
        assert!(error.starts_with(named), "{error}");
    }
}

#[tokio::test]
async fn a_missing_table_and_a_wrong_query_are_named_by_their_setting() {
    for site in with_users().await {
        let mapping = Mapping { source: Source::Table("user".into()), ..small() };
        let table = refusal(&site, mapping).await;
        assert!(table.starts_with("`directory.table` cannot be read: "), "{table}");
        let query = refusal(&site, small_from("SELEC 1")).await;
        assert!(query.starts_with("`directory.query` cannot be read: "), "{query}");
    }
}

#[tokio::test]
async fn a_query_cannot_write() {
    for site in with_users().await {
        refusal(&site, small_from("DELETE FROM users RETURNING *")).await;
        let escape = "SELECT * FROM users) AS account; DELETE FROM users; SELECT (1";
        refusal(&site, small_from(escape)).await;
        assert_eq!(site.number("SELECT COUNT(*) FROM users").await, 1);
    }
}

#[tokio::test]
async fn an_id_that_no_text_equals_is_noticed() {
    let site = Site::sqlite();
    site.run(&[
        "CREATE TABLE users (id BLOB PRIMARY KEY, email TEXT, hash TEXT)",
        "INSERT INTO users VALUES (X'6162', 'a@b.example', 'h')",
    ])
    .await;
    let opened = directory::open(&site.url, None, small()).await;
    assert!(matches!(opened, Err(OpenError::NotFoundAgain { .. })));
    let mapping = small_from("SELECT CAST(id AS TEXT) AS id, email, hash FROM users");
    site.open(mapping).await;
}

/// Also where nobody has one yet.
#[tokio::test]
async fn an_id_of_a_type_that_no_text_is_compared_with_is_refused() {
    for type_name in ["INET", "MONEY"] {
        let site = Site::postgres();
        site.run(&[&format!("CREATE TABLE users (id {type_name}, email TEXT, hash TEXT)")]).await;
        let refusal = refusal(&site, small()).await;
        let expected =
            format!("`directory.columns.id` is `id`, of the type {}", type_name.to_lowercase());
        assert!(refusal.starts_with(&expected) && refusal.contains("directory.query"), "{refusal}");
    }
}

#[tokio::test]
async fn a_mapping_that_finds_nobody_or_ends_everybody_is_refused() {
    let [site, ..] = with_users().await;
    let mapping = Mapping { columns: Columns { email: None, ..small().columns }, ..small() };
    assert!(refusal(&site, mapping).await.starts_with("neither `directory.columns.email` nor"));
    let mapping =
        Mapping { sessions: Sessions::Statement("DELETE FROM session".into()), ..small() };
    assert!(refusal(&site, mapping).await.contains("write `{id}`"));
}

#[tokio::test]
async fn an_address_that_does_not_answer_is_named_by_its_setting() {
    let [site, ..] = with_users().await;
    let nowhere = "sqlite:///nonexistent/site.sqlite3";
    let read = directory::open(nowhere, None, small()).await;
    let read = read.unwrap_err().to_string();
    assert!(read.starts_with("`directory.url` could not be opened"), "{read}");
    let write = directory::open(&site.url, Some(nowhere), small()).await;
    let write = write.unwrap_err().to_string();
    assert!(write.starts_with("`directory.write_url` could not be opened"), "{write}");
}

/// What holds for its statements, as the server itself says.
#[tokio::test]
async fn a_look_up_has_an_end_and_a_scan_goes_on() {
    let site = Site::postgres();
    site.run(&["CREATE TABLE users (id BIGINT PRIMARY KEY)", "INSERT INTO users VALUES (1)"]).await;
    let directory = site
        .open(small_from(
            "SELECT id, current_setting('statement_timeout') || ' ' ||
                current_setting('lock_timeout') AS email, 'h' AS hash FROM users",
        ))
        .await;
    let limits = |accounts: Vec<model::Account>| accounts[0].email.clone().unwrap();
    assert_eq!(limits(directory.by_ids(&ids(&["1"])).await.unwrap()), "1min 10s");
    assert_eq!(limits(directory.by_names(&["1min 10s".into()]).await.unwrap()), "1min 10s");
    assert_eq!(limits(scan(&directory).await), "0 10s");
}

/// As while a site changes its table.
#[tokio::test]
async fn nobody_waits_for_ever_for_a_table_that_is_locked() {
    let site = Site::postgres();
    site.run(&["CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT)"]).await;
    let directory = site.open(small()).await;
    let db = site.db().await;
    let mut theirs = db.begin().await.unwrap();
    let lock = sql::QueryText::composed("LOCK TABLE users IN ACCESS EXCLUSIVE MODE".into());
    theirs.run(&lock).execute().await.unwrap();
    let wanted = ids(&["1"]);
    let (looked, counted) = tokio::join!(directory.by_ids(&wanted), directory.count());
    for error in [looked.unwrap_err(), counted.unwrap_err()] {
        assert!(error.to_string().contains("lock timeout"), "{error}");
    }
}

/// A pooler that knows fewer parameters than the server behind it, as pgbouncer does.
async fn pooler_without_options() -> String {
    const REFUSAL: &[u8] = b"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: options\0\0";
    let pooler = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://site@{}/site?sslmode=disable", pooler.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut client, _)) = pooler.accept().await {
            let _ = client.read(&mut [0; 1024]).await;
            let length = u32::try_from(REFUSAL.len() + 4).unwrap().to_be_bytes();
            let _ = client.write_all(&[b"E", &length[..], REFUSAL].concat()).await;
        }
    });
    url
}

/// One that lets parameters pass, and loses what they say: as pgbouncer does that was told to ignore them.
async fn pooler_that_drops_settings(site: &Site) -> String {
    let pooler = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, socket) = (pooler.local_addr().unwrap(), testkit::postgres().socket());
    let socket = socket.join(".s.PGSQL.5432");
    tokio::spawn(async move {
        while let Ok((mut client, _)) = pooler.accept().await {
            let mut server = tokio::net::UnixStream::connect(&socket).await.unwrap();
            tokio::spawn(async move {
                let mut begin = [0; 4096];
                let read = client.read(&mut begin).await.unwrap();
                let asked: &[u8] = b"row_security=off";
                let at = begin.windows(asked.len()).position(|found| found == asked).unwrap();
                begin[at..at + asked.len()].copy_from_slice(b"row_security=on ");
                server.write_all(&begin[..read]).await.unwrap();
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    format!("postgres://postgres@{address}/{}?sslmode=disable", site.database())
}

#[tokio::test]
async fn a_pooler_that_drops_settings_is_refused() {
    let site = Site::postgres();
    site.run(&["CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, hash TEXT)"]).await;
    let url = pooler_that_drops_settings(&site).await;
    let error = directory::open(&url, None, small()).await.unwrap_err();
    assert!(matches!(error, OpenError::Settings), "{error}");
    assert!(error.to_string().contains("to the database itself"), "{error}");
}

#[tokio::test]
async fn a_pooler_is_called_by_its_name() {
    let error = directory::open(&pooler_without_options().await, None, small()).await.unwrap_err();
    let error = error.to_string();
    assert!(error.contains("pooler in transaction mode"), "{error}");
    assert!(error.contains("to the database itself"), "{error}");
}
