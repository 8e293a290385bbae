use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use ledger::{
    Audit, AuditError, Audited, CheckpointError, CheckpointVerifier, campaign_of, hash_position,
    subject_of,
};
use model::{AccountId, SubjectId};
use serde::Serialize;
use store::{CheckpointRow, LogEntry, Tx};

use crate::{Instance, InstanceFault, LogError, limits::LOG_ENTRIES_PER_READ};

/// A log that agrees with itself.
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
}

/// Computes the whole log again and holds it against every checkpoint, and against one that was
/// kept elsewhere.
///
/// # Errors
/// [`LogError::Audit`] says where the log contradicts itself.
pub fn verify_log<'a>(
    instance: &'a Instance,
    kept: Option<&'a str>,
) -> BoxFuture<'a, Result<LogReport, LogError>> {
    Box::pin(async move {
        let verifier = instance.checkpoint_key().verifier();
        let mut tx = instance.store().read().await?;
        let signed = tx.checkpoints().await?;
        let latest = signed.last().map(|checkpoint| checkpoint.note.clone()).unwrap_or_default();
        let mut notes = signed_sizes(signed, kept, &verifier)?;
        let mut audit = Audit::new(&verifier);
        read_all(&mut tx, &mut audit, &mut notes).await?;
        if let Some((beyond, _)) = notes.pop_first() {
            return Err(AuditError::Unsigned { entries: audit.size(), signed: beyond }.into());
        }
        let audited = audit.finish(verifier.read(&latest)?.size)?;
        let Audited { entries, checkpoints, .. } = audited;
        Ok(LogReport { entries, checkpoints, checkpoint: latest, verifier: verifier.to_string() })
    })
}

/// The checkpoints to be met on the way, by the number of entries that they sign.
type Notes = BTreeMap<u64, Vec<String>>;

fn signed_sizes(
    signed: Vec<CheckpointRow>,
    kept: Option<&str>,
    verifier: &CheckpointVerifier,
) -> Result<Notes, CheckpointError> {
    let mut notes = Notes::new();
    for checkpoint in signed {
        notes.entry(checkpoint.size).or_default().push(checkpoint.note);
    }
    if let Some(kept) = kept {
        notes.entry(verifier.read(kept)?.size).or_default().push(kept.to_owned());
    }
    Ok(notes)
}

async fn read_all(tx: &mut Tx, audit: &mut Audit<'_>, notes: &mut Notes) -> Result<(), LogError> {
    loop {
        let entries = tx.log_entries(audit.size(), LOG_ENTRIES_PER_READ).await?;
        if entries.is_empty() {
            return Ok(());
        }
        for entry in entries {
            let hashes = hash_position(entry.position)..hash_position(entry.position + 1);
            let stored = tx.log_hashes(&hashes.collect::<Vec<_>>()).await?;
            audit.entry(&entry.body, &stored)?;
            check_filing(&entry)?;
            for note in notes.remove(&audit.size()).unwrap_or_default() {
                audit.checkpoint(&note)?;
            }
        }
    }
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
    use ledger::{Entry, NoticeStep};
    use model::{CampaignId, NoticeId, Timestamp};

    use super::*;

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
