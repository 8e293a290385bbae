//! What of a task waits where: the simulation's side of the named moments.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use failpoint::{Fate, Hook};
use futures_util::future::BoxFuture;

use crate::clock::millis;

tokio::task_local! {
    /// Set while a task is in the site's database.
    pub(crate) static IN_SITE: ();
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
    /// What becomes of the next commit.
    fate: Mutex<Fate>,
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
        let (strands, fate) = (Mutex::default(), Mutex::new(Fate::Answered));
        let desk = Arc::new(Self { shared: Arc::clone(shared), strands, fate });
        let hook = desk.strand();
        (desk, hook)
    }

    /// Whether everything of the task waits to be let on.
    pub(crate) fn is_quiet(&self) -> bool {
        self.strands().iter().all(|strand| strand.waiting.is_some())
    }

    /// Where it waits.
    pub(crate) fn tickets(&self) -> Vec<Ticket> {
        let strands = self.strands();
        let waiting = strands.iter().filter_map(|strand| Some((strand.id, strand.waiting.as_ref()?)));
        waiting
            .map(|(strand, at)| Ticket { strand, name: at.name, due_millis: at.due_millis })
            .collect()
    }

    /// Lets one strand go on; `fate` is that of its next commit.
    pub(crate) fn grant(&self, strand: u64, fate: Fate) {
        *lock(&self.fate) = fate;
        let mut strands = self.strands();
        let waiting = strands.iter_mut().find(|state| state.id == strand);
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
        let name = match (name, IN_SITE.try_with(|()| ()).is_ok()) {
            ("begin", true) => "site_begin",
            ("committed", true) => "site_committed",
            ("commit_failed", true) => "site_commit_failed",
            _ => name,
        };
        self.wait(name, 0)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let now = self.desk.shared.now_millis.load(Ordering::SeqCst);
        self.wait("sleep", now + millis(duration))
    }

    fn fate(&self) -> Fate {
        std::mem::replace(&mut *lock(&self.desk.fate), Fate::Answered)
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
