//! The hub's task: takes in what collectors find, and says when frames go out.

use std::{sync::Arc, time::Duration};

use model::{fleet::Node, topic::Spark};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior, interval, interval_at, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    broadcast::Subscribers, message::Message, state::HubState, topics::TopicFrame, views::MOST_VIEWS, world::World,
};
use crate::{clock::unix_ms, metrics::Metrics};

/// How often viewers that still need snapshots are looked after: a large page fills its queue several times over.
const CATCH_UP: Duration = Duration::from_millis(100);

/// How long an update waits for those of other nodes. A cluster's nodes are polled at the same moments, so this gets all of
/// them; and an action is on every screen long before a person would call it late.
const BATCH: Duration = Duration::from_millis(30);

/// Flushes may take one part in this many of the hub's time: with a large fleet updates are batched for longer.
const FLUSH_SHARE: u32 = 4;

pub(super) struct HubTask {
    state: HubState,
    /// When what is pending is flushed; nothing while nothing is pending.
    flush_at: Option<Instant>,
    /// No flush before this: see [`FLUSH_SHARE`].
    not_before: Instant,
    subscribers: Subscribers,
    world: watch::Sender<Arc<World>>,
    build: Arc<str>,
    metrics: Arc<Metrics>,
}

impl HubTask {
    pub(super) fn new(nodes: Vec<Node>, build: Arc<str>, metrics: Arc<Metrics>) -> (Self, watch::Receiver<Arc<World>>) {
        let state = HubState::new(nodes);
        let (world, receiver) = watch::channel(Arc::new(state.world()));
        let subscribers = Subscribers::new(metrics.clone());
        let task = Self { state, flush_at: None, not_before: Instant::now(), subscribers, world, build, metrics };
        (task, receiver)
    }

    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Message>, shutdown: CancellationToken) {
        let between = Duration::from_secs(Spark::INTERVAL_S);
        let mut sample = interval_at(Instant::now() + between, between);
        let mut catch_up = interval(CATCH_UP);
        for timer in [&mut sample, &mut catch_up] {
            timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        loop {
            let topic_ends = self.state.topics().next_end();
            tokio::select! {
                () = shutdown.cancelled() => break,
                message = inbox.recv() => match message {
                    Some(message) => self.take(message),
                    None => break,
                },
                () = until(self.flush_at), if self.flush_at.is_some() => self.flush(),
                () = until(topic_ends), if topic_ends.is_some() => self.forget_empty(),
                _ = sample.tick() => {
                    let frames = self.state.sample(unix_ms());
                    self.publish(&frames);
                }
                _ = catch_up.tick() => self.catch_up(),
            }
        }
        // The hub's ends of all queues go with the task: each viewer's frames end, and its socket is closed.
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Update(update) => {
                let began = std::time::Instant::now();
                self.state.apply_update(*update, Instant::now());
                self.metrics.worked(began.elapsed());
                self.schedule_flush();
            }
            Message::Events(events) => {
                self.state.add_events(events);
                self.schedule_flush();
            }
            Message::Join(mut subscriber, rights) => {
                let Ok(view) = self.state.join_view(&rights) else {
                    // The hub's end is dropped: the viewer's frames end before they began.
                    tracing::warn!(
                        views = MOST_VIEWS,
                        "too many different views are looked at: a viewer was turned away"
                    );
                    return;
                };
                subscriber.view = view;
                self.subscribers.add(subscriber, &self.build, &self.state);
            }
            Message::Subscribe(id, topics) => {
                self.subscribers.subscribe(id, topics, &self.state);
                self.catch_up();
            }
            Message::Leave(id) => self.subscribers.remove(id, &mut self.state),
            // Whoever asked may have stopped waiting.
            Message::Ping(answer) => drop(answer.send(())),
        }
    }

    /// Has what is pending flushed, together with what comes within the next moment.
    fn schedule_flush(&mut self) {
        if !self.state.has_several_nodes() {
            self.flush();
        } else if self.flush_at.is_none() {
            self.flush_at = Some((Instant::now() + BATCH).max(self.not_before));
        }
    }

    fn flush(&mut self) {
        let began = std::time::Instant::now();
        let frames = self.state.flush(unix_ms());
        self.publish(&frames);
        let took = began.elapsed();
        self.metrics.worked(took);
        self.not_before = Instant::now() + took * (FLUSH_SHARE - 1);
    }

    fn forget_empty(&mut self) {
        self.state.forget_empty(Instant::now());
        self.subscribers.drop_ended_topics(&self.state);
        self.flush();
    }

    /// Makes the state public, and sends the frames that lead to it.
    fn publish(&mut self, frames: &[TopicFrame]) {
        self.flush_at = None;
        self.world.send_replace(Arc::new(self.state.world()));
        for frame in frames {
            self.subscribers.broadcast(frame, &self.state);
        }
        self.catch_up();
    }

    fn catch_up(&mut self) {
        // A snapshot holds what is pending. The deltas go out first: a viewer would otherwise get the same change twice.
        if self.state.has_pending() && self.subscribers.wants_snapshots() {
            return self.flush();
        }
        self.subscribers.send_snapshots(&mut self.state);
    }
}

/// Sleeps until a moment; not at all without one.
async fn until(moment: Option<Instant>) {
    if let Some(moment) = moment {
        sleep_until(moment).await;
    }
}
