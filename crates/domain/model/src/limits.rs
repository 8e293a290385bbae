//! Every bound on what these types may hold, in one place.

/// An account id is opaque text of the site's own.
pub const ACCOUNT_ID_BYTES_MAX: usize = 255;

/// Bytes of the name of a form of stored hash: it stands in tables and reports.
pub const HASH_FORMAT_BYTES_MAX: usize = 32;

/// A leak's name stands in terminals, file names and notices.
pub const LEAK_NAME_BYTES_MAX: usize = 100;

/// Bytes of an operator's name. It stands on one line with a key.
pub const OPERATOR_NAME_BYTES_MAX: usize = 32;

/// Bytes of an instance's id.
pub const INSTANCE_ID_BYTES_MAX: usize = 64;

/// Bytes of a domain that is still turned into its ASCII form. The real bound is 253 bytes of
/// ASCII; a longer name is compared as it stands, so that a hostile one costs no time.
pub const DOMAIN_BYTES_MAX: usize = 1024;
