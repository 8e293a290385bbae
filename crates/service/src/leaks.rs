use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::UNIX_EPOCH,
};

use data_encoding::HEXLOWER;
use leak::{CollectError, Compression, Source, SourceError};
use ledger::{Event, FileAdded};
use model::{
    HashFormat, LeakDate, LeakId, LeakName, Provenance, RecordRef, Rejects, Timestamp, Unverified,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use store::{FindingId, Leak, LeakFile, LeakSummary, NewFile, NewLeak, Outcome, StoreError, Tx};
use tokio::task::{JoinError, spawn_blocking};

use crate::{Listed, Progress, Site, Step, audit::LogError, spool, vault::DataKey};

/// The path that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// What the data key of a leak's candidates is wrapped for.
pub(crate) const SPOOL: &str = "spool";

/// Bytes read at once to fingerprint a file.
const HASH_BLOCK_BYTES: usize = 1024 * 1024;

/// A leak to be registered.
#[derive(Debug, Clone)]
pub struct AddLeak {
    /// What it is called.
    pub name: LeakName,
    /// When it happened.
    pub date: LeakDate,
    /// How sure the site is of it.
    pub provenance: Provenance,
    /// Files, folders, or `-` for standard input.
    pub files: Vec<PathBuf>,
}

/// Registers a leak and fingerprints its files. Standard input is kept, encrypted.
///
/// # Errors
/// [`LeakError`] if the name is taken or a file cannot be read.
pub async fn add_leak(
    site: &Site,
    leak: AddLeak,
    progress: Arc<dyn Progress>,
) -> Result<LeakReport, LeakError> {
    if site.store.read().await?.leak_by_name(&leak.name).await?.is_some() {
        return Err(StoreError::NameTaken { name: leak.name }.into());
    }
    let (key, wrapped) = site.vault.new_data_key(SPOOL, site.randomness.as_ref());
    let intake = Intake::of(site, &leak.files, key)?;
    let files = spawn_blocking(move || intake.take_all(progress.as_ref())).await??;
    let registered = register(site, &leak, &files, wrapped).await;
    if registered.is_err() {
        remove_kept(files.iter().filter_map(|file| file.kept.as_deref()))?;
    }
    registered?;
    show_leak(site, &leak.name).await
}

/// Removes the encrypted copies of standard input.
pub(crate) fn remove_kept<'a>(kept: impl Iterator<Item = &'a str>) -> Result<(), LeakError> {
    for path in kept.map(Path::new) {
        let failed = |source| LeakError::Keep { path: path.to_owned(), source };
        spool::remove(path).map_err(failed)?;
    }
    Ok(())
}

async fn register(
    site: &Site,
    leak: &AddLeak,
    files: &[NewFile],
    spool_key: Vec<u8>,
) -> Result<(), LeakError> {
    let AddLeak { name, date, provenance, .. } = leak.clone();
    let new = NewLeak { name, date, provenance, added_at: site.clock.now(), spool_key };
    let mut tx = site.store.begin().await?;
    let id = tx.add_leak(&new, files).await?;
    let event = Event::LeakAdded {
        leak: id,
        name: new.name,
        date: new.date,
        provenance,
        files: files.iter().map(file_added).collect(),
    };
    site.record(&mut tx, &[event]).await?;
    Ok(tx.commit().await?)
}

fn file_added(file: &NewFile) -> FileAdded {
    FileAdded { path: file.path.clone(), sha256: HEXLOWER.encode(&file.sha256), bytes: file.bytes }
}

/// The files of a leak on their way into the store.
struct Intake {
    sources: Vec<Source>,
    standard_input: Option<PathBuf>,
    key: DataKey,
    site: IntakeTools,
}

/// What a blocking thread needs of the site.
struct IntakeTools {
    randomness: Arc<dyn model::Randomness>,
    now: Timestamp,
}

impl Intake {
    fn of(site: &Site, files: &[PathBuf], key: DataKey) -> Result<Self, LeakError> {
        let (input, paths): (Vec<_>, Vec<_>) =
            files.iter().cloned().partition(|path| path == Path::new(STANDARD_INPUT));
        let collected =
            if paths.is_empty() && !input.is_empty() { Vec::new() } else { leak::collect(&paths)? };
        let sources = collected.iter().map(|path| Source::open(path)).collect::<Result<_, _>>()?;
        let name = HEXLOWER.encode(&site.randomness.array::<16>());
        let standard_input = (!input.is_empty()).then(|| site.options.spool_folder.join(name));
        let tools = IntakeTools { randomness: Arc::clone(&site.randomness), now: site.clock.now() };
        Ok(Self { sources, standard_input, key, site: tools })
    }

    fn take_all(&self, progress: &dyn Progress) -> Result<Vec<NewFile>, LeakError> {
        progress.begin(Step::HashFiles, self.sources.iter().map(Source::length).sum());
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
        let (input, randomness) = (io::stdin().lock(), self.site.randomness.as_ref());
        let kept = spool::keep(input, path, &self.key, randomness, |bytes| progress.advance(bytes));
        let kept = kept.map_err(failed)?;
        Ok(NewFile {
            path: STANDARD_INPUT.to_owned(),
            sha256: kept.sha256,
            bytes: kept.bytes,
            modified_at: self.site.now,
            compression: Compression::Plain.to_string(),
            kept: Some(text(path)?),
        })
    }
}

fn fingerprint(source: &Source, progress: &dyn Progress) -> Result<NewFile, LeakError> {
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

/// All registered leaks, the oldest first.
///
/// # Errors
/// [`LeakError`] if the store fails.
pub async fn leaks(site: &Site) -> Result<Vec<LeakReport>, LeakError> {
    let mut tx = site.store.read().await?;
    let mut reports = Vec::new();
    for leak in tx.leaks().await? {
        reports.push(report(&mut tx, leak).await?);
    }
    Ok(reports)
}

/// One leak: its files, what became of every line, its findings.
///
/// # Errors
/// [`LeakError::Unknown`] if there is none of that name.
pub async fn show_leak(site: &Site, name: &LeakName) -> Result<LeakReport, LeakError> {
    let mut tx = site.store.read().await?;
    let leak = find(&mut tx, name).await?;
    report(&mut tx, leak).await
}

/// The accounts that a leak exposes, and those that could not be verified, by id.
///
/// # Errors
/// [`LeakError::Unknown`] if there is none of that name.
pub async fn listed_accounts(site: &Site, name: &LeakName) -> Result<Vec<Listed>, LeakError> {
    let mut tx = site.store.read().await?;
    let leak = find(&mut tx, name).await?.id;
    let mut records: BTreeMap<FindingId, Vec<RecordRef>> = BTreeMap::new();
    for (finding, record) in tx.finding_records(leak).await? {
        records.entry(finding).or_default().push(record);
    }
    let exposed = tx.findings(leak).await?.into_iter().map(|finding| {
        let mut records = records.remove(&finding.id).unwrap_or_default();
        records.sort();
        Listed::exposed(finding.account, finding.hash_format, finding.tier, records)
    });
    let mut listed: Vec<_> = exposed.collect();
    let unverified = tx.unverified(leak).await?.into_iter();
    listed.extend(
        unverified.map(|found| Listed::unverified(found.account, found.reason, found.hash_format)),
    );
    listed.sort_by(|a, b| a.account.cmp(&b.account));
    Ok(listed)
}

/// The leak of a name.
pub(crate) async fn find(tx: &mut Tx, name: &LeakName) -> Result<Leak, LeakError> {
    let leak = tx.leak_by_name(name).await?;
    leak.ok_or_else(|| LeakError::Unknown { name: name.clone() })
}

async fn report(tx: &mut Tx, leak: Leak) -> Result<LeakReport, LeakError> {
    let files = tx.leak_files(leak.id).await?;
    let summary = tx.summary(leak.id).await?;
    let mut unverified = BTreeMap::new();
    for account in tx.unverified(leak.id).await? {
        *unverified.entry(account.reason).or_default() += 1;
    }
    Ok(LeakReport::new(leak, files, &summary, unverified))
}

/// What is known of a leak. It holds no secret.
#[derive(Debug, Serialize)]
pub struct LeakReport {
    /// Its key in the store.
    pub id: LeakId,
    /// What it is called.
    pub name: LeakName,
    /// When it happened.
    pub date: LeakDate,
    /// How sure the site is of it.
    pub provenance: Provenance,
    /// When it was registered.
    pub added_at: Timestamp,
    /// How far it has come.
    pub state: String,
    /// Its files.
    pub files: Vec<FileReport>,
    /// Files that broke off before their end.
    pub incomplete_files: Vec<String>,
    /// Pieces screened.
    pub pieces_done: u64,
    /// Pieces not screened yet.
    pub pieces_left: u64,
    /// Lines read.
    pub lines: u64,
    /// Lines with nothing on them.
    pub blank: u64,
    /// Lines that are not blank.
    pub records: u64,
    /// Records whose identifier is one of the accounts'.
    pub hits: u64,
    /// Records of somebody else.
    pub misses: u64,
    /// Lines that are no record.
    pub rejects: u64,
    /// The same by reason.
    pub rejects_by_reason: Rejects,
    /// Candidates not tried yet.
    pub candidates_left: u64,
    /// Records whose secret was the password of an account when it was verified.
    pub matches: u64,
    /// Accounts whose password stood in this leak.
    pub exposed: u64,
    /// The same by the format of the stored hash.
    pub exposed_by_format: BTreeMap<HashFormat, u64>,
    /// Accounts of whose secrets none was the password.
    pub not_exposed: u64,
    /// Accounts that have no password.
    pub no_password: u64,
    /// Accounts that the directory no longer had.
    pub gone: u64,
    /// Accounts whose stored hash could not be tried.
    pub unverified: u64,
    /// The same by reason.
    pub unverified_by_reason: BTreeMap<Unverified, u64>,
}

/// A file of a leak.
#[derive(Debug, Serialize)]
pub struct FileReport {
    /// Where it was when it was registered; `-` for standard input.
    pub path: String,
    /// Its fingerprint then.
    pub sha256: String,
    /// Its length then.
    pub bytes: u64,
    /// `plain`, `gzip` or `zstd`.
    pub compression: String,
}

impl LeakReport {
    fn new(
        leak: Leak,
        files: Vec<LeakFile>,
        summary: &LeakSummary,
        unverified_by_reason: BTreeMap<Unverified, u64>,
    ) -> Self {
        let outcome = |wanted| outcome_count(summary, wanted);
        Self {
            id: leak.id,
            name: leak.name,
            date: leak.date,
            provenance: leak.provenance,
            added_at: leak.added_at,
            state: leak.state.to_string(),
            files: files.into_iter().map(FileReport::new).collect(),
            incomplete_files: summary.incomplete_files.clone(),
            pieces_done: summary.pieces.done,
            pieces_left: summary.pieces.open + summary.pieces.leased,
            lines: summary.tally.lines,
            blank: summary.tally.blank,
            records: summary.tally.records(),
            hits: summary.tally.hits,
            misses: summary.tally.misses,
            rejects: summary.tally.rejects.total(),
            rejects_by_reason: summary.tally.rejects.clone(),
            candidates_left: summary.candidates,
            matches: summary.matches,
            exposed: outcome(Outcome::Exposed),
            exposed_by_format: exposed_by_format(summary),
            not_exposed: outcome(Outcome::NotExposed),
            no_password: outcome(Outcome::NoPassword),
            gone: outcome(Outcome::Gone),
            unverified: outcome(Outcome::Unverified),
            unverified_by_reason,
        }
    }

    /// Whether every file was read to its end.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.incomplete_files.is_empty()
    }
}

fn outcome_count(summary: &LeakSummary, wanted: Outcome) -> u64 {
    let counts = summary.outcomes.iter().filter(|(outcome, ..)| *outcome == wanted);
    counts.map(|(_, _, count)| count).sum()
}

fn exposed_by_format(summary: &LeakSummary) -> BTreeMap<HashFormat, u64> {
    let mut formats = BTreeMap::new();
    for (outcome, format, count) in &summary.outcomes {
        if let (Outcome::Exposed, Some(format)) = (outcome, format) {
            *formats.entry(*format).or_default() += count;
        }
    }
    formats
}

impl FileReport {
    fn new(file: LeakFile) -> Self {
        let sha256 = HEXLOWER.encode(&file.sha256);
        Self { path: file.path, sha256, bytes: file.bytes, compression: file.compression }
    }
}

/// Why a leak cannot be registered or shown.
#[derive(Debug, thiserror::Error)]
pub enum LeakError {
    /// No leak has that name.
    #[error("no leak is called `{name}`: `countersign leak list` shows those that are registered")]
    Unknown {
        /// The name that was given.
        name: LeakName,
    },
    /// The files named are not there.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// A file cannot be opened.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The encrypted copy of standard input cannot be written or removed.
    #[error("the encrypted copy of standard input at {}: {source}", path.display())]
    Keep {
        /// Where it is kept.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A path that cannot be written down.
    #[error("the path {} is not Unicode: rename the file", path.display())]
    NotUnicode {
        /// The path.
        path: PathBuf,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The audit log could not be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A thread of ours died.
    #[error("a worker thread died: {0}")]
    Thread(#[from] JoinError),
}
