//! The real clock and the real source of randomness; nothing else in the program reaches for them.

use std::time::{SystemTime, UNIX_EPOCH};

use model::{Clock, Randomness, Timestamp};

/// The system's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one real clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// This host's own name, if it is one that DNS could know.
pub(crate) fn host_name() -> Option<String> {
    let name = rustix::system::uname().nodename().to_str().ok()?.to_owned();
    let (_, ending) = name.rsplit_once('.')?;
    let is_local = ["local", "localdomain", "localhost"].contains(&&*ending.to_lowercase());
    (!is_local).then_some(name)
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemRandomness;

impl Randomness for SystemRandomness {
    #[expect(clippy::disallowed_methods, reason = "this is the one real source")]
    fn fill(&self, bytes: &mut [u8]) {
        // Going on without randomness would make keys that can be guessed.
        getrandom::fill(bytes).expect("the operating system gives randomness");
    }
}
