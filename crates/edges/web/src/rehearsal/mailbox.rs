use std::{
    cmp::Reverse,
    fs::{self, File},
    io::{self, ErrorKind, Read as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use model::Timestamp;
use notice::Language;
use serde::Serialize;

use super::letter::LetterHead;
use crate::written::WrittenMoment;

/// Where a maildir has its mails: those that no program has shown yet, and the others.
const PARTS: [&str; 2] = ["new", "cur"];

/// What separates a name from the flags that mail programs add.
const FLAGS: char = ':';

/// Mails that are listed at a time.
const MAILS_PER_PAGE: usize = 50;

/// Bytes of a mail that are shown. Ours have a few thousand.
const MAIL_BYTES_MAX: u64 = 1 << 20;

/// Bytes at the start of a mail in which its headers are looked for.
const HEAD_BYTES_MAX: u64 = 16 * 1024;

/// A maildir that is looked at, and never changed.
#[derive(Debug, Clone)]
pub(super) struct Mailbox {
    folder: PathBuf,
}

/// Which mails somebody wants to see.
#[derive(Debug, Clone, Default)]
pub(super) struct WantedMails {
    /// A part of the recipient's address; empty for everybody's.
    pub(super) to: String,
    /// From 1. The nearest that there is, if there are fewer.
    pub(super) page: usize,
}

/// Some of the mails, the newest first.
#[derive(Serialize)]
pub(super) struct Listing {
    pub(super) mails: Vec<ListedMail>,
    /// Those that were wanted, on all pages.
    pub(super) wanted: usize,
    /// Those that there are.
    pub(super) all: usize,
    pub(super) page: usize,
    pub(super) pages: usize,
}

/// A mail in a list.
#[derive(Serialize)]
pub(super) struct ListedMail {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) to: String,
    pub(super) arrived: WrittenMoment,
}

/// A mail as it lies in its folder.
struct Filed {
    /// Without flags, so that it is the same whoever has read it.
    name: String,
    path: PathBuf,
    arrived: SystemTime,
}

impl Mailbox {
    pub(super) const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// How many mails there are.
    pub(super) fn count(&self) -> io::Result<usize> {
        Ok(self.filed()?.len())
    }

    /// One page of those that are wanted.
    pub(super) fn list(&self, wanted: &WantedMails) -> io::Result<Listing> {
        let mut filed = self.filed()?;
        let all = filed.len();
        filed.sort_by(|one, other| {
            (Reverse(one.arrived), &one.name).cmp(&(Reverse(other.arrived), &other.name))
        });
        let found = filter(filed, &wanted.to.to_lowercase())?;
        let pages = found.len().div_ceil(MAILS_PER_PAGE).max(1);
        let page = wanted.page.clamp(1, pages);
        let wanted = found.len();
        let shown = found.into_iter().skip((page - 1) * MAILS_PER_PAGE).take(MAILS_PER_PAGE);
        let mails = shown.map(Filed::listed).collect::<io::Result<_>>()?;
        Ok(Listing { mails, wanted, all, page, pages })
    }

    /// The bytes of a mail. The name is only compared with those that are there.
    pub(super) fn mail(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let found = self.filed()?.into_iter().find(|filed| filed.name == name);
        found.map(|filed| start(&filed.path, MAIL_BYTES_MAX)).transpose()
    }

    fn filed(&self) -> io::Result<Vec<Filed>> {
        let mut filed = Vec::new();
        for part in PARTS {
            read_part(&self.folder.join(part), &mut filed)?;
        }
        Ok(filed)
    }
}

impl Filed {
    /// A file of its own; neither a folder nor a link, which may lead anywhere.
    fn of(entry: &fs::DirEntry) -> io::Result<Option<Self>> {
        let (metadata, name) = (entry.metadata()?, entry.file_name());
        let Some(name) = name.to_str().filter(|name| metadata.is_file() && !name.starts_with('.'))
        else {
            return Ok(None);
        };
        let name = name.split(FLAGS).next().unwrap_or_default().to_owned();
        Ok(Some(Self { name, path: entry.path(), arrived: metadata.modified()? }))
    }

    fn head(&self) -> io::Result<LetterHead> {
        Ok(LetterHead::read(&start(&self.path, HEAD_BYTES_MAX)?))
    }

    fn listed(self) -> io::Result<ListedMail> {
        let arrived = self.arrived.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let arrived = Timestamp::from_micros(0).after(arrived);
        let arrived = WrittenMoment::new(Language::English, arrived);
        let head = self.head()?;
        Ok(ListedMail { title: head.title().to_owned(), to: head.to, name: self.name, arrived })
    }
}

/// A part that is not there yet holds nothing, and neither does one that leads elsewhere.
fn read_part(part: &Path, filed: &mut Vec<Filed>) -> io::Result<()> {
    let metadata = match fs::symlink_metadata(part) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        metadata => metadata?,
    };
    if metadata.is_dir() {
        for entry in fs::read_dir(part)? {
            filed.extend(Filed::of(&entry?)?);
        }
    }
    Ok(())
}

fn filter(filed: Vec<Filed>, to: &str) -> io::Result<Vec<Filed>> {
    if to.is_empty() {
        return Ok(filed);
    }
    let mut found = Vec::new();
    for mail in filed {
        if mail.head()?.to.to_lowercase().contains(to) {
            found.push(mail);
        }
    }
    Ok(found)
}

fn start(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(bytes_max).read_to_end(&mut bytes)?;
    Ok(bytes)
}
