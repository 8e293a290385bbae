use std::{
    borrow::BorrowMut,
    collections::BTreeSet,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
};

use serde_json::Value;
use tempfile::TempDir;
use testkit::{
    TestDatabase,
    site::{DjangoSite, SiteKind, SiteOptions},
};

/// What a run of the program printed and answered.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// The result, of a run that must have gone well.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{}", self.stderr);
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// What went wrong, of a run that must have failed.
    pub(crate) fn failure(&self) -> &str {
        assert_eq!(self.code, 1, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self.stderr.trim_end()
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Another build of the program, to be measured beside this one.
const OTHER_PROGRAM: &str = "COUNTERSIGN_BENCH_PROGRAM";

/// The program, as another one runs it.
pub(crate) fn program<S: AsRef<std::ffi::OsStr>>(
    arguments: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = program_for_people();
    command.arg("--json").args(arguments);
    command
}

/// The program, with nothing of the tester's own environment.
pub(crate) fn program_for_people() -> Command {
    let other = std::env::var_os(OTHER_PROGRAM);
    let program = other.unwrap_or_else(|| env!("CARGO_BIN_EXE_countersign").into());
    let mut command = Command::new(program);
    without_settings(&mut command).stdin(Stdio::null());
    command
}

/// Takes the settings of the tester's own environment away.
pub(crate) fn without_settings(command: &mut Command) -> &mut Command {
    let ours = std::env::vars_os().map(|(name, _)| name);
    for name in ours.filter(|name| name.to_string_lossy().starts_with("COUNTERSIGN_")) {
        command.env_remove(name);
    }
    command
}

/// Runs the program to its end.
pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Run {
    program(arguments).output().unwrap().into()
}

/// Runs the program with something on standard input.
pub(crate) fn run_with_input(mut command: impl BorrowMut<Command>, input: &[u8]) -> Run {
    let command =
        command.borrow_mut().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap().into()
}

/// Where an instance keeps its store, and its site its accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    pub(crate) const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    /// A Django site that tests only read.
    pub(crate) fn site(self) -> &'static DjangoSite {
        static SITES: [OnceLock<DjangoSite>; 2] = [OnceLock::new(), OnceLock::new()];
        SITES[self as usize].get_or_init(|| self.new_site())
    }

    /// The same for one test alone, which may change it.
    pub(crate) fn new_site(self) -> DjangoSite {
        static ORIGINS: [OnceLock<DjangoSite>; 2] = [OnceLock::new(), OnceLock::new()];
        // PostgreSQL copies no database that somebody reads: so nobody reads this one.
        let origin = ORIGINS[self as usize].get_or_init(|| match self {
            Self::Sqlite => DjangoSite::make(SiteKind::Sqlite, SiteOptions::default()),
            Self::Postgres => {
                let database = testkit::postgres().database();
                DjangoSite::make(SiteKind::Postgres(&database), SiteOptions::default())
            }
        });
        origin.copy()
    }

    /// What the doctor must mind: the tests' PostgreSQL runs without fsync, to be quick.
    pub(crate) fn is_bad_at(self) -> Vec<&'static str> {
        match self {
            Self::Sqlite => Vec::new(),
            Self::Postgres => vec!["durability"],
        }
    }

    /// Where a new instance may keep its store; `None` for the embedded default.
    pub(crate) fn store(self) -> Option<TestDatabase> {
        (self == Self::Postgres).then(|| testkit::postgres().database())
    }
}

/// An instance of the program in a folder of its own.
pub(crate) struct TestInstance {
    folder: TempDir,
    environment: Vec<(&'static str, String)>,
    store: Option<TestDatabase>,
}

impl TestInstance {
    /// A rehearsal whose directory is the backend's Django site.
    pub(crate) fn of_site(backend: Backend) -> Self {
        Self::of(backend, backend.site())
    }

    /// A rehearsal with this Django site as its directory.
    pub(crate) fn of(backend: Backend, site: &DjangoSite) -> Self {
        Self::kept_in(backend.store(), site, "rehearsal")
    }

    /// The same, of this kind and in this database.
    pub(crate) fn kept_in(store: Option<TestDatabase>, site: &DjangoSite, kind: &str) -> Self {
        let rehearsal: &[_] = if kind == "rehearsal" { &["--rehearsal"] } else { &[] };
        let directory = ["--preset", "django", "--directory", &site.database_url];
        Self::made(store, &[rehearsal, &directory].concat(), kind)
    }

    /// A rehearsal with its own embedded directory.
    pub(crate) fn embedded(backend: Backend) -> Self {
        Self::made(backend.store(), &["--rehearsal"], "rehearsal")
    }

    /// A rehearsal whose directory has the tables of this preset, by which it is known.
    pub(crate) fn of_application(url: &str, preset: &str) -> Self {
        let instance = Self::made(None, &["--rehearsal", "--directory", url], "rehearsal");
        let config = fs::read_to_string(instance.path("countersign.toml")).unwrap();
        assert!(config.contains(&format!("\npreset = \"{preset}\"")), "{config}");
        instance
    }

    /// A site's, with an embedded copy of its accounts.
    pub(crate) fn of_copy(backend: Backend) -> Self {
        Self::made(backend.store(), &[], "site")
    }

    fn made(store: Option<TestDatabase>, arguments: &[&str], kind: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = program(["init"]);
        command.arg(folder.path()).args(arguments);
        if let Some(database) = &store {
            command.args(["--store", &database.url]);
        }
        let made: Run = command.output().unwrap().into();
        assert_eq!(made.json()["kind"], kind);
        Self { folder, environment: Vec::new(), store }
    }

    /// Sets a key by the environment for all that follows.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.environment.retain(|(set, _)| *set != name);
        self.environment.push((name, value.to_owned()));
    }

    /// What was set.
    pub(crate) fn get(&self, name: &str) -> String {
        let found = self.environment.iter().find(|(set, _)| *set == name);
        found.unwrap().1.clone()
    }

    pub(crate) fn unset(&mut self, name: &'static str) {
        self.environment.retain(|(set, _)| *set != name);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.with_config(program([""; 0]), arguments)
    }

    fn with_config(&self, mut command: Command, arguments: &[&str]) -> Command {
        command.arg("--config").arg(self.path("countersign.toml")).args(arguments);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// What a command prints for people.
    pub(crate) fn shown(&self, arguments: &[&str]) -> String {
        let run: Run = self.with_config(program_for_people(), arguments).output().unwrap().into();
        run.stdout
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.command(arguments).output().unwrap().into()
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Its database; `None` for the embedded default.
    pub(crate) const fn store(&self) -> Option<&TestDatabase> {
        self.store.as_ref()
    }

    /// Speaks to the store behind the program's back, as a thief or a restorer would.
    pub(crate) fn ask(&self, statement: &str) -> String {
        let mut client = match &self.store {
            None => sqlite(&self.path("countersign.sqlite3"), statement),
            Some(database) => psql(&database.url, statement),
        };
        let run: Run = client.output().unwrap().into();
        assert_eq!(run.code, 0, "{}", run.stderr);
        run.stdout.trim_end().to_owned()
    }

    /// Whether the store has no such row, named by table and condition, in whatever form its client
    /// prints a number.
    pub(crate) fn has_none(&self, rows: &str) -> bool {
        let count = self.ask(&format!("SELECT COUNT(*) FROM {rows}"));
        ["0", "[(0,)]"].contains(&&*count)
    }

    pub(crate) fn add_leak(&self, name: &str, files: &[&Path]) -> Run {
        let mut command = self.command(&["leak", "add", "--name", name]);
        command.args(["--date", "2016-05", "--provenance", "circulating"]).args(files);
        command.output().unwrap().into()
    }

    /// What `leak show --output` writes.
    pub(crate) fn list(&self, name: &str) -> Vec<Value> {
        let file = self.path("list.jsonl");
        self.run(&["leak", "show", name, "--output", file.to_str().unwrap()]).json();
        read_list(&file)
    }
}

fn sqlite(file: &Path, statement: &str) -> Command {
    let code = "import sqlite3, sys\n\
                store = sqlite3.connect(sys.argv[1], timeout=60)\n\
                store.execute('PRAGMA ignore_check_constraints = ON')\n\
                print(store.execute(sys.argv[2]).fetchall())\n\
                store.commit()";
    let mut python = Command::new("python3");
    python.args(["-c", code]).arg(file).arg(statement);
    python
}

pub(crate) fn psql(url: &str, statement: &str) -> Command {
    let mut psql = Command::new("psql");
    psql.args(["-XAtqc", statement, url]);
    psql
}

/// The rows of a list in JSON lines.
pub(crate) fn read_list(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The accounts of a list that are exposed.
pub(crate) fn exposed(list: &[Value]) -> BTreeSet<String> {
    let exposed = list.iter().filter(|listed| listed["status"] == "exposed");
    exposed.map(|listed| listed["account"].as_str().unwrap().to_owned()).collect()
}

/// Asserts that a list names exactly the accounts, and exactly the records, of the truth.
pub(crate) fn assert_list_is_true(list: &[Value], site: &DjangoSite) {
    assert_eq!(exposed(list), site.truth.exposed);
    let found: BTreeSet<_> = list.iter().flat_map(|listed| places(listed, site)).collect();
    let truth = site.truth.matches.iter();
    let truth: BTreeSet<_> = truth
        .map(|known| (known.account.clone(), known.file.clone(), known.line, known.offset))
        .collect();
    assert_eq!(found, truth);
}

fn places(listed: &Value, site: &DjangoSite) -> Vec<(String, String, u64, u64)> {
    let folder = fs::canonicalize(&site.leaks_folder).unwrap();
    let account = listed["account"].as_str().unwrap();
    let place = |record: &Value| {
        let file = fs::canonicalize(record["file"].as_str().unwrap()).unwrap();
        let file = file.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
        (
            account.to_owned(),
            file,
            record["line"].as_u64().unwrap(),
            record["offset"].as_u64().unwrap(),
        )
    };
    listed["records"].as_array().unwrap().iter().map(place).collect()
}

/// Asserts that the counts of a report are those of the truth.
pub(crate) fn assert_counts_are_true(report: &Value, site: &DjangoSite) {
    let truth = &site.truth;
    for (count, known) in [
        ("lines", truth.total.lines),
        ("blank", truth.total.blank),
        ("records", truth.total.records()),
        ("hits", truth.total.hits),
        ("misses", truth.total.misses),
        ("matches", truth.matches.len() as u64),
        ("exposed", truth.exposed.len() as u64),
        ("no_password", truth.no_password_hit.len() as u64),
        ("unverified", 0),
    ] {
        assert_eq!(report[count], known, "{count} in {report:#}");
    }
    let rejects: serde_json::Map<_, _> = truth
        .total
        .rejects
        .iter()
        .map(|(reason, count)| (reason.clone(), (*count).into()))
        .collect();
    assert_eq!(report["rejects_by_reason"], Value::Object(rejects));
}

/// Asserts that none of the site's passwords stands in what was written or printed.
pub(crate) fn assert_shows_no_password(what: &str, bytes: &[u8], site: &DjangoSite) {
    /// Shorter ones, and words, may stand in a text by chance.
    const TELLING_LENGTH: usize = 10;
    let telling = site.truth.people.iter().filter_map(|person| person.password.as_ref());
    let mut tried = 0;
    for password in telling.filter(|password| password.len() >= TELLING_LENGTH) {
        let found = bytes.windows(password.len()).any(|window| window == password.as_bytes());
        assert!(!found, "{what} shows the password of somebody");
        tried += 1;
    }
    assert!(tried > 10, "too few passwords are long enough to tell");
}

/// Ends a process as `kill -9` does; `false` if it has come to its own end just before.
pub(crate) fn kill(mut child: Child) -> bool {
    child.kill().unwrap();
    let run: Run = child.wait_with_output().unwrap().into();
    assert!(matches!(run.code, -1 | 0), "it failed by itself: {}", run.stderr);
    run.code == -1
}
