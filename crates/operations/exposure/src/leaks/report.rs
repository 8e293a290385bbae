use std::collections::BTreeMap;

use model::{
    LeakDate, LeakId, LeakName, LeakState, Provenance, Tally, Timestamp, Unverified,
    canonical::hex_of,
};
use password::HashShape;
use serde::Serialize;
use store::{Leak, LeakFile, LeakSummary};

use crate::{AccountsRead, ExposureCounts, counts::are_lines_judged};

/// What is known of a leak. It holds no secret.
#[derive(Debug, Serialize)]
pub struct LeakReport {
    /// Its key in the store.
    pub id: LeakId,
    /// What it is called.
    pub name: LeakName,
    /// What people are told that it is called, if that is another name.
    pub public_name: Option<LeakName>,
    /// When it happened.
    pub date: LeakDate,
    /// How sure the site is of it.
    pub provenance: Provenance,
    /// When it was registered.
    pub added_at: Timestamp,
    /// How far it has come.
    pub state: LeakState,
    /// Whether "not exposed" can be believed: so far, it was read, and nearly all accounts that it names
    /// could be verified.
    pub judged: bool,
    /// Its files.
    pub files: Vec<FileReport>,
    /// Files that broke off before their end.
    pub incomplete_files: Vec<String>,
    /// Pieces screened.
    pub pieces_done: u64,
    /// Pieces not screened yet.
    pub pieces_left: u64,
    /// The accounts that were read to be looked for; nothing before that.
    #[serde(flatten)]
    pub read: Option<AccountsRead>,
    /// Candidates not tried yet.
    pub candidates_left: u64,
    /// What became of all lines screened, and of the accounts verified.
    #[serde(flatten)]
    pub counts: ExposureCounts,
}

/// Why "not exposed" may be said in a wrong form.
pub(super) struct FormDoubts {
    pub(super) without_proof: BTreeMap<HashShape, u64>,
    pub(super) in_other_forms: u64,
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
        (summary, read): (LeakSummary, Option<AccountsRead>),
        unverified: BTreeMap<Unverified, u64>,
        doubts: FormDoubts,
    ) -> Self {
        let mut counts = counts(&summary, unverified);
        counts.set_without_proof(doubts.without_proof);
        counts.in_other_forms = doubts.in_other_forms;
        let is_read = is_read((&summary.tally, &summary.incomplete_files), read);
        Self {
            judged: leak.state != LeakState::Verifying
                && is_read
                && counts.are_accounts_judged()
                && counts.are_forms_todays(),
            read,
            id: leak.id,
            name: leak.name,
            public_name: leak.public_name,
            date: leak.date,
            provenance: leak.provenance,
            added_at: leak.added_at,
            state: leak.state,
            files: files.into_iter().map(FileReport::new).collect(),
            incomplete_files: summary.incomplete_files,
            pieces_done: summary.pieces.done,
            pieces_left: summary.pieces.open + summary.pieces.leased,
            candidates_left: summary.candidates,
            counts,
        }
    }
}

/// Whether a leak was read: its files to their end, most of their lines, and nearly all accounts to look for.
/// Else it says nothing of whom it does not name.
pub(super) fn is_read(
    (tally, incomplete_files): (&Tally, &[String]),
    read: Option<AccountsRead>,
) -> bool {
    incomplete_files.is_empty()
        && are_lines_judged(tally.rejects.total(), tally.records())
        && read.is_none_or(|read| read.is_judged())
}

fn counts(
    summary: &LeakSummary,
    unverified_by_reason: BTreeMap<Unverified, u64>,
) -> ExposureCounts {
    let matches = summary.matches;
    let mut counts = ExposureCounts { matches, unverified_by_reason, ..ExposureCounts::default() };
    counts.add_lines(&summary.tally);
    for &(outcome, format, accounts) in &summary.outcomes {
        counts.add_accounts(outcome, format, accounts);
    }
    counts
}

impl FileReport {
    fn new(file: LeakFile) -> Self {
        let sha256 = hex_of(&file.sha256);
        Self { path: file.path, sha256, bytes: file.bytes, compression: file.compression }
    }
}
