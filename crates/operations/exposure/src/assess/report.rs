use std::{collections::BTreeMap, path::PathBuf};

use model::{AccountId, HashFormat, RecordRef, Tally};
use password::{FormId, HashShape};
use serde::Serialize;

use crate::{
    AccountsRead, ExposureCounts,
    counts::are_lines_judged,
    list::ListedAccount,
    proof::{ProofTally, ProvedForms},
    verify_accounts::{AccountVerdict, ProvenExposure, UntriedAccount},
};

/// What an assessment found. It holds no secret.
#[derive(Debug, Default, Serialize)]
pub struct Assessment {
    /// Whether "not exposed" can be believed: all leaks were read, and nearly all accounts that they name
    /// could be verified.
    pub judged: bool,
    /// The accounts that were read.
    #[serde(flatten)]
    pub read: AccountsRead,
    /// What is wrong with lines of the export that the accounts were read from, each with its number.
    pub unread_lines: Vec<String>,
    /// Secrets that were tried on the accounts that the leaks name, at most: the work of verifying.
    pub secrets: u64,
    /// Other readings of these, tried after all of them: the work that they add.
    pub other_readings: u64,
    /// What became of all lines of all leaks, and of the accounts that they name.
    #[serde(flatten)]
    pub counts: ExposureCounts,
    /// Each leak by itself.
    pub leaks: Vec<LeakAssessment>,
    /// The accounts that are exposed or could not be verified, and those without proof, by id.
    #[serde(skip)]
    pub list: Vec<ListedAccount>,
    #[serde(skip)]
    proofs: ProofTally,
    /// The accounts that are not exposed, by how they were tried.
    #[serde(skip)]
    not_exposed: BTreeMap<(HashShape, Vec<FormId>), Vec<TriedAccountId>>,
}

/// An account, and the format of its hash.
type TriedAccountId = (AccountId, Option<HashFormat>);

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
    /// Whether it was read: to its end, and most lines are records.
    pub judged: bool,
}

/// A record of an assessment: which of the leaks, and where in it.
#[derive(Debug)]
pub(super) struct LocatedRecord {
    pub(super) leak: usize,
    pub(super) record: RecordRef,
}

impl Assessment {
    /// Says that some of the accounts could not be read whole.
    pub fn doubt(&mut self, unread_lines: &[String]) {
        self.unread_lines = unread_lines.to_vec();
        self.judged &= unread_lines.is_empty();
    }

    /// Nothing read yet.
    pub(super) fn begin(leaks: &[PathBuf]) -> Self {
        let named = |path: &PathBuf| LeakAssessment {
            leak: path.display().to_string(),
            ..LeakAssessment::default()
        };
        let leaks = leaks.iter().map(named).collect();
        Self { leaks, ..Self::default() }
    }

    /// Says of each leak, and of the whole, whether it could be judged: when all is counted.
    pub(super) fn judge(&mut self, known: Option<&ProvedForms<'_>>) {
        self.counts.set_without_proof(self.proofs.without_proof(known));
        self.list_without_proof(known);
        for leak in &mut self.leaks {
            let is_whole = leak.incomplete_files.is_empty();
            leak.judged = is_whole && are_lines_judged(leak.rejects, leak.records);
        }
        let are_read = self.leaks.iter().all(|leak| leak.judged);
        self.judged = are_read && self.read.is_judged() && self.counts.are_accounts_judged();
    }

    /// Lists whoever is counted so.
    fn list_without_proof(&mut self, known: Option<&ProvedForms<'_>>) {
        let not_exposed = std::mem::take(&mut self.not_exposed);
        if self.counts.without_proof.is_empty() {
            return;
        }
        for ((shape, forms), accounts) in not_exposed {
            if self.proofs.lacks_proof(known, &shape, &forms) {
                let listed = accounts
                    .into_iter()
                    .map(|(id, format)| ListedAccount::without_proof(id, format, &shape));
                self.list.extend(listed);
            }
        }
        self.list.sort_by(|a, b| a.account.cmp(&b.account));
    }

    /// Counts what became of the lines of one file.
    pub(super) fn add_file(&mut self, leak: usize, path: &str, tally: &Tally, complete: bool) {
        self.counts.add_lines(tally);
        self.leaks[leak].add_file(path, tally, complete);
    }

    /// Counts what is to be tried.
    pub(super) const fn add_secrets(&mut self, (secrets, other_readings): (u64, u64)) {
        self.secrets += secrets;
        self.other_readings += other_readings;
    }

    /// Counts what came of one account.
    pub(super) fn add_account(
        &mut self,
        account: AccountId,
        verdict: AccountVerdict<LocatedRecord>,
    ) {
        let (outcome, format) = verdict.outcome();
        self.counts.add_accounts(outcome, format, 1);
        self.proofs.count(&verdict);
        match verdict {
            AccountVerdict::Exposed(exposure) => self.add_exposed(account, exposure),
            AccountVerdict::Unverified(untried) => {
                self.counts.add_reason(untried.reason);
                self.list.push(listed(account, untried));
            }
            AccountVerdict::NotExposed(credential, format, forms) => {
                let how = (HashShape::of(credential.hash()), forms);
                self.not_exposed.entry(how).or_default().push((account, format));
            }
            AccountVerdict::NoPassword | AccountVerdict::Gone => {}
        }
    }

    fn add_exposed(&mut self, account: AccountId, mut exposure: ProvenExposure<LocatedRecord>) {
        exposure.records.sort_by(|a, b| (a.leak, &a.record).cmp(&(b.leak, &b.record)));
        self.counts.matches += exposure.records.len() as u64;
        for sightings in exposure.records.chunk_by(|a, b| a.leak == b.leak) {
            let leak = &mut self.leaks[sightings[0].leak];
            leak.exposed += 1;
            leak.matches += sightings.len() as u64;
        }
        let records = exposure.records.into_iter().map(|sighting| sighting.record).collect();
        self.list.push(ListedAccount::exposed(account, exposure.format, exposure.tier, records));
    }
}

fn listed(account: AccountId, untried: UntriedAccount<LocatedRecord>) -> ListedAccount {
    let head = untried.head().map(|head| head.to_string());
    let UntriedAccount { reason, format, mut records, .. } = untried;
    records.sort_by(|a, b| (a.leak, &a.record).cmp(&(b.leak, &b.record)));
    let records = records.into_iter().map(|located| located.record).collect();
    ListedAccount::unverified(account, reason, format, head, records)
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
