//! What pages for strangers may cost.

use std::{num::NonZeroU32, time::Duration};

/// Bytes of a form. A code and an address need a few hundred; the longest password, typed twice,
/// 6 KiB.
pub const FORM_BYTES_MAX: usize = 8 * 1024;

/// Time that a request has from its last header to its answer. A new password waits for its turn,
/// is tried on an old hash with its 12 small changes, and is hashed itself: 14 times what a sign-in
/// costs, which may be two seconds.
pub const ANSWER_TIME_MAX: Duration = Duration::from_mins(1);

/// Time that the store has to say that it is there, before whoever asked gives up.
pub const HEALTH_TIME_MAX: Duration = Duration::from_secs(3);

/// Time that a client has to agree with us on a TLS session.
pub const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);

/// Time that a client has for its headers.
pub const HEADER_TIME_MAX: Duration = Duration::from_secs(10);

/// Time that a client has for the body of a request: a form is one packet or a few.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// Connections that a listener holds at most, whoever opens them.
pub const CONNECTIONS_MAX: usize = 1024;

/// Of the files that this process may open, the part that one listener's connections may take. Three
/// listeners together leave half of them to the store, the directory and the mail.
pub const FILES_PER_LISTENER: usize = 6;

/// Forms that one client may send in a minute. Families and offices share an address.
pub const CLIENT_FORMS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(30).expect("it is not zero");

/// Forms that all clients together may send in a second: each is a look-up or two in the store, or
/// a row.
pub const FORMS_PER_SECOND: NonZeroU32 = NonZeroU32::new(50).expect("it is not zero");

/// Forms beyond that rate that may come at once.
pub const FORMS_BURST: NonZeroU32 = NonZeroU32::new(500).expect("it is not zero");

/// Clients that are told apart. There are never more, whoever asks from however many addresses.
pub const CLIENTS: usize = 4096;

/// Bytes of a logo.
pub const LOGO_BYTES_MAX: usize = 256 * 1024;
