//! Every bound of this crate, in one place.

/// Jobs made by one statement. More rows in one made both databases slower.
pub(crate) const JOBS_PER_STATEMENT: usize = 200;

/// Hashes of the log asked for by one statement.
pub(crate) const HASHES_PER_STATEMENT: usize = 500;
