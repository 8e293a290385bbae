use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::{
    broken, export,
    form::Form,
    limits::{ACCOUNTS_MAX, ACCOUNTS_MIN},
    lines::Line,
    password::Phrases,
    people::{self, Person},
    random::Random,
    record::{self, InventedRecord},
    sketch::{SKETCHES, Sketch},
    truth::{Truth, WrittenRecords},
};

/// Makes a site and its leaks in a folder: `accounts.csv`, `leaks/` and `truth.json`.
///
/// Equal options give equal bytes. What there is already is never written over.
///
/// # Errors
/// [`MakeError`] names the number or the file that cannot be.
pub fn make(folder: &Path, options: DemoOptions) -> Result<DemoSite, MakeError> {
    let count = options.count()?;
    let (mut random, mut phrases) = (Random::new(options.seed), Phrases::default());
    let people = people::invent(count, &mut random, &mut phrases);
    let accounts_file = folder.join("accounts.csv");
    write(&accounts_file, &export::accounts(&people, &mut random))?;

    let records = record::records(&people, &mut random, &mut phrases);
    let (mut leaks, mut all_written) = (Vec::new(), Vec::new());
    let mut writing = SiteWriting { folder, people: &people, random };
    for (sketch, records) in SKETCHES.iter().zip(records) {
        let (leak, written) = writing.leak(sketch, records)?;
        all_written.push((leak.name, written));
        leaks.push(leak);
    }
    let truth = Truth::new(&people, &all_written);
    write(&folder.join("truth.json"), &truth.to_json())?;
    Ok(DemoSite { accounts_file, people, leaks, truth })
}

/// What to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoOptions {
    /// How many accounts: from [`ACCOUNTS_MIN`] to [`ACCOUNTS_MAX`]. There are about twelve times
    /// as many records.
    pub accounts: u32,
    /// Chooses people, passwords, salts and the order of everything.
    pub seed: u64,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self { accounts: 2000, seed: 1 }
    }
}

impl DemoOptions {
    fn count(self) -> Result<usize, MakeError> {
        let found = self.accounts;
        let allowed = (ACCOUNTS_MIN..=ACCOUNTS_MAX).contains(&found);
        let count = usize::try_from(found).ok().filter(|_| allowed);
        count.ok_or(MakeError::Accounts { found })
    }
}

/// A site, and the leaks that concern it.
#[derive(Debug, Clone)]
pub struct DemoSite {
    /// The accounts, as the site exports them.
    pub accounts_file: PathBuf,
    /// Whose they are, in the order of the file; with their passwords, to sign in.
    pub people: Vec<Person>,
    /// What other sites lost.
    pub leaks: Vec<DemoLeak>,
    /// What has to be found; `truth.json` says the same.
    pub truth: Truth,
}

/// One leak, as it is to be registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoLeak {
    /// What it is called; its key in [`Truth::leaks`].
    pub name: &'static str,
    /// When it happened, as exactly as it is known.
    pub date: &'static str,
    /// How sure one can be of it: `confirmed`, `circulating` or `unknown`.
    pub provenance: &'static str,
    /// Its files.
    pub files: Vec<PathBuf>,
}

/// Why a site could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// Too few, so that nobody may be exposed, or too many to make at once.
    #[error("{found} accounts cannot be made: ask for {ACCOUNTS_MIN} to {ACCOUNTS_MAX}")]
    Accounts {
        /// How many were asked for.
        found: u32,
    },
    /// It is there already, or not for us to write.
    #[error("cannot make {path:?}: name a folder that is empty, or new, and yours to write to")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Writes leaks, one after the other.
struct SiteWriting<'a> {
    folder: &'a Path,
    people: &'a [Person],
    random: Random,
}

impl SiteWriting<'_> {
    fn leak(
        &mut self,
        sketch: &Sketch,
        mut records: Vec<InventedRecord>,
    ) -> Result<(DemoLeak, WrittenRecords), MakeError> {
        let Sketch { name, date, provenance, files, .. } = *sketch;
        let share = records.len().div_ceil(files.len());
        let (mut paths, mut all) = (Vec::new(), WrittenRecords::default());
        for form in files {
            let rest = records.split_off(share.min(records.len()));
            let (path, written) = self.file(form, records)?;
            paths.push(path);
            all += written;
            records = rest;
        }
        Ok((DemoLeak { name, date, provenance, files: paths }, all))
    }

    fn file(
        &mut self,
        form: &Form,
        records: Vec<InventedRecord>,
    ) -> Result<(PathBuf, WrittenRecords), MakeError> {
        let mut lines = broken::lines(form.delimiter, self.people, records.len());
        lines.extend(records.into_iter().map(Line::Record));
        self.random.shuffle(&mut lines);
        let (text, written) = form.compose(&lines, self.people);
        let path = self.folder.join(form.path);
        let unwritable = |source| MakeError::File { path: path.clone(), source };
        write(&path, &form.pack(text).map_err(unwritable)?)?;
        Ok((path, written))
    }
}

/// Writes a new file, and the folders that lead to it.
fn write(path: &Path, content: &[u8]) -> Result<(), MakeError> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    let file = folder.and_then(|()| File::create_new(path));
    let written = file.and_then(|mut file| file.write_all(content));
    written.map_err(|source| MakeError::File { path: path.to_owned(), source })
}
