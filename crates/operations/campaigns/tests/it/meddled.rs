//! A directory to whose table something happens while it is read.

use std::{
    future::ready,
    mem,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use directory::{
    AccountStream, Capabilities, ChangeMark, Changes, Directory, DirectoryReport, EndedSessions,
    LockedRow, ReadError, Reading, RowNow, TransactionFate, WriteGrant, Writing,
};
use futures_util::StreamExt as _;
use model::{Account, AccountId, SiteTransaction};
use sql::Db;

use crate::sealed::run;

#[derive(Debug)]
pub(crate) struct Meddled {
    directory: Arc<dyn Directory>,
    site: Db,
    /// What happens before the next row is looked at.
    before_look: Mutex<Vec<String>>,
    /// So many accounts are read, and then the connection breaks.
    breaks_after: AtomicUsize,
    looks: AtomicUsize,
    is_scanned: Arc<AtomicBool>,
    /// An account that the connection that reads does not show.
    hidden: Mutex<Option<AccountId>>,
}

impl Meddled {
    pub(crate) fn new(directory: Arc<dyn Directory>, site: Db) -> Self {
        Self {
            directory,
            site,
            before_look: Mutex::default(),
            breaks_after: AtomicUsize::new(usize::MAX),
            looks: AtomicUsize::new(0),
            is_scanned: Arc::default(),
            hidden: Mutex::default(),
        }
    }

    /// Somebody writes to the site between the reading of its table and the next look at a row.
    pub(crate) fn before_look(&self, statement: String) {
        self.before_look.lock().unwrap().push(statement);
    }

    /// Whoever reads is not shown this account, or every one again.
    pub(crate) fn hide(&self, account: Option<AccountId>) {
        *self.hidden.lock().unwrap() = account;
    }

    pub(crate) fn break_after(&self, accounts: usize) {
        self.breaks_after.store(accounts, Ordering::Relaxed);
    }

    /// How many rows were looked at since the last call.
    pub(crate) fn looks(&self) -> usize {
        self.looks.swap(0, Ordering::Relaxed)
    }
}

/// While this is there, the table is read.
struct Scanned(Arc<AtomicBool>);

impl Drop for Scanned {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl Directory for Meddled {
    fn capabilities(&self) -> Capabilities {
        self.directory.capabilities()
    }

    fn count(&self) -> Reading<'_, u64> {
        self.directory.count()
    }

    fn scan(&self) -> AccountStream<'_> {
        let breaks_after = self.breaks_after.load(Ordering::Relaxed);
        let hidden = self.hidden.lock().unwrap().clone();
        let rows = self.directory.scan().filter(move |row| {
            let is_hidden = row.as_ref().is_ok_and(|row| Some(&row.id) == hidden.as_ref());
            ready(!is_hidden)
        });
        self.is_scanned.store(true, Ordering::Relaxed);
        let scanned = Scanned(Arc::clone(&self.is_scanned));
        let rows = rows.enumerate().inspect(move |_| _ = &scanned);
        let rows = rows.map(move |(place, row)| {
            if place < breaks_after { row } else { Err(ReadError::Keeper("it broke".into())) }
        });
        rows.boxed()
    }

    fn changed_since<'a>(&'a self, mark: Option<&'a ChangeMark>) -> Reading<'a, Changes<'a>> {
        self.directory.changed_since(mark)
    }

    fn by_ids<'a>(&'a self, ids: &'a [AccountId]) -> Reading<'a, Vec<Account>> {
        Box::pin(async move {
            let mut found = self.directory.by_ids(ids).await?;
            let hidden = self.hidden.lock().unwrap().clone();
            found.retain(|account| Some(&account.id) != hidden.as_ref());
            Ok(found)
        })
    }

    fn by_names<'a>(&'a self, names: &'a [String]) -> Reading<'a, Vec<Account>> {
        self.directory.by_names(names)
    }

    fn lock<'a>(&'a self, account: &'a AccountId) -> Writing<'a, Box<dyn LockedRow>> {
        self.directory.lock(account)
    }

    fn look<'a>(&'a self, account: &'a AccountId) -> Reading<'a, RowNow> {
        Box::pin(async move {
            self.looks.fetch_add(1, Ordering::Relaxed);
            let statements = mem::take(&mut *self.before_look.lock().unwrap());
            for statement in statements {
                run(&self.site, &statement, &[]).await;
            }
            self.directory.look(account).await
        })
    }

    fn fate<'a>(&'a self, of: &'a SiteTransaction) -> Reading<'a, TransactionFate> {
        self.directory.fate(of)
    }

    fn end_sessions<'a>(&'a self, ids: &'a [AccountId]) -> Writing<'a, EndedSessions> {
        let is_scanned = self.is_scanned.load(Ordering::Relaxed);
        assert!(!is_scanned, "SQLite lets nobody write to what is read");
        self.directory.end_sessions(ids)
    }

    fn try_write(&self) -> Reading<'_, WriteGrant> {
        self.directory.try_write()
    }

    fn check(&self) -> Reading<'_, DirectoryReport> {
        self.directory.check()
    }
}
