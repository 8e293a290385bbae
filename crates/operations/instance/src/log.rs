use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::future::BoxFuture;
use ledger::{
    Audit, AuditError, Audited, CheckpointError, CheckpointVerifier, CheckpointVerifiers, Hash,
    History, HistoryReport, account_of, campaign_of, hash_position, subject_of,
};
use model::{AccountId, SubjectId};
use serde::Serialize;
use store::{CheckpointRow, LogEntry, Tx};

use crate::{Instance, InstanceFault, LogError, limits::LOG_ENTRIES_PER_READ};

/// A log that agrees with its checkpoints, and what its entries tell.
#[derive(Debug, Serialize)]
pub struct LogReport {
    /// Entries in it.
    pub entries: u64,
    /// Signed checkpoints that were held against it.
    pub checkpoints: u64,
    /// The latest checkpoint, signed.
    pub checkpoint: String,
    /// Who can check it: a C2SP verifier key.
    pub verifier: String,
    /// Who can check what was signed before the instance key was rotated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retired_verifiers: Vec<RetiredVerifier>,
    /// What became of everybody in its campaigns, and which entries cannot stand where they do.
    #[serde(flatten)]
    pub history: HistoryReport,
}

/// Who checks what a key has signed that was retired since.
#[derive(Debug, Serialize)]
pub struct RetiredVerifier {
    /// A C2SP verifier key.
    pub verifier: String,
    /// The size of the last checkpoint that the key has signed. A greater one is forged.
    pub signed_to: u64,
}

/// Computes the whole log again and holds it against every checkpoint, and against one that was
/// kept elsewhere; then asks whether its entries can have come about so.
///
/// # Errors
/// [`LogError::Audit`] says where the log is not what was signed.
pub fn verify_log<'a>(
    instance: &'a Instance,
    kept: Option<&'a str>,
) -> BoxFuture<'a, Result<LogReport, InstanceFault>> {
    Box::pin(async move {
        let verifiers = instance.checkpoint_verifiers();
        let mut tx = instance.store().read().await?;
        let ReadLog { audited, checkpoint, history } = read_log(instance, &mut tx, kept).await?;
        let Audited { entries, checkpoints, .. } = audited;
        let retired = verifiers.retired().iter().map(|(verifier, signed_to)| RetiredVerifier {
            verifier: verifier.to_string(),
            signed_to: *signed_to,
        });
        Ok(LogReport {
            entries,
            checkpoints,
            checkpoint,
            verifier: verifiers.in_force().to_string(),
            retired_verifiers: retired.collect(),
            history,
        })
    })
}

/// A log that agrees with its checkpoints.
pub(crate) struct ReadLog {
    pub(crate) audited: Audited,
    /// The latest checkpoint.
    pub(crate) checkpoint: String,
    pub(crate) history: HistoryReport,
}

/// As [`verify_log`], as a transaction sees the log.
pub(crate) async fn read_log(
    instance: &Instance,
    tx: &mut Tx,
    kept: Option<&str>,
) -> Result<ReadLog, InstanceFault> {
    let verifiers = instance.checkpoint_verifiers();
    let signed = tx.checkpoints().await?;
    let checkpoint = signed.last().map(|checkpoint| checkpoint.note.clone()).unwrap_or_default();
    let notes = signed_sizes(signed, kept, &verifiers).map_err(LogError::from)?;
    let audit = Audit::new(&verifiers);
    let mut reading = LogReading { audit, notes, history: History::default() };
    reading.read_all(instance, tx).await?;
    let (audited, history) = reading.finish(&checkpoint, verifiers.in_force())?;
    Ok(ReadLog { audited, checkpoint, history })
}

/// A log that is being read from its first entry on.
struct LogReading<'a> {
    audit: Audit<'a>,
    notes: Notes,
    history: History,
}

impl LogReading<'_> {
    async fn read_all(&mut self, instance: &Instance, tx: &mut Tx) -> Result<(), InstanceFault> {
        loop {
            let entries = tx.log_entries(self.audit.size(), LOG_ENTRIES_PER_READ).await?;
            if entries.is_empty() {
                return Ok(());
            }
            let subjects = subjects_of_old(instance, tx, &entries).await?;
            for entry in entries {
                let hashes = hash_position(entry.position)..hash_position(entry.position + 1);
                let stored = tx.log_hashes(&hashes.collect::<Vec<_>>()).await?;
                self.take(&entry, &stored)?;
                self.history.take(&entry.body, subjects.get(&entry.position).copied());
            }
        }
    }

    fn take(&mut self, entry: &LogEntry, stored: &[Hash]) -> Result<(), LogError> {
        self.audit.entry(&entry.body, stored)?;
        check_filing(entry)?;
        for note in self.notes.remove(&self.audit.size()).unwrap_or_default() {
            self.audit.checkpoint(&note)?;
        }
        Ok(())
    }

    fn finish(
        mut self,
        latest: &str,
        verifier: &CheckpointVerifier,
    ) -> Result<(Audited, HistoryReport), LogError> {
        if let Some((signed, _)) = self.notes.pop_first() {
            return Err(AuditError::Unsigned { entries: self.audit.size(), signed }.into());
        }
        let audited = self.audit.finish(verifier.read(latest)?.size)?;
        Ok((audited, self.history.finish()))
    }
}

/// Who has the accounts that entries of version 0.1.0 name, by the entries' numbers.
async fn subjects_of_old(
    instance: &Instance,
    tx: &mut Tx,
    entries: &[LogEntry],
) -> Result<HashMap<u64, SubjectId>, InstanceFault> {
    let named = entries.iter().filter_map(|entry| Some((entry.position, account_of(&entry.body)?)));
    let named: Vec<_> = named.collect();
    if named.is_empty() {
        return Ok(HashMap::new());
    }
    let accounts: Vec<_> = named.iter().map(|(_, account)| account.clone()).collect();
    let subjects = instance.subjects_of(tx, &accounts).await?;
    let known = |(position, account)| Some((position, *subjects.get(&account)?));
    Ok(named.into_iter().filter_map(known).collect())
}

/// The checkpoints to be met on the way, by the number of entries that they sign.
type Notes = BTreeMap<u64, Vec<String>>;

fn signed_sizes(
    signed: Vec<CheckpointRow>,
    kept: Option<&str>,
    verifiers: &CheckpointVerifiers,
) -> Result<Notes, CheckpointError> {
    let mut notes = Notes::new();
    for checkpoint in signed {
        notes.entry(checkpoint.size).or_default().push(checkpoint.note);
    }
    if let Some(kept) = kept {
        notes.entry(verifiers.read(kept)?.size).or_default().push(kept.to_owned());
    }
    Ok(notes)
}

/// Whoever reads the entries of one campaign finds them by the column, which no checkpoint signs.
fn check_filing(entry: &LogEntry) -> Result<(), LogError> {
    if campaign_of(&entry.body)? == entry.campaign {
        Ok(())
    } else {
        Err(LogError::Misfiled { position: entry.position })
    }
}

/// The latest signed checkpoint.
///
/// # Errors
/// [`LogError`] if the store fails.
pub fn log_checkpoint(instance: &Instance) -> BoxFuture<'_, Result<Option<String>, LogError>> {
    Box::pin(async move {
        let latest = instance.store().read().await?.latest_checkpoint().await?;
        Ok(latest.map(|checkpoint| checkpoint.note))
    })
}

/// Some entries of the log, from one on.
///
/// # Errors
/// [`LogError`] if the store fails.
pub fn log_entries(
    instance: &Instance,
    from: u64,
) -> BoxFuture<'_, Result<Vec<LogEntry>, LogError>> {
    Box::pin(async move {
        Ok(instance.store().read().await?.log_entries(from, LOG_ENTRIES_PER_READ).await?)
    })
}

/// An entry, and the account of whom it is about.
pub type NamedLogEntry = (LogEntry, Option<AccountId>);

/// The same, each with the account of the person whom it is about; `None` where it is about nobody,
/// or about somebody who is forgotten.
///
/// # Errors
/// [`InstanceFault`] if an entry cannot be read, or the store fails.
pub fn named_log_entries(
    instance: &Instance,
    from: u64,
) -> BoxFuture<'_, Result<Vec<NamedLogEntry>, InstanceFault>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let mut entries = Vec::new();
        for entry in tx.log_entries(from, LOG_ENTRIES_PER_READ).await? {
            let subject = subject_of(&entry.body).map_err(LogError::from)?;
            entries.push((entry, subject));
        }
        let subjects: BTreeSet<_> = entries.iter().filter_map(|(_, subject)| *subject).collect();
        let accounts = instance.accounts_of(&mut tx, subjects).await?;
        let account = |subject: Option<SubjectId>| accounts.of(subject?).ok().cloned();
        Ok(entries.into_iter().map(|(entry, subject)| (entry, account(subject))).collect())
    })
}

#[cfg(test)]
mod tests {
    use std::slice;

    use ledger::{CampaignEvent, Entry, HistoryRule, NoticeStep, Whom};
    use model::{CampaignId, NoticeId, Timestamp};

    use super::*;
    use crate::testing::TestSite;

    #[tokio::test]
    async fn entries_that_cannot_have_come_about_so_are_told_of_a_log_that_is_signed() {
        let site = TestSite::new().await;
        let (campaign, account) = (CampaignId(7), AccountId::new("12").unwrap());
        let mut tx = site.store().begin().await.unwrap();
        let named = site.name_accounts(&mut tx, slice::from_ref(&account)).await.unwrap();
        let subject = named[&account];
        // The second one names the same person as version 0.1.0 did.
        for whom in [subject.into(), Whom::Account(account)] {
            let sealed = CampaignEvent::AccountSealed { campaign, whom, address: 0 };
            site.record(&mut tx, &[sealed.into()]).await.unwrap();
        }
        tx.commit().await.unwrap();
        let HistoryReport { campaigns, faults } = verify_log(&site, None).await.unwrap().history;
        let faults: Vec<_> = faults.iter().map(|fault| (fault.entry, fault.rule)).collect();
        let (drafted, intent) = (HistoryRule::Drafted, HistoryRule::Intent);
        assert_eq!(faults, [(1, drafted), (1, intent), (2, intent)]);
        assert_eq!((campaigns.len(), campaigns[0].sealed), (1, 1));
    }

    #[test]
    fn an_entry_is_filed_under_the_campaign_that_it_is_about() {
        let filed = |about: Option<i64>, campaign: Option<i64>| {
            let (campaign, notice) = (campaign.map(CampaignId), NoticeId(5));
            let step = NoticeStep::NoticeDisputed { campaign: about.map(CampaignId), notice };
            let at = Timestamp::from_micros(0);
            let body = Entry::new(at, &step.into()).to_bytes().unwrap();
            let entry = LogEntry { position: 3, at, campaign, body };
            check_filing(&entry).map_err(|error| error.to_string())
        };
        assert_eq!((filed(Some(7), Some(7)), filed(None, None)), (Ok(()), Ok(())));
        for (about, column) in [(Some(7), Some(8)), (Some(7), None), (None, Some(8))] {
            let refusal = filed(about, column).unwrap_err();
            assert!(refusal.starts_with("entry 3 of the log is about another"), "{refusal}");
        }
    }
}
