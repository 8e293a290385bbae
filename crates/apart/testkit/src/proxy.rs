use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crate::TestDatabase;

/// Stands between a program and its PostgreSQL, and loses the answers to some of its COMMITs.
///
/// A program that hears nothing cannot tell whether its transaction has happened. Here either is
/// the case, as the test says.
#[derive(Debug)]
pub struct CommitProxy {
    /// Connection string that leads through it.
    pub url: String,
    cuts: Arc<Mutex<Vec<LostCommit>>>,
}

/// What becomes of a transaction whose COMMIT is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostCommit {
    /// The answer arrives.
    Answered,
    /// The server has committed.
    Done,
    /// The server has never heard of it, and takes the transaction back.
    Undone,
}

impl CommitProxy {
    /// Stands before this database, and lets everything through.
    ///
    /// # Panics
    /// If no port can be had.
    #[must_use]
    pub fn before(database: &TestDatabase) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port can be had");
        let port = listener.local_addr().expect("it listens").port();
        let (server, cuts) = (database.socket.join(".s.PGSQL.5432"), Arc::default());
        let url = format!("postgres://postgres@127.0.0.1:{port}/{}?sslmode=disable", database.name);
        let proxy = Self { url, cuts: Arc::clone(&cuts) };
        // It ends with the process: nobody waits for it.
        thread::spawn(move || accept(&listener, &server, &cuts));
        proxy
    }

    /// From now on, the next COMMITs become of this, one after the other, and all that follow are
    /// answered.
    ///
    /// # Panics
    /// Never: nobody panics while holding the list.
    pub fn lose(&self, commits: &[LostCommit]) {
        let mut cuts = self.cuts.lock().expect("nobody panics while holding it");
        *cuts = commits.iter().rev().copied().collect();
    }

    /// How many of these have not come yet.
    ///
    /// # Panics
    /// Never: nobody panics while holding the list.
    #[must_use]
    pub fn left(&self) -> usize {
        self.cuts.lock().expect("nobody panics while holding it").len()
    }
}

type Cuts = Arc<Mutex<Vec<LostCommit>>>;

fn accept(listener: &TcpListener, server: &PathBuf, cuts: &Cuts) {
    for client in listener.incoming().flatten() {
        let Ok(server) = UnixStream::connect(server) else { continue };
        let cuts = Arc::clone(cuts);
        let is_cut = Arc::new(AtomicBool::new(false));
        let Ok(answers) = Answers::between(&server, &client, &is_cut) else { continue };
        thread::spawn(move || answers.hand_on());
        thread::spawn(move || {
            // However it ends, both sides hear of it.
            let _ = Questions { client: &client, server: &server, cuts, is_cut }.hand_on();
            let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
        });
    }
}

/// What the program says.
struct Questions<'a> {
    client: &'a TcpStream,
    server: &'a UnixStream,
    cuts: Cuts,
    is_cut: Arc<AtomicBool>,
}

impl Questions<'_> {
    fn hand_on(mut self) -> io::Result<()> {
        // The first message has no letter before its length.
        let first = message(&mut self.client, Vec::new())?;
        self.server.write_all(&first)?;
        loop {
            let mut letter = vec![0];
            self.client.read_exact(&mut letter)?;
            let message = message(&mut self.client, letter)?;
            match self.fate_of(&message) {
                LostCommit::Answered => {}
                LostCommit::Done => self.is_cut.store(true, Ordering::SeqCst),
                LostCommit::Undone => return Ok(()),
            }
            self.server.write_all(&message)?;
        }
    }

    fn fate_of(&self, message: &[u8]) -> LostCommit {
        let is_commit = message.first() == Some(&b'Q') && message[5..].starts_with(b"COMMIT");
        let mut cuts = self.cuts.lock().expect("nobody panics while holding it");
        let next = if is_commit { cuts.pop() } else { None };
        next.unwrap_or(LostCommit::Answered)
    }
}

/// One message: what was read of it, its length, and the rest.
fn message(from: &mut impl Read, mut read: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    read.extend(length);
    let rest = u64::from(u32::from_be_bytes(length)).saturating_sub(4);
    from.take(rest).read_to_end(&mut read)?;
    Ok(read)
}

/// What the server answers.
struct Answers {
    server: UnixStream,
    client: TcpStream,
    is_cut: Arc<AtomicBool>,
}

impl Answers {
    fn between(
        server: &UnixStream,
        client: &TcpStream,
        is_cut: &Arc<AtomicBool>,
    ) -> io::Result<Self> {
        client.set_nodelay(true)?;
        let (server, client) = (server.try_clone()?, client.try_clone()?);
        Ok(Self { server, client, is_cut: Arc::clone(is_cut) })
    }

    /// An answer that is to be lost is waited for: the server has done it by then.
    fn hand_on(mut self) {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = self.server.read(&mut buffer) {
            if self.is_cut.load(Ordering::SeqCst)
                || self.client.write_all(&buffer[..count]).is_err()
            {
                break;
            }
        }
        // The other direction may have ended it.
        let _ = (self.client.shutdown(Shutdown::Both), self.server.shutdown(Shutdown::Both));
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::{postgres, tools::run};

    fn ask(url: &str, texts: &[&str]) -> Option<String> {
        let mut psql = Command::new("psql");
        for text in texts {
            psql.args(["-c", text]);
        }
        let output = psql.args(["-XAtq", url]).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }

    #[test]
    fn a_lost_commit_is_done_or_undone() {
        let database = postgres().database();
        run(Command::new("psql").args(["-XAtqc", "CREATE TABLE one (id INT)", &database.url]));
        let proxy = CommitProxy::before(&database);
        let insert = |id: u32| {
            let text = format!("INSERT INTO one VALUES ({id})");
            ask(&proxy.url, &["BEGIN", &text, "COMMIT"])
        };
        assert!(insert(1).is_some());
        proxy.lose(&[LostCommit::Done, LostCommit::Answered, LostCommit::Undone]);
        assert_eq!(insert(2), None);
        assert!(insert(3).is_some());
        assert_eq!(insert(4), None);
        assert_eq!(proxy.left(), 0);
        let kept = ask(&database.url, &["SELECT string_agg(id::text, ' ' ORDER BY id) FROM one"]);
        assert_eq!(kept.unwrap().trim(), "1 2 3");
    }
}
