//! Every bound on what is written, read or waited for, in one place.

use std::time::Duration;

/// Symbols of a notice code that carry data: 75 bits. The 16th is a check.
pub const CODE_DATA_SYMBOLS: usize = 15;

/// Characters of what a person types as a code. Anything longer is no slip of the finger.
pub const CODE_TYPED_CHARS_MAX: usize = 64;

/// Characters of a site's name: it stands in the subject.
pub const SITE_NAME_CHARS_MAX: usize = 40;

/// Characters of one label of a menu path.
pub const MENU_LABEL_CHARS_MAX: usize = 60;

/// Labels of a menu path that a person still follows.
pub const MENU_LABELS_MAX: usize = 5;

/// Characters of a username that a notice shows. The rest becomes an ellipsis.
pub const USERNAME_CHARS_MAX: usize = 60;

/// Accounts that one notice names. The others are counted.
pub const ACCOUNTS_NAMED_MAX: usize = 50;

/// Leaks that one notice names. The others are counted.
pub const EXPOSURES_NAMED_MAX: usize = 3;

/// Bytes before the `@` (RFC 5321, 4.5.3.1.1).
pub const LOCAL_PART_BYTES_MAX: usize = 64;

/// Bytes of an address (RFC 5321, 4.5.3.1.3, without the angle brackets).
pub const ADDRESS_BYTES_MAX: usize = 254;

/// Bytes of a link. Longer ones are broken on their way into a browser.
pub const URL_BYTES_MAX: usize = 200;

/// Numbered steps of a notice after which something is to be done.
pub const STEPS_MIN: usize = 2;

/// Columns of the text part.
pub const TEXT_COLUMNS: usize = 72;

/// Bytes of a line of a message, without its end (RFC 5322, 2.1.1).
pub const MESSAGE_LINE_BYTES_MAX: usize = 998;

/// Bytes of header names, or of the signature, on one line of the DKIM header: with its tag, the
/// line stays within the 78 columns that RFC 5322, 2.1.1 recommends.
pub const DKIM_LINE_BYTES_MAX: usize = 64;

/// Bytes of a message. A notice has about six thousand.
pub const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// Characters of a subject that mail programs show in full.
pub const SUBJECT_CHARS_MAX: usize = 60;

/// Words of a notice about one account that people still read to the end.
pub const WORDS_MAX: usize = 260;

/// Automated readability index of English: about the seventh year of school.
pub const ARI_EN_MAX: f64 = 6.0;

/// The same measure of German, whose words are longer for the same ease.
pub const ARI_DE_MAX: f64 = 9.0;

/// Bytes of one line of a relay's reply. RFC 5321 allows 512; some send more.
pub const REPLY_LINE_BYTES_MAX: usize = 2048;

/// Lines of a reply.
pub const REPLY_LINES_MAX: usize = 64;

/// Characters of a reply that are kept.
pub const REPLY_CHARS_MAX: usize = 400;

/// Messages that go over one connection before it is closed.
pub const MESSAGES_PER_CONNECTION_MAX: u32 = 100;

/// For the TCP connection.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(30);

/// For the TLS handshake.
pub const TLS_LIMIT: Duration = Duration::from_mins(1);

/// For the greeting and for the reply to any command (RFC 5321, 4.5.3.2).
pub const COMMAND_LIMIT: Duration = Duration::from_mins(5);

/// For sending the message up to the final dot.
pub const CONTENT_LIMIT: Duration = Duration::from_mins(5);

/// For the reply to the final dot. A shorter one would make `uncertain` what was accepted.
pub const END_OF_DATA_LIMIT: Duration = Duration::from_mins(10);

/// For a polite goodbye. Nothing depends on its reply.
pub const QUIT_LIMIT: Duration = Duration::from_secs(5);

/// Between two attempts, at most; the delay doubles with each.
pub const RETRY_DELAY_MAX: Duration = Duration::from_hours(4);

/// Times that one notice is put off for its address's sake. With five minutes before the second
/// attempt, the last one is made about two days after the first.
pub const PUT_OFFS_MAX: u32 = 18;

/// How long sending pauses at first once the relay, or something on the way to it, fails.
pub const PAUSE_FIRST_MAX: Duration = Duration::from_mins(1);

/// How long it pauses at most between two probes; the pause doubles with each that fails. A relay
/// that works again is found out so much later.
pub const PAUSE_MAX: Duration = Duration::from_mins(15);
