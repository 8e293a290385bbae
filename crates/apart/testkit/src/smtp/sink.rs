use std::{
    fs,
    io::Read as _,
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::tools::{HINT, first_line, is_root, unpacked};

/// Whom the sink becomes, as it refuses to stay root.
const USER: &str = "nobody";

/// Connections that may wait.
const BACKLOG: &str = "100";

/// How long a busy machine may take to start a program.
const PATIENCE: Duration = Duration::from_secs(20);

/// Postfix's smtp-sink, running until this value goes: a second opinion on how we speak, which
/// can refuse, hang up or fall silent at any command (`man smtp-sink`).
#[derive(Debug)]
pub struct SmtpSink {
    folder: PathBuf,
    keeper: Child,
    port: u16,
}

impl SmtpSink {
    /// Starts a sink on a free port of this host, with these options of smtp-sink.
    ///
    /// # Panics
    /// If Postfix is not installed, or the sink does not start.
    #[must_use]
    pub fn start(options: &[&str]) -> Self {
        let port = free_port();
        let sink = unpacked("usr/sbin/smtp-sink");
        let program = Path::new(sink.get_program());
        assert!(program.exists(), "{} is missing: {HINT}", program.display());
        let mut keeper = Command::new("sh");
        keeper.envs(sink.get_envs().filter_map(|(name, value)| Some((name, value?))));
        keeper.args(["-c", include_str!("sink.sh"), if is_root() { USER } else { "" }]);
        keeper
            .arg(program)
            .args(options)
            .args([&format!("127.0.0.1:{port}"), BACKLOG])
            .process_group(0);
        keeper.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut keeper = keeper.spawn().expect("a shell starts");
        let folder = first_line(&mut keeper).expect("it prints the sink's folder");
        await_listener(port);
        Self { folder: folder.into(), keeper, port }
    }

    /// The port that it listens on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Each message whose final dot it has read, even one that it refused then. They are
    /// sorted by recipient, since the sink does not tell which came first.
    ///
    /// # Panics
    /// If its files cannot be read, or a message is not in UTF-8.
    #[must_use]
    pub fn mails(&self) -> Vec<SinkMail> {
        self.await_turn();
        let files = fs::read_dir(&self.folder).expect("the sink's folder can be read");
        let files = files.map(|entry| entry.expect("the sink's folder can be read").path());
        let dump = |path| fs::read_to_string(path).expect("the sink's file can be read: UTF-8");
        let mut mails: Vec<_> = files.filter_map(|path| SinkMail::parse(&dump(path))).collect();
        mails.sort();
        mails
    }

    /// The sink answers a dot before it has written the message, and does one thing after the
    /// other: once it has spoken with us, or hung up, what came before us is written.
    fn await_turn(&self) {
        let greeted = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).and_then(|mut us| {
            us.set_read_timeout(Some(PATIENCE))?;
            us.read(&mut [0])
        });
        greeted.expect("the sink still runs");
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // A keeper that cannot be waited for is gone already.
        let _ = self.keeper.wait();
    }
}

/// One message as the sink read it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SinkMail {
    /// What each RCPT gave, with its parameters.
    pub recipients: Vec<String>,
    /// What MAIL gave, with its parameters.
    pub mail: String,
    /// Every byte of it, with the line ends that the sink takes away.
    pub bytes: Vec<u8>,
}

impl SinkMail {
    /// The sink puts headers of its own before the message, `Received` being the last of them, and
    /// an empty line behind it.
    fn parse(dump: &str) -> Option<Self> {
        let (headers, rest) = dump.split_once("\nReceived: ")?;
        let mut lines = rest.split_inclusive('\n');
        lines.next()?;
        let message: String = lines.skip_while(|line| line.starts_with('\t')).collect();
        let all = |name: &'static str| {
            let values = headers.lines().filter_map(move |line| line.strip_prefix(name));
            values.map(str::to_owned)
        };
        Some(Self {
            mail: all("X-Mail-Args: ").next()?,
            recipients: all("X-Rcpt-Args: ").collect(),
            bytes: message.strip_suffix('\n')?.replace('\n', "\r\n").into_bytes(),
        })
    }
}

/// A port that was free a moment ago: the sink cannot be asked for just any.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("some port is free");
    listener.local_addr().expect("it is bound").port()
}

fn await_listener(port: u16) {
    let started = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        let waited = started.elapsed();
        assert!(waited < PATIENCE, "smtp-sink did not start; it may say why above");
        thread::sleep(Duration::from_millis(10));
    }
}
