use std::num::NonZero;

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// Where hashes are computed.
#[derive(Debug)]
pub(crate) enum Threads {
    /// On the threads of the process, one for each core.
    AllCores,
    /// On threads of their own, which end with them.
    Own(ThreadPool),
}

impl Threads {
    pub(crate) fn of(count: NonZero<usize>) -> Result<Self, ThreadError> {
        Ok(Self::Own(ThreadPoolBuilder::new().num_threads(count.get()).build()?))
    }

    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match self {
            Self::AllCores => work(),
            Self::Own(pool) => pool.install(work),
        }
    }
}

/// The system starts no thread.
#[derive(Debug, thiserror::Error)]
#[error("no thread can be started to verify passwords: {0}")]
pub struct ThreadError(#[from] ThreadPoolBuildError);
