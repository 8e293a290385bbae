//! Every bound on what is asked of a directory or read from it, in one place.

/// Connections held for looking accounts up.
pub const READ_CONNECTIONS_MAX: u32 = 4;

/// Connections held for reading whole tables.
pub const SCAN_CONNECTIONS_MAX: u32 = 2;

/// Connections held for writing.
pub const WRITE_CONNECTIONS_MAX: u32 = 2;

/// Values that one look-up or one deletion names.
pub const KEYS_PER_STATEMENT_MAX: usize = 500;

/// Accounts that one address or username leads to. Nobody has as many.
pub const ACCOUNTS_PER_NAME_MAX: usize = 50;

/// Rows whose texts a server is asked for together, where it tells them as bytes.
pub const ROWS_TOLD_AT_ONCE: usize = 200;

/// Bytes of a Django session once unpacked. A larger one counts as unreadable.
pub const SESSION_BYTES_MAX: u64 = 4 << 20;

/// Bytes of the header of an export, or of one line of JSON.
pub const EXPORT_LINE_BYTES_MAX: u64 = 1 << 20;

/// Lines of an export at fault: if more are, it is the file's.
pub const EXPORT_FAULTS_MAX: usize = 10_000;

/// Characters of a foreign value that an error shows.
pub const SHOWN_CHARS_MAX: usize = 60;

/// 1990-01-01, in seconds since 1970. No account has seen anything earlier.
pub const MOMENT_SECONDS_MIN: i64 = 631_152_000;

/// 2200-01-01, in seconds since 1970. No account has seen anything later.
pub const MOMENT_SECONDS_MAX: i64 = 7_258_118_400;

/// How far behind its mark a directory looks for changes: over the hour that local time repeats in
/// autumn, and ten minutes for clocks that differ and for transactions that take long.
pub const CHANGE_OVERLAP_SECONDS: i64 = 4_200;

/// The latest changes among which a mark is looked for. Those ahead of the database's own clock are
/// no marks: one wrong date would hide what changes until then.
pub const LATEST_CHANGES_READ: usize = 100;
