use std::time::Duration;

use model::Secret;

use super::tls::Roots;
use crate::limits::{
    COMMAND_LIMIT, CONNECT_LIMIT, CONTENT_LIMIT, END_OF_DATA_LIMIT, QUIT_LIMIT, TLS_LIMIT,
};

/// The service is closing: what a relay says on a connection that it kept long enough.
pub(super) const CLOSING: u16 = 421;

/// Where the relay is, and how to speak with it.
#[derive(Debug)]
pub struct RelayOptions {
    /// A name in DNS, which its certificate must hold, or an IP address.
    pub host: String,
    /// Usually 587 for `StartTls`, 465 for `Tls`.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Refuses to connect to any other host than this one. Always so for `Plain`.
    pub loopback_only: bool,
    /// Whom we sign in as, if at all.
    pub credentials: Option<Credentials>,
    /// What we call ourselves in EHLO: this host's name in DNS. Without one, the address that we
    /// connect from stands in its place.
    pub hello: Option<String>,
    /// Whose certificates count.
    pub roots: Roots,
    /// How long we wait.
    pub limits: TimeLimits,
}

model::text_enum! {
    /// How a connection to the relay is protected.
    pub enum Security {
        /// TLS after STARTTLS; without it, nothing is sent.
        StartTls = "starttls",
        /// TLS from the first byte.
        Tls = "tls",
        /// None: on this host only.
        Plain = "plain",
    }
}

/// A name and password for AUTH.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// As the relay knows us.
    pub username: String,
    /// Goes over TLS, or to this host.
    pub password: Secret,
}

/// How long to wait for what. Short ones make tests quick, and mail uncertain.
#[derive(Debug, Clone, Copy)]
pub struct TimeLimits {
    /// For the TCP connection.
    pub connect: Duration,
    /// For the TLS handshake.
    pub tls: Duration,
    /// For the greeting and the reply to each command.
    pub command: Duration,
    /// For sending the message.
    pub content: Duration,
    /// For the reply to the final dot.
    pub end_of_data: Duration,
    /// For QUIT.
    pub quit: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            connect: CONNECT_LIMIT,
            tls: TLS_LIMIT,
            command: COMMAND_LIMIT,
            content: CONTENT_LIMIT,
            end_of_data: END_OF_DATA_LIMIT,
            quit: QUIT_LIMIT,
        }
    }
}
