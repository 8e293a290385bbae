//! Each recipe of docs/recipes.md, on the tables of its application: one of two accounts is found.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::Value;
use sql::{Access, Db, OpenOptions, QueryText};
use tempfile::TempDir;

use crate::harness::{Run, program};

const PAGE: &str = include_str!("../../../../../docs/recipes.md");

/// The application's tables, and rows with `{id}`, `{email}`, `{name}` and what a vector has.
const TABLES: &str = include_str!("recipes.jsonl");

/// Hashes that real software has made, or that others have published.
const VECTORS: &str = include_str!("../../../../domain/password/tests/it/vectors.jsonl");

/// A digest of the former membership of ASP.NET: base64 of SHA-1 of the salt and the password in
/// UTF-16, as a program in Python has computed it.
const MEMBERSHIP: &str = r#"{"id": "membership", "password": "my password",
    "stored": "AqVcFYfRr6HNujGNReXI3AQxIm0=", "extra": {"salt": "MTIzNDU2Nzg5MDEyMzQ1Ng=="}}"#;

/// By Python's hashlib, as `FusionAuth`'s documents describe the scheme.
const FUSIONAUTH: &str = r#"{"id": "fusionauth", "password": "Grün&Blau-7",
    "stored": "wm96OB0AAO0sMpCxoX1JBY9LEVafMPFmnU554VmBdss=", "extra": {"salt": "MDEyMzQ1Njc4OWFiY2RlZg=="}}"#;

#[derive(Deserialize)]
struct Published {
    recipe: String,
    database: String,
    vector: String,
    tables: Vec<String>,
    rows: Vec<String>,
    /// A further address, `{other}`, where somebody may have several: it is the one that leaked.
    #[serde(default)]
    other: Vec<String>,
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    password: String,
    stored: String,
    #[serde(default)]
    extra: BTreeMap<String, String>,
    /// `V` for what real software made, `T` for what it publishes, `R` for what its source was read for.
    #[serde(default)]
    mark: String,
    #[serde(default)]
    source: String,
}

fn all() -> Vec<Published> {
    TABLES.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn vectors() -> BTreeMap<String, Vector> {
    let lines = VECTORS.lines().chain([MEMBERSHIP, FUSIONAUTH]);
    let vectors = lines.map(|line| serde_json::from_str::<Vector>(line).unwrap());
    vectors.map(|vector| (vector.id.clone(), vector)).collect()
}

/// The blocks of configuration by their headings.
fn recipes() -> BTreeMap<&'static str, &'static str> {
    let sections = PAGE.split("\n### ").skip(1);
    let recipe = |section: &'static str| {
        let (heading, rest) = section.split_once('\n')?;
        let block = rest.split_once("```toml\n")?.1.split_once("\n```")?.0;
        Some((heading, block))
    };
    sections.map(|section| recipe(section).unwrap_or_else(|| panic!("{section}"))).collect()
}

struct Person<'v> {
    id: &'static str,
    email: &'v str,
    name: &'static str,
}

/// A further address of the first one.
const OTHER: &str = "z.ana@former.example";

/// Two people with the same hash; the first one's password has leaked.
fn people(vector: &Vector) -> [Person<'_>; 2] {
    let user = vector.extra.get("user").filter(|user| user.contains('@'));
    let ana = user.map_or("ana@example.org", String::as_str);
    [
        Person { id: "1", email: ana, name: "ana" },
        Person { id: "2", email: "bo@example.org", name: "bo" },
    ]
}

#[test]
fn every_recipe_is_tried() {
    let tried: Vec<_> = all().into_iter().map(|published| published.recipe).collect();
    let written: Vec<_> = recipes().into_keys().collect();
    assert_eq!(tried.iter().filter(|tried| !written.contains(&tried.as_str())).count(), 0);
    let untried = written.iter().filter(|recipe| !tried.iter().any(|tried| tried == *recipe));
    assert_eq!(untried.collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn the_page_says_what_each_recipe_was_tried_on() {
    let vectors = vectors();
    let rows: Vec<_> = all()
        .iter()
        .map(|Published { recipe, database, vector, .. }| {
            let Vector { mark, source, .. } = &vectors[vector];
            let database = match database.as_str() {
                "mariadb" => "MariaDB",
                "postgres" => "PostgreSQL",
                _ => "SQLite",
            };
            let hash = match mark.as_str() {
                "V" => format!("real: {source}"),
                "T" => format!("published: {source}"),
                _ => "computed".to_owned(),
            };
            format!("| {recipe} | {database} | {hash} |")
        })
        .collect();
    let table = PAGE.split_once("| recipe | database | its hash |\n|---|---|---|\n").unwrap().1;
    assert_eq!(table.lines().collect::<Vec<_>>(), rows);
}

#[tokio::test]
async fn a_recipe_finds_the_exposed_one_and_may_seal_it() {
    let (recipes, vectors) = (recipes(), vectors());
    let mut faults = Vec::new();
    for published in all() {
        let site = Trial::of(&published, &vectors[&published.vector]).await;
        let fault = site.judge(recipes[published.recipe.as_str()]);
        faults.extend(fault.err().map(|fault| format!("{}: {fault}", published.recipe)));
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// The salt's type, the salt, and by Python's hashlib the SHA-256 of it and `Grün&Blau-7`, as the site's own
/// driver gives the salt.
const SALTS: &[[&str; 4]] = &[
    [
        "postgres",
        "BYTEA",
        r"'\x9f00ff1080c3280a7e55aa0102030405'",
        "2485b7e6e4600a5d685a5090e600236d170290b80549ee2e9bedd0ead9a74e33",
    ],
    [
        "mariadb",
        "VARBINARY(16)",
        "x'9f00ff1080c3280a7e55aa0102030405'",
        "2485b7e6e4600a5d685a5090e600236d170290b80549ee2e9bedd0ead9a74e33",
    ],
    [
        "sqlite",
        "BLOB",
        "x'9f00ff1080c3280a7e55aa0102030405'",
        "2485b7e6e4600a5d685a5090e600236d170290b80549ee2e9bedd0ead9a74e33",
    ],
    [
        "postgres",
        "CHAR(10)",
        "'abc'",
        "65c1c3355785959c7ff62ecac230a965b2be4524b786764f42096470a2a12273",
    ],
    [
        "mariadb",
        "CHAR(10)",
        "'abc'",
        "91a121bde763aa8148c35b6a4208259d3fd78c20eacd480e68e3955e156b09a4",
    ],
];

const SALTED: &str = r#"
[directory]
preset = "generic"

[directory.hash]
forms = "ours: <hash:hex> := concat(salt,_)|sha256"

[directory.hash.columns]
salt = "salt"
"#;

#[tokio::test]
async fn a_salt_is_used_as_the_sites_own_driver_gives_it() {
    for [database, kind, salt, hash] in SALTS {
        let row =
            format!("INSERT INTO users VALUES ({{id}}, '{{email}}', '{{name}}', '{hash}', {salt})");
        let published = Published {
            recipe: String::new(),
            database: (*database).to_owned(),
            vector: String::new(),
            tables: vec![format!(
                "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, username TEXT, \
                 password_hash TEXT, salt {kind})"
            )],
            rows: vec![row],
            other: Vec::new(),
        };
        let vector = Vector {
            id: String::new(),
            password: "Grün&Blau-7".to_owned(),
            stored: (*hash).to_owned(),
            extra: BTreeMap::new(),
            mark: String::new(),
            source: String::new(),
        };
        let trial = Trial::of(&published, &vector).await;
        assert_eq!(trial.judge(SALTED), Ok(()), "{database} {kind}");
    }
}

/// Of three accounts, one whose address is Latin-1 in a database that knows no encoding.
#[tokio::test]
async fn a_row_in_another_encoding_is_counted_and_ends_nothing() {
    let url = testkit::postgres().database_without_encoding().url;
    let table = "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, username TEXT, password_hash \
                 TEXT)";
    let hash = "md5$nacl$32398ba56edd44cc33a8d9317328e406";
    let rows = ["'ana@example.org', 'ana'", "convert_from('\\x62e9', 'SQL_ASCII'), 'bo'"];
    let rows = (1..).zip(rows);
    let rows = rows.map(|(id, told)| format!("INSERT INTO users VALUES ({id}, {told}, '{hash}')"));
    fill(&url, std::iter::once(table.to_owned()).chain(rows)).await;
    let leak = "ana@example.org:Wachs-Kerze 42\nbo:Wachs-Kerze 42\n".to_owned();
    let trial = Trial { folder: tempfile::tempdir().unwrap(), url, leak, pepper: None };
    let config = "[directory]\npreset = \"generic\"\n";
    let (assessed, code) = trial.assess(config).unwrap();
    let counts = ["accounts", "exposed", "accounts_unreadable"].map(|count| &assessed[count]);
    assert_eq!((counts.map(Value::as_u64), code), ([Some(2), Some(2), Some(1)], 4));
    let doctor = trial.run(&trial.instance(), &["doctor", "--skip-relay-check"]).unwrap().0;
    assert!(doctor.to_string().contains("email of account 2"), "{doctor}");
}

/// An instance, and a site's database with two accounts.
struct Trial {
    folder: TempDir,
    url: String,
    leak: String,
    pepper: Option<String>,
}

impl Trial {
    async fn of(published: &Published, vector: &Vector) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match published.database.as_str() {
            "postgres" => testkit::postgres().database().url,
            "mariadb" => testkit::mariadb().database().url,
            _ => {
                let file = folder.path().join("site.sqlite3");
                fs::File::create(&file).unwrap();
                format!("sqlite:{}", file.display())
            }
        };
        let people = people(vector);
        let rows = people.iter().flat_map(|person| rows_of(published, vector, person));
        fill(&url, published.tables.iter().cloned().chain(rows)).await;
        let [ana, bo] = people;
        let leaked = if published.other.is_empty() { ana.email } else { OTHER };
        let leak = format!("{leaked}:{}\n{}:not-it-9\n", vector.password, bo.email);
        Self { folder, url, leak, pepper: vector.extra.get("pepper").cloned() }
    }

    fn instance(&self) -> PathBuf {
        self.folder.path().join("instance")
    }

    /// What an assessment with this configuration finds, and its exit code.
    fn assess(&self, recipe: &str) -> Result<(Value, i32), String> {
        let folder = self.instance();
        let made: Run = program(["init"]).arg(&folder).output().unwrap().into();
        made.json();
        fs::write(folder.join("countersign.toml"), recipe).unwrap();
        if let Some(pepper) = &self.pepper {
            fs::write(folder.join("pepper.txt"), pepper).unwrap();
        }
        fs::write(folder.join("leak.txt"), &self.leak).unwrap();
        let leak = folder.join("leak.txt").display().to_string();
        self.run(&folder, &["assess", "--directory", &leak])
    }

    /// What is not as it should be.
    fn judge(&self, recipe: &str) -> Result<(), String> {
        let (assessed, _) = self.assess(recipe)?;
        let counts = ["accounts", "exposed", "not_exposed", "unverified", "accounts_unreadable"];
        let counted = counts.map(|count| assessed[count].as_u64().unwrap_or(99));
        if counted != [2, 1, 1, 0, 0] {
            return Err(format!("{counts:?} are {counted:?}"));
        }
        let (doctor, _) = self.run(&self.instance(), &["doctor", "--skip-relay-check"])?;
        let checks = doctor["checks"].as_array().unwrap().iter();
        let mut checks = checks.filter(|check| check["what"] == "write grant");
        match checks.next() {
            Some(check) if check["check"] == "good" => Ok(()),
            check => Err(format!("{check:?}")),
        }
    }

    fn run(&self, folder: &Path, arguments: &[&str]) -> Result<(Value, i32), String> {
        let mut command = program(["--config"]);
        command.arg(folder.join("countersign.toml")).args(arguments);
        command.env("COUNTERSIGN_DIRECTORY_URL", &self.url);
        command.env("COUNTERSIGN_DIRECTORY_WRITE_URL", &self.url);
        let run: Run = command.output().unwrap().into();
        let found = serde_json::from_str(&run.stdout).map_err(|_| run.stderr)?;
        Ok((found, run.code))
    }
}

fn rows_of(published: &Published, vector: &Vector, person: &Person<'_>) -> Vec<String> {
    let Person { id, email, name } = *person;
    let user = vector.extra.get("user").map_or(name, String::as_str);
    let user = if user.contains('@') { email } else { user };
    let known = [("id", id), ("email", email), ("name", name), ("user", user)];
    let more = vector.extra.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let values: Vec<_> =
        known.into_iter().chain([("stored", vector.stored.as_str())]).chain(more).collect();
    let filled = |row: &String| {
        values.iter().fold(row.clone(), |row, (key, value)| {
            row.replace(&format!("{{{key}}}"), &value.replace('\'', "''"))
        })
    };
    let others =
        published.other.iter().filter(|_| id == "1").map(|row| row.replace("{other}", OTHER));
    published.rows.iter().cloned().chain(others).map(|row| filled(&row)).collect()
}

async fn fill(url: &str, statements: impl Iterator<Item = String>) {
    let options = OpenOptions { access: Access::Write, connections_max: 1 };
    let db = Db::open(url, options).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    for text in statements {
        tx.run(&QueryText::composed(text)).execute().await.unwrap();
    }
    tx.commit().await.unwrap();
    db.close().await;
}
