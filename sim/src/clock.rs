//! The simulation's time, on every host and in every database.
#![expect(unsafe_code, reason = "SQLite takes a function of ours only through its C interface")]

use std::{
    ffi::{c_char, c_int},
    ptr,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use libsqlite3_sys as ffi;
use model::{Clock, Timestamp};

/// When a run begins.
pub(crate) const START_MILLIS: i64 = 1_352_332_800_000;

/// What the databases say that it is.
static DATABASE_MILLIS: AtomicI64 = AtomicI64::new(START_MILLIS);

/// Sets the databases' clock.
pub(crate) fn set_database(millis: i64) {
    DATABASE_MILLIS.store(millis, Ordering::SeqCst);
}

/// Moves it, forward or back.
pub(crate) fn step_database(millis: i64) {
    DATABASE_MILLIS.fetch_add(millis, Ordering::SeqCst);
}

/// A host's clock: the databases', and how far it is off.
#[derive(Debug)]
pub(crate) struct HostClock(pub(crate) AtomicI64);

impl Clock for HostClock {
    fn now(&self) -> Timestamp {
        let millis = DATABASE_MILLIS.load(Ordering::SeqCst) + self.0.load(Ordering::SeqCst);
        Timestamp::from_micros(millis * 1000)
    }
}

/// In milliseconds, as the simulation counts.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Puts the simulation's clock in the place of SQLite's own, in every connection opened later.
pub(crate) fn override_sqlite() {
    // SAFETY: `on_open` has the signature that SQLite calls it with, and lives as long as the
    // process.
    let registered = unsafe { ffi::sqlite3_auto_extension(Some(on_open)) };
    assert_eq!(registered, ffi::SQLITE_OK, "SQLite takes no extension");
}

unsafe extern "C" fn on_open(
    db: *mut ffi::sqlite3,
    _error: *mut *mut c_char,
    _api: *const ffi::sqlite3_api_routines,
) -> c_int {
    // SAFETY: SQLite hands over a connection that is open, and `unixepoch` needs no state of its
    // own to be freed.
    unsafe {
        ffi::sqlite3_create_function_v2(
            db,
            c"unixepoch".as_ptr(),
            1,
            ffi::SQLITE_UTF8,
            ptr::null_mut(),
            Some(unixepoch),
            None,
            None,
            None,
        )
    }
}

unsafe extern "C" fn unixepoch(
    context: *mut ffi::sqlite3_context,
    _count: c_int,
    _arguments: *mut *mut ffi::sqlite3_value,
) {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds fit into 52 bits for ages")]
    let seconds = DATABASE_MILLIS.load(Ordering::SeqCst) as f64 / 1000.0;
    // SAFETY: SQLite hands over the context of the call that it makes.
    unsafe { ffi::sqlite3_result_double(context, seconds) }
}
