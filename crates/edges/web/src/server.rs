mod connection;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use axum::Router;
use hyper_util::server::graceful::GracefulShutdown;
use rustix::process::{Resource, getrlimit};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use crate::limits::{CONNECTIONS_MAX, FILES_PER_LISTENER};
use connection::HttpConnection;

/// Time that open requests have to end once the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Time to let go of something when no connection can be taken: the host is out of descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// Whom a listener is for, which decides who may reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// People anywhere. They type passwords, so nobody may listen on the way.
    People,
    /// Operators on this host: nobody signs in.
    Operators,
    /// Programs that watch over this one, wherever the site lets them reach it from.
    Metrics,
    /// Other hosts, whose logs are watched over: all that is said is signed, and none of it secret.
    Witness,
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
/// It speaks HTTP/1.1 alone: a proxy in front of it speaks whatever else browsers like.
///
/// # Errors
/// [`ServeError`] if nobody can listen there, or if somebody could reach it who must not.
#[must_use = "a future does nothing until it is awaited"]
pub fn serve(
    options: &ServeOptions,
    routes: Router,
    stop: watch::Receiver<bool>,
) -> Pin<Box<dyn Future<Output = Result<(), ServeError>> + Send + '_>> {
    Box::pin(async move {
        check_reach(options)?;
        let tls = options.tls.as_ref().map(acceptor).transpose()?;
        let listener = listen(options).await?;
        let open = answer(listener, tls, routes, places(), stop).await;
        // Whoever does not end in time is cut off with the process.
        let _ = timeout(GRACE, open.shutdown()).await;
        Ok(())
    })
}

/// Port 0 is any that is free: whoever starts us may read here which one it is.
async fn listen(options: &ServeOptions) -> Result<TcpListener, ServeError> {
    let ServeOptions { listener, listen, .. } = *options;
    let failed = |source| ServeError::Listen { listener, listen, source };
    let socket = TcpListener::bind(listen).await.map_err(failed)?;
    let listen = socket.local_addr().map_err(failed)?;
    tracing::info!(listener = listener.as_str(), %listen, "answering");
    Ok(socket)
}

/// Ends when it is told to stop; the connections that are open then are handed over.
async fn answer(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    routes: Router,
    places: usize,
    mut stop: watch::Receiver<bool>,
) -> GracefulShutdown {
    let open = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(places));
    loop {
        let taken = tokio::select! {
            () = told(&mut stop) => return open,
            taken = take(&listener, &places) => taken,
        };
        match taken {
            Ok(Taken { stream, peer, place }) => {
                let connection = HttpConnection { peer, routes: routes.clone(), _place: place };
                tokio::spawn(connection.answer(stream, tls.clone(), open.watcher()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Somebody who has connected, and has a place.
struct Taken {
    stream: TcpStream,
    peer: SocketAddr,
    place: OwnedSemaphorePermit,
}

/// Whoever comes when every place is taken waits in the system's queue.
async fn take(listener: &TcpListener, places: &Arc<Semaphore>) -> io::Result<Taken> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok(Taken { stream, peer, place })
}

/// How many connections one listener may hold. Strangers who open them keep neither another
/// listener nor the store from a file that it needs.
fn places() -> usize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let share = usize::try_from(files).unwrap_or(usize::MAX) / FILES_PER_LISTENER;
    share.clamp(1, CONNECTIONS_MAX)
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
            Self::Witness => "witness",
        }
    }
}

async fn told(stop: &mut watch::Receiver<bool>) {
    // An error means that nobody can tell us to stop any more, which is the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, ServeError> {
    let config =
        tls(files).map_err(|source| ServeError::Certificate { files: files.clone(), source })?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn tls(files: &TlsFiles) -> Result<ServerConfig, CertificateError> {
    let certificates: Vec<_> =
        CertificateDer::pem_file_iter(&files.certificate)?.collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_file(&files.key)?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?;
    Ok(builder.with_no_client_auth().with_single_cert(certificates, key)?)
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
        source: CertificateError,
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

/// What is wrong with a certificate or its key.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// It cannot be read, or is no PEM.
    #[error(transparent)]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// The two do not belong together, or are of a kind that is not supported.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use axum::routing::post;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        task::JoinHandle,
    };

    use super::*;
    use crate::{
        guard::guarded,
        limits::{BODY_TIME_MAX, FORM_BYTES_MAX, HEADER_TIME_MAX},
    };

    struct TestServer {
        listen: SocketAddr,
        tell: watch::Sender<bool>,
        server: JoinHandle<GracefulShutdown>,
    }

    impl TestServer {
        /// It answers with what it was sent.
        async fn new(places: usize) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let listen = listener.local_addr().unwrap();
            let (tell, stop) = watch::channel(false);
            let routes = Router::new().route("/", post(async |sent: String| sent));
            let routes = guarded(routes, false);
            let server = tokio::spawn(answer(listener, None, routes, places, stop));
            Self { listen, tell, server }
        }

        async fn connect(&self) -> TcpStream {
            TcpStream::connect(self.listen).await.unwrap()
        }

        /// Sends a request and reads until the server closes.
        async fn ask(&self, request: &str) -> String {
            let mut client = self.connect().await;
            client.write_all(request.as_bytes()).await.unwrap();
            read_all(client).await
        }

        /// The same, saying that there is nothing more to send.
        async fn ask_last(&self, request: &str) -> String {
            let mut client = self.connect().await;
            client.write_all(request.as_bytes()).await.unwrap();
            client.shutdown().await.unwrap();
            read_all(client).await
        }
    }

    async fn read_all(mut client: TcpStream) -> String {
        let mut answered = String::new();
        client.read_to_string(&mut answered).await.unwrap();
        answered
    }

    fn sent(head: &str, body: &str) -> String {
        kept(&format!("connection: close\r\n{head}"), body)
    }

    /// A client that would ask again over the same connection.
    fn kept(head: &str, body: &str) -> String {
        format!("POST / HTTP/1.1\r\nhost: here\r\n{head}\r\n\r\n{body}")
    }

    #[tokio::test]
    async fn silent_clients_hold_up_neither_others_nor_the_end() {
        let server = TestServer::new(8).await;
        let _silent = server.connect().await;
        let answered = server.ask(&sent("content-length: 3", "yes")).await;
        assert!(answered.starts_with("HTTP/1.1 200 OK") && answered.ends_with("yes"), "{answered}");
        server.tell.send(true).unwrap();
        let open = server.server.await.unwrap();
        timeout(GRACE / 2, open.shutdown()).await.expect("nobody waits for an idle connection");
        assert!(TcpStream::connect(server.listen).await.is_err(), "it has stopped listening");
    }

    #[tokio::test]
    async fn whoever_finds_no_place_waits_for_one() {
        let server = TestServer::new(2).await;
        let (first, _second) = (server.connect().await, server.connect().await);
        let request = sent("content-length: 3", "yes");
        let third = server.ask(&request);
        tokio::pin!(third);
        assert!(timeout(Duration::from_millis(300), &mut third).await.is_err());
        drop(first);
        assert!(timeout(HEADER_TIME_MAX / 2, third).await.unwrap().ends_with("yes"));
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_whole_is_refused() {
        let server = TestServer::new(8).await;
        let chunks = "transfer-encoding: chunked";
        assert!(server.ask(&sent(chunks, "3\r\nyes\r\n0\r\n\r\n")).await.ends_with("yes"));
        for broken in ["ZZ\r\nyes\r\n0\r\n\r\n", "3\r\nyesno\r\n0\r\n\r\n"] {
            let answered = server.ask(&kept(chunks, broken)).await;
            assert!(answered.starts_with("HTTP/1.1 400"), "{broken:?}: {answered}");
        }
        // What is left of the body is never taken for a request.
        let long = "y".repeat(FORM_BYTES_MAX + 1) + &sent("content-length: 0", "");
        let answered =
            server.ask_last(&kept(&format!("content-length: {}", long.len()), &long)).await;
        assert!(answered.starts_with("HTTP/1.1 413"), "{answered}");
        assert_eq!(answered.matches("HTTP/1.1").count(), 1, "{answered}");
        let since = Instant::now();
        let answered = server.ask(&kept("content-length: 3", "ye")).await;
        assert!(answered.starts_with("HTTP/1.1 400"), "{answered}");
        assert!(since.elapsed() < BODY_TIME_MAX * 2);
    }

    #[tokio::test]
    async fn a_request_names_one_host() {
        let server = TestServer::new(8).await;
        let end = "connection: close\r\ncontent-length: 0\r\n\r\n";
        for hosts in ["", "host: a\r\nhost: b\r\n", "host: a/b\r\n"] {
            let answered = server.ask(&format!("POST / HTTP/1.1\r\n{hosts}{end}")).await;
            assert!(answered.starts_with("HTTP/1.1 400"), "{hosts:?}: {answered}");
        }
        for hosts in ["host: a\r\n", "host: [::1]:80\r\n", "host:\r\n"] {
            let answered = server.ask(&format!("POST / HTTP/1.1\r\n{hosts}{end}")).await;
            assert!(answered.starts_with("HTTP/1.1 200"), "{hosts:?}: {answered}");
        }
        let answered = server.ask(&format!("POST / HTTP/1.0\r\n{end}")).await;
        assert!(answered.starts_with("HTTP/1.0 200"), "{answered}");
    }

    #[tokio::test]
    async fn whoever_has_nothing_more_to_send_is_answered() {
        let server = TestServer::new(8).await;
        let answered = server.ask_last(&kept("content-length: 3", "yes")).await;
        assert!(answered.ends_with("yes"), "{answered}");
    }
}
