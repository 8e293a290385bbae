use std::mem;

use futures_util::future::BoxFuture;
use ledger::{AuditError, Fold, FoldEntry, Tree, Whom, frontier};
use store::{FoldSnapshot, KeyRotated, LogEntry, StoreError, Tx};
use subtle::ConstantTimeEq as _;
use tokio::sync::{MappedMutexGuard, MutexGuard};

use crate::{
    Instance, InstanceFault, LogError,
    append::check_signed,
    limits::{LOG_ENTRIES_PER_READ, LOG_ENTRIES_PER_SNAPSHOT},
    proved_log::ProvedEntries,
};

/// What the log says. Nobody else learns more of it until this is dropped.
pub type ProvedFold<'a> = MappedMutexGuard<'a, Fold>;

impl Instance {
    /// What the log says as far as others have committed it; the transaction's own entries do not
    /// count. Hold the rows that are to be compared with it first: then nobody moves them between. A
    /// transaction that only reads sees one state of the store, and asks this before all else: once others
    /// have learnt more of the log, they have overtaken it.
    ///
    /// # Errors
    /// [`LogError`] if the log does not agree with its checkpoint, or is shorter than it was;
    /// [`LogError::Overtaken`] if the transaction asked for something else first.
    pub fn proved<'a: 'tx, 'tx>(
        &'a self,
        tx: &'tx mut Tx,
    ) -> BoxFuture<'tx, Result<ProvedFold<'a>, InstanceFault>> {
        Box::pin(async move {
            let mut known = self.proved_log().0.lock().await;
            catch_up(&mut known, self, tx).await?;
            Ok(MutexGuard::map(known, |known| &mut known.fold))
        })
    }

    /// Passes a store that holds what this process has recorded there, so far.
    ///
    /// # Errors
    /// [`LogError::Undone`] if something in the database has taken it back.
    pub fn check_recorded(&self) -> BoxFuture<'_, Result<(), InstanceFault>> {
        Box::pin(async move {
            let mut tx = self.store().read().await?;
            drop(self.proved(&mut tx).await?);
            Ok(())
        })
    }
}

/// Keeps what the log says, if it has grown by much since that was kept last: a process that begins
/// reads only what came after. `false` if there is no need.
///
/// # Errors
/// [`InstanceFault`] if the log is not what was signed, or the store fails.
pub fn keep_proved(instance: &Instance) -> BoxFuture<'_, Result<bool, InstanceFault>> {
    Box::pin(keep_if_grown_by(instance, LOG_ENTRIES_PER_SNAPSHOT))
}

async fn keep_if_grown_by(instance: &Instance, entries: u64) -> Result<bool, InstanceFault> {
    let mut tx = instance.store().begin().await?;
    let kept = tx.fold_snapshot_size().await?;
    let fold = instance.proved(&mut tx).await?;
    let size = fold.size();
    if size < kept.saturating_add(entries) {
        return Ok(false);
    }
    let body = fold.snapshot().map_err(LogError::from)?;
    let root = fold.root().map_err(LogError::from)?;
    drop(fold);
    let (mac, key) = (instance.keys().snapshot_mac(size, &root, &body), Some(instance.keys().id()));
    tx.put_fold_snapshot(FoldSnapshot { size, body, mac, key }).await?;
    tx.commit().await?;
    Ok(true)
}

/// Until what is new is proved there is no fold: whatever ends this early, the next one reads
/// everything anew.
async fn catch_up(
    known: &mut ProvedEntries,
    instance: &Instance,
    tx: &mut Tx,
) -> Result<(), InstanceFault> {
    let growths = instance.store().log_growths();
    let committed = growths.committed();
    let size = tx.committed_log_size(known.fold.size()).await?;
    if size < committed.max(known.proved) {
        let error = if tx.is_overtaken_at(size) {
            LogError::Overtaken
        } else if size < committed {
            growths.lose().into()
        } else {
            LogError::Shorter { found: size, proved: known.proved }
        };
        return Err(error.into());
    }
    if size > known.fold.size() {
        read_up_to(known, instance, tx, size).await?;
    }
    Ok(growths.check(size).map_err(LogError::from)?)
}

async fn read_up_to(
    known: &mut ProvedEntries,
    instance: &Instance,
    tx: &mut Tx,
    size: u64,
) -> Result<(), InstanceFault> {
    let read = read_signed(known, instance, tx, size).await;
    if read.is_err() {
        // Whoever still holds the key before would take what the new one has signed for a forgery.
        tx.check_key().await?;
    }
    read
}

async fn read_signed(
    known: &mut ProvedEntries,
    instance: &Instance,
    tx: &mut Tx,
    size: u64,
) -> Result<(), InstanceFault> {
    let mut fold = mem::take(&mut known.fold);
    if fold.size() == 0 {
        fold = begin(instance, tx, size).await?;
    }
    let growths = instance.store().log_growths();
    for stop in growths.sizes_above(fold.size()).into_iter().chain([size]) {
        while fold.size() < stop.min(size) {
            read_some(instance, tx, &mut fold, stop.min(size)).await?;
        }
        growths.meet(fold.size(), fold.root().map_err(LogError::from)?);
    }
    let root = fold.root().map_err(LogError::from)?;
    // What this process has signed itself is believed without its signature.
    if !growths.is_own(fold.size(), root) {
        check_signed(tx, instance.checkpoint_verifier(), fold.size(), root).await?;
    }
    check_identity(instance, &fold)?;
    tracing::debug!(entries = size, "read the log");
    growths.note_read(size);
    *known = ProvedEntries { fold, proved: size };
    Ok(())
}

/// Where the newest snapshot was made, or before the first entry. One that is not ours is passed by:
/// it takes longer then, and what is read is the same.
async fn begin(instance: &Instance, tx: &mut Tx, size: u64) -> Result<Fold, LogError> {
    let kept = match tx.fold_snapshot(size).await {
        Err(error) if error.is_unreadable() => {
            tracing::warn!(%error, "a snapshot of the log is not ours: the log is read anew");
            None
        }
        kept => kept?,
    };
    let Some(FoldSnapshot { size, body, mac, key }) = kept else { return Ok(Fold::default()) };
    // What this process has written is met entry by entry.
    let is_passed = instance.store().log_growths().has_open_below(size);
    if is_passed || key != Some(instance.keys().id()) {
        return Ok(Fold::default());
    }
    let tree = Tree::resume(size, tx.log_hashes(&frontier(size)).await?);
    let expected = instance.keys().snapshot_mac(size, &tree.root()?, &body);
    if !bool::from(expected.ct_eq(&mac)) {
        tracing::warn!(entries = size, "a snapshot of the log is not ours: the log is read anew");
        return Ok(Fold::default());
    }
    Ok(Fold::resume(&body, tree).unwrap_or_default())
}

async fn read_some(
    instance: &Instance,
    tx: &mut Tx,
    fold: &mut Fold,
    size: u64,
) -> Result<(), InstanceFault> {
    let limit = LOG_ENTRIES_PER_READ.min(size - fold.size());
    let entries = tx.log_entries(fold.size(), limit).await?;
    if entries.is_empty() {
        let (entries, signed) = (fold.size(), size);
        return Err(LogError::from(AuditError::Unsigned { entries, signed }).into());
    }
    let mut read = Vec::with_capacity(entries.len());
    for entry in entries {
        read.push((read_entry(&entry)?, entry.body));
    }
    name_subjects(instance, tx, &mut read).await?;
    for (entry, body) in read {
        fold.take(entry, &body).map_err(LogError::from)?;
    }
    Ok(())
}

fn read_entry(entry: &LogEntry) -> Result<FoldEntry, LogError> {
    let position = entry.position;
    FoldEntry::read(&entry.body).map_err(|source| LogError::Unreadable { position, source })
}

/// What the store says of itself, and which key is in force, stands in the log as well.
fn check_identity(instance: &Instance, fold: &Fold) -> Result<(), InstanceFault> {
    fold.check_kind(instance.kind()).map_err(LogError::Row)?;
    let held = instance.keys().id();
    match fold.key_in_force() {
        Some(in_force) if in_force != held => {
            Err(StoreError::from(KeyRotated { in_force, held }).into())
        }
        _ => Ok(()),
    }
}

/// Entries of version 0.1.0 name accounts, later ones the subjects of the same people.
async fn name_subjects(
    instance: &Instance,
    tx: &mut Tx,
    read: &mut [(FoldEntry, Vec<u8>)],
) -> Result<(), InstanceFault> {
    let accounts = read.iter_mut().filter_map(|(entry, _)| match entry.whom_mut()? {
        Whom::Account(account) => Some(account.clone()),
        Whom::Subject(_) => None,
    });
    let accounts: Vec<_> = accounts.collect();
    if accounts.is_empty() {
        return Ok(());
    }
    let subjects = instance.subjects_of(tx, &accounts).await?;
    for whom in read.iter_mut().filter_map(|(entry, _)| entry.whom_mut()) {
        if let Whom::Account(account) = whom
            && let Some(subject) = subjects.get(account)
        {
            *whom = Whom::Subject(*subject);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::slice;

    use ledger::{CampaignEvent, Tree, frontier, hash_position};
    use model::{AccountId, CampaignId, SubjectId, TargetState};
    use store::NewLogEntry;

    use super::*;
    use crate::testing::TestSite;

    const CAMPAIGN: CampaignId = CampaignId(7);

    fn sealed(whom: impl Into<Whom>) -> CampaignEvent {
        CampaignEvent::AccountSealed { campaign: CAMPAIGN, whom: whom.into(), address: 0 }
    }

    async fn record(site: &Instance, event: CampaignEvent) {
        let mut tx = site.store().begin().await.unwrap();
        site.record(&mut tx, &[event.into()]).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn append(site: &Instance, event: &str) {
        let body = format!(r#"{{"v":1,"at":"2012-11-08T00:00:00Z","campaign":7,{event}}}"#);
        let mut tx = site.store().begin().await.unwrap();
        let entries = tx.log_size_for_append().await.unwrap();
        let mut tree = Tree::resume(entries, tx.log_hashes(&frontier(entries)).await.unwrap());
        let hashes = tree.push(body.as_bytes()).unwrap();
        let entry = NewLogEntry { campaign: Some(CAMPAIGN), body: body.into_bytes() };
        let at = site.clock().now();
        tx.append_log(entries, at, &[entry], hash_position(entries), &hashes).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// How many entries about the campaign are proved.
    async fn proved(site: &Instance) -> Result<u64, String> {
        let mut tx = site.store().begin().await.unwrap();
        let fold = site.proved(&mut tx).await.map_err(|error| error.to_string())?;
        Ok(fold.campaign(CAMPAIGN).map_or(0, |campaign| campaign.entries))
    }

    #[tokio::test]
    async fn what_is_committed_is_known_and_what_is_taken_back_is_not() {
        let site = TestSite::new().await;
        record(&site, sealed(SubjectId(1))).await;
        let mut tx = site.store().begin().await.unwrap();
        site.record(&mut tx, &[sealed(SubjectId(2)).into()]).await.unwrap();
        let fold = site.proved(&mut tx).await.unwrap();
        assert_eq!(fold.campaign(CAMPAIGN).unwrap().entries, 1, "the transaction's own");
        drop((fold, tx));
        assert_eq!(proved(&site).await, Ok(1));
        record(&site, sealed(SubjectId(3))).await;
        assert_eq!(proved(&site).await, Ok(2));
    }

    #[tokio::test]
    async fn whoever_began_before_others_recorded_is_overtaken_and_nothing_is_lost() {
        let site = TestSite::new().await;
        record(&site, sealed(SubjectId(1))).await;
        let mut early = site.store().read().await.unwrap();
        assert!(early.log_size().await.unwrap() > 0);
        record(&site, sealed(SubjectId(2))).await;
        assert_eq!(proved(&site).await, Ok(2));
        let error = site.proved(&mut early).await.map(drop).unwrap_err();
        assert!(matches!(error, InstanceFault::Log(LogError::Overtaken)), "{error}");
        assert_eq!(proved(&site).await, Ok(2));
    }

    #[tokio::test]
    async fn an_entry_without_a_checkpoint_is_believed_by_nobody() {
        let site = TestSite::new().await;
        append(&site, r#""event":"account_sealed","subject":1,"address":0"#).await;
        let error = proved(&site).await.unwrap_err();
        assert!(error.contains("its last checkpoint signs"), "{error}");
        assert_eq!(proved(&site).await, Err(error));
    }

    /// Whoever can write entries and their hashes waits for us to sign them.
    #[tokio::test]
    async fn nothing_is_signed_behind_what_nobody_has_signed() {
        let site = TestSite::new().await;
        record(&site, sealed(SubjectId(1))).await;
        append(&site, r#""event":"account_sealed","subject":2,"address":0"#).await;
        let mut tx = site.store().begin().await.unwrap();
        let event = sealed(SubjectId(3)).into();
        let refused = site.record(&mut tx, &[event]).await.unwrap_err();
        assert!(matches!(refused, LogError::Audit(AuditError::Unsigned { .. })), "{refused}");
    }

    #[tokio::test]
    async fn an_entry_that_cannot_be_read_is_met_again() {
        let site = TestSite::new().await;
        append(&site, r#""event":"campaign_sung""#).await;
        let error = proved(&site).await.unwrap_err();
        assert!(error.starts_with("entry 1 of the audit log cannot be read"), "{error}");
        assert_eq!(proved(&site).await, Err(error));
    }

    #[tokio::test]
    async fn whom_an_old_entry_names_is_one_with_whom_a_new_one_does() {
        let site = TestSite::new().await;
        let account = AccountId::new("12").unwrap();
        let mut tx = site.store().begin().await.unwrap();
        let named = site.name_accounts(&mut tx, slice::from_ref(&account)).await.unwrap();
        tx.commit().await.unwrap();
        record(&site, sealed(Whom::Account(account.clone()))).await;
        record(&site, sealed(named[&account])).await;
        let mut tx = site.store().begin().await.unwrap();
        let fold = site.proved(&mut tx).await.unwrap();
        let accounts = &fold.campaign(CAMPAIGN).unwrap().accounts;
        assert_eq!(accounts.values().collect::<Vec<_>>(), [&TargetState::Sealed]);
    }

    async fn kept(site: &Instance) -> Option<FoldSnapshot> {
        site.store().read().await.unwrap().fold_snapshot(u64::MAX >> 1).await.unwrap()
    }

    /// What a process proves that has just begun.
    async fn fresh(site: &Instance) -> (u64, u64) {
        let mut tx = site.store().begin().await.unwrap();
        let entries = tx.committed_log_size(0).await.unwrap();
        let begun = begin(site, &mut tx, entries).await.unwrap().size();
        let mut known = ProvedEntries::default();
        catch_up(&mut known, site, &mut tx).await.unwrap();
        (begun, known.fold.campaign(CAMPAIGN).unwrap().entries)
    }

    #[tokio::test]
    async fn who_begins_reads_what_came_after_the_last_snapshot() {
        let site = TestSite::new().await;
        record(&site, sealed(SubjectId(1))).await;
        assert!(!keep_if_grown_by(&site, 3).await.unwrap());
        assert!(keep_if_grown_by(&site, 2).await.unwrap());
        assert!(!keep_if_grown_by(&site, 2).await.unwrap(), "nothing is new");
        record(&site, sealed(SubjectId(2))).await;
        assert_eq!(fresh(&site).await, (2, 2));
    }

    #[tokio::test]
    async fn a_snapshot_that_somebody_else_has_written_is_passed_by() {
        let site = TestSite::new().await;
        record(&site, sealed(SubjectId(1))).await;
        keep_if_grown_by(&site, 1).await.unwrap();
        record(&site, sealed(SubjectId(2))).await;
        let ours = kept(&site).await.unwrap();
        let another = FoldSnapshot { body: [&ours.body[..], &[0]].concat(), ..ours.clone() };
        let of_another_key = FoldSnapshot { key: None, ..ours.clone() };
        for forged in [another, FoldSnapshot { size: 3, ..ours.clone() }, of_another_key] {
            let mut tx = site.store().begin().await.unwrap();
            tx.put_fold_snapshot(forged).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(fresh(&site).await, (0, 2));
        }
    }
}
