//! Every bound of this crate, in one place.

/// Characters of a mail server's answer that are kept.
pub const ANSWER_CHARS_MAX: usize = 300;
