use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use axum::Router;
use axum_server::{Handle, tls_rustls::RustlsConfig};
use tokio::sync::watch;

use crate::limits::HEADER_TIME_MAX;

/// Time that open requests have to end once the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Whom a listener is for, which decides who may reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// People anywhere. They type passwords, so nobody may listen on the way.
    People,
    /// Operators on this host: nobody signs in.
    Operators,
    /// Programs that watch over this one, wherever the site lets them reach it from.
    Metrics,
}

/// Where and how to listen.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Whom for.
    pub listener: Listener,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The certificate to show; none behind a proxy, or on this host alone.
    pub tls: Option<TlsFiles>,
    /// The proxy that speaks TLS for us. What any other peer says of where it comes from is not
    /// believed.
    pub trusted_proxy: Option<IpAddr>,
}

/// A certificate and its key, PEM files both.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate, with those that lead up to an authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Answers until it is told to stop; requests that are open then have ten seconds to end.
///
/// # Errors
/// [`ServeError`] if nobody can listen there, or if somebody could reach it who must not.
pub async fn serve(
    options: &ServeOptions,
    routes: Router,
    stop: watch::Receiver<bool>,
) -> Result<(), ServeError> {
    check_reach(options)?;
    let handle = Handle::new();
    tokio::spawn(shut_down(handle.clone(), stop));
    tokio::spawn(announce(options.listener, handle.clone()));
    let app = routes.into_make_service_with_connect_info::<SocketAddr>();
    let listen = options.listen;
    let failed = |source| ServeError::Listen { listener: options.listener, listen, source };
    match &options.tls {
        None => {
            let mut server = axum_server::bind(listen).handle(handle);
            server.http_builder().http1().header_read_timeout(HEADER_TIME_MAX);
            server.serve(app).await.map_err(failed)
        }
        Some(files) => {
            let config = tls(files).await?;
            let mut server = axum_server::bind_rustls(listen, config).handle(handle);
            server.http_builder().http1().header_read_timeout(HEADER_TIME_MAX);
            server.serve(app).await.map_err(failed)
        }
    }
}

impl ServeOptions {
    /// Whether people reach us over TLS: ours, or that of the proxy.
    pub(crate) const fn is_private(&self) -> bool {
        self.tls.is_some() || self.trusted_proxy.is_some()
    }
}

/// People are answered in the clear only on this host, or behind a proxy that is named.
fn check_reach(options: &ServeOptions) -> Result<(), ServeError> {
    let (listen, is_local) = (options.listen, options.listen.ip().is_loopback());
    match options.listener {
        Listener::People if !options.is_private() && !is_local => {
            Err(ServeError::InTheClear { listen })
        }
        Listener::Operators if !is_local => Err(ServeError::WithoutSignIn { listen }),
        _ => Ok(()),
    }
}

impl Listener {
    /// The word for it in the configuration and in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Operators => "operators",
            Self::Metrics => "metrics",
        }
    }
}

async fn tls(files: &TlsFiles) -> Result<RustlsConfig, ServeError> {
    // Somebody else's part of the program may have chosen the same provider before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = RustlsConfig::from_pem_file(&files.certificate, &files.key).await;
    config.map_err(|source| ServeError::Certificate { files: files.clone(), source })
}

/// Port 0 is any that is free: whoever starts us may read here which one it is.
async fn announce(listener: Listener, handle: Handle<SocketAddr>) {
    if let Some(listen) = handle.listening().await {
        tracing::info!(listener = listener.as_str(), %listen, "answering");
    }
}

async fn shut_down(handle: Handle<SocketAddr>, mut stop: watch::Receiver<bool>) {
    // An error means that nobody can tell us to stop any more, which is the same.
    let _ = stop.wait_for(|stop| *stop).await;
    handle.graceful_shutdown(Some(GRACE));
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Passwords would be readable on the way.
    #[error(
        "`serve.people.listen` is {listen}, which others can reach, and there is no TLS: set \
         `serve.people.certificate_file` and `serve.people.key_file`, or `serve.people.trusted_proxy`, or listen on \
         127.0.0.1"
    )]
    InTheClear {
        /// Where it would listen.
        listen: SocketAddr,
    },
    /// Whoever reached it would be an operator.
    #[error(
        "`serve.operators.listen` is {listen}, which others can reach, and operators do not sign \
         in: listen on 127.0.0.1"
    )]
    WithoutSignIn {
        /// Where it would listen.
        listen: SocketAddr,
    },
    /// No use as a certificate.
    #[error(
        "`serve.people.certificate_file` {} and `serve.people.key_file` {} cannot be used: {source}",
        files.certificate.display(), files.key.display()
    )]
    Certificate {
        /// Both files.
        files: TlsFiles,
        /// What is wrong.
        source: io::Error,
    },
    /// Taken, or not ours.
    #[error("`serve.{}.listen`: {listen} cannot be listened on: {source}", listener.as_str())]
    Listen {
        /// Whom for.
        listener: Listener,
        /// Where.
        listen: SocketAddr,
        /// Why not.
        source: io::Error,
    },
}
