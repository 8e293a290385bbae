//! `countersign serve`: health, metrics, TLS, an orderly end, and the worker inside.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read as _, Write as _, stderr},
    net::TcpStream,
    process::{Child, ChildStderr, Command, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::Value;
use testkit::smtp::SmtpServer;

use crate::{
    harness::{Backend, TestInstance},
    office::{CAMPAIGN, Office, wait_until},
};

/// A server that is answering.
pub(crate) struct Served {
    process: Child,
    pub(crate) address: String,
    /// Where `/healthz` and `/metrics` are.
    metrics: String,
    /// Reads what it says, so that it never waits for a reader.
    log: Option<JoinHandle<String>>,
}

impl Served {
    pub(crate) fn start(instance: &TestInstance) -> Self {
        Self::start_by(instance.command(&["serve"]), 0)
    }

    /// On this port of this host, with whatever the command is told besides.
    pub(crate) fn start_by(mut command: Command, port: u16) -> Self {
        let listen = format!("127.0.0.1:{port}");
        command.env("COUNTERSIGN_SERVE_PEOPLE_LISTEN", listen);
        command.env("COUNTERSIGN_SERVE_METRICS_LISTEN", "127.0.0.1:0").stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let mut addresses = addresses(&mut log);
        let mut of = |listener: &str| addresses.remove(listener).unwrap();
        let (address, metrics) = (of("people"), of("metrics"));
        Self { process, address, metrics, log: Some(thread::spawn(move || rest(log))) }
    }

    /// What it answers to a GET: status line, headers and body.
    pub(crate) fn get(&self, path: &str) -> String {
        send(&self.address, &get(path))
    }

    /// What whoever watches over it is answered.
    fn measured(&self, path: &str) -> String {
        send(&self.metrics, &get(path))
    }

    /// What it answers to a form.
    pub(crate) fn post(&self, path: &str, form: &str) -> String {
        self.post_as(path, "application/x-www-form-urlencoded", form)
    }

    /// What it answers to a form of another kind.
    pub(crate) fn post_as(&self, path: &str, kind: &str, form: &str) -> String {
        let kind = format!("Content-Type: {kind}");
        let length = format!("Content-Length: {}", form.len());
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close");
        send(&self.address, &format!("{head}\r\n{kind}\r\n{length}\r\n\r\n{form}"))
    }

    /// Waits for it to have died by itself.
    pub(crate) fn has_died(mut self) {
        wait_until(|| self.process.try_wait().unwrap().is_some());
        assert_eq!(self.process.wait().unwrap().code(), None, "it was not killed");
    }

    /// Waits until it has ended by itself because a guard said no; what it still had to say.
    pub(crate) fn ended(mut self) -> String {
        wait_until(|| self.process.try_wait().unwrap().is_some());
        let log = self.log.take().unwrap().join().unwrap();
        assert_eq!(self.process.wait().unwrap().code(), Some(3), "{log}");
        log
    }

    /// Asks it to end; what it still had to say.
    pub(crate) fn stop(mut self) -> String {
        let terminated = Command::new("kill").arg(self.process.id().to_string()).status();
        assert!(terminated.unwrap().success());
        let log = self.log.take().unwrap().join().unwrap();
        assert_eq!(self.process.wait().unwrap().code(), Some(0), "{log}");
        log
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It has ended already, unless its test has failed.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let (true, Some(log)) = (thread::panicking(), self.log.take()) {
            let _ = stderr().write_all(log.join().unwrap_or_default().as_bytes());
        }
    }
}

fn rest(mut log: BufReader<ChildStderr>) -> String {
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    rest
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
}

pub(crate) fn send(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    // One that dies while it answers says nothing more.
    let _ = stream.read_to_string(&mut answer);
    answer
}

/// Where it listens for people, and where for programs.
fn addresses(log: &mut impl BufRead) -> HashMap<String, String> {
    let (mut line, mut found) = (String::new(), HashMap::new());
    while found.len() < 2 && log.read_line(&mut line).unwrap() > 0 {
        let entry: Value = serde_json::from_str(&line).unwrap();
        let fields = &entry["fields"];
        if fields["message"] == "answering" {
            let text = |name: &str| fields[name].as_str().unwrap().to_owned();
            found.insert(text("listener"), text("listen"));
        }
        line.clear();
    }
    assert_eq!(found.len(), 2, "it ended without answering");
    found
}

#[test]
fn it_tells_its_health_and_ends_in_order() {
    let served = Served::start(&TestInstance::embedded(Backend::Sqlite));
    // A busy machine may leave the store no time to answer at once; whoever watches asks again too.
    let is_well =
        |health: String| health.starts_with("HTTP/1.1 200 OK") && health.ends_with("ok\n");
    wait_until(|| is_well(served.measured("/healthz")));
    for path in ["/nothing", "/healthz", "/metrics"] {
        assert!(served.get(path).starts_with("HTTP/1.1 404"), "{path}");
    }
    let log = served.stop();
    assert!(log.contains("stopping after what is in hand"), "{log}");
}

#[test]
fn passwords_never_go_over_a_network_in_the_clear() {
    let instance = TestInstance::embedded(Backend::Sqlite)
        .with("COUNTERSIGN_SERVE_PEOPLE_LISTEN", "0.0.0.0:0");
    let refused = instance.run(&["serve"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("others can reach, and there is no TLS"), "{}", refused.stderr);
}

#[test]
fn operators_are_answered_on_this_host_alone() {
    let mut instance = TestInstance::embedded(Backend::Sqlite)
        .with("COUNTERSIGN_SERVE_OPERATORS_LISTEN", "0.0.0.0:0");
    instance.set("COUNTERSIGN_SERVE_PEOPLE_LISTEN", "127.0.0.1:0");
    let refused = instance.run(&["serve"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("operators do not sign in"), "{}", refused.stderr);
}

/// Python's TLS checks the certificate as a browser does.
#[test]
fn a_client_that_checks_certificates_is_answered() {
    let authority = SmtpServer::start(&["--tls"]);
    let pem = |name: &str| authority.folder().join(name).to_str().unwrap().to_owned();
    let instance = TestInstance::embedded(Backend::Sqlite)
        .with("COUNTERSIGN_SERVE_PEOPLE_CERTIFICATE_FILE", &pem("server.pem"))
        .with("COUNTERSIGN_SERVE_PEOPLE_KEY_FILE", &pem("server.pem"));
    let served = Served::start(&instance);
    let port = served.address.rsplit(':').next().unwrap();
    let url = format!("https://localhost:{port}/robots.txt");
    let answered = testkit::python("fetch.py").args([&url, &pem("ca.pem")]).output().unwrap();
    let answer = String::from_utf8_lossy(&answered.stdout);
    assert!(answer.starts_with("200 User-agent: *\n"), "{answered:?}");
    served.stop();
}

#[test]
fn it_leaves_campaigns_to_others_if_it_is_told_to() {
    let office = Office::open(Backend::Sqlite);
    office.start("");
    let served = Served::start_by(office.instance.command(&["serve", "--no-worker"]), 0);
    // A worker inside would have begun within half a second.
    thread::sleep(Duration::from_secs(2));
    assert_eq!(office.status()["addresses_taken"], 0);
    let log = served.stop();
    assert!(!log.contains("campaigns are not run"), "{log}");
}

#[test]
fn it_runs_campaigns_too_and_counts_them() {
    let office = Office::open(Backend::Sqlite);
    office.start("");
    let served = Served::start(&office.instance);
    let begun = Instant::now();
    while office.run(&["campaign", "status", CAMPAIGN]).json()["state"] != "done" {
        assert!(begun.elapsed() < Duration::from_mins(2), "the campaign does not end");
        thread::sleep(Duration::from_millis(300));
    }
    let sent = office.mails().len();
    let metrics = served.measured("/metrics");
    let line = format!("countersign_notices{{campaign=\"{CAMPAIGN}\",state=\"sent\"}} {sent}");
    assert!(metrics.contains(&line), "{metrics}");
    let worked_at = format!("countersign_worked_at_seconds{{campaign=\"{CAMPAIGN}\"}} 1");
    assert!(metrics.contains(&worked_at), "{metrics}");
    served.stop();
}
