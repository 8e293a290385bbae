use std::{collections::BTreeMap, sync::Arc};

use directory::{Directory, ReadError};
use futures_util::TryStreamExt;
use futures_util::future::BoxFuture;
use ledger::LogEvent;
use model::{
    AccountId, FileId, FoundIn, HashFormat, LeakId, LeakName, LeakState, Outcome, OutcomeCount,
    Outcomes, RecordRef, SubjectId,
};
use password::Verifier;
use store::{
    Batch, Candidate, FindingRecord, JobKind, Leak, Lease, NewFinding, NewTried, NewUnverified,
    StoreError, Tx, Work,
};
use tokio::task::{JoinError, spawn_blocking};

use instance::{
    DataKey, DecryptError, Instance, InstanceFault, KeyRing, LogError, Progress, Step, Subjects,
};

use crate::{
    LeakError, LeakReport, LeakWorkError,
    contexts::{FINDING, SPOOL, candidate_context, finding_context},
    leaks::{find, remove_kept, show_leak},
    limits::ACCOUNTS_PER_BATCH,
    proof::{ProofTally, claims_of},
    verify_accounts::{
        AccountClaims, AccountVerdict, LeakClaim, ProvenExposure, UntriedAccount, verify_accounts,
    },
    work::{LostLease, work_off},
};

/// Batches in hand at once: while one is verified on all cores, another one is read or written.
const LANES: usize = 2;

/// Tries a leak's candidates on the accounts' stored hashes as they are now. Matches become
/// findings; in the end the key of everything else is destroyed.
///
/// It can be stopped at any moment, in any way, and called again.
///
/// # Errors
/// [`VerifyLeakError`] if the leak is not screened yet, or the accounts cannot be read.
pub fn verify_leak<'a>(
    instance: &'a Instance,
    name: &'a LeakName,
    directory: &'a dyn Directory,
    verifier: Arc<Verifier>,
    progress: Arc<dyn Progress>,
) -> BoxFuture<'a, Result<LeakReport, VerifyLeakError>> {
    Box::pin(async move {
        let named = Some(verifier.forms_id());
        let leak = find(instance, &mut instance.store().read().await?, name).await?;
        match leak.state {
            LeakState::Added | LeakState::Screening => {
                return Err(VerifyLeakError::NotScreened { name: leak.name });
            }
            LeakState::Screened => begin(instance, &leak).await?,
            LeakState::Verifying => {}
            LeakState::Verified => return Ok(show_leak(instance, name, named).await?),
        }
        let id = leak.id;
        let verification =
            Verification::new(instance, leak, directory, verifier, progress.as_ref()).await?;
        let job = |lease| verification.verify_batch(lease);
        work_off(instance, JobKind::Verify, id, LANES, progress.as_ref(), job).await?;
        progress.end();
        finish(instance, id).await?;
        Ok(show_leak(instance, name, named).await?)
    })
}

/// Cuts the accounts into batches. Another worker may have done so just before.
async fn begin(instance: &Instance, leak: &Leak) -> Result<(), VerifyLeakError> {
    let mut tx = instance.store().begin().await?;
    match tx.advance_leak(leak.id, LeakState::Screened, LeakState::Verifying).await {
        Err(StoreError::LeakMoved { .. }) => return Ok(()),
        advanced => advanced?,
    }
    let accounts: Vec<_> = tx.candidate_accounts(leak.id).try_collect().await?;
    let batches: Vec<_> = accounts.chunks(ACCOUNTS_PER_BATCH).filter_map(bounds).collect();
    tx.add_batches(leak.id, &batches).await?;
    Ok(tx.commit().await?)
}

fn bounds(accounts: &[AccountId]) -> Option<(AccountId, AccountId)> {
    Some((accounts.first()?.clone(), accounts.last()?.clone()))
}

/// When all batches are done: destroys what did not match.
async fn finish(instance: &Instance, leak: LeakId) -> Result<(), VerifyLeakError> {
    let mut tx = instance.store().begin().await?;
    match tx.advance_leak(leak, LeakState::Verifying, LeakState::Verified).await {
        Err(StoreError::LeakMoved { .. }) => return Ok(()),
        advanced => advanced?,
    }
    let files = tx.leak_files(leak).await?;
    remove_kept(files.iter().filter_map(|file| file.kept.as_deref()))?;
    tx.destroy_spool_key(leak).await?;
    let mut outcomes = Outcomes::default();
    for (outcome, _, accounts) in tx.summary(leak).await?.outcomes {
        outcomes.add(outcome, accounts);
    }
    instance.record(&mut tx, &[LogEvent::LeakVerified { leak, outcomes }]).await?;
    Ok(tx.commit().await?)
}

/// What every batch of a leak needs.
struct Verification<'a> {
    instance: &'a Instance,
    leak: LeakId,
    files: BTreeMap<FileId, String>,
    key: DataKey,
    directory: &'a dyn Directory,
    verifier: Arc<Verifier>,
    progress: &'a dyn Progress,
}

impl<'a> Verification<'a> {
    async fn new(
        instance: &'a Instance,
        leak: Leak,
        directory: &'a dyn Directory,
        verifier: Arc<Verifier>,
        progress: &'a dyn Progress,
    ) -> Result<Self, VerifyLeakError> {
        let mut tx = instance.store().read().await?;
        let files = instance.leak_files(&mut tx, &leak).await?;
        let wrapped = leak.spool_key.ok_or(LeakWorkError::NoKey)?;
        let left = tx.candidate_accounts(leak.id).try_fold(0, async |sum, _| Ok(sum + 1)).await?;
        progress.begin(Step::Verify, left);
        Ok(Self {
            instance,
            leak: leak.id,
            files: files.into_iter().map(|file| (file.id, file.path)).collect(),
            key: instance.keys().data_key(SPOOL, &wrapped)?,
            directory,
            verifier,
            progress,
        })
    }

    async fn verify_batch(&self, lease: Lease) -> Result<(), VerifyLeakError> {
        let Work::Verify(batch) = &lease.work else {
            return Ok(());
        };
        let claims = self.load(batch).await?;
        let ids: Vec<_> = claims.iter().map(|(id, _)| id.clone()).collect();
        let present = self.directory.by_ids(&ids).await?;
        let verifier = Arc::clone(&self.verifier);
        let verdicts = spawn_blocking(move || verify_accounts(&verifier, present, claims)).await?;
        self.record(&lease, batch, verdicts).await?;
        self.progress.advance(ids.len() as u64);
        Ok(())
    }

    async fn load(
        &self,
        batch: &Batch,
    ) -> Result<Vec<AccountClaims<FindingRecord>>, VerifyLeakError> {
        let mut tx = self.instance.store().read().await?;
        let mut claims: BTreeMap<AccountId, Vec<LeakClaim<FindingRecord>>> = BTreeMap::new();
        for candidate in tx.candidates_between(self.leak, &batch.from, &batch.to).await? {
            let claim = self.claim(&candidate)?;
            claims.entry(candidate.account).or_default().push(claim);
        }
        Ok(claims.into_iter().collect())
    }

    fn claim(&self, candidate: &Candidate) -> Result<LeakClaim<FindingRecord>, DecryptError> {
        let context = candidate_context(self.leak, &candidate.account);
        let Candidate { file, line, offset, .. } = *candidate;
        Ok(LeakClaim {
            tier: candidate.tier,
            record: FindingRecord { file, member: None, line, offset },
            secrets: self.key.decrypt_secrets(&context, &candidate.sealed)?,
        })
    }

    /// Findings, counts, log and the end of the candidates: one transaction, one lease.
    async fn record(
        &self,
        lease: &Lease,
        batch: &Batch,
        verdicts: Vec<(AccountId, AccountVerdict<FindingRecord>)>,
    ) -> Result<(), VerifyLeakError> {
        let mut tx = self.instance.store().begin().await?;
        tx.finish(lease).await?;
        let subjects = self.name(&mut tx, &verdicts).await?;
        let (mut tally, keys) = (BatchTally::default(), self.instance.keys());
        for (account, verdict) in verdicts {
            let subject = subjects.get(&account).copied();
            tally.count(subject, &verdict, keys);
            match (verdict, subject) {
                (AccountVerdict::Exposed(exposure), Some(subject)) => {
                    let made = self.add_finding(&mut tx, account, subject, exposure).await?;
                    tally.events.push(made);
                }
                (AccountVerdict::Unverified(untried), Some(subject)) => {
                    tally.unverified.push(unverified(subject, untried));
                }
                _ => {}
            }
        }
        tx.add_tried(self.leak, self.instance.clock().now(), &tally.tried).await?;
        tx.add_unverified(self.leak, &tally.unverified).await?;
        tx.add_outcomes(lease.job, &tally.by_format()).await?;
        tx.add_shapes(lease.job, tally.proofs.shapes(keys, self.verifier.forms_id())).await?;
        tx.add_form_proofs(tally.proofs.proofs(keys)).await?;
        tx.drop_candidates_between(self.leak, &batch.from, &batch.to).await?;
        tx.clear_batch(lease.job).await?;
        self.instance.record(&mut tx, &tally.into_events(self.leak)).await?;
        Ok(tx.commit().await?)
    }

    /// Those who stay on record: whoever asks later is told whether it was this password that was tried.
    async fn name(
        &self,
        tx: &mut Tx,
        verdicts: &[(AccountId, AccountVerdict<FindingRecord>)],
    ) -> Result<Subjects, InstanceFault> {
        let stays = |verdict: &AccountVerdict<_>| !matches!(verdict, AccountVerdict::Gone);
        let staying = verdicts.iter().filter(|(_, verdict)| stays(verdict));
        let accounts: Vec<_> = staying.map(|(account, _)| account.clone()).collect();
        self.instance.name_accounts(tx, &accounts).await
    }

    async fn add_finding(
        &self,
        tx: &mut Tx,
        account: AccountId,
        subject: SubjectId,
        exposure: ProvenExposure<FindingRecord>,
    ) -> Result<LogEvent, VerifyLeakError> {
        let (vault, randomness) = (self.instance.keys(), self.instance.randomness());
        let version = exposure.credential.version(vault);
        let (key, wrapped_key) = vault.new_data_key(FINDING, randomness);
        let verified_at = self.instance.clock().now();
        let found = FoundIn { leak: self.leak, tier: exposure.tier, verified_at };
        let context = finding_context(&found, &account, version);
        let finding = NewFinding {
            leak: found.leak,
            subject,
            version,
            tier: found.tier,
            hash_format: exposure.format,
            verified_at,
            wrapped_key,
            sealed_secret: key.encrypt(&context, exposure.secret.expose(), randomness),
        };
        tx.add_finding(&finding, &exposure.records).await?;
        Ok(self.finding_made(&finding, &exposure.records))
    }

    fn finding_made(&self, finding: &NewFinding, records: &[FindingRecord]) -> LogEvent {
        let records = records.iter().map(|place| RecordRef {
            file: self.files.get(&place.file).cloned().unwrap_or_default(),
            member: place.member.clone(),
            line: place.line,
            offset: place.offset,
        });
        LogEvent::FindingMade {
            leak: self.leak,
            whom: finding.subject.into(),
            credential_version: finding.version,
            hash_format: finding.hash_format,
            tier: finding.tier,
            records: records.collect(),
        }
    }
}

fn unverified(subject: SubjectId, untried: UntriedAccount<FindingRecord>) -> NewUnverified {
    let head = untried.head().map_or_else(String::new, |head| head.to_string());
    let UntriedAccount { reason, format, records, .. } = untried;
    NewUnverified { subject, reason, hash_format: format, head, records }
}

/// What came of the accounts of one batch.
#[derive(Default)]
struct BatchTally {
    counts: BTreeMap<(Outcome, Option<HashFormat>), u64>,
    tried: Vec<NewTried>,
    unverified: Vec<NewUnverified>,
    proofs: ProofTally,
    events: Vec<LogEvent>,
}

impl BatchTally {
    fn count<R>(
        &mut self,
        subject: Option<SubjectId>,
        verdict: &AccountVerdict<R>,
        keys: &KeyRing,
    ) {
        if let Some(subject) = subject {
            let version = verdict.credential().map(|tried| tried.version(keys));
            self.tried.push(NewTried { subject, version, forms: claims_of(verdict, keys) });
        }
        self.proofs.count(verdict);
        *self.counts.entry(verdict.outcome()).or_default() += 1;
    }

    fn by_format(&self) -> Vec<OutcomeCount> {
        self.counts.iter().map(|((outcome, format), count)| (*outcome, *format, *count)).collect()
    }

    fn into_events(mut self, leak: LeakId) -> Vec<LogEvent> {
        let mut outcomes = Outcomes::default();
        for ((outcome, _), count) in self.counts {
            outcomes.add(outcome, count);
        }
        let noted = Some(self.tried.len() as u64);
        self.events.push(LogEvent::BatchVerified { leak, noted, outcomes });
        self.events
    }
}

/// Why a leak cannot be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyLeakError {
    /// What can go wrong in any work on a leak.
    #[error(transparent)]
    Work(#[from] LeakWorkError),
    /// Nobody has looked for our accounts in it yet.
    #[error("leak `{name}` is not screened yet: run `countersign leak screen` first")]
    NotScreened {
        /// The leak.
        name: LeakName,
    },
}

instance::from_through!(VerifyLeakError, Work: LeakError, InstanceFault, ReadError, DecryptError, StoreError, LogError, JoinError);

impl LostLease for VerifyLeakError {
    fn is_lost_lease(&self) -> bool {
        matches!(self, Self::Work(error) if error.is_lost_lease())
    }
}
