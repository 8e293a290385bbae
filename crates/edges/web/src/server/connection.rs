use std::net::SocketAddr;

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::Watcher,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
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
        let answer = service_fn(|request| self.routes.clone().oneshot(self.extended(request)));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIME_MAX)
            .serve_connection(TokioIo::new(stream), answer);
        let _ = open.watch(connection).await;
    }

    fn extended(&self, request: Request<Incoming>) -> Request {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(self.peer));
        request
    }
}

/// Bytes both ways. One type for TLS and for none, so that HTTP is compiled once.
trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for S {}
