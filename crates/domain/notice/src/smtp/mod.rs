//! A client of one SMTP relay that always knows how far it has come.

mod connection;
mod reply;
mod tls;

use std::{fmt, time::Duration};

use model::Secret;
use tokio::sync::Mutex;
use tokio_rustls::TlsConnector;

use crate::{
    Composed, DeliveryOutcome, Phase,
    limits::{
        COMMAND_LIMIT, CONNECT_LIMIT, CONTENT_LIMIT, END_OF_DATA_LIMIT,
        MESSAGES_PER_CONNECTION_MAX, QUIT_LIMIT, TLS_LIMIT,
    },
};
use connection::Connection;
pub use reply::Reply;
pub use tls::{Roots, RootsError};

/// The service is closing: what a relay says on a connection that it kept long enough.
const CLOSING: u16 = 421;

/// The site's own mail server, to which we hand every message.
///
/// A connection that has served is kept for the next message.
pub struct Relay {
    options: RelayOptions,
    tls: TlsConnector,
    idle: Mutex<Option<Connection>>,
}

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
    /// What we call ourselves in EHLO: this host's name.
    pub hello: String,
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

impl Relay {
    /// Checks the options. Connects to nothing yet.
    ///
    /// # Errors
    /// [`RelayError`] if a setting cannot be meant so.
    pub fn new(options: RelayOptions) -> Result<Self, RelayError> {
        check_hello(&options.hello)?;
        check_credentials(options.credentials.as_ref())?;
        tls::server_name(&options.host)?;
        let tls = tls::connector(&options.roots)?;
        Ok(Self { options, tls, idle: Mutex::new(None) })
    }

    /// Makes one attempt to hand over one message.
    ///
    /// If the future is dropped before it ends, nobody knows what became of the message.
    pub async fn deliver(&self, message: &Composed) -> DeliveryOutcome {
        if let Some(kept) = self.kept().await {
            let outcome = self.send_over(kept, message).await;
            if !was_stale(&outcome) {
                return outcome;
            }
        }
        match Connection::open(&self.options, &self.tls).await {
            Ok(connection) => self.send_over(connection, message).await,
            Err(reason) => DeliveryOutcome::FailedBeforeDot { reason },
        }
    }

    /// Says goodbye on the connection that was kept, if there is one.
    pub async fn close(&self) {
        if let Some(kept) = self.kept().await {
            kept.quit().await;
        }
    }

    async fn kept(&self) -> Option<Connection> {
        self.idle.lock().await.take()
    }

    async fn send_over(&self, mut connection: Connection, message: &Composed) -> DeliveryOutcome {
        let outcome = connection.send(message).await;
        if !connection.is_usable() {
            return outcome;
        }
        if connection.messages() < MESSAGES_PER_CONNECTION_MAX {
            *self.idle.lock().await = Some(connection);
        } else {
            connection.quit().await;
        }
        outcome
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RelayOptions { host, port, security, .. } = &self.options;
        write!(f, "Relay({host}:{port}, {security})")
    }
}

/// Why no relay can be had with these options.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// Neither a name nor an address.
    #[error("`{host}` is neither a host name nor an IP address")]
    Host {
        /// What was given, escaped.
        host: String,
    },
    /// Could hold a command.
    #[error("`{hello}` is no host name to say in EHLO")]
    Hello {
        /// What was given, escaped.
        hello: String,
    },
    /// AUTH PLAIN separates with NUL.
    #[error("the relay's user name or password is empty or holds a NUL")]
    Credentials,
    /// Certificates that cannot be used.
    #[error(transparent)]
    Roots(#[from] RootsError),
}

/// Whether a kept connection had ended before it heard of this message.
const fn was_stale(outcome: &DeliveryOutcome) -> bool {
    match outcome {
        DeliveryOutcome::FailedBeforeDot { reason } => matches!(reason.phase(), Phase::Mail),
        DeliveryOutcome::Refused { code: CLOSING, phase: Phase::Mail, .. } => true,
        _ => false,
    }
}

fn check_hello(hello: &str) -> Result<(), RelayError> {
    let marks = |b| matches!(b, b'-' | b'.' | b':' | b'[' | b']');
    if !hello.is_empty() && hello.bytes().all(|b| b.is_ascii_alphanumeric() || marks(b)) {
        return Ok(());
    }
    Err(RelayError::Hello { hello: hello.escape_debug().to_string() })
}

fn check_credentials(credentials: Option<&Credentials>) -> Result<(), RelayError> {
    let Some(Credentials { username, password }) = credentials else {
        return Ok(());
    };
    let fields = [username.as_bytes(), password.expose()];
    if fields.iter().any(|field| field.is_empty() || field.contains(&0)) {
        return Err(RelayError::Credentials);
    }
    Ok(())
}
