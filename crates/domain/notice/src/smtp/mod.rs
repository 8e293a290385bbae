//! A client of one SMTP relay that always knows how far it has come.

mod connection;
mod failure;
mod greeting;
mod options;
mod reply;
mod status;
mod tls;

use std::fmt;

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;
use tokio_rustls::TlsConnector;

use crate::{
    Address, Composed, DeliveryOutcome, Failure, Phase, limits::MESSAGES_PER_CONNECTION_MAX,
};
use connection::Connection;
pub use failure::{RelayError, RootsError};
pub use greeting::Greeting;
use options::CLOSING;
pub use options::{Credentials, RelayOptions, Security, TimeLimits};
pub use reply::Reply;
pub use status::EnhancedStatus;
pub use tls::Roots;

/// The site's own mail server, to which we hand every message.
///
/// A connection that has served is kept for the next message.
pub struct Relay {
    options: RelayOptions,
    tls: TlsConnector,
    idle: Mutex<Option<Connection>>,
    /// Whether it took addresses beyond ASCII when it last greeted us.
    international: Mutex<Option<bool>>,
}

impl Relay {
    /// Checks the options. Connects to nothing yet.
    ///
    /// # Errors
    /// [`RelayError`] if a setting cannot be meant so.
    pub fn new(options: RelayOptions) -> Result<Self, RelayError> {
        options.hello.as_deref().map_or(Ok(()), check_hello)?;
        check_credentials(options.credentials.as_ref())?;
        tls::server_name(&options.host)?;
        let tls = tls::connector(&options.roots)?;
        Ok(Self { options, tls, idle: Mutex::new(None), international: Mutex::new(None) })
    }

    /// Makes one attempt to hand over one message.
    ///
    /// If the future is dropped before it ends, nobody knows what became of the message.
    #[must_use = "a future does nothing until it is awaited"]
    pub fn deliver<'a>(&'a self, message: &'a Composed) -> BoxFuture<'a, DeliveryOutcome> {
        Box::pin(async move {
            if let Some(kept) = self.kept().await {
                let outcome = self.send_over(kept, message).await;
                if !was_stale(&outcome) {
                    return outcome;
                }
            }
            match self.open().await {
                Ok(connection) => self.send_over(connection, message).await,
                Err(reason) => DeliveryOutcome::FailedBeforeDot { reason },
            }
        })
    }

    /// Greets it, signs in, and asks whether it would take mail from one address of ours for
    /// another, as far as that goes without sending any.
    ///
    /// If the future fails, it could not be asked, or would not take anybody's mail.
    #[must_use = "a future does nothing until it is awaited"]
    pub fn greet<'a>(
        &'a self,
        bounces: &'a Address,
        own: &'a Address,
    ) -> BoxFuture<'a, Result<Greeting, Failure>> {
        Box::pin(async move {
            let mut connection = self.open().await?;
            let greeting = connection.rehearse(bounces, own).await;
            connection.quit().await;
            greeting
        })
    }

    /// Whether it takes addresses beyond ASCII, as it said when it last greeted us; it is greeted
    /// if it never has. `None` if it cannot be told now.
    #[must_use = "a future does nothing until it is awaited"]
    pub fn takes_international(&self) -> BoxFuture<'_, Option<bool>> {
        Box::pin(async move {
            let known = *self.international.lock().await;
            if known.is_some() {
                return known;
            }
            self.open().await.ok()?.quit().await;
            *self.international.lock().await
        })
    }

    /// Says goodbye on the connection that was kept, if there is one.
    #[must_use = "a future does nothing until it is awaited"]
    pub fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Some(kept) = self.kept().await {
                kept.quit().await;
            }
        })
    }

    async fn open(&self) -> Result<Connection, Failure> {
        let connection = Connection::open(&self.options, &self.tls).await?;
        *self.international.lock().await = Some(connection.offers_international());
        Ok(connection)
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
