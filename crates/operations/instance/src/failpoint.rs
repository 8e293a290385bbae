//! Named moments at which a test lets the process die, to see that nothing is lost and nobody is
//! told twice. Without the feature `failpoints` they do nothing.

/// Every named moment, in the order in which a campaign passes them.
#[cfg(feature = "failpoints")]
pub const FAILPOINTS: &[&str] = &[
    "addresses_claimed",
    "sealing_intended",
    "hashes_swapped",
    "sessions_ended",
    "sealed_recorded",
    "notice_begun",
    "notice_delivered",
    "notice_recorded",
];

/// Every named moment, in the order in which a reset passes them.
#[cfg(feature = "failpoints")]
pub const RESET_FAILPOINTS: &[&str] =
    &["reset_intended", "password_swapped", "reset_sessions_ended", "reset_concluded"];

/// Names the moment at which this process is to die, and at which of its comings: `notice_begun:3`.
#[cfg(feature = "failpoints")]
const VARIABLE: &str = "FAILPOINT";

/// Dies here, as by `kill -9`, if the environment says so.
#[cfg(feature = "failpoints")]
pub fn reach(name: &str) {
    use std::sync::atomic::{AtomicU32, Ordering};

    static REACHED: AtomicU32 = AtomicU32::new(0);
    let Ok(wanted) = std::env::var(VARIABLE) else { return };
    let (point, times) = wanted.split_once(':').unwrap_or((&wanted, "1"));
    if point != name {
        return;
    }
    let reached = REACHED.fetch_add(1, Ordering::SeqCst) + 1;
    if times.parse() == Ok(reached) {
        let _ = std::process::Command::new("kill")
            .args(["-KILL", &std::process::id().to_string()])
            .status();
        loop {
            std::thread::park();
        }
    }
}

/// Nothing, in a program that is not under test.
#[cfg(not(feature = "failpoints"))]
pub const fn reach(_: &str) {}
