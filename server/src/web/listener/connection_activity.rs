//! What goes on on one connection, and by when something must.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::Timing;
use crate::metrics::{ListenerMetrics, ReasonLabel};

/// Why a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// The TLS handshake took too long.
    Handshake,
    /// The first request did not come.
    FirstRequest,
    /// No further request came.
    Idle,
    /// The peer takes nothing of what we write.
    Stalled,
}

/// What goes on. Times only move forward.
#[derive(Clone, Copy, Debug)]
struct State {
    /// When the connection was made.
    began: Instant,
    /// Whether a request has come at all.
    was_asked: bool,
    /// Requests that a handler is at.
    handling: usize,
    /// Answers whose body is under way.
    sending: usize,
    /// When a request ended, or a part of an answer was taken, last.
    moved: Instant,
    /// Whether it is a stream by now, which has pings of its own.
    is_stream: bool,
}

impl State {
    /// By when something must come or go, and what it is when it does not.
    fn deadline(self, timing: &Timing) -> Option<(Instant, Cut)> {
        match self {
            // A handler has its own bounds, for the body that it waits for, too.
            Self { is_stream: true, .. } | Self { handling: 1.., .. } => None,
            // Over HTTP/2 a peer can leave an answer lying without the socket being full.
            Self { sending: 1.., .. } => Some((self.moved + timing.stall, Cut::Stalled)),
            Self { was_asked: false, .. } => Some((self.began + timing.first_request, Cut::FirstRequest)),
            _ => Some((self.moved + timing.idle, Cut::Idle)),
        }
    }
}

/// The pulse of one connection, shared by its socket, its requests and its answers.
#[derive(Debug)]
pub(super) struct ConnectionActivity {
    timing: Timing,
    metrics: ListenerMetrics,
    state: Mutex<State>,
}

impl ConnectionActivity {
    /// Of a connection that was just made.
    pub(super) fn new(timing: Timing, metrics: ListenerMetrics) -> Arc<Self> {
        let now = Instant::now();
        let state = State { began: now, was_asked: false, handling: 0, sending: 0, moved: now, is_stream: false };
        Arc::new(Self { timing, metrics, state: Mutex::new(state) })
    }

    /// By when something must come or go.
    pub(super) fn deadline(&self) -> Option<(Instant, Cut)> {
        self.state().deadline(&self.timing)
    }

    /// How long the socket may take nothing.
    pub(super) fn stall(&self) -> Duration {
        self.timing.stall
    }

    /// When a connection that has no deadline now is to be looked at again: it may have got one by itself.
    pub(super) fn look_again(&self) -> Instant {
        Instant::now() + self.timing.idle.min(self.timing.stall)
    }

    /// Counts a cut.
    pub(super) fn cut(&self, cut: Cut) {
        tracing::debug!(?cut, "a connection is cut");
        self.metrics.cut.get_or_create(&ReasonLabel::of(cut.word())).inc();
    }

    /// A request has come; it ends with what is returned.
    pub(super) fn request(self: &Arc<Self>) -> Handling {
        let mut state = self.state();
        state.was_asked = true;
        state.handling += 1;
        Handling(self.clone())
    }

    /// An answer begins; it ends with what is returned.
    pub(super) fn answer(self: &Arc<Self>) -> Sending {
        let mut state = self.state();
        state.sending += 1;
        state.moved = Instant::now();
        Sending(self.clone())
    }

    /// The connection is a stream from now on.
    pub(super) fn becomes_stream(&self) {
        self.state().is_stream = true;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nobody panics while holding it, and numbers are never half written.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cut {
    /// Its name among the figures.
    fn word(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::FirstRequest => "first_request",
            Self::Idle => "idle",
            Self::Stalled => "stalled",
        }
    }
}

/// A request that a handler is at.
pub(super) struct Handling(Arc<ConnectionActivity>);

impl Drop for Handling {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.handling -= 1;
        state.moved = Instant::now();
    }
}

/// An answer that is under way.
pub(super) struct Sending(Arc<ConnectionActivity>);

impl Sending {
    /// A part of it was asked for: what came before was taken.
    pub(super) fn moves(&self) {
        self.0.state().moved = Instant::now();
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.sending -= 1;
        state.moved = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_must_come_next_follows_from_what_goes_on() {
        let timing = Timing::default();
        let pulse = ConnectionActivity::new(timing, ListenerMetrics::default());
        let began = Instant::now();
        let pass = || tokio::time::advance(Duration::from_secs(1));
        assert_eq!(pulse.deadline(), Some((began + timing.first_request, Cut::FirstRequest)));
        pass().await;
        let handling = pulse.request();
        assert_eq!(pulse.deadline(), None);
        let sending = pulse.answer();
        drop(handling);
        let answered = Instant::now();
        assert_eq!(pulse.deadline(), Some((answered + timing.stall, Cut::Stalled)));
        pass().await;
        // Another request at the same time, over HTTP/2.
        let other = pulse.request();
        assert_eq!(pulse.deadline(), None);
        drop(other);
        pass().await;
        sending.moves();
        assert_eq!(pulse.deadline(), Some((Instant::now() + timing.stall, Cut::Stalled)));
        pass().await;
        drop(sending);
        assert_eq!(pulse.deadline(), Some((Instant::now() + timing.idle, Cut::Idle)));
        let _stream = pulse.request();
        pulse.becomes_stream();
        drop(_stream);
        assert_eq!(pulse.deadline(), None);
    }
}
