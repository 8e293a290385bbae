//! Named moments at which tests kill, delay and deceive the program.
//!
//! The program says where it is, and how it waits. Without a feature, nothing comes of that: each
//! function here is ready at once, or is what it was given. With `failpoints` the process dies
//! where the environment says so. With `simulation` a hook decides who goes on, and when.

#[cfg(feature = "failpoints")]
mod kill;
#[cfg(feature = "simulation")]
mod simulated;

pub mod mutant;

#[cfg(feature = "failpoints")]
pub use kill::{FAILPOINTS, LOCKED_FAILPOINTS, RESET_FAILPOINTS};
#[cfg(feature = "simulation")]
pub use simulated::{CommitFate, Hook, beside, committing, reach, simulated, sleep};

#[cfg(not(feature = "simulation"))]
pub use production::{beside, committing, reach, sleep};

#[cfg(not(feature = "simulation"))]
mod production {
    use std::{
        future::{Ready, ready},
        io,
        time::Duration,
    };

    use futures_util::future::BoxFuture;
    use tokio::time::{self, Sleep};

    /// Passes a named moment.
    pub fn reach(name: &'static str) -> Ready<()> {
        #[cfg(feature = "failpoints")]
        crate::kill::die_if_asked(name);
        let _ = name;
        ready(())
    }

    /// Commits. `lost` is what an answer that did not come is to its caller.
    pub fn committing<E>(
        commit: BoxFuture<'static, Result<(), E>>,
        _lost: fn(io::Error) -> E,
    ) -> BoxFuture<'static, Result<(), E>> {
        commit
    }

    /// Waits.
    pub fn sleep(duration: Duration) -> Sleep {
        time::sleep(duration)
    }

    /// What goes on beside the rest of its task, at its own pace.
    pub const fn beside<F: Future>(work: F) -> F {
        work
    }
}
