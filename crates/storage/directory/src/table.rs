//! A table or a query in the site's own database.

mod changes;
mod characters;
mod check;
mod connection;
mod django;
mod kinship;
mod reading;
mod rehearsal;
mod session_words;
mod sessions;
mod text;
mod write;

use std::sync::Arc;

use model::{Account, AccountId, SiteTransaction};

use self::connection::TableDirectory;
use crate::{
    contract::{
        Ability, AccountStream, Capabilities, ChangeMark, Changes, Directory, EndedSessions,
    },
    engine::Engine,
    failure::{OpenError, Reading, WriteError, Writing},
    location::Location,
    locked::{LockedRow, RowNow, TransactionFate},
    mapping::Sessions,
    report::{DirectoryReport, Kinship, WriteGrant},
};

/// Connects to it, and checks the mapping against what is there.
pub(crate) async fn open(
    engine: &'static dyn Engine,
    at: Location,
) -> Result<Arc<dyn Directory>, OpenError> {
    Ok(Arc::new(TableDirectory::open(engine, at).await?))
}

impl Directory for TableDirectory {
    fn capabilities(&self) -> Capabilities {
        let columns = &self.statements.mapping.columns;
        let signs_out = self.statements.mapping.sessions != Sessions::Untouched;
        Capabilities::READ
            .with_if(self.statements.written.is_some(), Ability::Seal)
            .with_if(signs_out, Ability::EndSessions)
            .with_if(columns.email.is_some(), Ability::Tell)
            .with_if(columns.email_verified.is_some(), Ability::RecordVerified)
            .with_if(columns.changed_at.is_some(), Ability::TellChanges)
    }

    fn count(&self) -> Reading<'_, u64> {
        Box::pin(async { self.number(&self.statements.count()).await })
    }

    fn scan(&self) -> AccountStream<'_> {
        self.scan_all()
    }

    fn changed_since<'a>(&'a self, mark: Option<&'a ChangeMark>) -> Reading<'a, Changes<'a>> {
        Box::pin(self.changes(mark))
    }

    fn by_ids<'a>(&'a self, ids: &'a [AccountId]) -> Reading<'a, Vec<Account>> {
        Box::pin(self.find_by_ids(ids))
    }

    fn by_names<'a>(&'a self, names: &'a [String]) -> Reading<'a, Vec<Account>> {
        Box::pin(self.find_by_names(names))
    }

    fn lock<'a>(&'a self, account: &'a AccountId) -> Writing<'a, Box<dyn LockedRow>> {
        Box::pin(self.hold(account))
    }

    fn look<'a>(&'a self, account: &'a AccountId) -> Reading<'a, RowNow> {
        Box::pin(self.look_now(account))
    }

    fn fate<'a>(&'a self, of: &'a SiteTransaction) -> Reading<'a, TransactionFate> {
        Box::pin(self.ask_fate(of))
    }

    fn end_sessions<'a>(&'a self, ids: &'a [AccountId]) -> Writing<'a, EndedSessions> {
        Box::pin(self.sign_out(ids))
    }

    fn try_write(&self) -> Reading<'_, WriteGrant> {
        Box::pin(async { Ok(self.try_grants().await) })
    }

    fn kinship(&self) -> Reading<'_, Kinship> {
        Box::pin(async { Ok(self.compare_databases().await) })
    }

    fn try_rehearsal(&self) -> Reading<'_, Result<(), WriteError>> {
        Box::pin(async { Ok(self.check_rehearsal().await?) })
    }

    fn check(&self) -> Reading<'_, DirectoryReport> {
        Box::pin(self.examine())
    }
}
