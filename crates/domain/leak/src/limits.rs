//! Every bound on what is read and kept, in one place.

/// Bytes of the longest line that is read as a record, its newline not counted.
///
/// A longer one is rejected as `overlong` without being held in memory.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// Bytes read at once, at most: enough that the calls into the system cost nothing.
pub const BLOCK_BYTES_MAX: usize = 1024 * 1024;

/// Bytes read at once, at least. The longest line fits, and a read beside it.
pub const BLOCK_BYTES_MIN: usize = 2 * LINE_BYTES_MAX;

/// Bytes read at once beyond the end of a piece, where only the rest of one line is wanted.
pub const TAIL_BYTES: usize = LINE_BYTES_MAX;

/// Bytes read from a compressed file at once.
pub const COMPRESSED_BLOCK_BYTES: usize = 128 * 1024;

/// Bytes of transcoded text held at once, for UTF-16.
pub const TRANSCODE_BLOCK_BYTES: usize = 64 * 1024;

/// How many of a line's delimiters are tried as the end of its identifier.
///
/// An address or a username may hold a delimiter itself; hardly any holds more than three.
pub const SPLITS_MAX: usize = 4;

/// Bytes of a file that are looked at in each of a few places, to tell its form.
pub const INSPECTED_BYTES: u64 = 64 * 1024;

/// How many layouts of lines are told.
pub const LAYOUTS_SHOWN_MAX: usize = 10;

/// Readings of one line that are kept, before what software may have made each from.
pub const READINGS_MAX: usize = 12;

/// Plausible secrets passed on for one line and account, all readings of it in all encodings. Each may cost
/// a slow hash to verify.
pub const SECRETS_OF_LINE_MAX: usize = 24;

/// What a secret may have been before somebody changed its characters: so many are tried at most, after the
/// secret itself.
pub const OTHER_READINGS_MAX: usize = 6;

/// Hits passed on together. A line that leads to many accounts may exceed it.
pub const HITS_PER_BATCH: usize = 1024;

/// Bytes of the input after which a batch is passed on even without a hit, so that others learn how
/// far the reading has come.
pub const BATCH_BYTES: u64 = 1024 * 1024;

/// Samples of rejected lines kept for one piece and reason. The counts are always exact.
pub const REJECT_SAMPLES_MAX: usize = 20;

/// Folders within folders that are walked. Deeper ones are an error, never left out.
pub const FOLDER_DEPTH_MAX: usize = 64;
