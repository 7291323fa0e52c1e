//! A web server that does what the request says, so that a test knows what it will get.
//!
//! | path | answer |
//! |---|---|
//! | `/health` | 200, or 503 while a flapping server is unwell |
//! | `/stream?seconds=N` | a kilobyte every two seconds, for `N` seconds |
//! | anything else | `?ms=` milliseconds later, status `?status=` (200), `?kb=` kilobytes (1) |

use std::{
    convert::Infallible,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use futures::stream;
use serde::Deserialize;
use tokio::{net::TcpListener, time::sleep};
use tokio_util::sync::CancellationToken;

/// How long a flapping server stays well, and then unwell. Checks notice within 6 s, so most of it shows.
const FLAP_EVERY: Duration = Duration::from_secs(25);
/// Well below HAProxy's `timeout server`.
const DRIP_EVERY: Duration = Duration::from_secs(2);
const KILOBYTE: usize = 1_024;
/// Answers are cut from this, so that a large one costs no more memory than a small one.
static PAGE: LazyLock<Bytes> = LazyLock::new(|| vec![b'.'; LARGEST_KB * KILOBYTE].into());
/// The largest answer, in kilobytes.
pub const LARGEST_KB: usize = 300;

/// How a web server behaves by itself; the rest is in the requests.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// Its name, which it sends back in `x-server`.
    pub name: String,
    /// What it answers to `/health`.
    pub health: CheckBehaviour,
}

/// What a web server answers to `/health`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckBehaviour {
    /// Always 200.
    Fine,
    /// 200 and 503 in turn, 25 seconds each.
    Flapping,
}

/// Serves on `listener` until `shutdown`, which also cuts answers short.
pub async fn serve(listener: TcpListener, behaviour: Behaviour, shutdown: CancellationToken) {
    let server = WebServer { behaviour, started: Instant::now(), shutdown: shutdown.clone() };
    let app = Router::new()
        .route("/health", get(health))
        .route("/stream", get(drip))
        .fallback(page)
        .with_state(Arc::new(server));
    let served = axum::serve(listener, app).with_graceful_shutdown(shutdown.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::warn!(%error, "a web server of the lab has ended");
    }
}

struct WebServer {
    behaviour: Behaviour,
    started: Instant,
    shutdown: CancellationToken,
}

type ServerExtractor = State<Arc<WebServer>>;

#[derive(Deserialize)]
struct Wish {
    #[serde(default)]
    ms: u64,
    #[serde(default = "one")]
    kb: usize,
    #[serde(default = "ok")]
    status: u16,
}

fn one() -> usize {
    1
}

fn ok() -> u16 {
    200
}

#[derive(Deserialize)]
struct Drip {
    seconds: u64,
}

async fn health(State(server): ServerExtractor) -> StatusCode {
    let turns = server.started.elapsed().as_secs() / FLAP_EVERY.as_secs();
    match server.behaviour.health {
        CheckBehaviour::Flapping if turns % 2 == 1 => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::OK,
    }
}

async fn page(State(server): ServerExtractor, Query(wish): Query<Wish>) -> Response {
    // A cancelled wait answers early, which lets the connection end.
    let _cut_short = server.shutdown.run_until_cancelled(sleep(Duration::from_millis(wish.ms))).await;
    let status = StatusCode::from_u16(wish.status).unwrap_or(StatusCode::BAD_REQUEST);
    let body = PAGE.slice(..wish.kb.min(LARGEST_KB) * KILOBYTE);
    (status, [("x-server", server.behaviour.name.clone())], body).into_response()
}

async fn drip(State(server): ServerExtractor, Query(wish): Query<Drip>) -> Response {
    let drops = usize::try_from(wish.seconds / DRIP_EVERY.as_secs()).unwrap_or_default();
    let body = stream::unfold((drops, server), |(left, server)| async move {
        let left = left.checked_sub(1)?;
        server.shutdown.run_until_cancelled(sleep(DRIP_EVERY)).await?;
        Some((Ok::<_, Infallible>(PAGE.slice(..KILOBYTE)), (left, server)))
    });
    // The length is known, so a client needs no chunked decoding.
    ([(header::CONTENT_LENGTH, drops * KILOBYTE)], Body::from_stream(body)).into_response()
}
