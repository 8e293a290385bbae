//! Every bound of the way back in, in one place.

use std::time::Duration;

/// Random bytes of a token: 256 bits, where ASVS 11.5.1 asks for 128.
pub const TOKEN_BYTES: usize = 32;

/// Characters of a token as it stands in a link.
pub const TOKEN_CHARS: usize = 43;

/// From mailing a link to its end. NIST 4.2.1.2 allows 24 hours for a code by mail and ASVS 6.5.5
/// allows 10 minutes; mail that is greylisted on its way takes longer than that.
pub const LINK_LIFETIME: Duration = Duration::from_mins(30);

/// Links of one account that work at the same time: mails overtake each other, and people open
/// the one that they see.
pub const LIVE_LINKS_MAX: u64 = 3;

/// Links mailed for one account in an hour. More of them would flood a mailbox.
pub const ACCOUNT_MAILS_PER_HOUR_MAX: u64 = 3;

/// Links mailed for one account in a day.
pub const ACCOUNT_MAILS_PER_DAY_MAX: u64 = 10;

/// Links mailed because of one source in an hour. A school may share one address.
pub const SOURCE_MAILS_PER_HOUR_MAX: u64 = 20;

/// Characters of a new password, at least (NIST 3.1.1.2 beside a second factor, ASVS 6.2.1).
pub const PASSWORD_CHARS_MIN: usize = 8;

/// Characters of a new password, at least, where it is the only factor (NIST 3.1.1.2).
pub const PASSWORD_CHARS_MIN_ALONE: usize = 15;

/// No site may ask for more than NIST 3.1.1.2 has every site take.
pub const PASSWORD_CHARS_MIN_MAX: usize = 64;

/// Bytes of a new password. It keeps the cost of hashing small; nobody remembers as many.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// Small changes of a new password that are tried on the old hash, besides itself. Each costs as
/// much as a sign-in.
pub const OLD_CHANGES_MAX: usize = 12;

/// Digits of a number in a password that is counted up and down.
pub const COUNTED_DIGITS_MAX: usize = 18;

/// Letters and digits of a name below which it may stand in any password by chance.
pub const NAME_CHARS_MIN: usize = 3;

/// Digits that make no password of a name: as many as a date has.
pub const TRIVIAL_DIGITS_MAX: usize = 8;

/// Characters of a piece that a password may not consist of alone, again and again.
pub const REPEATED_CHARS_MAX: usize = 4;

/// Characters in a row that make a run.
pub const RUN_CHARS_MIN: usize = 3;
