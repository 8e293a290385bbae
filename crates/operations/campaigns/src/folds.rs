use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use instance::{Instance, limits::LOG_ENTRIES_PER_READ};
use ledger::{CampaignEvent, Whom};
use model::CampaignId;
use store::{LogEntry, StoreError, Tx};

use crate::{ReportError, limits::FOLDS_KEPT, tale::Tale};

/// What a process has read of the audit log for its reports, so that the next report of a campaign
/// reads only the entries that are new. An empty one reads everything.
#[derive(Default)]
pub struct ReportFolds(Mutex<Vec<(CampaignId, SharedFold)>>);

/// Whoever reports holds it to the end, and begins to read the store only then: a transaction that
/// began before sees an older log, and rows that disagree with what is folded here.
pub(crate) type SharedFold = Arc<tokio::sync::Mutex<Fold>>;

impl ReportFolds {
    /// What is folded of a campaign. If there are too many, the one that nobody has asked for
    /// longest is forgotten.
    pub(crate) fn of(&self, campaign: CampaignId) -> SharedFold {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|(of, _)| *of == campaign);
        let fold = place.map(|place| kept.remove(place).1).unwrap_or_default();
        kept.push((campaign, Arc::clone(&fold)));
        if kept.len() > FOLDS_KEPT {
            kept.remove(0);
        }
        fold
    }
}

/// It may hold the ids of accounts, which belong into no log of ours.
impl fmt::Debug for ReportFolds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReportFolds(..)")
    }
}

/// One campaign's entries of the log, as far as they have been read.
#[derive(Default)]
pub(crate) struct Fold {
    tale: Tale,
    /// The last entry that was read.
    last: Option<LogEntry>,
}

impl Fold {
    /// What the log tells of the campaign.
    pub(crate) const fn tale(&self) -> &Tale {
        &self.tale
    }

    /// Reads what is new; returns how many entries that is. If the log no longer holds what was
    /// read, because the store was restored from a backup, everything is read anew.
    ///
    /// An entry is counted and passed at once. So whatever ends this early, an entry that cannot be
    /// read included, leaves a fold that goes on with the very same entry.
    pub(crate) async fn catch_up(
        &mut self,
        instance: &Instance,
        tx: &mut Tx,
        campaign: CampaignId,
    ) -> Result<u64, ReportError> {
        if !self.is_continued(tx, campaign).await? {
            *self = Self::default();
        }
        let mut read = 0;
        loop {
            let entries = tx.log_entries_of(campaign, self.next(), LOG_ENTRIES_PER_READ).await?;
            if entries.is_empty() {
                tracing::debug!(%campaign, entries = read, "read the log for a report");
                return Ok(read);
            }
            let read_now = entries.into_iter().map(|entry| ReadEntry::of(campaign, entry));
            let mut read_now: Vec<_> = read_now.collect();
            name_subjects(instance, tx, &mut read_now).await?;
            for entry in read_now {
                self.pass(entry)?;
                read += 1;
            }
        }
    }

    /// Entries carry their moment to the microsecond. Where the last one still stands in its place,
    /// all those before it do.
    async fn is_continued(&self, tx: &mut Tx, campaign: CampaignId) -> Result<bool, ReportError> {
        let Some(last) = &self.last else { return Ok(true) };
        let found = tx.log_entries_of(campaign, last.position, 1).await?;
        Ok(found.first() == Some(last))
    }

    fn next(&self) -> u64 {
        self.last.as_ref().map_or(0, |last| last.position + 1)
    }

    fn pass(&mut self, read: ReadEntry) -> Result<(), ReportError> {
        let ReadEntry { entry, event } = read;
        let position = entry.position;
        if let Some(event) = event.map_err(|source| ReportError::Entry { position, source })? {
            self.tale.tell(event, entry.at);
        }
        self.last = Some(entry);
        Ok(())
    }
}

/// An entry, and what it tells of the campaign.
struct ReadEntry {
    entry: LogEntry,
    event: Result<Option<CampaignEvent>, serde_json::Error>,
}

impl ReadEntry {
    fn of(campaign: CampaignId, entry: LogEntry) -> Self {
        let event = CampaignEvent::of(campaign, &entry.body);
        Self { entry, event }
    }

    fn whom(&mut self) -> Option<&mut Whom> {
        self.event.as_mut().ok()?.as_mut()?.whom_mut()
    }
}

/// Entries of version 0.1.0 name accounts, later ones the subjects of the same people.
async fn name_subjects(
    instance: &Instance,
    tx: &mut Tx,
    read: &mut [ReadEntry],
) -> Result<(), StoreError> {
    let accounts = read.iter_mut().filter_map(|entry| match entry.whom()? {
        Whom::Account(account) => Some(account.clone()),
        Whom::Subject(_) => None,
    });
    let accounts: Vec<_> = accounts.collect();
    let subjects = instance.subjects_of(tx, &accounts).await?;
    for whom in read.iter_mut().filter_map(ReadEntry::whom) {
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
    use std::{collections::BTreeMap, slice};

    use instance::{Instance, testing::TestSite};
    use ledger::{Tree, frontier, hash_position};
    use model::{AccountId, SubjectId, TargetState};
    use store::NewLogEntry;

    use super::*;

    const CAMPAIGN: CampaignId = CampaignId(7);

    fn sealed(campaign: CampaignId, subject: i64) -> CampaignEvent {
        CampaignEvent::AccountSealed { campaign, whom: SubjectId(subject).into(), address: 0 }
    }

    async fn record(site: &Instance, event: CampaignEvent) {
        let mut tx = site.store().begin().await.unwrap();
        site.record(&mut tx, &[event.into()]).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Appends what this version of the program does not know.
    async fn append_unknown(site: &Instance) {
        let mut tx = site.store().begin().await.unwrap();
        let entries = tx.log_size_for_append().await.unwrap();
        let mut tree = Tree::resume(entries, tx.log_hashes(&frontier(entries)).await.unwrap());
        let body = br#"{"v":1,"event":"campaign_sung","campaign":7}"#.to_vec();
        let hashes = tree.push(&body).unwrap();
        let entry = NewLogEntry { campaign: Some(CAMPAIGN), body };
        let at = site.clock().now();
        tx.append_log(entries, at, &[entry], hash_position(entries), &hashes).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn catch_up(fold: &mut Fold, site: &Instance) -> Result<u64, String> {
        let mut tx = site.store().read().await.unwrap();
        fold.catch_up(site, &mut tx, CAMPAIGN).await.map_err(|error| error.to_string())
    }

    async fn assert_as_if_fresh(fold: &Fold, site: &Instance) {
        let mut fresh = Fold::default();
        catch_up(&mut fresh, site).await.unwrap();
        assert_eq!(fold.tale, fresh.tale);
    }

    #[tokio::test]
    async fn only_what_is_new_is_read() {
        let (site, mut fold) = (TestSite::new().await, Fold::default());
        assert_eq!(catch_up(&mut fold, &site).await, Ok(0));
        for subject in [1, 2] {
            record(&site, sealed(CAMPAIGN, subject)).await;
        }
        record(&site, sealed(CampaignId(8), 3)).await;
        assert_eq!(catch_up(&mut fold, &site).await, Ok(2));
        assert_eq!(catch_up(&mut fold, &site).await, Ok(0));
        record(&site, sealed(CAMPAIGN, 4)).await;
        assert_eq!(catch_up(&mut fold, &site).await, Ok(1));
        assert_eq!(fold.tale.entries, 3);
        assert_as_if_fresh(&fold, &site).await;
    }

    #[tokio::test]
    async fn an_entry_that_cannot_be_read_is_met_again() {
        let (site, mut fold) = (TestSite::new().await, Fold::default());
        record(&site, sealed(CAMPAIGN, 1)).await;
        append_unknown(&site).await;
        record(&site, sealed(CAMPAIGN, 2)).await;
        let error = catch_up(&mut fold, &site).await.unwrap_err();
        assert!(error.starts_with("entry 2 of the audit log cannot be read"), "{error}");
        assert_eq!(catch_up(&mut fold, &site).await, Err(error));
        assert_eq!(fold.tale.entries, 1);
    }

    #[tokio::test]
    async fn a_restored_log_is_read_anew() {
        let (site, mut fold) = (TestSite::new().await, Fold::default());
        for subject in [1, 2] {
            record(&site, sealed(CAMPAIGN, subject)).await;
        }
        catch_up(&mut fold, &site).await.unwrap();
        let restored = TestSite::new().await;
        record(&restored, sealed(CAMPAIGN, 3)).await;
        assert_eq!(catch_up(&mut fold, &restored).await, Ok(1), "it is shorter");
        assert_as_if_fresh(&fold, &restored).await;
        catch_up(&mut fold, &site).await.unwrap();
        record(&restored, sealed(CAMPAIGN, 4)).await;
        assert_eq!(catch_up(&mut fold, &restored).await, Ok(2), "it is another");
        assert_as_if_fresh(&fold, &restored).await;
    }

    #[tokio::test]
    async fn whom_an_old_entry_names_is_one_with_whom_a_new_one_does() {
        let (site, mut fold) = (TestSite::new().await, Fold::default());
        let account = AccountId::new("12").unwrap();
        let mut tx = site.store().begin().await.unwrap();
        let named = site.name_accounts(&mut tx, slice::from_ref(&account)).await.unwrap();
        tx.commit().await.unwrap();
        for whom in [Whom::Account(account.clone()), named[&account].into()] {
            record(&site, CampaignEvent::AccountSealed { campaign: CAMPAIGN, whom, address: 0 })
                .await;
        }
        assert_eq!(catch_up(&mut fold, &site).await, Ok(2));
        assert_eq!(fold.tale.reckoning().accounts, BTreeMap::from([(TargetState::Sealed, 1)]));
    }

    #[test]
    fn few_campaigns_are_remembered() {
        let folds = ReportFolds::default();
        let first = folds.of(CAMPAIGN);
        let fill = |others: i64| (0..others).for_each(|other| drop(folds.of(CampaignId(other))));
        fill(i64::try_from(FOLDS_KEPT).unwrap() - 1);
        assert!(Arc::ptr_eq(&folds.of(CAMPAIGN), &first));
        fill(i64::try_from(FOLDS_KEPT).unwrap());
        assert!(!Arc::ptr_eq(&folds.of(CAMPAIGN), &first));
    }
}
