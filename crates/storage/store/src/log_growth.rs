//! How far the transactions of this process have taken the log. Whatever the database makes of what it
//! was told to write, the log that is read later has to go on from there.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{CheckpointRow, LogEntry};

type Root = [u8; 32];

/// The sizes that the log had after this process's transactions, with the roots over its entries.
#[derive(Debug, Clone, Default)]
pub struct LogGrowths(Arc<Mutex<GrowthList>>);

#[derive(Debug, Default)]
struct GrowthList {
    next: u64,
    /// Those that were not yet met by whoever reads the log.
    open: Vec<Growth>,
    /// The most that was committed.
    committed: u64,
    /// The most that was read.
    read: u64,
    undone: Option<GrowthUndone>,
}

#[derive(Debug)]
struct Growth {
    number: u64,
    size: u64,
    root: Root,
    is_committed: bool,
    /// The root over as many entries, as they were read.
    found: Option<Root>,
}

/// Something in the database takes back what is written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the audit log does not hold what this process has just written to it, up to entry {size}: the \
     store was put back, another server has taken its place, or something in the database takes back \
     what is written, such as a trigger of somebody else's. Nothing counts as done that it was to \
     record. Find out which it is before you go on"
)]
pub struct GrowthUndone {
    /// How many entries the log was to have.
    pub size: u64,
}

impl LogGrowths {
    /// How far this process has taken the log for sure. Ask before the log is read.
    #[must_use]
    pub fn committed(&self) -> u64 {
        self.state().committed
    }

    /// Says that the log was read so far.
    pub fn note_read(&self, size: u64) {
        let mut state = self.state();
        state.read = state.read.max(size);
    }

    /// How far this process knows that the log has come.
    fn known(&self) -> u64 {
        let state = self.state();
        state.committed.max(state.read)
    }

    /// The sizes, above one, at which whoever reads the log has to say which root it has.
    #[must_use]
    pub fn sizes_above(&self, size: u64) -> Vec<u64> {
        let mut sizes: Vec<_> = self.state().open.iter().map(|growth| growth.size).collect();
        sizes.retain(|open| *open > size);
        sizes.sort_unstable();
        sizes
    }

    /// Whether a log of this size holds any that was not met.
    #[must_use]
    pub fn has_open_below(&self, size: u64) -> bool {
        self.state().open.iter().any(|growth| growth.size <= size)
    }

    /// Says which root the log has over so many entries.
    pub fn meet(&self, size: u64, root: Root) {
        for growth in self.state().open.iter_mut().filter(|growth| growth.size == size) {
            growth.found = Some(root);
        }
    }

    /// Whether this process has committed a log of so many entries with this root, and has not met it yet.
    #[must_use]
    pub fn is_own(&self, size: u64, root: Root) -> bool {
        let is_it =
            |growth: &Growth| growth.is_committed && (growth.size, growth.root) == (size, root);
        self.state().open.iter().any(is_it)
    }

    /// Passes a log that was read up to here, and holds all that was committed.
    ///
    /// # Errors
    /// [`GrowthUndone`] for ever, once it is met.
    pub fn check(&self, size: u64) -> Result<(), GrowthUndone> {
        let mut state = self.state();
        let is_read = |growth: &Growth| growth.is_committed && growth.size <= size;
        let is_kept = |growth: &Growth| growth.found == Some(growth.root);
        let undone = state.open.iter().find(|growth| is_read(growth) && !is_kept(growth));
        let undone = undone.map(|growth| GrowthUndone { size: growth.size });
        state.undone = state.undone.or(undone);
        state.open.retain(|growth| !is_read(growth));
        state.undone.map_or(Ok(()), Err)
    }

    /// Says that the log is shorter than it was left.
    pub fn lose(&self) -> GrowthUndone {
        let mut state = self.state();
        let size = state.committed;
        *state.undone.get_or_insert(GrowthUndone { size })
    }

    /// Passes as long as nobody has found that anything was taken back: whoever goes on to write would
    /// leave traces of what never was.
    ///
    /// # Errors
    /// [`GrowthUndone`].
    pub fn check_known(&self) -> Result<(), GrowthUndone> {
        self.state().undone.map_or(Ok(()), Err)
    }

    fn open(&self, size: u64, root: Root) -> GrowthGuard {
        let mut state = self.state();
        state.next += 1;
        let number = state.next;
        state.open.push(Growth { number, size, root, is_committed: false, found: None });
        GrowthGuard { growths: self.clone(), number }
    }

    fn state(&self) -> MutexGuard<'_, GrowthList> {
        // Whoever has panicked has left a list behind that is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a transaction knows of the log.
#[derive(Debug)]
pub(crate) struct LogTail {
    growths: LogGrowths,
    /// What the one state that it sees was known to hold before; `None` if it sees the latest one.
    pub(crate) known_before: Option<u64>,
    /// Whether nobody else's entries are seen once it has begun.
    is_alone: bool,
    /// How many entries there were before its own.
    pub(crate) before: Option<u64>,
    /// How many others have committed, if that stays so.
    pub(crate) committed: Option<u64>,
    /// The checkpoint of as many. None is ever changed.
    pub(crate) checkpoint: Option<CheckpointRow>,
    /// Entries that were read, and that nobody has taken yet.
    entries: Vec<LogEntry>,
    growth: Option<GrowthGuard>,
}

impl LogTail {
    /// Of a transaction that sees the latest state. Where only one writes at a time, nobody moves that.
    pub(crate) const fn new(growths: LogGrowths, is_alone: bool) -> Self {
        Self {
            growths,
            known_before: None,
            is_alone,
            before: None,
            committed: None,
            checkpoint: None,
            entries: Vec::new(),
            growth: None,
        }
    }

    /// Of one that is about to begin, and sees one state throughout.
    pub(crate) fn of_one_state(growths: LogGrowths) -> Self {
        let known_before = Some(growths.known());
        Self { known_before, ..Self::new(growths, true) }
    }

    /// Keeps what was read of the log's head, as far as that stays so.
    pub(crate) fn keep_head(
        &mut self,
        size: u64,
        checkpoint: Option<CheckpointRow>,
        entries: Vec<LogEntry>,
    ) {
        self.committed = self.is_alone.then_some(size);
        (self.checkpoint, self.entries) = (checkpoint, entries);
    }

    /// At most so many of those that were read with the head, if they begin here.
    pub(crate) fn take_entries(&mut self, from: u64, limit: u64) -> Vec<LogEntry> {
        if self.entries.first().is_none_or(|first| first.position != from) {
            return Vec::new();
        }
        let taken = usize::try_from(limit).unwrap_or(usize::MAX).min(self.entries.len());
        let rest = self.entries.split_off(taken);
        mem::replace(&mut self.entries, rest)
    }

    pub(crate) const fn growths(&self) -> &LogGrowths {
        &self.growths
    }

    /// The transaction takes the log to this size: others meet it as soon as it is committed, which may
    /// be before this process knows.
    pub(crate) fn grow(&mut self, size: u64, root: Root) {
        self.growth = Some(self.growths.open(size, root));
    }

    pub(crate) fn committed(self) {
        if let Some(growth) = self.growth {
            growth.keep();
        }
    }
}

/// Dropped before [`GrowthGuard::keep`], it is forgotten: the transaction was taken back, or nobody
/// knows.
#[derive(Debug)]
struct GrowthGuard {
    growths: LogGrowths,
    number: u64,
}

impl GrowthGuard {
    fn keep(&self) {
        let mut state = self.growths.state();
        let own = state.open.iter_mut().find(|growth| growth.number == self.number);
        if let Some(growth) = own {
            growth.is_committed = true;
            state.committed = growth.size.max(state.committed);
        }
    }
}

impl Drop for GrowthGuard {
    fn drop(&mut self) {
        let is_left = |growth: &Growth| growth.is_committed || growth.number != self.number;
        self.growths.state().open.retain(is_left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed(growths: &LogGrowths, size: u64) {
        let mut tail = LogTail::new(growths.clone(), false);
        tail.grow(size, [1; 32]);
        tail.committed();
    }

    #[test]
    fn what_was_committed_has_to_be_met() {
        let growths = LogGrowths::default();
        committed(&growths, 3);
        assert_eq!((growths.committed(), growths.sizes_above(2)), (3, vec![3]));
        assert_eq!([[1; 32], [2; 32]].map(|root| growths.is_own(3, root)), [true, false]);
        assert_eq!(growths.check(2), Ok(()));
        assert_eq!(growths.check(3), Err(GrowthUndone { size: 3 }));
        assert_eq!(growths.check_known(), Err(GrowthUndone { size: 3 }), "for ever");
        let growths = LogGrowths::default();
        committed(&growths, 3);
        growths.meet(3, [2; 32]);
        assert_eq!(growths.check(5), Err(GrowthUndone { size: 3 }));
        let growths = LogGrowths::default();
        committed(&growths, 3);
        growths.meet(3, [1; 32]);
        assert_eq!((growths.check(5), growths.check_known()), (Ok(()), Ok(())));
        assert_eq!((growths.committed(), growths.sizes_above(0)), (3, vec![]));
    }

    #[test]
    fn what_was_taken_back_is_not_asked_for() {
        let growths = LogGrowths::default();
        let mut tail = LogTail::new(growths.clone(), false);
        tail.grow(3, [1; 32]);
        tail.grow(4, [1; 32]);
        assert_eq!(growths.sizes_above(0), [4]);
        drop(tail);
        assert_eq!((growths.check(9), growths.committed()), (Ok(()), 0));
    }

    #[test]
    fn others_may_meet_it_before_this_process_knows_that_it_is_committed() {
        let growths = LogGrowths::default();
        let mut tail = LogTail::new(growths.clone(), false);
        tail.grow(3, [1; 32]);
        growths.meet(3, [1; 32]);
        assert_eq!(growths.check(7), Ok(()));
        tail.committed();
        assert_eq!(growths.check(7), Ok(()));
    }
}
