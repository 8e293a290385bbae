//! What the operating system is told first: what this process holds is nobody else's.

use std::io;

use rustix::{
    fs::Mode,
    process::{
        DumpableBehavior, Resource, Rlimit, Signal, set_dumpable_behavior, setrlimit, umask,
    },
};
use tokio::signal::unix::{SignalKind, signal};

/// Files are made for their owner alone. Memory, in which keys and leaked passwords are, is written
/// to no core file, and no other process of the same user may look into it.
pub(crate) fn keep_to_ourselves() -> io::Result<()> {
    umask(Mode::RWXG | Mode::RWXO);
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// A file that would become larger than a quota lets it is an error, which says what to do. Without anybody who
/// takes its signal, the system would end this process without a word.
pub(crate) fn survive_a_quota() -> io::Result<()> {
    signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).map(drop)
}
