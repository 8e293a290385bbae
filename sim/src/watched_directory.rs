//! The site's accounts as the program sees them, with named moments around them.

use std::sync::Arc;

use directory::{
    AccountStream, Capabilities, ChangeMark, Changes, Directory, DirectoryReport, EndedSessions,
    Reading, Writing,
};
use failpoint::reach;
use model::{Account, AccountId, StoredHash};

use crate::strand::{IN_SITE, SiteUse};

/// What the program uses, with moments of the simulation before and after.
#[derive(Debug)]
pub(crate) struct WatchedDirectory(pub(crate) Arc<dyn Directory>);

impl Directory for WatchedDirectory {
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

    fn replace_if<'a>(
        &'a self,
        account: &'a AccountId,
        expected: &'a StoredHash,
        new: &'a StoredHash,
    ) -> Writing<'a, bool> {
        Box::pin(IN_SITE.scope(site_use(), self.0.replace_if(account, expected, new)))
    }

    fn end_sessions<'a>(&'a self, ids: &'a [AccountId]) -> Writing<'a, EndedSessions> {
        Box::pin(IN_SITE.scope(site_use(), self.0.end_sessions(ids)))
    }

    fn check(&self) -> Reading<'_, DirectoryReport> {
        self.0.check()
    }
}

fn site_use() -> Arc<SiteUse> {
    Arc::default()
}
