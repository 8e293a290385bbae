//! Named moments at which a test lets the process die, or stand still, to see that nothing is lost
//! and nobody is told twice. Without the feature `failpoints` they do nothing.

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

/// The named moments of one replacement, while the site's row is locked: before it is let through,
/// and after.
#[cfg(feature = "failpoints")]
pub const LOCKED_FAILPOINTS: &[&str] = &["row_replaced", "swap_passed"];

/// Every named moment, in the order in which a reset passes them.
#[cfg(feature = "failpoints")]
pub const RESET_FAILPOINTS: &[&str] =
    &["reset_intended", "password_swapped", "reset_sessions_ended", "reset_concluded"];

/// Names the moment at which this process is to die, and at which of its comings: `notice_begun:3`;
/// or at which it is to stand still until somebody lets it go on: `notice_begun:3:STOP`.
#[cfg(feature = "failpoints")]
const VARIABLE: &str = "FAILPOINT";

/// Dies here, as by `kill -9`, or stands still, if the environment says so.
#[cfg(feature = "failpoints")]
pub fn reach(name: &str) {
    use std::sync::atomic::{AtomicU32, Ordering};

    static REACHED: AtomicU32 = AtomicU32::new(0);
    let Ok(wanted) = std::env::var(VARIABLE) else { return };
    let mut words = wanted.split(':');
    if words.next() != Some(name) {
        return;
    }
    let times = words.next().and_then(|times| times.parse().ok()).unwrap_or(1);
    if REACHED.fetch_add(1, Ordering::SeqCst) + 1 == times {
        send_myself(words.next().unwrap_or("KILL"));
    }
}

#[cfg(feature = "failpoints")]
fn send_myself(signal: &str) {
    let me = std::process::id().to_string();
    let _ = std::process::Command::new("kill").args(["-s", signal, &me]).status();
    if signal == "KILL" {
        loop {
            std::thread::park();
        }
    }
}

/// Nothing, in a program that is not under test.
#[cfg(not(feature = "failpoints"))]
pub const fn reach(_: &str) {}
