//! An SMTP server that none of us wrote, and what it has on record.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::Duration,
};

use notice::{Relay, RelayOptions, Roots, Security, TimeLimits};
use serde_json::Value;
use tempfile::TempDir;

/// aiosmtpd, running until this value goes.
pub(crate) struct Server {
    folder: TempDir,
    process: Child,
    port: u16,
}

impl Server {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = testkit::python("smtp_server.py");
        command.arg(folder.path()).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("the server prints its port");
        Self { folder, process, port }
    }

    /// Options for a relay in the clear.
    pub(crate) fn options(&self) -> RelayOptions {
        RelayOptions {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            security: Security::Plain,
            loopback_only: true,
            credentials: None,
            hello: "client.test".to_owned(),
            roots: Roots::public(),
            limits: quick(),
        }
    }

    /// Options for a relay with TLS, whose certificate is trusted.
    pub(crate) fn tls_options(&self, security: Security) -> RelayOptions {
        let ca = fs::read(self.folder.path().join("ca.pem")).unwrap();
        RelayOptions {
            host: "localhost".to_owned(),
            security,
            roots: Roots::from_pem(&ca).unwrap(),
            ..self.options()
        }
    }

    pub(crate) fn relay(&self) -> Relay {
        Relay::new(self.options()).unwrap()
    }

    /// The messages that it has taken, in order.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        let files = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.filter(|path| has_ending(path, "eml")).collect();
        files.sort();
        files.into_iter().map(Taken::read).collect()
    }

    /// The commands that it has seen, without the port that each came from.
    pub(crate) fn commands(&self) -> Vec<String> {
        let commands = |line: &str| line.split_once(' ').unwrap().1.to_owned();
        self.log().lines().map(commands).collect()
    }

    /// How many connections brought a command.
    pub(crate) fn connections(&self) -> usize {
        let log = self.log();
        let mut ports: Vec<_> = log.lines().map(|line| line.split(' ').next().unwrap()).collect();
        ports.sort_unstable();
        ports.dedup();
        ports.len()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("session.log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One message as it arrived.
pub(crate) struct Taken {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
    pub(crate) about: Value,
}

impl Taken {
    fn read(path: PathBuf) -> Self {
        let bytes = fs::read(&path).unwrap();
        let about = fs::read(path.with_extension("json")).unwrap();
        Self { path, bytes, about: serde_json::from_slice(&about).unwrap() }
    }
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found == ending)
}

/// Short limits, but long enough for a busy machine.
fn quick() -> TimeLimits {
    let long = Duration::from_secs(20);
    let short = Duration::from_secs(2);
    TimeLimits {
        connect: long,
        tls: long,
        command: long,
        content: long,
        end_of_data: long,
        quit: short,
    }
}
