use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use model::{HashFormat, LeakDate, LeakId, LeakName, Provenance, Rejects, Timestamp, Unverified};
use serde::Serialize;
use store::{Leak, LeakFile, LeakSummary, Outcome};

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
    pub(super) fn new(
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
