//! What one connection is at, and by when it must go on.
//!
//! These are the time-outs that neither hyper nor `tokio-io-timeout` has; the module above says why.

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use super::timing::Timing;
use crate::{
    metrics::{ListenerMetrics, ReasonLabel},
    rate_limit::{Rate, TokenBucket},
};

/// Bytes that a peer may send over a stream: the largest subscription sixty times at once, and one every two seconds in the
/// long run. Messages are counted by the stream itself, but a library joins their parts, and an endless run of empty parts is
/// no message: of those it is 700,000 at once and 5,000 a second, which take a thousandth of a core.
const STREAM_BYTES: Rate = Rate { burst: 4 << 20, refill: 8 << 10, every: Duration::from_millis(250) };

/// What took too long, or was too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeoutReason {
    /// The TLS handshake.
    Handshake,
    /// The first request.
    FirstRequest,
    /// A further request.
    Idle,
    /// The peer takes nothing of what we write.
    Stalled,
    /// It sends more over a stream than any viewer has to say.
    Flood,
}

/// What it is at. Times only move forward.
#[derive(Clone, Copy, Debug)]
struct State {
    /// When the connection was made.
    began: Instant,
    /// Whether a request has come at all.
    had_request: bool,
    /// Requests that a handler is at.
    requests: usize,
    /// Answers whose body is under way.
    responses: usize,
    /// When a request ended, or a part of an answer was taken, last.
    progressed: Instant,
}

impl State {
    /// By when something must come or go, and what it is when it does not.
    fn deadline(self, timing: &Timing) -> Option<(Instant, TimeoutReason)> {
        match self {
            // A handler has bounds of its own, for the body that it waits for, too.
            Self { requests: 1.., .. } => None,
            // Over HTTP/2 a peer can leave an answer lying without the socket being full.
            Self { responses: 1.., .. } => Some((self.progressed + timing.stall, TimeoutReason::Stalled)),
            Self { had_request: false, .. } => Some((self.began + timing.first_request, TimeoutReason::FirstRequest)),
            _ => Some((self.progressed + timing.idle, TimeoutReason::Idle)),
        }
    }
}

/// What one connection is at, shared by its task, its requests and its answers.
#[derive(Debug)]
pub(super) struct ConnectionActivity {
    timing: Timing,
    metrics: ListenerMetrics,
    state: Mutex<State>,
    /// What may still come, once the connection is a stream, and since when it is one.
    stream: OnceLock<(Instant, Mutex<TokenBucket>)>,
}

impl ConnectionActivity {
    /// Of a connection that was just made.
    pub(super) fn new(timing: Timing, metrics: ListenerMetrics) -> Arc<Self> {
        let now = Instant::now();
        let state = State { began: now, had_request: false, requests: 0, responses: 0, progressed: now };
        Arc::new(Self { timing, metrics, state: Mutex::new(state), stream: OnceLock::new() })
    }

    /// Comes back when something did not come or go in time.
    pub(super) async fn overdue(&self) -> TimeoutReason {
        // A deadline that begins while this sleeps is at least so far away, so that nobody has to wake it.
        let shortest = self.timing.idle.min(self.timing.stall);
        loop {
            let now = Instant::now();
            let next = match self.deadline() {
                Some((deadline, reason)) if deadline <= now => return reason,
                Some((deadline, _)) => deadline.min(now + shortest),
                None => now + shortest,
            };
            sleep_until(next).await;
        }
    }

    /// How long the socket may take nothing.
    pub(super) fn stall(&self) -> Duration {
        self.timing.stall
    }

    /// Counts a connection that is cut.
    pub(super) fn count_cut(&self, reason: TimeoutReason) {
        tracing::debug!(?reason, "a connection is cut");
        self.metrics.cut.get_or_create(&ReasonLabel::of(reason.word())).inc();
    }

    /// The connection has left HTTP: it is a stream.
    pub(super) fn begin_stream(&self) {
        // An answer that was given twice would change nothing.
        let _: Result<_, _> =
            self.stream.set((Instant::now(), Mutex::new(TokenBucket::full(STREAM_BYTES, Duration::ZERO))));
    }

    /// Counts what came; whether it was not too much.
    pub(super) fn take_bytes(&self, count: usize) -> bool {
        let Some((began, bucket)) = self.stream.get() else { return true };
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.take_many(u32::try_from(count).unwrap_or(u32::MAX), began.elapsed())
    }

    /// A request has come; it ends with what is returned.
    pub(super) fn begin_request(self: &Arc<Self>) -> RequestGuard {
        let mut state = self.state();
        state.had_request = true;
        state.requests += 1;
        RequestGuard(self.clone())
    }

    /// An answer begins; it ends with what is returned.
    pub(super) fn begin_response(self: &Arc<Self>) -> ResponseGuard {
        let mut state = self.state();
        state.responses += 1;
        state.progressed = Instant::now();
        ResponseGuard(self.clone())
    }

    fn deadline(&self) -> Option<(Instant, TimeoutReason)> {
        self.state().deadline(&self.timing)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nobody panics while holding it, and numbers are never half written.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TimeoutReason {
    /// Its name in figures.
    fn word(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::FirstRequest => "first_request",
            Self::Idle => "idle",
            Self::Stalled => "stalled",
            Self::Flood => "flood",
        }
    }
}

/// A request that a handler is at.
pub(super) struct RequestGuard(Arc<ConnectionActivity>);

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.requests -= 1;
        state.progressed = Instant::now();
    }
}

/// An answer that is under way.
pub(super) struct ResponseGuard(Arc<ConnectionActivity>);

impl ResponseGuard {
    /// A part of it was asked for: what came before was taken.
    pub(super) fn progress(&self) {
        self.0.state().progressed = Instant::now();
    }
}

impl Drop for ResponseGuard {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.responses -= 1;
        state.progressed = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, sleep};

    use super::*;

    fn connection() -> (Arc<ConnectionActivity>, Timing) {
        let timing = Timing::default();
        (ConnectionActivity::new(timing, ListenerMetrics::default()), timing)
    }

    #[tokio::test(start_paused = true)]
    async fn what_must_come_next_follows_from_what_goes_on() {
        let (activity, timing) = connection();
        let began = Instant::now();
        let second = || advance(Duration::from_secs(1));
        assert_eq!(activity.deadline(), Some((began + timing.first_request, TimeoutReason::FirstRequest)));
        second().await;
        let request = activity.begin_request();
        assert_eq!(activity.deadline(), None);
        let response = activity.begin_response();
        drop(request);
        let answered = Instant::now();
        assert_eq!(activity.deadline(), Some((answered + timing.stall, TimeoutReason::Stalled)));
        second().await;
        // Another request at the same time, over HTTP/2.
        let other = activity.begin_request();
        assert_eq!(activity.deadline(), None);
        drop(other);
        second().await;
        response.progress();
        assert_eq!(activity.deadline(), Some((Instant::now() + timing.stall, TimeoutReason::Stalled)));
        second().await;
        drop(response);
        assert_eq!(activity.deadline(), Some((Instant::now() + timing.idle, TimeoutReason::Idle)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_request_is_overdue_in_time() {
        let (activity, timing) = connection();
        let began = Instant::now();
        assert_eq!(activity.overdue().await, TimeoutReason::FirstRequest);
        assert_eq!(began.elapsed().as_secs(), timing.first_request.as_secs());
        activity.count_cut(TimeoutReason::FirstRequest);
        assert_eq!(activity.metrics.cut.get_or_create(&ReasonLabel::of("first_request")).get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_under_way_has_time_and_an_idle_connection_less() {
        let (activity, timing) = connection();
        let request = activity.begin_request();
        let watched = activity.clone();
        let overdue = tokio::spawn(async move { (watched.overdue().await, Instant::now()) });
        sleep(Duration::from_secs(1000)).await;
        assert!(!overdue.is_finished());
        let ended = Instant::now();
        drop(request);
        let (reason, cut) = overdue.await.expect("no panic");
        assert_eq!((reason, (cut - ended).as_secs()), (TimeoutReason::Idle, timing.idle.as_secs()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_begins_late_is_overdue_as_soon_as_any_other() {
        let (activity, timing) = connection();
        drop(activity.begin_request());
        let watched = activity.clone();
        let overdue = tokio::spawn(async move { (watched.overdue().await, Instant::now()) });
        sleep(timing.idle - Duration::from_secs(1)).await;
        let _response = activity.begin_response();
        let began = Instant::now();
        let (reason, cut) = overdue.await.expect("no panic");
        assert_eq!((reason, (cut - began).as_secs()), (TimeoutReason::Stalled, timing.stall.as_secs()));
    }
}
