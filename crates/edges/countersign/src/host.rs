//! What the operating system is told first: what this process holds is nobody else's.

use std::io;

use rustix::{
    fs::Mode,
    process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit, umask},
};

/// Files are made for their owner alone. Memory, in which keys and leaked passwords are, is written
/// to no core file, and no other process of the same user may look into it.
pub(crate) fn keep_to_ourselves() -> io::Result<()> {
    umask(Mode::RWXG | Mode::RWXO);
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}
