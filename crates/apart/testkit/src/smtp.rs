//! SMTP servers that none of us wrote, and what they have on record.

mod sink;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::Mutex,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    python,
    tools::{first_line, run},
};

pub use sink::{SinkMail, SmtpSink};

/// aiosmtpd, running until this value goes. `py/smtp_server.py` tells how it can behave.
///
/// What it has on record can be read at any time: while it runs and after it was stopped.
#[derive(Debug)]
pub struct SmtpServer {
    folder: TempDir,
    arguments: Vec<String>,
    script: Mutex<BTreeMap<String, String>>,
    process: Option<Child>,
    port: u16,
}

impl SmtpServer {
    /// Starts a server on a free port of this host, with these arguments of `smtp_server.py`.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let script = Mutex::default();
        let mut server = Self { folder, arguments, script, process: None, port: 0 };
        server.run();
        server
    }

    /// The port that it listens on, or did before it was stopped.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its record; with TLS, `ca.pem` there is the authority to trust.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// From now on it behaves so to mail for this address, or for everybody else if it is `*`. For
    /// `EHLO` and `MAIL` it is the reply to that command.
    ///
    /// # Panics
    /// If its script cannot be written.
    pub fn behave(&self, recipient: &str, behaviour: &str) {
        let mut script = self.script.lock().expect("nobody panics while writing the script");
        let is_command = matches!(recipient, "EHLO" | "MAIL");
        let whom = if is_command { recipient.to_owned() } else { recipient.to_lowercase() };
        script.insert(whom, behaviour.to_owned());
        let unfinished = self.folder().join("script.part");
        let written = fs::write(&unfinished, json!(*script).to_string());
        let renamed = written.and_then(|()| fs::rename(&unfinished, self.script_file()));
        renamed.expect("the server's folder can be written to");
    }

    /// Ends it at once, and every connection with it. Nothing listens on its port then.
    pub fn stop(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        // It may be gone already.
        let _ = process.kill();
        let _ = process.wait();
    }

    /// Starts it again after [`SmtpServer::stop`], on the same port and with the same record.
    ///
    /// # Panics
    /// If it does not start, such as when somebody else has taken the port.
    pub fn restart(&mut self) {
        self.stop();
        self.run();
    }

    /// The messages that it has taken, in order.
    ///
    /// # Panics
    /// If its record cannot be read.
    #[must_use]
    pub fn taken(&self) -> Vec<TakenMail> {
        let files = fs::read_dir(self.folder()).expect("the server's folder can be read");
        let files = files.map(|entry| entry.expect("the server's folder can be read").path());
        let mut files: Vec<_> = files.filter(|path| has_ending(path, "eml")).collect();
        files.sort();
        files.into_iter().map(TakenMail::read).collect()
    }

    /// The commands that it has seen, without the port that each came from.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        let log = self.log();
        let lines = log.lines().filter_map(|line| line.split_once(' '));
        lines.map(|(_, command)| command.to_owned()).collect()
    }

    /// How many connections brought a command.
    #[must_use]
    pub fn connections(&self) -> usize {
        let log = self.log();
        let mut ports: Vec<_> = log.lines().map(|line| line.split(' ').next()).collect();
        ports.sort_unstable();
        ports.dedup();
        ports.len()
    }

    fn run(&mut self) {
        let mut command = python("smtp_server.py");
        command.arg(self.folder()).args(["--port", &self.port.to_string(), "--script"]);
        command.arg(self.script_file()).args(&self.arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("Python starts");
        let port = first_line(&mut process).expect("it starts; its complaint stands above");
        self.port = port.parse().expect("it prints its port");
        self.process = Some(process);
    }

    fn script_file(&self) -> PathBuf {
        self.folder().join("script.json")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder().join("session.log")).unwrap_or_default()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// One message as it arrived.
#[derive(Debug, Clone)]
pub struct TakenMail {
    /// The file that holds it.
    pub path: PathBuf,
    /// Every byte of it.
    pub bytes: Vec<u8>,
    /// The address that MAIL gave.
    pub envelope_from: String,
    /// The addresses that RCPT gave and the server took.
    pub recipients: Vec<String>,
    /// All that the server noted: `from`, `to`, `mail_options`, `tls`, `login`.
    pub about: Value,
}

impl TakenMail {
    /// Its text as a reader sees it, decoded by Python.
    ///
    /// # Panics
    /// If it has none.
    #[must_use]
    pub fn text(&self) -> String {
        let printed = run(python("mail_text.py").arg(&self.path)).stdout;
        String::from_utf8(printed).expect("it is printed in UTF-8")
    }

    /// Its subject as it stands in its head, on one line.
    #[must_use]
    pub fn subject(&self) -> String {
        let mail = String::from_utf8_lossy(&self.bytes);
        let mut lines = mail.lines().skip_while(|line| !line.starts_with("Subject:"));
        let first = lines.next().and_then(|line| line.strip_prefix("Subject:"));
        let folded = lines.take_while(|line| line.starts_with([' ', '\t']));
        first.into_iter().chain(folded).map(str::trim).collect::<Vec<_>>().join(" ")
    }

    fn read(path: PathBuf) -> Self {
        let bytes = fs::read(&path).expect("the message can be read");
        let about = fs::read(path.with_extension("json")).expect("the server notes about it");
        let about: Value = serde_json::from_slice(&about).expect("the server notes in JSON");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let recipients = about["to"].as_array().into_iter().flatten().map(text).collect();
        Self { path, bytes, envelope_from: text(&about["from"]), recipients, about }
    }
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found == ending)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader, Read as _, Write as _},
        net::TcpStream,
        thread,
    };

    use super::*;

    /// Says all of it, and hands out the first digit of each reply, without the greeting's.
    fn talk(port: u16, lines: &[&str]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        reply(&mut reader);
        let mut replies = String::new();
        for line in lines {
            stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
            replies.push_str(reply(&mut reader).get(..1).unwrap_or("-"));
        }
        replies
    }

    /// The last line of a reply.
    fn reply(reader: &mut impl BufRead) -> String {
        let mut lines = reader.lines().map(Result::unwrap);
        lines.find(|line| line.get(3..4) != Some("-")).unwrap_or_default()
    }

    fn mail(port: u16, recipient: &str) -> String {
        let recipient = format!("RCPT TO:<{recipient}>");
        let content = format!("Subject: {recipient}\r\n\r\nx\r\n.");
        talk(port, &["EHLO me.test", "MAIL FROM:<a@b.test>", &recipient, "DATA", &content])
    }

    #[test]
    fn the_script_decides_for_each_person() {
        let server = SmtpServer::start(&[]);
        server.behave("Jane@Example.com", "refused");
        server.behave("john@example.com", "later");
        assert_eq!(mail(server.port(), "jane@example.com"), "22555");
        assert_eq!(mail(server.port(), "John@Example.com"), "22234");
        assert_eq!(mail(server.port(), "joan@example.com"), "22232");
        server.behave("jane@example.com", "grey");
        server.behave("*", "uninvited");
        assert_eq!(mail(server.port(), "jane@example.com"), "22455");
        assert_eq!(mail(server.port(), "jane@example.com"), "22232");
        assert_eq!(&mail(server.port(), "joan@example.com")[..4], "2225");
        let taken = server.taken();
        let taken: Vec<_> = taken.iter().map(|mail| mail.recipients[0].as_str()).collect();
        assert_eq!(taken, ["joan@example.com", "jane@example.com"]);
    }

    #[test]
    fn a_stopped_server_starts_again_where_it_was() {
        let mut server = SmtpServer::start(&[]);
        let port = server.port();
        mail(port, "one@accept.test");
        server.stop();
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
        assert_eq!(server.taken().len(), 1);
        server.restart();
        assert_eq!(server.port(), port);
        mail(port, "two@accept.test");
        let taken = server.taken();
        assert_eq!(taken[0].envelope_from, "a@b.test");
        assert_eq!(taken[1].recipients, ["two@accept.test"]);
        assert!(taken[1].path.ends_with("000002.eml"));
    }

    #[test]
    fn many_can_deliver_at_once() {
        let server = SmtpServer::start(&[]);
        let port = server.port();
        let clients = (0..16).map(|client| {
            thread::spawn(move || mail(port, &format!("person.{client}@accept.test")))
        });
        for client in clients.collect::<Vec<_>>() {
            assert_eq!(client.join().unwrap(), "22232");
        }
        let mut recipients: Vec<_> =
            server.taken().into_iter().flat_map(|mail| mail.recipients).collect();
        recipients.sort();
        recipients.dedup();
        assert_eq!(recipients.len(), 16);
        assert_eq!(server.connections(), 16);
    }

    #[test]
    fn a_dropped_server_hangs_up() {
        let server = SmtpServer::start(&[]);
        let address = ("127.0.0.1", server.port());
        let mut stream = TcpStream::connect(address).unwrap();
        drop(server);
        // It ends here, if only by a reset.
        let _ = stream.read_to_end(&mut Vec::new());
        assert!(TcpStream::connect(address).is_err());
    }
}
