//! `GET /ws`: the stream. One task per viewer, which owns its socket.
//!
//! It sends what the hub queues for it, tells the hub which topics the viewer shows, and finds out when nobody is
//! there any more. Of the frames it makes those of [`accounts`] alone.

mod accounts;
mod limits;

use std::{ops::ControlFlow, pin::pin, time::Duration};

use accounts::AccountTopic;
use axum::{
    Extension,
    body::Bytes,
    extract::{
        Query, State,
        rejection::QueryRejection,
        ws::{
            CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code,
            rejection::WebSocketUpgradeRejection,
        },
    },
    http::StatusCode,
    response::Response,
};
pub use limits::StreamLimits;
use limits::StreamPlace;
use model::frame::Subscribe;
use serde::Deserialize;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use utoipa::{IntoParams, ToSchema};

use super::{AppState, problem::ProblemResponse};
use crate::{
    audit::{Entry, Kind},
    auth::{Auth, AuthMethod, Peer, Principal, authz::policy::may_subscribe},
    hub::{Encoding, Hub, Viewer},
    rate_limit::{Rate, TokenBucket},
};

/// The largest message that a viewer may send, in bytes: a thousand topics with names of sixty characters.
const MAX_MESSAGE: usize = 64 * 1024;

/// Where the socket itself gives up on a message, in bytes. A little more than [`MAX_MESSAGE`] is still read, so that
/// the viewer can be told what was wrong.
const HARD_LIMIT: usize = 2 * MAX_MESSAGE;

/// What is read from a socket at once, in bytes. Viewers send a line now and then: the library's 128 KiB would be
/// 640 MB for 5,000 of them.
const READ_BUFFER: usize = 4 * 1024;

/// How often a viewer is pinged: below the 30 s after which many proxies and links drop a silent connection.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// A viewer that was not heard for so long is gone: two pings and their answers, with five seconds to spare.
const MAX_SILENCE: Duration = Duration::from_secs(45);

/// How long a frame may take into the socket's buffer: beyond it the viewer reads nothing any more.
const SEND_DEADLINE: Duration = Duration::from_secs(10);

/// The longest reason of a close frame, in bytes: 125 less two for the code (RFC 6455, 5.5).
const MAX_REASON: usize = 123;

/// The code of a stream that ends because what let its viewer in has ended (4000 to 4999 are for applications).
const SIGNED_OUT: u16 = 4401;

/// The code of a stream that is one too many; its page says so, and tries again later.
const TOO_MANY: u16 = 4429;

/// How long a stream lasts whose viewer a reverse proxy has named: the browser then opens another one, and the proxy says
/// anew who asks. Whoever lost access there loses it here within this time.
const PROXY_LEASE: Duration = Duration::from_secs(15 * 60);

/// Messages that a viewer may send. At once: a page that is opened, filtered and scrolled in a hurry sends some dozens. In
/// the long run: each may make the hub look for a thousand topics.
const MESSAGES: Rate = Rate { burst: 200, refill: 1, every: Duration::from_millis(50) };

/// How the frames are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum FrameFormat {
    /// For Sluice's own page; changes with it.
    #[default]
    Binary,
    /// For everybody else.
    Json,
}

/// What the address of a stream says.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub(super) struct StreamQuery {
    /// `json`, or `binary` for Sluice's own page.
    #[param(inline, required = false)]
    format: FrameFormat,
}

/// Begins a stream.
pub(super) async fn stream(
    State(AppState { hub, audit, auth, shutdown, tracker, streams, .. }): State<AppState>,
    Extension(principal): Extension<Principal>,
    peer: Peer,
    query: Result<Query<StreamQuery>, QueryRejection>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ProblemResponse> {
    let Query(StreamQuery { format }) = query?;
    let encoding = match format {
        FrameFormat::Binary => Encoding::Postcard,
        FrameFormat::Json => Encoding::Json,
    };
    let upgrade = upgrade?
        .max_message_size(HARD_LIMIT)
        .max_frame_size(HARD_LIMIT)
        .read_buffer_size(READ_BUFFER)
        .on_failed_upgrade(|error| tracing::debug!(%error, "a stream did not begin"));
    let place = match streams.take(&principal, peer) {
        Ok(place) => place,
        Err(why) if encoding == Encoding::Json => {
            return Err(ProblemResponse::new(StatusCode::TOO_MANY_REQUESTS, "Too many streams").with_detail(why));
        }
        // A browser does not tell its page why a handshake failed.
        Err(why) => return Ok(upgrade.on_upgrade(|mut socket| async move { close(&mut socket, TOO_MANY, why).await })),
    };
    let lease = Lease { auth, principal, _place: place };
    let accounts = AccountTopic::new(audit.account_events(), encoding);
    Ok(upgrade.on_upgrade(move |socket| tracker.track_future(serve(socket, hub, accounts, encoding, lease, shutdown))))
}

/// Why a stream ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The viewer left, or its connection broke.
    Left,
    /// It has not been heard for [`MAX_SILENCE`], or took nothing for [`SEND_DEADLINE`].
    Lost,
    /// We say why, and close.
    Close(u16, String),
}

/// The right to follow the stream, which may end while it runs.
#[derive(Debug)]
struct Lease {
    auth: Auth,
    principal: Principal,
    _place: StreamPlace,
}

impl Lease {
    /// Waits until the viewer may not follow the stream any more; returns why it ends.
    async fn ended(&self) -> End {
        if self.principal.method == AuthMethod::Header {
            sleep(PROXY_LEASE).await;
            return End::Close(close_code::RESTART, "come again: the reverse proxy is asked who you are".to_owned());
        }
        match self.auth.wait_until_revoked(&self.principal).await {
            Ok(()) => End::Close(SIGNED_OUT, "signed out".to_owned()),
            Err(error) => {
                tracing::error!(%error, "cannot tell whether a viewer is still logged in");
                End::Close(close_code::ERROR, "Sluice cannot tell whether you are logged in".to_owned())
            }
        }
    }
}

async fn serve(
    mut socket: WebSocket,
    hub: Hub,
    accounts: AccountTopic,
    encoding: Encoding,
    lease: Lease,
    shutdown: CancellationToken,
) {
    let end = match hub.join(encoding, &lease.principal.rights).await {
        Some(viewer) => serve_viewer(&mut socket, viewer, accounts, encoding, &lease, &shutdown).await,
        None => going_away(),
    };
    tracing::debug!(?end, "a stream ended");
    if let End::Close(code, reason) = end {
        close(&mut socket, code, reason).await;
    }
}

/// Says why, and closes.
async fn close(socket: &mut WebSocket, code: u16, reason: String) {
    let message = Message::Close(Some(CloseFrame { code, reason: truncated(reason).into() }));
    // Whether it arrives makes no difference any more.
    let _: Result<_, _> = timeout(SEND_DEADLINE, socket.send(message)).await;
}

/// Serves one viewer until its stream ends; returns why it did.
async fn serve_viewer(
    socket: &mut WebSocket,
    mut viewer: Viewer,
    mut accounts: AccountTopic,
    encoding: Encoding,
    lease: &Lease,
    shutdown: &CancellationToken,
) -> End {
    let mut ended = pin!(lease.ended());
    let began = Instant::now();
    let mut messages = TokenBucket::full(MESSAGES, Duration::ZERO);
    let mut ping = interval(PING_INTERVAL);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ping.reset();
    let mut last_heard = Instant::now();
    loop {
        let step = tokio::select! {
            () = shutdown.cancelled() => return going_away(),
            end = &mut ended => return end,
            frame = viewer.next() => match frame {
                Some(frame) => send(socket, message(frame, encoding)).await,
                None => return going_away(),
            },
            frame = accounts.next(&lease.principal) => send(socket, message(frame, encoding)).await,
            received = socket.recv() => {
                last_heard = Instant::now();
                if !messages.take(last_heard - began) {
                    return End::Close(close_code::POLICY, "too many messages".to_owned());
                }
                receive(received, &viewer, &mut accounts, lease).await
            }
            _ = ping.tick() => {
                if last_heard.elapsed() > MAX_SILENCE {
                    return End::Lost;
                }
                send(socket, Message::Ping(Bytes::new())).await
            }
        };
        if let ControlFlow::Break(end) = step {
            return end;
        }
    }
}

async fn send(socket: &mut WebSocket, message: Message) -> ControlFlow<End> {
    match timeout(SEND_DEADLINE, socket.send(message)).await {
        Ok(Ok(())) => ControlFlow::Continue(()),
        Ok(Err(_)) => ControlFlow::Break(End::Left),
        Err(_) => ControlFlow::Break(End::Lost),
    }
}

async fn receive(
    received: Option<Result<Message, axum::Error>>,
    viewer: &Viewer,
    accounts: &mut AccountTopic,
    lease: &Lease,
) -> ControlFlow<End> {
    let subscription = match received {
        Some(Ok(message)) => subscription(&message),
        // The library has answered a close frame already.
        None | Some(Err(_)) => return ControlFlow::Break(End::Left),
    };
    match subscription {
        Ok(None) => ControlFlow::Continue(()),
        Ok(Some(Subscribe { topics })) if !topics.iter().all(|topic| may_subscribe(&lease.principal, topic)) => {
            const WHY: &str = "a wall link shows the topic `fleet` alone";
            let entry = lease.principal.entry(Kind::Denial, "subscribe");
            lease.auth.audit_denial(Entry { outcome: "not allowed".to_owned(), detail: WHY.to_owned(), ..entry }).await;
            ControlFlow::Break(End::Close(close_code::POLICY, WHY.to_owned()))
        }
        Ok(Some(Subscribe { mut topics })) => {
            accounts.take(&mut topics);
            match viewer.subscribe(topics).await {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(going_away()),
            }
        }
        Err(end) => ControlFlow::Break(end),
    }
}

/// What a viewer subscribes to; nothing where its message only shows that somebody is there.
fn subscription(message: &Message) -> Result<Option<Subscribe>, End> {
    match message {
        Message::Text(text) if text.len() > MAX_MESSAGE => {
            Err(End::Close(close_code::SIZE, format!("{MAX_MESSAGE} bytes are the most")))
        }
        Message::Text(text) => serde_json::from_str(text).map(Some).map_err(|error| {
            let reason = format!("write {{\"topics\":[\"fleet\"]}}: {error}");
            End::Close(close_code::POLICY, reason)
        }),
        Message::Binary(_) => Err(End::Close(close_code::UNSUPPORTED, "text is what a viewer sends".to_owned())),
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) => Ok(None),
    }
}

fn message(frame: Bytes, encoding: Encoding) -> Message {
    match encoding {
        Encoding::Postcard => Message::Binary(frame),
        // The hub writes JSON as text; anything else would be a defect, and travels as what it is.
        Encoding::Json => match Utf8Bytes::try_from(frame.clone()) {
            Ok(text) => Message::Text(text),
            Err(_) => Message::Binary(frame),
        },
    }
}

fn going_away() -> End {
    End::Close(close_code::AWAY, "Sluice is ending; come again in a moment".to_owned())
}

/// A reason that fits into a close frame.
fn truncated(mut reason: String) -> String {
    let mut end = MAX_REASON.min(reason.len());
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason.truncate(end);
    reason
}

#[cfg(test)]
mod tests;
