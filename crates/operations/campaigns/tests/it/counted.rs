//! A directory that counts what is read from it.

use std::{
    mem,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use directory::{
    AccountStream, Capabilities, ChangeMark, Changes, Directory, DirectoryReport, EndedSessions,
    LockedRow, ReadError, Reading, RowNow, TransactionFate, WriteGrant, Writing,
};
use futures_util::StreamExt as _;
use model::{Account, AccountId, SiteTransaction};

#[derive(Debug)]
pub(crate) struct Counted {
    directory: Arc<dyn Directory>,
    /// Those asked for by id.
    asked: Mutex<Vec<AccountId>>,
    /// Those told as changed.
    told: Arc<Mutex<Vec<AccountId>>>,
    is_mute: AtomicBool,
}

impl Counted {
    pub(crate) fn new(directory: Arc<dyn Directory>) -> Self {
        Self {
            directory,
            asked: Mutex::default(),
            told: Arc::default(),
            is_mute: AtomicBool::new(false),
        }
    }

    /// Lets it fail to tell what has changed from now on, or no longer.
    pub(crate) fn mute(&self, is_mute: bool) {
        self.is_mute.store(is_mute, Ordering::Relaxed);
    }

    /// The accounts asked for by id since the last call.
    pub(crate) fn asked(&self) -> Vec<AccountId> {
        mem::take(&mut self.asked.lock().unwrap())
    }

    /// The accounts told as changed since the last call, in order.
    pub(crate) fn told(&self) -> Vec<String> {
        let mut told: Vec<_> =
            self.told.lock().unwrap().drain(..).map(|id| id.to_string()).collect();
        told.sort();
        told
    }
}

impl Directory for Counted {
    fn capabilities(&self) -> Capabilities {
        self.directory.capabilities()
    }

    fn count(&self) -> Reading<'_, u64> {
        self.directory.count()
    }

    fn scan(&self) -> AccountStream<'_> {
        self.directory.scan()
    }

    fn changed_since<'a>(&'a self, mark: Option<&'a ChangeMark>) -> Reading<'a, Changes<'a>> {
        Box::pin(async move {
            if self.is_mute.load(Ordering::Relaxed) {
                return Err(ReadError::NoChanges);
            }
            let Changes { mark, accounts } = self.directory.changed_since(mark).await?;
            let told = Arc::clone(&self.told);
            let accounts = accounts.inspect(move |account| {
                let id = account.as_ref().unwrap().id.clone();
                told.lock().unwrap().push(id);
            });
            Ok(Changes { mark, accounts: Box::pin(accounts) })
        })
    }

    fn by_ids<'a>(&'a self, ids: &'a [AccountId]) -> Reading<'a, Vec<Account>> {
        self.asked.lock().unwrap().extend_from_slice(ids);
        self.directory.by_ids(ids)
    }

    fn by_names<'a>(&'a self, names: &'a [String]) -> Reading<'a, Vec<Account>> {
        self.directory.by_names(names)
    }

    fn lock<'a>(&'a self, account: &'a AccountId) -> Writing<'a, Box<dyn LockedRow>> {
        self.directory.lock(account)
    }

    fn look<'a>(&'a self, account: &'a AccountId) -> Reading<'a, RowNow> {
        self.directory.look(account)
    }

    fn fate<'a>(&'a self, of: &'a SiteTransaction) -> Reading<'a, TransactionFate> {
        self.directory.fate(of)
    }

    fn end_sessions<'a>(&'a self, ids: &'a [AccountId]) -> Writing<'a, EndedSessions> {
        self.directory.end_sessions(ids)
    }

    fn try_write(&self) -> Reading<'_, WriteGrant> {
        self.directory.try_write()
    }

    fn check(&self) -> Reading<'_, DirectoryReport> {
        self.directory.check()
    }
}
