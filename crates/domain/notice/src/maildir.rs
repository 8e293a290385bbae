use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use crate::{Composed, DeliveryOutcome, Failure, Phase};

/// What ends the names of our files, so that they are told from others.
const SUFFIX: &str = ".countersign";

/// About as long as a notice, so that a full disk is noticed.
const PROBE_BYTES: usize = 16 * 1024;

/// What separates a name from the flags that mail programs add.
const FLAGS: char = ':';

/// A folder that mail programs read: what the embedded mode delivers into.
///
/// A message's name follows from its Message-ID, so a second delivery finds the first and adds
/// nothing, as long as nobody has removed it.
#[derive(Debug, Clone)]
pub struct Maildir {
    folder: PathBuf,
}

impl Maildir {
    /// Makes the folder and its three parts, where they are not there.
    ///
    /// # Errors
    /// [`MaildirError`] names the folder.
    pub fn open(folder: &Path) -> Result<Self, MaildirError> {
        for part in ["tmp", "new", "cur"] {
            let path = folder.join(part);
            fs::create_dir_all(&path).map_err(|error| MaildirError { path, error })?;
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// Stores the message durably, once.
    pub async fn deliver(&self, message: &Composed) -> DeliveryOutcome {
        let (maildir, message) = (self.clone(), message.clone());
        let stored = tokio::task::spawn_blocking(move || maildir.store(&message));
        stored
            .await
            .unwrap_or_else(|error| DeliveryOutcome::LostAfterDot { reason: failure(&error) })
    }

    /// Tries whether a message could be stored, with a file that no mail program shows and that is
    /// gone afterwards.
    ///
    /// # Errors
    /// [`Failure`] names the folder.
    pub async fn try_storing(&self) -> Result<(), Failure> {
        let maildir = self.clone();
        let tried = tokio::task::spawn_blocking(move || maildir.probe()).await;
        let tried = tried.map_err(io::Error::other).flatten();
        tried.map_err(|error| {
            let reason = format!("{}: {error}", self.folder.display());
            Failure::Broken { phase: Phase::Storing, reason }
        })
    }

    /// Does whatever storing a message does. A name that begins with a dot is no message.
    fn probe(&self) -> io::Result<()> {
        let new = self.folder.join("new");
        let mut file = tempfile::Builder::new().prefix(".").tempfile_in(self.folder.join("tmp"))?;
        file.write_all(&[0; PROBE_BYTES])?;
        file.as_file().sync_all()?;
        let name = file.path().file_name().map(|name| new.join(name));
        let moved = name.ok_or(ErrorKind::InvalidFilename)?;
        file.persist_noclobber(&moved).map_err(|taken| taken.error)?;
        fs::remove_file(&moved)?;
        File::open(new)?.sync_all()?;
        fs::read_dir(self.folder.join("cur")).map(drop)
    }

    fn store(&self, message: &Composed) -> DeliveryOutcome {
        let name = file_name(message.message_id());
        match self
            .holds(&name)
            .and_then(|held| if held { Ok(()) } else { self.put(&name, message) })
        {
            Ok(()) => self.settle(&name),
            Err(error) => DeliveryOutcome::FailedBeforeDot { reason: failure(&error) },
        }
    }

    /// The name is only durable once its folder is. Until then nobody can tell.
    fn settle(&self, name: &str) -> DeliveryOutcome {
        match File::open(self.folder.join("new")).and_then(|folder| folder.sync_all()) {
            Ok(()) => DeliveryOutcome::Accepted { reply: format!("stored as {name}") },
            Err(error) => DeliveryOutcome::LostAfterDot { reason: failure(&error) },
        }
    }

    /// Writes beside, then moves: whoever looks sees all of it or nothing.
    fn put(&self, name: &str, message: &Composed) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(self.folder.join("tmp"))?;
        file.write_all(envelope(message).as_bytes())?;
        file.write_all(message.bytes())?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(self.folder.join("new").join(name)) {
            Err(taken) if taken.error.kind() != ErrorKind::AlreadyExists => Err(taken.error),
            _ => Ok(()),
        }
    }

    /// Whether it was stored before; a mail program may have moved it and added flags.
    fn holds(&self, name: &str) -> io::Result<bool> {
        if self.folder.join("new").join(name).try_exists()? {
            return Ok(true);
        }
        for entry in fs::read_dir(self.folder.join("cur"))? {
            let found = entry?.file_name();
            if found.to_string_lossy().split(FLAGS).next() == Some(name) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A folder that is no maildir and cannot become one.
#[derive(Debug, thiserror::Error)]
#[error("the maildir {} cannot be made: {error}", path.display())]
pub struct MaildirError {
    path: PathBuf,
    error: io::Error,
}

/// What a relay would have been told, in the headers that say so.
fn envelope(message: &Composed) -> String {
    format!(
        "Return-Path: <{}>\r\nDelivered-To: {}\r\n",
        message.envelope_from(),
        message.recipient()
    )
}

/// A Message-ID may hold anything; a file name holds letters, digits and a few marks.
fn file_name(message_id: &str) -> String {
    let mut name = String::with_capacity(message_id.len() + SUFFIX.len());
    for byte in message_id.bytes() {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'@' => name.push(char::from(byte)),
            b'.' if !name.is_empty() => name.push('.'),
            _ => name.extend(escaped(byte)),
        }
    }
    name + SUFFIX
}

/// `=` and two digits, as quoted-printable has it.
fn escaped(byte: u8) -> [char; 3] {
    let digit = |nibble: u8| char::from(b"0123456789ABCDEF"[usize::from(nibble)]);
    ['=', digit(byte >> 4), digit(byte & 15)]
}

fn failure(error: &dyn std::error::Error) -> Failure {
    Failure::Broken { phase: Phase::Storing, reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_leads_nowhere_else() {
        assert_eq!(file_name("a.b@c.org"), "a.b@c.org.countersign");
        assert_eq!(file_name("../x:2,S"), "=2E.=2Fx=3A2=2CS.countersign");
        assert_eq!(file_name("a/b\u{e9}"), "a=2Fb=C3=A9.countersign");
    }
}
