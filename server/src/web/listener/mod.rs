//! The listener: TCP, TLS, HTTP/1.1 and HTTP/2, and the bounds on all of it.
//!
//! hyper serves each connection. `axum::serve` knows neither TLS nor a time-out; `axum-server` takes the version of HTTP
//! from a connection's first bytes whatever TLS has agreed on, is silent when the system has no file left for a
//! connection, and waits for handshakes when the program is to end.

mod admission;
mod connection_activity;
mod connection_service;
pub mod settings;
mod timeout_stream;
mod timing;

use std::{
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use admission::Admission;
use axum::Router;
use connection_activity::{ConnectionActivity, Cut};
use connection_service::ConnectionService;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use timeout_stream::TimeoutStream;
use timing::{MAX_HEAD, MAX_HEADER_LIST, MAX_HEADERS, MAX_STREAMS};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{ListenerSettings, middleware::client_address::Connection};
use crate::{
    metrics::{ListenerMetrics, ReasonLabel},
    tls::Certificates,
};

pub use timing::Timing;

/// How long to wait when the system gives no connection: what it lacks comes back when some end.
const BREATH: Duration = Duration::from_millis(100);

/// How often the log says that connections are refused, at most.
const TELL: Duration = Duration::from_secs(60);

/// Serves until `shutdown` is cancelled, then lets requests come to their end within `grace`; whether they did. Streams,
/// which have left HTTP, are somebody else's to end.
///
/// # Errors
/// When the listener is of no use any more.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    listener_settings: &ListenerSettings,
    metrics: &ListenerMetrics,
    shutdown: &CancellationToken,
    grace: Duration,
) -> io::Result<bool> {
    let (connections, cut) = (TaskTracker::new(), CancellationToken::new());
    let shared = Arc::new(Shared {
        router,
        timing: listener_settings.timing,
        certificates: listener_settings.certificates.clone(),
        metrics: metrics.clone(),
        ending: shutdown.clone(),
    });
    let admission = Admission::new(listener_settings.limits, listener_settings.config.clone(), metrics.clone());
    let mut told = Told::default();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            // The peer went away while it waited.
            Err(error) if is_of_the_peer(&error) => continue,
            Err(error) => {
                told.once(|| tracing::error!(%error, "cannot take connections; with too many open files raise `ulimit -n`, or LimitNOFILE= in the unit"));
                sleep(BREATH).await;
                continue;
            }
        };
        match admission.admit(address.ip()) {
            Ok(permit) => {
                let pulse = ConnectionActivity::new(shared.timing, shared.metrics.clone());
                let stream = TimeoutStream::new(without_delay(stream), pulse.clone(), permit);
                let (shared, cut) = (shared.clone(), cut.clone());
                connections.spawn(async move {
                    tokio::select! {
                        () = Box::pin(attend(&shared, stream, address, pulse)) => {}
                        () = cut.cancelled() => {}
                    }
                });
            }
            Err(full) => told.once(|| {
                tracing::warn!(%address, limit = full.word(), "connections are refused; [limits] bounds how many there may be");
            }),
        }
    }
    // Nobody waits for an answer that can't come.
    drop(listener);
    connections.close();
    let in_time = timeout(grace, connections.wait()).await.is_ok();
    cut.cancel();
    connections.wait().await;
    Ok(in_time)
}

/// What all connections share.
struct Shared {
    router: Router,
    timing: Timing,
    certificates: Option<Certificates>,
    metrics: ListenerMetrics,
    /// Cancelled when requests are to come to their end.
    ending: CancellationToken,
}

/// Serves one connection to its end.
async fn attend(
    shared: &Shared,
    stream: TimeoutStream<TcpStream>,
    address: SocketAddr,
    pulse: Arc<ConnectionActivity>,
) {
    let Shared { router, certificates, ending, .. } = shared;
    let connection = Connection { address: address.ip().to_canonical(), is_tls: certificates.is_some() };
    let service = ConnectionService { router: router.clone(), connection, pulse: pulse.clone() };
    let result = match certificates {
        None => http1(shared, stream, service).await,
        Some(certificates) => {
            let handshake = timeout(shared.timing.handshake, TlsAcceptor::from(certificates.config()).accept(stream));
            let ended = tokio::select! {
                ended = handshake => ended,
                () = ending.cancelled() => return,
            };
            let Some(stream) = shaken(shared, ended, &pulse) else { return };
            match stream.get_ref().1.alpn_protocol() {
                Some(b"h2") => http2(shared, stream, service).await,
                _ => http1(shared, stream, service).await,
            }
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, %address, "a connection ended early");
    }
}

/// The stream of a handshake that went well; every one is counted.
fn shaken<S>(
    shared: &Shared,
    ended: Result<io::Result<TlsStream<S>>, tokio::time::error::Elapsed>,
    pulse: &ConnectionActivity,
) -> Option<TlsStream<S>> {
    let (stream, how) = match ended {
        Ok(Ok(stream)) => (Some(stream), "done"),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            (None, "failed")
        }
        Err(_) => {
            pulse.cut(Cut::Handshake);
            (None, "timed_out")
        }
    };
    shared.metrics.handshakes.get_or_create(&ReasonLabel::of(how)).inc();
    stream
}

async fn http1(
    shared: &Shared,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    service: ConnectionService,
) -> hyper::Result<()> {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // The socket's own deadlines are the narrower ones; this one knows where a head begins.
        .header_read_timeout(shared.timing.idle)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    until_end(shared, pin!(connection), http1::UpgradeableConnection::graceful_shutdown).await
}

async fn http2(
    shared: &Shared,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    service: ConnectionService,
) -> hyper::Result<()> {
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADER_LIST)
        .keep_alive_interval(shared.timing.ping)
        .keep_alive_timeout(shared.timing.pong)
        .serve_connection(TokioIo::new(stream), service);
    until_end(shared, pin!(connection), http2::Connection::graceful_shutdown).await
}

/// Drives a connection to its end, and towards it once the program is to end.
async fn until_end<C: Future<Output = hyper::Result<()>>>(
    shared: &Shared,
    mut connection: Pin<&mut C>,
    end: impl FnOnce(Pin<&mut C>),
) -> hyper::Result<()> {
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = shared.ending.cancelled() => end(connection.as_mut()),
    }
    connection.await
}

/// Frames are small and due now: nothing waits for more to send with it.
fn without_delay(stream: TcpStream) -> TcpStream {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot switch off the delay of small packets");
    }
    stream
}

fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// When something was told last, so that the log is not what a flood fills.
#[derive(Default)]
struct Told(Option<Instant>);

impl Told {
    fn once(&mut self, tell: impl FnOnce()) {
        if self.0.is_none_or(|last| last.elapsed() >= TELL) {
            self.0 = Some(Instant::now());
            tell();
        }
    }
}
