//! What of a task waits where: the simulation's side of the named moments.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use failpoint::{CommitFate, Hook};
use futures_util::future::BoxFuture;

use crate::clock::millis;

tokio::task_local! {
    /// Set while a task is in the site's database.
    pub(crate) static IN_SITE: Arc<SiteUse>;
}

/// One use of the site's database, from its start to its end: between `BEGIN` and `COMMIT` the
/// task holds off everybody else there.
#[derive(Debug, Default)]
pub(crate) struct SiteUse(Mutex<Option<Arc<Desk>>>);

impl SiteUse {
    pub(crate) fn beginning() -> Arc<Self> {
        Arc::default()
    }

    fn begun(&self, by: &Arc<Desk>) {
        by.holds_site.store(true, Ordering::SeqCst);
        *lock(&self.0) = Some(Arc::clone(by));
    }

    fn end(&self) {
        if let Some(by) = lock(&self.0).take() {
            by.holds_site.store(false, Ordering::SeqCst);
        }
    }
}

impl Drop for SiteUse {
    fn drop(&mut self) {
        self.end();
    }
}

/// What all tasks of a run share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Time as sleepers count it: it never goes back.
    pub(crate) now_millis: AtomicI64,
    next: AtomicU64,
    mutant: Mutex<Option<String>>,
}

impl Shared {
    pub(crate) fn new(mutant: Option<String>) -> Self {
        Self { mutant: Mutex::new(mutant), ..Self::default() }
    }
}

/// One task, with everything that goes on beside it.
#[derive(Debug)]
pub(crate) struct Desk {
    shared: Arc<Shared>,
    strands: Mutex<Vec<StrandState>>,
    /// What becomes of the next commit on the store, and on the site.
    fates: Mutex<Fates>,
    holds_site: AtomicBool,
}

#[derive(Debug)]
struct Fates {
    store: CommitFate,
    site: CommitFate,
}

#[derive(Debug)]
struct StrandState {
    id: u64,
    waiting: Option<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    name: &'static str,
    due_millis: i64,
    granted: bool,
    waker: Waker,
}

/// Where a strand waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    pub(crate) strand: u64,
    pub(crate) name: &'static str,
    pub(crate) due_millis: i64,
}

impl Desk {
    /// A task's own hook.
    pub(crate) fn open(shared: &Arc<Shared>) -> (Arc<Self>, Arc<dyn Hook>) {
        let fates = Fates { store: CommitFate::Answered, site: CommitFate::Answered };
        let (strands, fates) = (Mutex::default(), Mutex::new(fates));
        let (shared, holds_site) = (Arc::clone(shared), AtomicBool::new(false));
        let desk = Arc::new(Self { shared, strands, fates, holds_site });
        let hook = desk.strand();
        (desk, hook)
    }

    /// Whether everything of the task waits to be let on.
    pub(crate) fn is_quiet(&self) -> bool {
        self.strands().iter().all(|strand| strand.waiting.is_some())
    }

    /// Whether it has a transaction open on the site's database.
    pub(crate) fn holds_site(&self) -> bool {
        self.holds_site.load(Ordering::SeqCst)
    }

    /// Where it waits.
    pub(crate) fn tickets(&self) -> Vec<Ticket> {
        let strands = self.strands();
        let waiting =
            strands.iter().filter_map(|strand| Some((strand.id, strand.waiting.as_ref()?)));
        waiting
            .map(|(strand, at)| Ticket { strand, name: at.name, due_millis: at.due_millis })
            .collect()
    }

    /// Lets one strand go on; `fate` is that of the commit that it begins here, if it does.
    pub(crate) fn grant(&self, ticket: Ticket, fate: CommitFate) {
        match ticket.name {
            "begin" => lock(&self.fates).store = fate,
            "site_begin" => lock(&self.fates).site = fate,
            _ => {}
        }
        let mut strands = self.strands();
        let waiting = strands.iter_mut().find(|state| state.id == ticket.strand);
        if let Some(waiting) = waiting.and_then(|state| state.waiting.as_mut()) {
            waiting.granted = true;
            waiting.waker.wake_by_ref();
        }
    }

    fn strand(self: &Arc<Self>) -> Arc<dyn Hook> {
        let id = self.shared.next.fetch_add(1, Ordering::SeqCst);
        self.strands().push(StrandState { id, waiting: None });
        Arc::new(Strand { desk: Arc::clone(self), id })
    }

    fn strands(&self) -> MutexGuard<'_, Vec<StrandState>> {
        lock(&self.strands)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Strand {
    desk: Arc<Desk>,
    id: u64,
}

impl Strand {
    fn wait(&self, name: &'static str, due_millis: i64) -> BoxFuture<'static, ()> {
        let desk = Arc::clone(&self.desk);
        Box::pin(Parked { desk, strand: self.id, name, due_millis, is_registered: false })
    }
}

impl Hook for Strand {
    fn reach(&self, name: &'static str) -> BoxFuture<'static, ()> {
        let Ok(site) = IN_SITE.try_with(Arc::clone) else { return self.wait(name, 0) };
        match name {
            "begin" => {
                // Of a transaction before this one nobody is told, if it was only dropped.
                site.end();
                let (begin, desk) = (self.wait("site_begin", 0), Arc::clone(&self.desk));
                Box::pin(async move {
                    begin.await;
                    site.begun(&desk);
                })
            }
            "committed" => {
                site.end();
                self.wait("site_committed", 0)
            }
            "commit_failed" => {
                site.end();
                self.wait("site_commit_failed", 0)
            }
            _ => self.wait(name, 0),
        }
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let now = self.desk.shared.now_millis.load(Ordering::SeqCst);
        self.wait("sleep", now + millis(duration))
    }

    fn fate(&self) -> CommitFate {
        let mut fates = lock(&self.desk.fates);
        let is_site = IN_SITE.try_with(|_| ()).is_ok();
        let fate = if is_site { &mut fates.site } else { &mut fates.store };
        std::mem::replace(fate, CommitFate::Answered)
    }

    fn beside(&self) -> Arc<dyn Hook> {
        self.desk.strand()
    }

    fn is_mutant(&self, name: &'static str) -> bool {
        lock(&self.desk.shared.mutant).as_deref() == Some(name)
    }
}

impl Drop for Strand {
    fn drop(&mut self) {
        self.desk.strands().retain(|strand| strand.id != self.id);
    }
}

/// A strand that waits.
struct Parked {
    desk: Arc<Desk>,
    strand: u64,
    name: &'static str,
    due_millis: i64,
    is_registered: bool,
}

impl Future for Parked {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut strands = this.desk.strands();
        let Some(state) = strands.iter_mut().find(|state| state.id == this.strand) else {
            return Poll::Pending;
        };
        if this.is_registered {
            if state.waiting.as_ref().is_some_and(|waiting| waiting.granted) {
                state.waiting = None;
                this.is_registered = false;
                return Poll::Ready(());
            }
        } else {
            assert!(state.waiting.is_none(), "{}: a strand waits at one place", this.name);
            let (name, due_millis, waker) = (this.name, this.due_millis, context.waker().clone());
            state.waiting = Some(Waiting { name, due_millis, granted: false, waker });
            this.is_registered = true;
        }
        Poll::Pending
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        if self.is_registered {
            let mut strands = self.desk.strands();
            if let Some(state) = strands.iter_mut().find(|state| state.id == self.strand) {
                state.waiting = None;
            }
        }
    }
}
