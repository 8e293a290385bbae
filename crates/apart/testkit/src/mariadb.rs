use std::{
    env, fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{self, Child, ChildStdin, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::tools::{HINT, debian, first_line, libraries, run, unprivileged_shell};

/// The server's own settings for speed: nothing survives the test process.
const QUICK: [&str; 6] = [
    "--skip-networking",
    "--max-connections=300",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--skip-innodb-doublewrite",
    "--character-set-server=utf8mb4",
];

/// Names the socket of a server to use instead, where `root` needs no password: one of MySQL, which
/// Debian has no package of.
const SOCKET_VARIABLE: &str = "COUNTERSIGN_TEST_MYSQL_SOCKET";

/// The test process's own MariaDB, quick since it makes nothing last, and gone with the process.
///
/// # Panics
/// If MariaDB is not unpacked or does not start.
#[must_use]
pub fn mariadb() -> &'static MariadbServer {
    static SERVER: OnceLock<MariadbServer> = OnceLock::new();
    SERVER.get_or_init(|| match env::var_os(SOCKET_VARIABLE) {
        Some(socket) => MariadbServer::of_somebody_else(socket.into()),
        None => MariadbServer::start(&[]),
    })
}

/// A running MariaDB in a temporary folder, reachable through a unix socket only.
///
/// A shell keeps it alive while this process holds the other end of its standard input. So the
/// server and its folder vanish when this value is dropped, and also when the process is killed.
pub struct MariadbServer {
    socket: PathBuf,
    keeper: Option<Child>,
    lifeline: Option<ChildStdin>,
    made: AtomicU64,
}

impl MariadbServer {
    /// Starts a server with these options besides those that make it quick.
    ///
    /// # Panics
    /// If MariaDB is not unpacked or does not start; the message holds the server's log.
    #[must_use]
    pub fn start(options: &[&str]) -> Self {
        let mut keeper = keeper(options)
            .spawn()
            .unwrap_or_else(|error| panic!("MariaDB's keeper did not start: {error}"));
        let folder = first_line(&mut keeper).unwrap_or_else(|| {
            panic!("MariaDB did not start; its log stands above. {HINT}");
        });
        let (socket, lifeline) = (Path::new(&folder).join("socket"), keeper.stdin.take());
        Self { socket, keeper: Some(keeper), lifeline, made: AtomicU64::new(0) }
    }

    const fn of_somebody_else(socket: PathBuf) -> Self {
        Self { socket, keeper: None, lifeline: None, made: AtomicU64::new(0) }
    }

    /// Creates a fresh, empty database.
    ///
    /// # Panics
    /// If the server refuses; the message holds its answer.
    #[must_use]
    pub fn database(&self) -> MariadbDatabase {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        self.named(format!("test_{}_{number}", process::id()))
    }

    /// Creates an empty database of this name.
    ///
    /// # Panics
    /// If the server refuses, such as when there is one; the message holds its answer.
    #[must_use]
    pub fn named(&self, name: String) -> MariadbDatabase {
        let url = format!("mysql://root@localhost/{name}?socket={}", self.socket.display());
        let database = MariadbDatabase { url, name, socket: self.socket.clone() };
        database.run("", &format!("CREATE DATABASE {}", database.name));
        database
    }
}

impl Drop for MariadbServer {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        if let Some(keeper) = &mut self.keeper {
            // One that cannot be waited for is gone already.
            let _ = keeper.wait();
        }
    }
}

/// An empty database of one test's own.
#[derive(Debug, Clone)]
pub struct MariadbDatabase {
    /// Connection string, for sqlx.
    pub url: String,
    /// Its name.
    pub name: String,
    socket: PathBuf,
}

impl MariadbDatabase {
    /// Creates a database of the same tables with the same rows.
    ///
    /// # Panics
    /// If the server refuses; the message says so.
    #[must_use]
    pub fn copy(&self) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let name = format!("copy_{}_{}", process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let url = self.url.replacen(&format!("/{}?", self.name), &format!("/{name}?"), 1);
        self.run("", &format!("CREATE DATABASE {name}"));
        for table in self.run(&self.name, "SHOW TABLES").lines() {
            let (from, to) = (format!("{}.{table}", self.name), format!("{name}.{table}"));
            let make =
                format!("CREATE TABLE {to} LIKE {from}; INSERT INTO {to} SELECT * FROM {from}");
            self.run("", &make);
        }
        Self { url, name, socket: self.socket.clone() }
    }

    /// What the server's own client answers.
    fn run(&self, database: &str, statements: &str) -> String {
        let mut client = Command::new(base().join("bin/mariadb"));
        client.env("LD_LIBRARY_PATH", libraries());
        client.args(["--no-defaults", "--user=root", "--batch", "--skip-column-names"]);
        client.arg("--plugin-dir").arg(plugins());
        client.arg("--socket").arg(&self.socket).args(["--execute", statements, database]);
        String::from_utf8_lossy(&run(&mut client).stdout).into_owned()
    }
}

/// The shell that starts the server and ends it, in a process group of its own, so that Ctrl-C on the
/// terminal ends it through the closed pipe.
fn keeper(options: &[&str]) -> Command {
    let mut command = unprivileged_shell();
    command.args(["-c", include_str!("mariadb_keeper.sh"), "keeper"]);
    command.arg(base()).args(QUICK).args(options);
    command.env("LD_LIBRARY_PATH", libraries());
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command.process_group(0);
    command
}

/// The folder of the unpacked server, or of the host's own.
fn base() -> PathBuf {
    let places = [debian().join("usr"), "/usr".into()];
    let found = places.into_iter().find(|place: &PathBuf| has_server(place));
    found.unwrap_or_else(|| panic!("MariaDB's server is missing: {HINT}"))
}

/// Where the client finds how to sign in at other servers.
fn plugins() -> PathBuf {
    let folders = fs::read_dir(base().join("lib")).into_iter().flatten().flatten();
    let mut plugins = folders.map(|folder| folder.path().join("libmariadb3/plugin"));
    plugins.find(|plugins| plugins.exists()).unwrap_or_default()
}

fn has_server(place: &Path) -> bool {
    place.join("sbin/mariadbd").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(database: &MariadbDatabase, statements: &str) -> String {
        database.run(&database.name, statements).trim().to_owned()
    }

    #[test]
    fn each_database_is_empty_and_a_copy_is_its_own() {
        let [first, second] = [mariadb().database(), mariadb().database()];
        ask(&first, "CREATE TABLE one AS SELECT 7 AS id");
        assert_eq!(ask(&second, "SHOW TABLES"), "");
        let copy = first.copy();
        ask(&copy, "UPDATE one SET id = 8");
        assert_eq!(ask(&first, "SELECT id FROM one"), "7");
        assert_eq!(ask(&copy, "SELECT id FROM one"), "8");
    }

    #[test]
    fn a_dropped_server_leaves_nothing() {
        let server = MariadbServer::start(&["--read-only"]);
        let socket = server.socket.clone();
        assert_eq!(ask(&server.database(), "SELECT @@global.read_only"), "1");
        drop(server);
        assert!(!socket.parent().unwrap().exists());
    }
}
