//! The listener: TCP, TLS, HTTP/1.1 and HTTP/2, and the bounds on all of it.
//!
//! hyper serves each connection. `axum::serve` knows neither TLS nor a time-out; `axum-server` takes the version of HTTP
//! from a connection's first bytes whatever TLS has agreed on, is silent when the system has no file left for a
//! connection, and waits for handshakes when the program is to end.
//!
//! # Time-outs
//! What may take how long is in [`Timing`]. What ends it:
//! * A peer that takes nothing of what is written: `tokio-io-timeout`, below TLS. Its time-out for reads is not used. It
//!   bounds the pause between two bytes, so that a byte now and then holds a connection; and it is the same for a request,
//!   which must come soon, and a stream, which may be silent for hours.
//! * A peer over HTTP/2 that is gone: hyper's pings.
//! * By hand, in [`connection_activity`]: whoever lets a request wait for too long, and whoever leaves an answer over
//!   HTTP/2 lying. hyper's `header_read_timeout` is for HTTP/1 alone, and one time for each head: the first must come
//!   soon, since anybody can open a connection, and the others may take longer than the 60 s for which a reverse proxy
//!   keeps an idle connection. hyper's pings do not find who answers them and otherwise does nothing.
//! * A handshake, and the body of a request: `tokio::time::timeout`; streams have pings of their own.

mod admission;
mod connection;
mod connection_activity;
mod connection_service;
pub mod settings;
mod timeout_stream;
mod timing;

use std::{io, sync::Arc, time::Duration};

use admission::Admission;
use axum::Router;
use connection::HttpServer;
use connection_activity::ConnectionActivity;
use settings::ListenerSettings;
use timeout_stream::TimeoutStream;
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::metrics::ListenerMetrics;

pub(super) use connection_service::ConnectionInfo;
pub use timing::Timing;

/// How long to wait when the system gives no connection: what it lacks comes back when some end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How often the log says that connections are refused, at most.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Serves until `shutdown` is cancelled, then lets requests come to their end within `grace`; whether they did. Streams,
/// which have left HTTP, are somebody else's to end.
///
/// # Errors
/// When the listener is of no use any more.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    settings: &ListenerSettings,
    metrics: &ListenerMetrics,
    shutdown: &CancellationToken,
    grace: Duration,
) -> io::Result<bool> {
    let (connections, kill) = (TaskTracker::new(), CancellationToken::new());
    let server = Arc::new(HttpServer {
        router,
        timing: settings.timing,
        certificates: settings.certificates.clone(),
        metrics: metrics.clone(),
        shutdown: shutdown.clone(),
    });
    let admission = Admission::new(settings.limits, settings.config.clone(), metrics.clone());
    let mut log = OccasionalLog::default();
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
                log.write(|| tracing::error!(%error, "cannot take connections; with too many open files raise `ulimit -n`, or LimitNOFILE= in the unit"));
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        match admission.admit(address.ip()) {
            Ok(permit) => {
                let activity = ConnectionActivity::new(server.timing, server.metrics.clone());
                let stream = TimeoutStream::new(without_delay(stream), activity.clone(), permit);
                let (server, kill) = (server.clone(), kill.clone());
                connections.spawn(async move {
                    tokio::select! {
                        () = Box::pin(server.serve_connection(stream, address, activity)) => {}
                        () = kill.cancelled() => {}
                    }
                });
            }
            Err(error) => log.write(|| {
                tracing::warn!(%address, limit = error.word(), "connections are refused; [limits] bounds how many there may be");
            }),
        }
    }
    // Nobody waits for an answer that can't come.
    drop(listener);
    connections.close();
    let in_time = timeout(grace, connections.wait()).await.is_ok();
    kill.cancel();
    connections.wait().await;
    Ok(in_time)
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

/// Writes into the log now and then, so that a flood of connections does not fill it.
#[derive(Default)]
struct OccasionalLog {
    last: Option<Instant>,
}

impl OccasionalLog {
    fn write(&mut self, line: impl FnOnce()) {
        if self.last.is_none_or(|last| last.elapsed() >= LOG_INTERVAL) {
            self.last = Some(Instant::now());
            line();
        }
    }
}
