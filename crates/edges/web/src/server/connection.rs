use std::{convert::Infallible, net::SocketAddr};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    http::{HeaderMap, HeaderValue, StatusCode, Version, header::HOST, uri::Authority},
    response::{IntoResponse as _, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::Watcher,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::limits::{HANDSHAKE_TIME_MAX, HEADER_TIME_MAX};

/// Somebody who has connected.
pub(super) struct HttpConnection {
    /// From where.
    pub(super) peer: SocketAddr,
    /// What may be asked.
    pub(super) routes: Router,
    /// Free again when it is over.
    pub(super) _place: OwnedSemaphorePermit,
}

impl HttpConnection {
    /// Answers until the other side goes, is too slow, or the server stops. Whoever breaks off or
    /// talks nonsense has only lost a connection, so nothing is reported.
    pub(super) async fn answer(self, stream: TcpStream, tls: Option<TlsAcceptor>, open: Watcher) {
        // Answers are written whole, so waiting for more to send would only delay them.
        let _ = stream.set_nodelay(true);
        let Some(tls) = tls else { return self.speak(Box::new(stream), open).await };
        if let Ok(Ok(stream)) = timeout(HANDSHAKE_TIME_MAX, tls.accept(stream)).await {
            self.speak(Box::new(stream), open).await;
        }
    }

    async fn speak(self, stream: Box<dyn ByteStream>, open: Watcher) {
        let answer = service_fn(|request| self.answer_one(request));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIME_MAX)
            // Some programs say that they have nothing more to send, and wait for the answer.
            .half_close(true)
            .serve_connection(TokioIo::new(stream), answer);
        let _ = open.watch(connection).await;
    }

    async fn answer_one(&self, request: Request<Incoming>) -> Result<Response, Infallible> {
        if request.version() == Version::HTTP_11 && !names_a_host(request.headers()) {
            return Ok(StatusCode::BAD_REQUEST.into_response());
        }
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(self.peer));
        self.routes.clone().oneshot(request).await
    }
}

/// One host, and a well-formed one (RFC 9112, 3.2): a proxy and we must not read it differently.
fn names_a_host(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let is_host =
        |host: &HeaderValue| host.is_empty() || Authority::try_from(host.as_bytes()).is_ok();
    hosts.next().is_some_and(is_host) && hosts.next().is_none()
}

/// Bytes both ways. One type for TLS and for none, so that HTTP is compiled once.
trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for S {}
