//! The file of a backup: one line that says what it is, and encrypted frames with every row.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, BufWriter, Read as _, Write},
    path::{Path, PathBuf},
};

use authority::LogMark;
use model::{InstanceKind, KeyId, Randomness, Timestamp, canonical, canonical::hex_of};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::{AnyRow, TableColumn};
use zeroize::Zeroizing;

use crate::{DataKey, FrameReader, FrameWriter, InstanceKey, KeyRing};

/// A longer first line is no header.
const HEADER_BYTES_MAX: u64 = 64 * 1024;

/// How every form begins that there will be.
const ANY_FORM: &str = "countersign backup ";

model::format_version! { pub(crate) BackupFormat = "countersign backup 1" }

/// What a backup says of itself, for everybody to read: the first line of the file, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupHeader {
    pub(super) v: BackupFormat,
    /// Of which instance.
    pub instance: String,
    /// Whether it is for a site or for a rehearsal.
    pub kind: InstanceKind,
    /// Which instance key reads it.
    pub key: KeyId,
    /// When it was made, by the clock of the host that made it.
    pub made_at: Timestamp,
    /// Which version of Countersign made it.
    pub program: String,
    /// Of which version its tables are.
    pub schema: i64,
    /// How long its audit log is.
    pub log: LogMark,
    /// No two backups have the same, so that no frame of one fits into another.
    #[serde(with = "canonical::hex")]
    pub(super) salt: [u8; 32],
}

/// A piece of what the frames hold.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum BackupItem {
    /// The rows that follow are of this table.
    Table { name: String, columns: Vec<TableColumn> },
    /// One row.
    Row(AnyRow),
    /// Nothing follows.
    End { rows: u64, requests_left_out: u64 },
}

/// Writes the file.
pub(super) struct BackupWriter<'a, W: Write> {
    frames: FrameWriter<'a, BufWriter<W>>,
}

impl<'a, W: Write> BackupWriter<'a, W> {
    pub(super) fn begin(
        to: W,
        header: &BackupHeader,
        key: &'a DataKey,
        randomness: &'a dyn Randomness,
    ) -> io::Result<Self> {
        let mut line = serde_json::to_vec(header)?;
        line.push(b'\n');
        let mut to = BufWriter::new(to);
        to.write_all(&line)?;
        Ok(Self { frames: FrameWriter::new(to, key, stream_of(&line), randomness) })
    }

    /// Answers with the bytes that it takes.
    pub(super) fn write(&mut self, item: &BackupItem) -> io::Result<u64> {
        let bytes = postcard::to_extend(item, Vec::new()).map_err(io::Error::other)?;
        let bytes = Zeroizing::new(bytes);
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.frames.write_all(&length.to_le_bytes())?;
        self.frames.write_all(&bytes)?;
        Ok(u64::from(length))
    }

    pub(super) fn finish(self) -> io::Result<W> {
        Ok(self.frames.finish()?.into_inner()?)
    }
}

/// A backup whose first line was read, and nothing more.
#[derive(Debug)]
pub struct BackupFile {
    path: PathBuf,
    header: BackupHeader,
    stream: String,
    bytes: u64,
    rest: BufReader<File>,
}

impl BackupFile {
    /// Opens a backup.
    ///
    /// # Errors
    /// [`BackupFileError`] if the file is none, or of a form that this version does not know.
    pub fn open(path: &Path) -> Result<Self, BackupFileError> {
        let unreadable = |source| BackupFileError::Unreadable { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        let bytes = file.metadata().map_err(unreadable)?.len();
        let mut rest = BufReader::new(file);
        let mut line = Vec::new();
        rest.by_ref().take(HEADER_BYTES_MAX).read_until(b'\n', &mut line).map_err(unreadable)?;
        let header = read_header(path, &line)?;
        Ok(Self { path: path.to_owned(), header, stream: stream_of(&line), bytes, rest })
    }

    /// What it says of itself. Somebody may have changed that; reading the rest tells.
    #[must_use]
    pub const fn header(&self) -> &BackupHeader {
        &self.header
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Everything behind the first line.
    ///
    /// # Errors
    /// [`BackupFileError::OtherKey`].
    pub(super) fn items(self, key: &InstanceKey) -> Result<BackupItems, BackupFileError> {
        let Self { path, header, stream, rest, .. } = self;
        if header.key != key.id() {
            let (made_with, ours) = (header.key, key.id());
            return Err(BackupFileError::OtherKey { path, made_with, ours });
        }
        let key = KeyRing::new(key.clone()).backup_key();
        Ok(BackupItems { frames: FrameReader::new(rest, key, stream), path, rows: 0 })
    }
}

/// What a backup holds, piece by piece.
pub(super) struct BackupItems {
    frames: FrameReader<BufReader<File>>,
    path: PathBuf,
    rows: u64,
}

impl BackupItems {
    /// The next piece, with the bytes that it takes. After the end there is nothing to ask for.
    ///
    /// # Errors
    /// [`BackupFileError::Damaged`] names the frame.
    pub(super) fn next(&mut self) -> Result<(BackupItem, u64), BackupFileError> {
        let (item, length) = self.read().map_err(|source| self.damaged(source))?;
        match item {
            BackupItem::Row(_) => self.rows += 1,
            BackupItem::End { rows, .. } => self.require_end(rows)?,
            BackupItem::Table { .. } => {}
        }
        Ok((item, length))
    }

    fn read(&mut self) -> io::Result<(BackupItem, u64)> {
        let mut length = [0; 4];
        self.frames.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length);
        let mut bytes = Zeroizing::new(vec![0; length as usize]);
        self.frames.read_exact(&mut bytes)?;
        let item = postcard::from_bytes(&bytes).map_err(io::Error::other)?;
        Ok((item, u64::from(length)))
    }

    /// The last frame is known by what stands behind it: nothing.
    fn require_end(&mut self, rows: u64) -> Result<(), BackupFileError> {
        let behind = self.frames.read(&mut [0]).map_err(|source| self.damaged(source))?;
        if behind == 0 && rows == self.rows {
            return Ok(());
        }
        Err(self.damaged(io::Error::other("it does not hold as many rows as it says")))
    }

    fn damaged(&self, source: io::Error) -> BackupFileError {
        BackupFileError::Damaged { path: self.path.clone(), source }
    }
}

/// What the frames are bound to: the first line, with its salt.
fn stream_of(line: &[u8]) -> String {
    format!("backup {}", hex_of(Sha256::digest(line).as_slice()))
}

fn read_header(path: &Path, line: &[u8]) -> Result<BackupHeader, BackupFileError> {
    #[derive(Deserialize)]
    struct Form {
        v: String,
    }
    let path = path.to_owned();
    match serde_json::from_slice::<Form>(line) {
        Ok(Form { v }) if v == BackupFormat::FORMAT => {}
        Ok(Form { v }) if v.starts_with(ANY_FORM) => {
            return Err(BackupFileError::OtherForm { path, found: v });
        }
        _ => return Err(BackupFileError::NoBackup { path }),
    }
    serde_json::from_slice(line).map_err(|_| BackupFileError::NoBackup { path })
}

/// Why a backup cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BackupFileError {
    /// The system refuses.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Something else.
    #[error("{} is no backup of Countersign", path.display())]
    NoBackup {
        /// Which file.
        path: PathBuf,
    },
    /// Of another version of Countersign.
    #[error(
        "{} has the form `{found}`, this version of Countersign reads `{}`: use the version that made it",
        path.display(), BackupFormat::FORMAT
    )]
    OtherForm {
        /// Which file.
        path: PathBuf,
        /// What it says.
        found: String,
    },
    /// Nobody can read it with the key that is configured.
    #[error(
        "{} was made with the instance key {made_with}, the configured one is {ours}: put the right one \
         into `instance.key_file` or COUNTERSIGN_INSTANCE_KEY. If the key was rotated since, restore \
         with the one of then, and let the restored store rotate to the present one \
         (`countersign key rotate --new-key`): else nobody recognises who was sealed under it",
        path.display()
    )]
    OtherKey {
        /// Which file.
        path: PathBuf,
        /// The key that reads it.
        made_with: KeyId,
        /// The configured one.
        ours: KeyId,
    },
    /// It is not what was written.
    #[error("{} is damaged: {source}. Take another backup", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where, and how.
        source: io::Error,
    },
}

impl BackupFileError {
    /// Whether the file is whole, and not for here.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::OtherForm { .. } | Self::OtherKey { .. })
    }
}
