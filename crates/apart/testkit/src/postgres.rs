use std::{
    env, fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::tools::{HINT, first_line, run, unprivileged_shell};

/// Set to 1 where what is measured has to be durable.
const FSYNC_VARIABLE: &str = "COUNTERSIGN_TEST_FSYNC";

/// The test process's own server, quick since without fsync, and gone with the process. With
/// `COUNTERSIGN_TEST_FSYNC=1` it is as durable as a site's own.
///
/// # Panics
/// If PostgreSQL is not installed or does not start.
#[must_use]
pub fn postgres() -> &'static PostgresServer {
    static SERVER: OnceLock<PostgresServer> = OnceLock::new();
    SERVER.get_or_init(|| {
        let is_durable = env::var_os(FSYNC_VARIABLE).is_some_and(|value| value == "1");
        PostgresServer::start(is_durable)
    })
}

/// A running PostgreSQL in a temporary folder, reachable through a unix socket only.
///
/// A shell keeps it alive while this process holds the other end of its standard input. So the
/// server and its folder vanish when this value is dropped, and also when the process is killed.
pub struct PostgresServer {
    folder: PathBuf,
    programs: PathBuf,
    keeper: Child,
    lifeline: Option<ChildStdin>,
    made: AtomicU64,
}

impl PostgresServer {
    /// Starts a server; `fsync` for tests of durability and for timings.
    ///
    /// # Panics
    /// If PostgreSQL is not installed or does not start; the message holds the server's log.
    #[must_use]
    pub fn start(fsync: bool) -> Self {
        Self::kept_by(keeper(&programs(), [""; 2], fsync))
    }

    /// Starts a standby that this server streams to, without fsync. It shows what has been written
    /// here, sooner or later.
    ///
    /// # Panics
    /// If the copy cannot be made or does not start; the message holds what was said.
    #[must_use]
    pub fn standby(&self) -> Self {
        Self::kept_by(keeper(&self.programs, [self.origin(), "-R"], false))
    }

    /// Starts a server whose data is a copy of what this one's is now, as of a backup that was put
    /// back. The two know nothing of each other.
    ///
    /// # Panics
    /// If the copy cannot be made or does not start; the message holds what was said.
    #[must_use]
    pub fn restored(&self) -> Self {
        Self::kept_by(keeper(&self.programs, [self.origin(), ""], false))
    }

    fn origin(&self) -> &str {
        self.folder.to_str().unwrap_or_else(|| panic!("a temporary folder's name is no text"))
    }

    fn kept_by(mut keeper: Command) -> Self {
        let programs = programs();
        let mut keeper = keeper
            .spawn()
            .unwrap_or_else(|error| panic!("PostgreSQL's keeper did not start: {error}"));
        let folder = first_line(&mut keeper).unwrap_or_else(|| {
            panic!("PostgreSQL did not start; its log stands above. {HINT}");
        });
        let lifeline = keeper.stdin.take();
        Self { folder: folder.into(), programs, keeper, lifeline, made: AtomicU64::new(0) }
    }

    /// Creates a fresh, empty database.
    ///
    /// # Panics
    /// If the server refuses; the message holds its answer.
    #[must_use]
    pub fn database(&self) -> TestDatabase {
        self.created(&[])
    }

    /// The same of a site that never said in which encoding its texts are: any bytes go in.
    ///
    /// # Panics
    /// As [`PostgresServer::database`].
    #[must_use]
    pub fn database_without_encoding(&self) -> TestDatabase {
        self.database_in("SQL_ASCII")
    }

    /// The same of a site whose texts are in an encoding of this name.
    ///
    /// # Panics
    /// As [`PostgresServer::database`].
    #[must_use]
    pub fn database_in(&self, encoding: &str) -> TestDatabase {
        let encoding = format!("--encoding={encoding}");
        self.created(&[&encoding, "--locale=C", "--template=template0"])
    }

    fn created(&self, options: &[&str]) -> TestDatabase {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let database = TestDatabase::named(format!("test_{number}"), &self.folder);
        run(database.client(&self.programs, "createdb").args(options).arg(&database.name));
        database
    }

    /// A database of the server that this one is a standby of, as it is seen here.
    #[must_use]
    pub fn view_of(&self, database: &TestDatabase) -> TestDatabase {
        TestDatabase::named(database.name.clone(), &self.folder)
    }

    /// The folder that holds the socket: what libpq calls the host.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.folder
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // A keeper that cannot be waited for is gone already.
        let _ = self.keeper.wait();
    }
}

/// An empty database of one test's own.
#[derive(Debug, Clone)]
pub struct TestDatabase {
    /// Connection string that sqlx, libpq and psycopg all take.
    pub url: String,
    /// Its name on the server.
    pub name: String,
    /// The folder that holds the server's socket: Django's `HOST`.
    pub socket: PathBuf,
}

impl TestDatabase {
    /// Copies it, and all that is in it, quicker than it could be filled again. Idle connections
    /// to it are closed: nobody may be connected meanwhile.
    ///
    /// # Panics
    /// If the server refuses, such as when somebody is at work in it; the message says so.
    #[must_use]
    pub fn copy(&self) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let copy = Self::named(format!("copy_{number}"), &self.socket);
        let programs = programs();
        run(self.client(&programs, "psql").args(["-XAtqc", &self.end_of_idle(), "postgres"]));
        let template = format!("--template={}", self.name);
        run(self.client(&programs, "createdb").args([&template, &copy.name]));
        copy
    }

    fn named(name: String, socket: &Path) -> Self {
        let url = format!("postgres://postgres@localhost/{name}?host={}", socket.display());
        Self { url, name, socket: socket.to_owned() }
    }

    /// One of PostgreSQL's programs, about to ask the server.
    fn client(&self, programs: &Path, program: &str) -> Command {
        let mut command = Command::new(programs.join(program));
        command.arg("--host").arg(&self.socket).args(["--username=postgres", "--no-password"]);
        command
    }

    fn end_of_idle(&self) -> String {
        let name = &self.name;
        format!(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
             WHERE datname = '{name}' AND state = 'idle'"
        )
    }
}

/// The shell that starts the server and ends it. In a process group of its own, so that Ctrl-C on
/// the terminal ends it through the closed pipe, in order, instead of all at once. `begins_with` says
/// whose data, and whether it follows them.
fn keeper(programs: &Path, begins_with: [&str; 2], fsync: bool) -> Command {
    let mut command = unprivileged_shell();
    command.args(["-c", include_str!("keeper.sh"), "keeper"]);
    command.arg(programs).args(begins_with);
    command.args(["-c", "max_connections=300"]);
    if !fsync {
        command.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command.process_group(0);
    command
}

/// The folder of the newest installed server's programs.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql");
    let folders = versions.into_iter().flatten().flatten();
    let installed = folders
        .map(|version| version.path().join("bin"))
        .filter(|programs| programs.join("initdb").exists());
    let newest = installed.max_by_key(|programs| version(programs));
    newest.unwrap_or_else(|| panic!("PostgreSQL's server is not installed: {HINT}"))
}

/// The major version in `/usr/lib/postgresql/15/bin`.
fn version(programs: &Path) -> Option<u32> {
    programs.parent()?.file_name()?.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, thread, time::Duration};

    use super::*;

    fn ask(database: &TestDatabase, query: &str) -> String {
        let mut psql = Command::new("psql");
        let output = run(psql.args(["-XAtc", query, &database.url]));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A program that is connected and does nothing.
    fn connected(database: &TestDatabase) -> Child {
        let mut psql = Command::new("psql");
        psql.args(["-XAt", &database.url]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut psql = psql.spawn().unwrap();
        psql.stdin.as_mut().unwrap().write_all(b"SELECT 'hello';\n").unwrap();
        assert_eq!(first_line(&mut psql).unwrap(), "hello");
        psql
    }

    #[test]
    fn each_database_is_empty_and_its_own() {
        let [first, second] = [postgres().database(), postgres().database()];
        ask(&first, "CREATE TABLE one (id INT)");
        assert_eq!(ask(&first, "SELECT COUNT(*) FROM one"), "0");
        let tables = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'";
        assert_eq!(ask(&second, tables), "0");
    }

    #[test]
    fn a_copy_holds_the_same_and_is_its_own() {
        let first = postgres().database();
        ask(&first, "CREATE TABLE one AS SELECT 7 AS id");
        let mut idle = connected(&first);
        let copy = first.copy();
        idle.kill().unwrap();
        idle.wait().unwrap();
        ask(&copy, "UPDATE one SET id = 8");
        assert_eq!(ask(&first, "SELECT id FROM one"), "7");
        assert_eq!(ask(&copy.copy(), "SELECT id FROM one"), "8");
    }

    #[test]
    fn a_standby_follows_until_its_replay_is_paused() {
        let primary = PostgresServer::start(false);
        let database = primary.database();
        ask(&database, "CREATE TABLE one AS SELECT 7 AS id");
        let standby = primary.standby();
        let view = standby.view_of(&database);
        assert_eq!(ask(&view, "SELECT id FROM one"), "7");
        assert_eq!(ask(&view, "SELECT pg_is_in_recovery()"), "t");
        ask(&database, "UPDATE one SET id = 8");
        while ask(&view, "SELECT id FROM one") != "8" {}
        ask(&view, "SELECT pg_wal_replay_pause()");
        while ask(&view, "SELECT pg_get_wal_replay_pause_state()") != "paused" {}
        ask(&database, "UPDATE one SET id = 9");
        thread::sleep(Duration::from_millis(300));
        assert_eq!(ask(&view, "SELECT id FROM one"), "8");
    }

    #[test]
    fn a_restored_server_goes_its_own_way() {
        let origin = PostgresServer::start(false);
        let database = origin.database();
        ask(&database, "CREATE TABLE one AS SELECT 7 AS id");
        let restored = origin.restored();
        let view = restored.view_of(&database);
        ask(&database, "UPDATE one SET id = 8");
        assert_eq!(ask(&view, "SELECT id FROM one"), "7");
        ask(&view, "UPDATE one SET id = 9");
        assert_eq!(ask(&database, "SELECT id FROM one"), "8");
        let own = "SELECT system_identifier FROM pg_control_system()";
        assert_eq!(ask(&view, own), ask(&database, own));
    }

    #[test]
    fn a_dropped_server_leaves_nothing() {
        let server = PostgresServer::start(true);
        assert_eq!(ask(&server.database(), "SHOW fsync"), "on");
        let folder = server.socket().to_owned();
        drop(server);
        assert!(!folder.exists());
    }
}
