use std::{collections::BTreeMap, path::PathBuf};

use model::{AccountId, HashFormat, RecordRef, Rejects, Tally, Unverified};
use serde::Serialize;

use crate::{
    Listed,
    judge::{Exposure, Judgement},
};

/// What an assessment found. It holds no secret.
#[derive(Debug, Default, Serialize)]
pub struct Assessment {
    /// Accounts read.
    pub accounts: u64,
    /// Of these, accounts without a password.
    pub accounts_without_password: u64,
    /// Lines read.
    pub lines: u64,
    /// Lines with nothing on them.
    pub blank: u64,
    /// Records read: lines that are not blank.
    pub records: u64,
    /// Records whose identifier is one of the accounts'.
    pub hits: u64,
    /// Records of somebody else.
    pub misses: u64,
    /// Lines that are no record.
    pub rejects: u64,
    /// The same by reason.
    pub rejects_by_reason: Rejects,
    /// Records whose secret is the password, now, of an account they lead to.
    pub matches: u64,
    /// Accounts whose password stands in a leak.
    pub exposed: u64,
    /// The same by the format of the stored hash.
    pub exposed_by_format: BTreeMap<HashFormat, u64>,
    /// Accounts in a leak of whose secrets none is the password.
    pub not_exposed: u64,
    /// Accounts in a leak that have no password.
    pub no_password: u64,
    /// Accounts in a leak that were deleted while it was read.
    pub gone: u64,
    /// Accounts in a leak whose stored hash could not be tried.
    pub unverified: u64,
    /// The same by reason.
    pub unverified_by_reason: BTreeMap<Unverified, u64>,
    /// Each leak by itself.
    pub leaks: Vec<LeakAssessment>,
    /// The accounts that are exposed or could not be verified, by id.
    #[serde(skip)]
    pub list: Vec<Listed>,
}

/// One leak of an assessment.
#[derive(Debug, Default, Serialize)]
pub struct LeakAssessment {
    /// The path as it was given.
    pub leak: String,
    /// Files read.
    pub files: u64,
    /// Files that broke off before their end.
    pub incomplete_files: Vec<String>,
    /// Lines that are not blank.
    pub records: u64,
    /// Records whose identifier is one of the accounts'.
    pub hits: u64,
    /// Lines that are no record.
    pub rejects: u64,
    /// Records whose secret is the password of an account.
    pub matches: u64,
    /// Accounts whose password stands in this leak.
    pub exposed: u64,
}

/// A record of an assessment: which of the leaks, and where in it.
#[derive(Debug)]
pub(super) struct Sighting {
    pub(super) leak: usize,
    pub(super) record: RecordRef,
}

impl Assessment {
    /// Nothing read yet but the accounts.
    pub(super) fn begin(leaks: &[PathBuf], accounts: u64, accounts_without_password: u64) -> Self {
        let named = |path: &PathBuf| LeakAssessment {
            leak: path.display().to_string(),
            ..LeakAssessment::default()
        };
        let leaks = leaks.iter().map(named).collect();
        Self { accounts, accounts_without_password, leaks, ..Self::default() }
    }

    /// Whether every file was read to its end.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.leaks.iter().all(|leak| leak.incomplete_files.is_empty())
    }

    /// Counts what became of the lines of one file.
    pub(super) fn add_file(&mut self, leak: usize, path: &str, tally: &Tally, complete: bool) {
        self.lines += tally.lines;
        self.blank += tally.blank;
        self.records += tally.records();
        self.hits += tally.hits;
        self.misses += tally.misses;
        self.rejects += tally.rejects.total();
        tally.rejects.iter().for_each(|(reason, count)| self.rejects_by_reason.add(reason, count));
        self.leaks[leak].add_file(path, tally, complete);
    }

    /// Counts what came of one account.
    pub(super) fn add_account(&mut self, account: AccountId, judgement: Judgement<Sighting>) {
        match judgement {
            Judgement::Exposed(exposure) => self.add_exposed(account, exposure),
            Judgement::NotExposed(_) => self.not_exposed += 1,
            Judgement::NoPassword => self.no_password += 1,
            Judgement::Gone => self.gone += 1,
            Judgement::Unverified(reason, format) => self.add_unverified(account, reason, format),
        }
    }

    fn add_exposed(&mut self, account: AccountId, mut exposure: Exposure<Sighting>) {
        exposure.records.sort_by(|a, b| (a.leak, &a.record).cmp(&(b.leak, &b.record)));
        self.exposed += 1;
        self.matches += exposure.records.len() as u64;
        *self.exposed_by_format.entry(exposure.format).or_default() += 1;
        for sightings in exposure.records.chunk_by(|a, b| a.leak == b.leak) {
            let leak = &mut self.leaks[sightings[0].leak];
            leak.exposed += 1;
            leak.matches += sightings.len() as u64;
        }
        let records = exposure.records.into_iter().map(|sighting| sighting.record).collect();
        self.list.push(Listed::exposed(account, exposure.format, exposure.tier, records));
    }

    fn add_unverified(
        &mut self,
        account: AccountId,
        reason: Unverified,
        format: Option<HashFormat>,
    ) {
        self.unverified += 1;
        *self.unverified_by_reason.entry(reason).or_default() += 1;
        self.list.push(Listed::unverified(account, reason, format));
    }
}

impl LeakAssessment {
    fn add_file(&mut self, path: &str, tally: &Tally, complete: bool) {
        self.files += 1;
        self.records += tally.records();
        self.hits += tally.hits;
        self.rejects += tally.rejects.total();
        if !complete {
            self.incomplete_files.push(path.to_owned());
        }
    }
}
