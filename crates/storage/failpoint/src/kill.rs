//! Dying at a moment that the environment names.

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

/// Every named moment, in the order in which a reset passes them.
pub const RESET_FAILPOINTS: &[&str] =
    &["reset_intended", "password_swapped", "reset_sessions_ended", "reset_concluded"];

/// Names the moment at which this process is to die, and at which of its comings: `notice_begun:3`.
const VARIABLE: &str = "FAILPOINT";

/// Dies here, as by `kill -9`, if the environment says so.
#[cfg_attr(feature = "simulation", expect(dead_code, reason = "the simulation's hook is asked"))]
pub(crate) fn die_if_asked(name: &str) {
    static REACHED: AtomicU32 = AtomicU32::new(0);
    let Ok(wanted) = env::var(VARIABLE) else { return };
    let (point, times) = wanted.split_once(':').unwrap_or((&wanted, "1"));
    if point != name {
        return;
    }
    let reached = REACHED.fetch_add(1, Ordering::SeqCst) + 1;
    if times.parse() == Ok(reached) {
        let _ = Command::new("kill").args(["-KILL", &process::id().to_string()]).status();
        loop {
            thread::park();
        }
    }
}
