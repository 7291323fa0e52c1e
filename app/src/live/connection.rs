//! The stream: opens it, subscribes, applies what comes, and opens it again whenever it ends.

use std::collections::HashMap;

use futures::{
    SinkExt, StreamExt,
    future::{Either, select},
};
use gloo_net::websocket::{Message, WebSocketError, futures::WebSocket};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use model::{
    fleet::Fleet,
    frame::{Frame, Handle, Seq, Subscribe},
    topic::TopicId,
};

use super::{Live, api};

/// The first wait before the stream is opened again, in milliseconds.
const BACKOFF_MIN_MS: u32 = 250;

/// The longest wait, in milliseconds: a wall display is back within seconds of Sluice.
const BACKOFF_MAX_MS: u32 = 4_000;

/// A stream that says nothing for this long is dead: every poll of every node brings a frame. In milliseconds.
const SILENCE_MS: u32 = 15_000;

/// Which build this page was last reloaded for, so that it never reloads in a circle.
const RELOADED_FOR: &str = "sluice-reloaded-for";

/// The code that a stream is closed with when its session, token or link has ended.
const SIGNED_OUT: u16 = 4401;

/// The code that a stream is closed with when there are too many.
const TOO_MANY: u16 = 4429;

/// How long until a stream that was one too many is tried again, in milliseconds.
const TOO_MANY_WAIT_MS: u32 = 60_000;

/// The state of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamState {
    /// The page was just loaded: what it shows is as fresh as the page.
    Opening,
    /// Frames come.
    Open,
    /// It ended; the next try is under way. Since when, Unix milliseconds on Sluice's clock.
    Lost(u64),
    /// There are too many, so that this page has none. Since when, Unix milliseconds on Sluice's clock.
    TooMany(u64),
    /// It ended and is not opened again: the user is not logged in any more.
    SignedOut,
}

/// Events that are kept to be shown: as many as a snapshot has.
const EVENTS_SHOWN: usize = 500;

/// The stream has to be opened again.
#[derive(Debug)]
struct Disconnected;

/// Keeps the stream open until the user is not logged in any more.
pub(super) async fn run(live: Live) {
    let mut failures = 0;
    loop {
        let mut stream = Stream::new(live.clone());
        // How it ended does not matter: it is opened again. Whether it ever worked decides how soon.
        let _: Result<(), Disconnected> = stream.follow().await;
        if stream.is_greeted {
            failures = 0;
        }
        if stream.is_signed_out {
            return sign_out(&live);
        }
        if stream.is_one_too_many {
            live.connection.set(StreamState::TooMany(live.clock.now_untracked()));
            TimeoutFuture::new(TOO_MANY_WAIT_MS).await;
            continue;
        }
        live.connection.update(|c| {
            if !matches!(c, StreamState::Lost(_)) {
                *c = StreamState::Lost(live.clock.now_untracked());
            }
        });
        // Without a session no stream is opened, and the browser doesn't tell why.
        if !stream.is_greeted && api::is_signed_out().await {
            return sign_out(&live);
        }
        TimeoutFuture::new(backoff(failures)).await;
        failures += 1;
    }
}

/// Leaves for the log-in page, which leads back here. A wall stays, and says so: nobody would log in there.
fn sign_out(live: &Live) {
    live.connection.set(StreamState::SignedOut);
    let location = window().location();
    let [path, query] = [location.pathname(), location.search()].map(Result::unwrap_or_default);
    if path != "/wall" {
        let next = js_sys::encode_uri_component(&(path + &query));
        let _: Result<(), _> = location.replace(&("/login?next=".to_owned() + &String::from(next)));
    }
}

/// The wait after so many failures, from half to all of it: many pages do not come back in step.
fn backoff(failures: u32) -> u32 {
    let full = BACKOFF_MIN_MS.saturating_mul(1 << failures.min(10)).min(BACKOFF_MAX_MS);
    full / 2 + (js_sys::Math::random() * f64::from(full) / 2.0) as u32
}

/// One connection.
struct Stream {
    live: Live,
    /// Per topic the number of its last frame; `fleet` has handle 0.
    seqs: HashMap<Handle, Seq>,
    names: HashMap<Handle, TopicId>,
    /// The topics that were asked for; nothing before the first frame.
    subscribed: Option<Vec<TopicId>>,
    /// Whether Sluice said anything.
    is_greeted: bool,
    /// Whether Sluice said that the user is not logged in any more.
    is_signed_out: bool,
    /// Whether Sluice said that there are too many.
    is_one_too_many: bool,
}

const FLEET: Handle = 0;
const EVENTS: Handle = 1;

impl Stream {
    fn new(live: Live) -> Self {
        Self {
            live,
            seqs: HashMap::new(),
            names: HashMap::new(),
            subscribed: None,
            is_greeted: false,
            is_signed_out: false,
            is_one_too_many: false,
        }
    }

    /// Follows one connection to its end.
    async fn follow(&mut self) -> Result<(), Disconnected> {
        let socket = WebSocket::open(&address()).map_err(|_| Disconnected)?;
        let (mut sink, mut frames) = socket.split();
        let wanted = self.live.wanted.clone();
        loop {
            let next = select(frames.next(), wanted.changed());
            match select(next, TimeoutFuture::new(SILENCE_MS)).await {
                Either::Left((Either::Left((Some(Ok(Message::Bytes(bytes))), _)), _)) => {
                    let frame = Frame::decode(&bytes).map_err(|_| Disconnected)?;
                    self.take(frame)?;
                    self.is_greeted = true;
                }
                // Text is none of ours; or the page wants other topics.
                Either::Left((Either::Left((Some(Ok(Message::Text(_))), _)) | Either::Right(_), _)) => {}
                Either::Left((Either::Left((Some(Err(WebSocketError::ConnectionClose(end))), _)), _)) => {
                    self.is_signed_out = end.code == SIGNED_OUT;
                    self.is_one_too_many = end.code == TOO_MANY;
                    return Err(Disconnected);
                }
                // Ended, broken, or silent for too long.
                Either::Left((Either::Left(_), _)) | Either::Right(_) => return Err(Disconnected),
            }
            if !self.is_greeted {
                continue;
            }
            // A socket takes what is said only once it is open, which its first frame tells.
            let topics = self.topics();
            if self.subscribed.as_ref() != Some(&topics) {
                sink.send(Message::Text(Subscribe::text(&topics))).await.map_err(|_| Disconnected)?;
                self.subscribed = Some(topics);
            }
        }
    }

    /// The topics that the page shows now: where it shows rows, every proxy that the fleet lists; and what was opened.
    fn topics(&self) -> Vec<TopicId> {
        let mut topics = vec![TopicId::Fleet];
        if self.live.wanted.has_rows() && self.seqs.contains_key(&FLEET) {
            let proxies =
                |f: &Fleet| f.proxies.iter().map(|p| TopicId::proxy(&p.cluster, &p.proxy)).collect::<Vec<_>>();
            topics.extend(self.live.fleet.with_untracked(proxies));
        }
        topics.extend(self.live.wanted.topics());
        topics
    }

    fn take(&mut self, frame: Frame) -> Result<(), Disconnected> {
        let live = self.live.clone();
        match frame {
            Frame::Hello { build } => reload_if_older(&live.build, &build),
            Frame::Fleet(seq, fleet) => {
                self.seqs.insert(FLEET, seq);
                live.clock.set(fleet.now);
                live.store.drop_gone(&fleet);
                live.fleet.set(*fleet);
                live.connection.set(StreamState::Open);
            }
            Frame::FleetDelta(seq, delta) => {
                self.expect(FLEET, seq)?;
                live.clock.set(delta.now);
                let sampled = live.fleet.with_untracked(|f| f.epoch != delta.epoch);
                let may_drop = delta.proxies.is_some() || delta.nodes.is_some();
                live.fleet.update(|fleet| fleet.apply(*delta));
                if may_drop {
                    live.fleet.with_untracked(|fleet| live.store.drop_gone(fleet));
                }
                if sampled {
                    live.store.sample();
                }
            }
            Frame::Events(seq, events) => {
                self.seqs.insert(EVENTS, seq);
                live.events.set(events);
            }
            Frame::EventsNew(seq, events) => {
                self.expect(EVENTS, seq)?;
                live.events.update(|known| {
                    known.extend(events);
                    // As many as a first view has.
                    known.drain(..known.len().saturating_sub(EVENTS_SHOWN));
                });
            }
            Frame::AccountEvents(_, events) => live.account_events.set(events),
            Frame::Proxy(handle, seq, id, sections) => {
                self.seqs.insert(handle, seq);
                live.store.replace(&id, sections);
                live.fleet.with_untracked(|f| live.store.arrange(f));
                self.names.insert(handle, id);
            }
            Frame::ProxyDelta(handle, seq, deltas) => {
                self.expect(handle, seq)?;
                let id = self.names.get(&handle).ok_or(Disconnected)?;
                live.store.apply(id, deltas).map_err(|_| Disconnected)?;
            }
        }
        Ok(())
    }

    /// Checks that no frame is missing.
    fn expect(&mut self, handle: Handle, seq: Seq) -> Result<(), Disconnected> {
        let last = self.seqs.get_mut(&handle).ok_or(Disconnected)?;
        if last.next() != seq {
            return Err(Disconnected);
        }
        *last = seq;
        Ok(())
    }
}

/// `/ws` of the page's own origin.
fn address() -> String {
    let location = window().location();
    let scheme = if location.protocol().is_ok_and(|p| p == "https:") { "wss" } else { "ws" };
    format!("{scheme}://{}/ws", location.host().unwrap_or_default())
}

/// Loads the page anew when Sluice is another build than the one that rendered it, once per build.
fn reload_if_older(mine: &str, theirs: &str) {
    if mine == theirs {
        return;
    }
    let Ok(Some(storage)) = window().session_storage() else { return };
    if storage.get_item(RELOADED_FOR).ok().flatten().as_deref() != Some(theirs) {
        let _: Result<(), _> = storage.set_item(RELOADED_FOR, theirs);
        let _: Result<(), _> = window().location().reload();
    }
}
