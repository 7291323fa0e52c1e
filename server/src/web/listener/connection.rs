//! One connection from its handshake to its end.

use std::{
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{error::Elapsed, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::sync::CancellationToken;

use super::{
    connection_activity::{ConnectionActivity, TimeoutReason},
    connection_service::{ConnectionInfo, ConnectionService},
    timeout_stream::TimeoutStream,
    timing::{MAX_HEAD, MAX_HEADER_LIST, MAX_HEADERS, MAX_STREAMS, Timing},
};
use crate::{
    metrics::{ListenerMetrics, ReasonLabel},
    tls::CertificateReloader,
};

/// What all connections are served with.
pub(super) struct HttpServer {
    pub(super) router: Router,
    pub(super) timing: Timing,
    pub(super) certificates: Option<CertificateReloader>,
    pub(super) metrics: ListenerMetrics,
    /// Cancelled when requests are to come to their end.
    pub(super) shutdown: CancellationToken,
}

impl HttpServer {
    /// Serves one connection to its end. One that becomes a stream ends here, and is the stream's from then on.
    pub(super) async fn serve_connection(
        &self,
        stream: TimeoutStream<TcpStream>,
        address: SocketAddr,
        activity: Arc<ConnectionActivity>,
    ) {
        let info = ConnectionInfo { address: address.ip().to_canonical(), is_tls: self.certificates.is_some() };
        let service = ConnectionService { router: self.router.clone(), info, activity: activity.clone() };
        tokio::select! {
            result = self.serve_http(stream, service) => if let Err(error) = result {
                tracing::debug!(%error, %address, "a connection ended early");
            },
            reason = activity.overdue() => activity.count_cut(reason),
        }
    }

    async fn serve_http(&self, stream: TimeoutStream<TcpStream>, service: ConnectionService) -> hyper::Result<()> {
        let Some(certificates) = &self.certificates else { return self.http1(stream, service).await };
        let handshake = timeout(self.timing.handshake, TlsAcceptor::from(certificates.config()).accept(stream));
        let ended = tokio::select! {
            ended = handshake => ended,
            () = self.shutdown.cancelled() => return Ok(()),
        };
        let Some(stream) = self.handshaken(ended, &service.activity) else { return Ok(()) };
        match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => self.http2(stream, service).await,
            _ => self.http1(stream, service).await,
        }
    }

    /// The stream of a handshake that went well; every one is counted.
    fn handshaken<S>(
        &self,
        ended: Result<io::Result<TlsStream<S>>, Elapsed>,
        activity: &ConnectionActivity,
    ) -> Option<TlsStream<S>> {
        let (stream, how) = match ended {
            Ok(Ok(stream)) => (Some(stream), "done"),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a TLS handshake failed");
                (None, "failed")
            }
            Err(_) => {
                activity.count_cut(TimeoutReason::Handshake);
                (None, "timed_out")
            }
        };
        self.metrics.handshakes.get_or_create(&ReasonLabel::of(how)).inc();
        stream
    }

    async fn http1(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        service: ConnectionService,
    ) -> hyper::Result<()> {
        let connection = http1::Builder::new()
            // The connection's activity has it.
            .header_read_timeout(None::<Duration>)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        self.until_end(pin!(connection), http1::UpgradeableConnection::graceful_shutdown).await
    }

    async fn http2(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        service: ConnectionService,
    ) -> hyper::Result<()> {
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(MAX_HEADER_LIST)
            .keep_alive_interval(self.timing.ping)
            .keep_alive_timeout(self.timing.pong)
            .serve_connection(TokioIo::new(stream), service);
        self.until_end(pin!(connection), http2::Connection::graceful_shutdown).await
    }

    /// Drives a connection to its end, and towards it once the program is to end.
    async fn until_end<C: Future<Output = hyper::Result<()>>>(
        &self,
        mut connection: Pin<&mut C>,
        shut_down: impl FnOnce(Pin<&mut C>),
    ) -> hyper::Result<()> {
        tokio::select! {
            ended = connection.as_mut() => return ended,
            () = self.shutdown.cancelled() => shut_down(connection.as_mut()),
        }
        connection.await
    }
}
