//! A site that real Django runs, with leaks that concern it and the truth about both.
//!
//! Django makes the tables and the hashes. The leaks and their truth come from a generator in
//! Python that shares no code with the crates under test.

mod reset;
mod truth;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{MariadbDatabase, TestDatabase, python, tools::run};

pub use truth::{FileTruth, SiteMatch, SitePerson, SiteTally, SiteTruth};

/// A site and what concerns it, in a temporary folder that goes with this value.
#[derive(Debug)]
pub struct DjangoSite {
    /// Connection string of Django's database, for sqlx.
    pub database_url: String,
    /// The account table as CSV, with the header `id,email,username,hash,last_login`.
    pub users_csv: PathBuf,
    /// The same as JSON lines.
    pub users_jsonl: PathBuf,
    /// The folder that holds all leak files.
    pub leaks_folder: PathBuf,
    /// The leak files, in the order of [`SiteTruth::files`].
    pub leaks: Vec<PathBuf>,
    /// What is true of the site and of every leak.
    pub truth: SiteTruth,
    server: Option<OnServer>,
    folder: TempDir,
}

/// Where Django keeps its tables.
#[derive(Debug, Clone, Copy)]
pub enum SiteKind<'a> {
    /// In a file inside the site's folder.
    Sqlite,
    /// In an empty database of PostgreSQL.
    Postgres(&'a TestDatabase),
    /// In an empty database of MariaDB.
    Mariadb(&'a MariadbDatabase),
}

/// A database on a server.
#[derive(Debug)]
enum OnServer {
    Postgres(TestDatabase),
    Mariadb(MariadbDatabase),
}

impl OnServer {
    fn copy(&self) -> Self {
        match self {
            Self::Postgres(database) => Self::Postgres(database.copy()),
            Self::Mariadb(database) => Self::Mariadb(database.copy()),
        }
    }

    fn url(&self) -> &str {
        match self {
            Self::Postgres(database) => &database.url,
            Self::Mariadb(database) => &database.url,
        }
    }
}

/// What to make. Equal options make equal people, leaks and truth; only the salts differ.
#[derive(Debug, Clone, Copy)]
pub struct SiteOptions {
    /// How many accounts; at least 60, so that every scenario has somebody.
    pub accounts: u32,
    /// Chooses people, passwords and the order of everything.
    pub seed: u64,
}

impl Default for SiteOptions {
    fn default() -> Self {
        Self { accounts: 200, seed: 1 }
    }
}

impl DjangoSite {
    /// Makes the site. Takes a few seconds: share it between tests that only read.
    ///
    /// # Panics
    /// If Django or the generator fails; the message holds what it said.
    #[must_use]
    pub fn make(kind: SiteKind<'_>, options: SiteOptions) -> Self {
        let folder = temporary_folder();
        let server = match kind {
            SiteKind::Sqlite => None,
            SiteKind::Postgres(database) => Some(OnServer::Postgres(database.clone())),
            SiteKind::Mariadb(database) => Some(OnServer::Mariadb(database.clone())),
        };
        run(&mut generator(&database_url(server.as_ref(), &folder), folder.path(), options));
        Self::found_in(folder, server)
    }

    /// Copies the site, quicker than it was made, for a test that changes it. Nobody may write to
    /// it meanwhile.
    ///
    /// # Panics
    /// If a file or the database cannot be copied.
    #[must_use]
    pub fn copy(&self) -> Self {
        let folder = temporary_folder();
        let everything = self.folder().join(".");
        run(Command::new("cp").arg("--recursive").arg(everything).arg(folder.path()));
        Self::found_in(folder, self.server.as_ref().map(OnServer::copy))
    }

    fn found_in(folder: TempDir, server: Option<OnServer>) -> Self {
        let at = |name: &str| folder.path().join(name);
        let truth = SiteTruth::read(&at("truth.json"));
        let leaks_folder = at("leaks");
        let named = truth.files.iter();
        Self {
            database_url: database_url(server.as_ref(), &folder),
            users_csv: at("users.csv"),
            users_jsonl: at("users.jsonl"),
            leaks: named.map(|known| leaks_folder.join(&known.file)).collect(),
            leaks_folder,
            truth,
            server,
            folder,
        }
    }

    /// The site's folder; a test may put its own files there.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its database of PostgreSQL; `None` anywhere else.
    #[must_use]
    pub const fn database(&self) -> Option<&TestDatabase> {
        match &self.server {
            Some(OnServer::Postgres(database)) => Some(database),
            _ => None,
        }
    }

    /// Whether Django's own `authenticate` lets this person in.
    ///
    /// As on any real site, a success may re-hash the password with today's hasher and cost.
    ///
    /// # Panics
    /// If Django fails.
    #[must_use]
    pub fn authenticate(&self, username: &str, password: &str) -> bool {
        let code = "from django.contrib.auth import authenticate\n\
            username, password = arguments\n\
            answer = authenticate(username=username, password=password) is not None";
        self.django(code, &[username, password]) == Value::Bool(true)
    }

    /// [`DjangoSite::authenticate`] for each username and password, in one run of Django. Each
    /// costs as much as a sign-in on a real site: about half a second.
    ///
    /// # Panics
    /// If Django fails.
    #[must_use]
    pub fn authenticate_all(&self, pairs: &[(&str, &str)]) -> Vec<bool> {
        let pairs = json!(pairs).to_string();
        let answers = self.django(include_str!("site/authenticate_all.py"), &[&pairs]);
        serde_json::from_value(answers).expect("each is a truth value")
    }

    /// Signs an account in through Django's own `login`, without asking for the password; the
    /// session's key.
    ///
    /// # Panics
    /// If there is no such account, or Django fails.
    #[must_use]
    pub fn sign_in(&self, account: &str) -> String {
        let key = self.django(include_str!("site/sign_in.py"), &[account]);
        let key = key.as_str().expect("Django gives every session a key");
        key.to_owned()
    }

    /// The account that Django takes the holder of this session for, if any.
    ///
    /// Asking is a visit: Django deletes a session that no longer fits the account's hash.
    ///
    /// # Panics
    /// If Django fails.
    #[must_use]
    pub fn signed_in(&self, session: &str) -> Option<String> {
        let account = self.django(include_str!("site/signed_in.py"), &[session]);
        account.as_str().map(str::to_owned)
    }

    /// Whether the session's row is there and has not expired; no visit.
    ///
    /// # Panics
    /// If Django fails.
    #[must_use]
    pub fn has_session(&self, session: &str) -> bool {
        let code = "from django.contrib.sessions.backends.db import SessionStore\n\
            answer = bool(SessionStore(arguments[0]).load())";
        self.django(code, &[session]) == Value::Bool(true)
    }

    /// Runs Python inside the site, as `manage.py shell` would. The code finds its arguments in
    /// the list `arguments` and leaves something that JSON can hold in `answer`.
    ///
    /// # Panics
    /// If the code raises; the message holds the traceback.
    #[must_use]
    pub fn django(&self, code: &str, arguments: &[&str]) -> Value {
        let mut shell = python("site_shell.py");
        let output = run(shell.args([&self.database_url, code]).args(arguments));
        serde_json::from_slice(&output.stdout).expect("site_shell.py prints JSON")
    }
}

fn temporary_folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

/// Of the database; without one, of the file in the folder.
fn database_url(server: Option<&OnServer>, folder: &TempDir) -> String {
    let file = || format!("sqlite://{}/site.sqlite3", folder.path().display());
    server.map_or_else(file, |server| server.url().to_owned())
}

fn generator(database_url: &str, folder: &Path, options: SiteOptions) -> Command {
    let mut generator = python("make_site.py");
    generator.args(["--database", database_url, "--folder"]);
    generator.arg(folder);
    generator.args(["--accounts", &options.accounts.to_string()]);
    generator.args(["--seed", &options.seed.to_string()]);
    generator
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Read, process::Stdio};

    use super::*;
    use crate::{mariadb, postgres};

    #[test]
    fn django_runs_the_site_on_sqlite() {
        check(&DjangoSite::make(SiteKind::Sqlite, SiteOptions::default()));
    }

    #[test]
    fn django_runs_the_site_on_postgres() {
        let database = postgres().database();
        let options = SiteOptions { accounts: 60, seed: 2 };
        check(&DjangoSite::make(SiteKind::Postgres(&database), options));
    }

    #[test]
    fn django_runs_the_site_on_mariadb() {
        let database = mariadb().database();
        let options = SiteOptions { accounts: 60, seed: 2 };
        check(&DjangoSite::make(SiteKind::Mariadb(&database), options).copy());
    }

    #[track_caller]
    fn check(site: &DjangoSite) {
        lets_owners_in(site);
        ends_sessions_with_the_password(site);
        exports_everybody(site);
        for (path, known) in site.leaks.iter().zip(&site.truth.files) {
            assert_eq!(lines(path), known.tally.lines, "{}", known.file);
            assert_eq!(known.tally.accounted(), known.tally.lines, "{}", known.file);
        }
    }

    fn lets_owners_in(site: &DjangoSite) {
        let exposed = site.truth.exposed.first().unwrap();
        let person = site.truth.person(exposed);
        let password = person.password.as_deref().unwrap();
        assert!(site.authenticate(&person.username, password));
        assert!(!site.authenticate(&person.username, "something else"));
    }

    fn ends_sessions_with_the_password(site: &DjangoSite) {
        let account = &site.truth.people[5].id;
        let session = site.sign_in(account);
        assert_eq!(site.signed_in(&session).as_ref(), Some(account));
        let _ = site.django(
            "from django.contrib.auth.models import User\n\
            User.objects.filter(pk=arguments[0]).update(password='!')",
            &[account],
        );
        assert!(site.has_session(&session));
        assert_eq!(site.signed_in(&session), None);
        assert!(!site.has_session(&session));
    }

    fn exports_everybody(site: &DjangoSite) {
        let exported = fs::read_to_string(&site.users_jsonl).unwrap();
        let row: Value = serde_json::from_str(exported.lines().next().unwrap()).unwrap();
        assert_eq!(row["username"], site.truth.people[0].username);
        assert_eq!(exported.lines().count() as u64, site.truth.accounts);
        assert!(site.users_csv.exists());
    }

    /// Counted by other programs' eyes.
    fn lines(path: &Path) -> u64 {
        let program = match path.extension().and_then(|name| name.to_str()) {
            Some("gz") => "zcat",
            Some("zst") => "zstdcat",
            _ => "cat",
        };
        let mut child = Command::new(program).arg(path).stdout(Stdio::piped()).spawn().unwrap();
        let mut bytes = Vec::new();
        child.stdout.take().unwrap().read_to_end(&mut bytes).unwrap();
        assert!(child.wait().unwrap().success());
        bytes.trim_ascii_end().split(|byte| *byte == b'\n').count() as u64
    }
}
