//! Dying, or standing still, at a moment that the environment names.

use std::{
    env,
    process::{self, Command},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

/// Every named moment, in the order in which a campaign passes them.
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
pub const LOCKED_FAILPOINTS: &[&str] = &["row_replaced", "swap_passed"];

/// Every named moment, in the order in which a reset passes them.
pub const RESET_FAILPOINTS: &[&str] =
    &["reset_intended", "password_swapped", "reset_sessions_ended", "reset_concluded"];

/// Names the moment at which this process is to die, and at which of its comings: `notice_begun:3`;
/// or at which it is to stand still until somebody lets it go on: `notice_begun:3:STOP`.
const VARIABLE: &str = "FAILPOINT";

/// Dies here, as by `kill -9`, or stands still, if the environment says so.
#[cfg_attr(feature = "simulation", expect(dead_code, reason = "the simulation's hook is asked"))]
pub(crate) fn die_if_asked(name: &str) {
    static REACHED: AtomicU32 = AtomicU32::new(0);
    let Ok(wanted) = env::var(VARIABLE) else { return };
    let mut words = wanted.split(':');
    if words.next() != Some(name) {
        return;
    }
    let times = words.next().and_then(|times| times.parse().ok()).unwrap_or(1);
    if REACHED.fetch_add(1, Ordering::SeqCst) + 1 == times {
        send_myself(words.next().unwrap_or("KILL"));
    }
}

#[cfg_attr(feature = "simulation", expect(dead_code, reason = "the simulation's hook is asked"))]
fn send_myself(signal: &str) {
    let me = process::id().to_string();
    let _ = Command::new("kill").args(["-s", signal, &me]).status();
    if signal == "KILL" {
        loop {
            thread::park();
        }
    }
}
