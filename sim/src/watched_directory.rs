//! The site's accounts as the program sees them, with named moments around them.

use std::sync::Arc;

use directory::{
    AccountStream, Capabilities, ChangeMark, Changes, Directory, DirectoryReport, EndedSessions,
    LockedRow, Reading, RowNow, TransactionFate, WriteError, WriteGrant, Writing,
};
use failpoint::reach;
use model::{Account, AccountId, SiteTransaction, StoredHash};

use crate::strand::{IN_SITE, SiteUse};

/// What the program uses, with moments of the simulation before and after.
#[derive(Debug)]
pub(crate) struct WatchedDirectory(pub(crate) Arc<dyn Directory>);

impl Directory for WatchedDirectory {
    fn try_rehearsal(&self) -> Reading<'_, Result<(), WriteError>> {
        self.0.try_rehearsal()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn count(&self) -> Reading<'_, u64> {
        self.0.count()
    }

    fn scan(&self) -> AccountStream<'_> {
        self.0.scan()
    }

    fn changed_since<'a>(&'a self, mark: Option<&'a ChangeMark>) -> Reading<'a, Changes<'a>> {
        self.0.changed_since(mark)
    }

    fn by_ids<'a>(&'a self, ids: &'a [AccountId]) -> Reading<'a, Vec<Account>> {
        Box::pin(async move {
            reach("site_read").await;
            self.0.by_ids(ids).await
        })
    }

    fn by_names<'a>(&'a self, names: &'a [String]) -> Reading<'a, Vec<Account>> {
        self.0.by_names(names)
    }

    fn lock<'a>(&'a self, account: &'a AccountId) -> Writing<'a, Box<dyn LockedRow>> {
        Box::pin(async move {
            let site = SiteUse::beginning();
            let row = IN_SITE.scope(Arc::clone(&site), self.0.lock(account)).await?;
            Ok(Box::new(WatchedRow { row, site }) as Box<dyn LockedRow>)
        })
    }

    fn look<'a>(&'a self, account: &'a AccountId) -> Reading<'a, RowNow> {
        Box::pin(async move {
            reach("site_look").await;
            self.0.look(account).await
        })
    }

    fn fate<'a>(&'a self, of: &'a SiteTransaction) -> Reading<'a, TransactionFate> {
        self.0.fate(of)
    }

    fn end_sessions<'a>(&'a self, ids: &'a [AccountId]) -> Writing<'a, EndedSessions> {
        Box::pin(IN_SITE.scope(SiteUse::beginning(), self.0.end_sessions(ids)))
    }

    fn try_write(&self) -> Reading<'_, WriteGrant> {
        Box::pin(IN_SITE.scope(SiteUse::beginning(), self.0.try_write()))
    }

    fn check(&self) -> Reading<'_, DirectoryReport> {
        self.0.check()
    }
}

/// A row that is held: until it is let go, nobody else begins on the site. It goes before what says
/// so, which must not end while the database still holds it.
struct WatchedRow {
    row: Box<dyn LockedRow>,
    site: Arc<SiteUse>,
}

impl LockedRow for WatchedRow {
    fn now(&self) -> &RowNow {
        self.row.now()
    }

    fn is_active(&self) -> bool {
        self.row.is_active()
    }

    fn replace<'a>(&'a mut self, new: &'a StoredHash) -> Writing<'a, ()> {
        self.row.replace(new)
    }

    fn transaction(&self) -> Option<SiteTransaction> {
        self.row.transaction()
    }

    fn commit(self: Box<Self>) -> Writing<'static, ()> {
        let Self { row, site } = *self;
        Box::pin(IN_SITE.scope(site, row.commit()))
    }

    fn roll_back(self: Box<Self>) -> Writing<'static, ()> {
        let Self { row, site } = *self;
        Box::pin(async move {
            let taken_back = row.roll_back().await;
            drop(site);
            taken_back
        })
    }
}
