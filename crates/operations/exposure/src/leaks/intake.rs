//! The files of a leak on their way into the store: collected, fingerprinted, kept if need be.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::UNIX_EPOCH,
};

use instance::{DataKey, Instance, Progress, Step};
use leak::{Compression, LeakSource};
use model::{Randomness, Timestamp, canonical::hex_of};
use sha2::{Digest, Sha256};
use store::NewFile;

use super::error::LeakError;
use crate::spool;

/// The path that stands for standard input.
pub(crate) const STANDARD_INPUT: &str = "-";

/// Bytes read at once to fingerprint a file.
const HASH_BLOCK_BYTES: usize = 1024 * 1024;

/// The files of a leak on their way into the store.
pub(super) struct Intake {
    sources: Vec<LeakSource>,
    standard_input: Option<PathBuf>,
    key: DataKey,
    tools: IntakeTools,
}

/// What a blocking thread needs of the site.
struct IntakeTools {
    randomness: Arc<dyn Randomness>,
    now: Timestamp,
}

impl Intake {
    pub(super) fn of(
        instance: &Instance,
        files: &[PathBuf],
        key: DataKey,
    ) -> Result<Self, LeakError> {
        let (input, paths): (Vec<_>, Vec<_>) =
            files.iter().cloned().partition(|path| path == Path::new(STANDARD_INPUT));
        let collected =
            if paths.is_empty() && !input.is_empty() { Vec::new() } else { leak::collect(&paths)? };
        let sources =
            collected.iter().map(|path| LeakSource::open(path)).collect::<Result<_, _>>()?;
        let name = hex_of(&instance.randomness().array::<16>());
        let standard_input =
            (!input.is_empty()).then(|| instance.options().spool_folder.join(name));
        let tools =
            IntakeTools { randomness: instance.shared_randomness(), now: instance.clock().now() };
        Ok(Self { sources, standard_input, key, tools })
    }

    pub(super) fn take_all(&self, progress: &dyn Progress) -> Result<Vec<NewFile>, LeakError> {
        progress.begin(Step::HashFiles, self.sources.iter().map(LeakSource::length).sum());
        let files = self.sources.iter().map(|source| fingerprint(source, progress));
        let mut files = files.collect::<Result<Vec<_>, _>>()?;
        if let Some(path) = &self.standard_input {
            files.push(self.keep_standard_input(path, progress)?);
        }
        progress.end();
        Ok(files)
    }

    fn keep_standard_input(
        &self,
        path: &Path,
        progress: &dyn Progress,
    ) -> Result<NewFile, LeakError> {
        let failed = |source| LeakError::Keep { path: path.to_owned(), source };
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(failed)?;
        let input = leak::open_standard_input(io::stdin().lock())?;
        let randomness = &*self.tools.randomness;
        let kept = spool::keep(input, path, &self.key, randomness, |bytes| progress.advance(bytes));
        let kept = kept.map_err(failed)?;
        Ok(NewFile {
            path: STANDARD_INPUT.to_owned(),
            sha256: kept.sha256,
            bytes: kept.bytes,
            modified_at: self.tools.now,
            compression: Compression::Plain.to_string(),
            kept: Some(text(path)?),
        })
    }
}

fn fingerprint(source: &LeakSource, progress: &dyn Progress) -> Result<NewFile, LeakError> {
    let failed = |error| LeakError::Read { path: source.path().to_owned(), source: error };
    let path = fs::canonicalize(source.path()).map_err(failed)?;
    let mut file = File::open(&path).map_err(failed)?;
    let modified_at = modified_at(&file).map_err(failed)?;
    let mut digest = Sha256::new();
    let mut block = vec![0; HASH_BLOCK_BYTES];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut block).map_err(failed)?;
        if read == 0 {
            break;
        }
        digest.update(&block[..read]);
        bytes += read as u64;
        progress.advance(read as u64);
    }
    Ok(NewFile {
        path: text(&path)?,
        sha256: digest.finalize().into(),
        bytes,
        modified_at,
        compression: source.compression().to_string(),
        kept: None,
    })
}

/// When a file was last written, as far as its system says.
pub(crate) fn modified_at(file: &File) -> io::Result<Timestamp> {
    let modified = file.metadata()?.modified()?;
    let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)))
}

fn text(path: &Path) -> Result<String, LeakError> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| LeakError::NotUnicode { path: path.to_owned() })
}
