//! Whole campaigns on the tables of applications that are not Django.

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::{Value, json};
use sql::{Access, Db, OpenOptions, QueryText};
use tempfile::TempDir;
use testkit::{devise, laravel, mediawiki, site::SitePerson, wordpress};

use crate::{harness::TestInstance, office::Office};

const QUICK: &str = "canary_addresses = 500";

/// Three whose passwords leak, one of them with what WordPress escapes, and one whose does not.
const PEOPLE: [(&str, &str, &str); 4] = [
    ("1", "ana@example.org", "Grün&Blau-7"),
    ("2", "bo@example.org", "O'Neil \"9\""),
    ("3", "cy@example.org", "Wachs-Kerze 42"),
    ("4", "di@example.org", "nobody knows it"),
];

fn exposed() -> Vec<SitePerson> {
    let person = |(id, email, password): &(&str, &str, &str)| SitePerson {
        id: (*id).to_owned(),
        username: format!("user{id}"),
        email: (*email).to_owned(),
        password: Some((*password).to_owned()),
        kind: "plain".to_owned(),
    };
    PEOPLE[..3].iter().map(person).collect()
}

/// The application's database, as its own programs use it.
struct ApplicationDatabase {
    url: String,
}

impl ApplicationDatabase {
    async fn run(&self, statements: impl IntoIterator<Item = String>) {
        let options = OpenOptions { access: Access::Write, connections_max: 1 };
        let db = Db::open(&self.url, options).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        for text in statements {
            tx.run(&QueryText::composed(text)).execute().await.unwrap();
        }
        tx.commit().await.unwrap();
        db.close().await;
    }

    /// Pairs of texts, by their first.
    async fn pairs(&self, query: &str) -> Vec<(String, String)> {
        let options = OpenOptions { access: Access::Read, connections_max: 1 };
        let db = Db::open(&self.url, options).await.unwrap();
        let query = QueryText::composed(query.to_owned());
        let mut pairs: Vec<(String, String)> =
            db.read().await.unwrap().run(&query).all().await.unwrap();
        db.close().await;
        pairs.sort();
        pairs
    }

    /// A campaign that has been worked through.
    fn campaign(&self, preset: &str) -> Office {
        let instance = TestInstance::of_application(&self.url, preset);
        let office = Office::of_application(instance, &self.url, exposed());
        office.start(QUICK);
        office.work();
        let report = office.report();
        assert_eq!(
            (&report["state"], &report["sealed"], &report["notices"]["sent"]),
            (&json!("done"), &json!(3), &json!(3)),
            "{report:#}"
        );
        let told: BTreeSet<_> = PEOPLE[..3].iter().map(|(_, email, _)| (*email).into()).collect();
        assert_eq!(office.told_once(), told);
        office
    }

    /// Writes old values back, as whoever restores a copy does; those are sealed once more.
    async fn restore(&self, office: &Office, statements: impl IntoIterator<Item = String>) {
        let agreed = office.run(&["reconcile"]).json();
        assert_eq!(agreed["found"], json!({}), "{agreed:#}");
        self.run(statements).await;
        let found = office.run(&["reconcile"]);
        let found: Value = serde_json::from_str(&found.stdout).unwrap();
        assert_eq!(found["found"], json!({"put_back": 3}), "{found:#}");
    }
}

/// In which application's tables the reader of a rehearsal may write.
const REHEARSAL: &str = "CREATE TABLE countersign_rehearsal (why VARCHAR(9))";

/// WordPress escapes what is typed before it hashes it.
fn slashed(password: &str) -> String {
    password.replace('\\', "\\\\").replace('\'', "\\'").replace('"', "\\\"")
}

#[tokio::test(flavor = "multi_thread")]
async fn wordpress_lets_nobody_in_by_a_leaked_password() {
    let site = ApplicationDatabase { url: testkit::mariadb().database().url };
    let schema: Vec<String> = serde_json::from_value(wordpress("schema", "blog_")).unwrap();
    let typed: Vec<_> = PEOPLE.iter().map(|(.., password)| slashed(password)).collect();
    let hashes = wordpress("hash", &json!(typed).to_string());
    let hashes: Vec<String> = serde_json::from_value(hashes).unwrap();
    let user = |((id, email, _), hash): (&(&str, &str, &str), &String)| {
        format!(
            "INSERT INTO blog_users (ID, user_login, user_email, user_pass) VALUES ({id}, \
             'user{id}', '{email}', '{hash}')"
        )
    };
    let users = PEOPLE.iter().zip(&hashes).map(user);
    let session = |(id, ..): &(&str, &str, &str)| {
        format!("INSERT INTO blog_usermeta (user_id, meta_key) VALUES ({id}, 'session_tokens')")
    };
    let lax = "SET sql_mode = ''".to_owned();
    let made = [lax, REHEARSAL.to_owned()].into_iter().chain(schema).chain(users);
    site.run(made.chain(PEOPLE.iter().map(session))).await;

    let office = site.campaign("wordpress");
    let opens = async || -> Vec<bool> {
        let now = "SELECT CAST(ID AS CHAR), user_pass FROM blog_users";
        let now = site.pairs(now).await;
        let pairs: Vec<_> = typed.iter().zip(now).map(|(typed, (_, hash))| (typed, hash)).collect();
        let opened = wordpress("opens", &json!(pairs).to_string());
        serde_json::from_value(opened).unwrap()
    };
    assert_eq!(opens().await, [false, false, false, true]);
    let sessions = "SELECT CAST(user_id AS CHAR), meta_key FROM blog_usermeta";
    assert_eq!(site.pairs(sessions).await, [("4".to_owned(), "session_tokens".to_owned())]);
    let back = (1..=3)
        .zip(&hashes)
        .map(|(id, hash)| format!("UPDATE blog_users SET user_pass = '{hash}' WHERE ID = {id}"));
    site.restore(&office, back).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mediawiki_lets_nobody_in_by_a_leaked_password() {
    let site = ApplicationDatabase { url: testkit::mariadb().database().url };
    let schema: Vec<String> = serde_json::from_value(mediawiki("schema", "wiki_")).unwrap();
    let typed: Vec<_> = PEOPLE.iter().map(|(.., password)| *password).collect();
    let hashes = mediawiki("hash", &json!(typed).to_string());
    let hashes: Vec<String> = serde_json::from_value(hashes).unwrap();
    let user = |((id, email, _), hash): (&(&str, &str, &str), &String)| {
        let token = id.repeat(32);
        format!(
            "INSERT INTO wiki_user (user_id, user_name, user_email, user_password, user_newpassword, \
             user_touched, user_token, user_email_authenticated) VALUES ({id}, 'User{id}', '{email}', \
             '{hash}', '', '20260101000000', '{token}', '20260101000000')"
        )
    };
    let users = PEOPLE.iter().zip(&hashes).map(user);
    site.run([REHEARSAL.to_owned()].into_iter().chain(schema).chain(users)).await;

    let office = site.campaign("mediawiki");
    let now = site
        .pairs("SELECT CAST(user_id AS CHAR), CONVERT(user_password USING utf8mb4) FROM wiki_user");
    let now = now.await;
    let pairs: Vec<_> = typed.iter().zip(now).map(|(typed, (_, hash))| (typed, hash)).collect();
    let opened = mediawiki("opens", &json!(pairs).to_string());
    assert_eq!(opened, json!([false, false, false, true]));
    let tokens = "SELECT CAST(user_id AS CHAR), CONVERT(user_token USING utf8mb4) FROM wiki_user";
    let tokens = site.pairs(tokens).await.into_iter();
    let kept: Vec<_> = tokens.map(|(id, token)| token == id.repeat(32)).collect();
    assert_eq!(kept, [false, false, false, true]);
    let back = (1..=3).zip(&hashes).map(|(id, hash)| {
        format!("UPDATE wiki_user SET user_password = '{hash}' WHERE user_id = {id}")
    });
    site.restore(&office, back).await;
}

/// Where an application keeps its accounts that has a file of its own.
fn file_of_its_own(folder: &TempDir) -> (PathBuf, ApplicationDatabase) {
    let file = folder.path().join("application.sqlite3");
    fs::File::create(&file).unwrap();
    let url = format!("sqlite://{}", file.display());
    (file, ApplicationDatabase { url })
}

/// An address and a password each, as somebody types them.
fn signing_in() -> String {
    json!(PEOPLE.map(|(_, email, password)| (email, password))).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn laravel_lets_nobody_in_by_a_leaked_password() {
    let folder = tempfile::tempdir().unwrap();
    let (file, site) = file_of_its_own(&folder);
    let hashes = laravel(&file, "make", &json!(PEOPLE).to_string());
    site.run([REHEARSAL.to_owned()]).await;
    let ids = json!([1, 2, 3, 4]).to_string();
    assert_eq!(laravel(&file, "opens", &signing_in()), json!([true, true, true, true]));
    assert_eq!(laravel(&file, "stays", &ids), json!([true, true, true, true]));

    let office = site.campaign("laravel");
    assert_eq!(laravel(&file, "opens", &signing_in()), json!([false, false, false, true]));
    assert_eq!(laravel(&file, "stays", &ids), json!([false, false, false, true]));
    let sessions = "SELECT id, CAST(user_id AS TEXT) FROM sessions";
    assert_eq!(site.pairs(sessions).await, [("session 4".to_owned(), "4".to_owned())]);
    let back = (0..3).map(|person| {
        let hash = hashes[person].as_str().unwrap();
        format!("UPDATE users SET password = '{hash}' WHERE id = {}", person + 1)
    });
    site.restore(&office, back).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn devise_lets_nobody_in_by_a_leaked_password() {
    let folder = tempfile::tempdir().unwrap();
    let (file, site) = file_of_its_own(&folder);
    let sessions = devise(&file, "make", &signing_in()).to_string();
    site.run([REHEARSAL.to_owned()]).await;
    let hashes = site.pairs("SELECT CAST(id AS TEXT), encrypted_password FROM users").await;
    assert_eq!(devise(&file, "opens", &signing_in()), json!([true, true, true, true]));
    assert_eq!(devise(&file, "stays", &sessions), json!([true, true, true, true]));

    let office = site.campaign("devise");
    assert_eq!(devise(&file, "opens", &signing_in()), json!([false, false, false, true]));
    assert_eq!(devise(&file, "stays", &sessions), json!([false, false, false, true]));
    let back = hashes.iter().take(3).map(|(id, hash)| {
        format!("UPDATE users SET encrypted_password = '{hash}' WHERE id = {id}")
    });
    site.restore(&office, back).await;
}

/// What Discourse publishes, as far as it is about signing in.
const DISCOURSE: &[&str] = &[
    "CREATE TABLE users (id INTEGER PRIMARY KEY, username VARCHAR(60) NOT NULL, \
     active BOOLEAN NOT NULL, suspended_till TIMESTAMP, locale VARCHAR(10), last_seen_at TIMESTAMP)",
    "CREATE TABLE user_emails (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, \
     email VARCHAR(513) NOT NULL, \"primary\" BOOLEAN NOT NULL)",
    "CREATE TABLE user_passwords (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL UNIQUE, \
     password_hash VARCHAR(64) NOT NULL, password_salt VARCHAR(32) NOT NULL, \
     password_algorithm VARCHAR(64) NOT NULL)",
    "CREATE TABLE user_auth_tokens (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL)",
];

const ALGORITHM: &str = "$pbkdf2-sha256$i=1000,l=32$";

/// Python's own PBKDF2: each password with its salt, or each of these where a salt is given.
const PBKDF2: &str = "
import hashlib, json, sys
made = [hashlib.pbkdf2_hmac('sha256', password.encode(), salt.encode(), 1000, 32).hex()
        for password, salt in json.loads(sys.argv[1])]
print(json.dumps(made))
";

fn pbkdf2(pairs: &[(&str, String)]) -> Vec<String> {
    let mut python = std::process::Command::new("python3");
    let run = python.args(["-c", PBKDF2, &json!(pairs).to_string()]).output().unwrap();
    serde_json::from_slice(&run.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hash_in_several_columns_of_another_table_goes_through_a_whole_campaign() {
    let database = testkit::postgres().database();
    let site = ApplicationDatabase { url: database.url.clone() };
    let salted: Vec<_> = PEOPLE.iter().map(|(id, _, word)| (*word, id.repeat(32))).collect();
    let hashes = pbkdf2(&salted);
    let rows = PEOPLE.iter().zip(&salted).zip(&hashes).flat_map(|(((id, email, _), salt), hash)| {
        let salt = &salt.1;
        [
            format!("INSERT INTO users VALUES ({id}, 'user{id}', TRUE, NULL, 'en', now())"),
            format!("INSERT INTO user_emails VALUES ({id}, {id}, '{email}', TRUE)"),
            format!(
                "INSERT INTO user_passwords VALUES ({id}, {id}, '{hash}', '{salt}', '{ALGORITHM}')"
            ),
            format!("INSERT INTO user_auth_tokens VALUES ({id}, {id})"),
        ]
    });
    let tables = DISCOURSE.iter().chain([&REHEARSAL]).map(|text| (*text).to_owned());
    site.run(tables.chain(rows)).await;

    let office = site.campaign("discourse");
    let salts = site.pairs("SELECT CAST(user_id AS TEXT), password_salt FROM user_passwords").await;
    let now = site.pairs("SELECT CAST(user_id AS TEXT), password_hash FROM user_passwords").await;
    let tried = PEOPLE.iter().zip(&salts).map(|((.., word), (_, salt))| (*word, salt.clone()));
    let tried = pbkdf2(&tried.collect::<Vec<_>>());
    let opens: Vec<_> = tried.iter().zip(&now).map(|(made, (_, held))| made == held).collect();
    assert_eq!(opens, [false, false, false, true]);
    for ((_, salt), (_, old)) in salts.iter().zip(&salted).take(3) {
        assert!(salt != old && salt.len() == old.len() && salt.is_ascii(), "{salt}");
    }
    let others = "SELECT password_algorithm, CAST(COUNT(*) AS TEXT) FROM user_passwords GROUP BY 1";
    assert_eq!(site.pairs(others).await, [(ALGORITHM.to_owned(), "4".to_owned())]);
    let signed_in = "SELECT CAST(user_id AS TEXT), '' FROM user_auth_tokens";
    assert_eq!(site.pairs(signed_in).await, [("4".to_owned(), String::new())]);
    let back = salted.iter().zip(&hashes).take(3).map(|((_, salt), hash)| {
        format!(
            "UPDATE user_passwords SET password_hash = '{hash}', password_salt = '{salt}' \
             WHERE user_id = {}",
            &salt[..1]
        )
    });
    site.restore(&office, back).await;
}
