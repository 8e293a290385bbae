use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use axum_server::{Handle, tls_rustls::RustlsConfig};
use tokio::sync::watch;

use crate::{Office, limits::HEADER_TIME_MAX, routes};

/// Time that open requests have to end once the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Where and how to listen.
#[derive(Debug, Clone)]
pub struct ServeOptions {
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
/// [`ServeError`] if nobody can listen there, or if passwords would go over a network in the
/// clear.
pub async fn serve(
    options: &ServeOptions,
    office: Office,
    stop: watch::Receiver<bool>,
) -> Result<(), ServeError> {
    check_privacy(options)?;
    let handle = Handle::new();
    tokio::spawn(shut_down(handle.clone(), stop));
    tokio::spawn(announce(handle.clone()));
    let app = routes(office, options).into_make_service_with_connect_info::<SocketAddr>();
    let listen = options.listen;
    let failed = |source| ServeError::Listen { listen, source };
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

/// In the clear only to this host, or to a proxy that is named.
fn check_privacy(options: &ServeOptions) -> Result<(), ServeError> {
    if options.is_private() || options.listen.ip().is_loopback() {
        return Ok(());
    }
    Err(ServeError::InTheClear { listen: options.listen })
}

async fn tls(files: &TlsFiles) -> Result<RustlsConfig, ServeError> {
    // Somebody else's part of the program may have chosen the same provider before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = RustlsConfig::from_pem_file(&files.certificate, &files.key).await;
    config.map_err(|source| ServeError::Certificate { files: files.clone(), source })
}

/// Port 0 is any that is free: whoever starts us may read here which one it is.
async fn announce(handle: Handle<SocketAddr>) {
    if let Some(listen) = handle.listening().await {
        tracing::info!(%listen, "answering");
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
        "`serve.listen` is {listen}, which others can reach, and there is no TLS: set \
         `serve.certificate_file` and `serve.key_file`, or `serve.trusted_proxy`, or listen on \
         127.0.0.1"
    )]
    InTheClear {
        /// Where it would listen.
        listen: SocketAddr,
    },
    /// No use as a certificate.
    #[error(
        "`serve.certificate_file` {} and `serve.key_file` {} cannot be used: {source}",
        files.certificate.display(), files.key.display()
    )]
    Certificate {
        /// Both files.
        files: TlsFiles,
        /// What is wrong.
        source: io::Error,
    },
    /// Taken, or not ours.
    #[error("`serve.listen`: {listen} cannot be listened on: {source}")]
    Listen {
        /// Where.
        listen: SocketAddr,
        /// Why not.
        source: io::Error,
    },
}
