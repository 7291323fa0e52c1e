//! The hub's task: takes in what collectors find, and hands every viewer what it shows.

use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use model::{
    fleet::Node,
    frame::{Frame, Handle},
    topic::{Spark, TopicId},
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior, interval, interval_at, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    Message, World,
    state::{State, TopicFrame},
    subscribers::{Encoded, Encoding, FIRST, FLEET, Payload, Sent, Subscriber, ViewerId},
    text,
    views::{MOST_VIEWS, ViewId},
};
use crate::{clock::unix_ms, metrics::Metrics};

/// How often viewers that still need snapshots are looked after: a large page fills its queue several times over.
const CATCH_UP: Duration = Duration::from_millis(100);

/// How long news wait for those of other nodes: a cluster's nodes are polled in step, and an action is on every screen
/// long before a person would call it late.
const GATHER: Duration = Duration::from_millis(30);

/// Telling may take one part in this many of the hub's time: with a large fleet news are gathered for longer.
const SHARE: u32 = 4;

pub(super) struct Task {
    state: State,
    /// When the news gathered so far are told; nothing while there are none.
    tell_at: Option<Instant>,
    /// Before this they are not: see [`SHARE`].
    not_before: Instant,
    seats: HashMap<ViewerId, Subscriber>,
    world: watch::Sender<Arc<World>>,
    build: Arc<str>,
    metrics: Arc<Metrics>,
}

impl Task {
    pub(super) fn new(nodes: Vec<Node>, build: Arc<str>, metrics: Arc<Metrics>) -> (Self, watch::Receiver<Arc<World>>) {
        let state = State::new(nodes);
        let (world, receiver) = watch::channel(Arc::new(state.world()));
        let task =
            Self { state, tell_at: None, not_before: Instant::now(), seats: HashMap::new(), world, build, metrics };
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
            tokio::select! {
                () = shutdown.cancelled() => break,
                message = inbox.recv() => match message {
                    Some(message) => self.take(message),
                    None => break,
                },
                () = sleep_until(self.tell_at.unwrap_or_else(Instant::now)), if self.tell_at.is_some() => self.tell(),
                _ = sample.tick() => {
                    let news = self.state.sample(unix_ms());
                    self.publish(&news);
                }
                _ = catch_up.tick() => self.catch_up(),
            }
        }
        // The seats go with the task: each viewer's queue ends, and its socket is closed.
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Update(update) => {
                let began = std::time::Instant::now();
                self.state.absorb(*update);
                self.metrics.worked(began.elapsed());
                self.tell_soon();
            }
            Message::AuditLog(events) => {
                self.state.record(events);
                self.tell_soon();
            }
            Message::Join(mut seat, rights) => {
                let Ok(view) = self.state.enter(&rights) else {
                    // The seat goes: its viewer's frames end before they began.
                    tracing::warn!(
                        views = MOST_VIEWS,
                        "too many different views are looked at: a viewer was turned away"
                    );
                    return;
                };
                seat.view = view;
                let hello = encode(&Frame::Hello { build: self.build.to_string() }, seat.encoding, &self.state);
                seat.send(&hello);
                self.metrics.viewers.inc();
                self.seats.insert(seat.id, seat);
            }
            Message::Subscribe(id, topics) => self.subscribe(id, topics),
            Message::Leave(id) => self.leave(id),
            // Whoever asked may have lost patience.
            Message::Answer(answer) => drop(answer.send(())),
        }
    }

    fn leave(&mut self, id: ViewerId) {
        if let Some(seat) = self.seats.remove(&id) {
            self.state.leave(seat.view);
            self.metrics.viewers.dec();
        }
    }

    fn subscribe(&mut self, id: ViewerId, topics: Vec<TopicId>) {
        let Some(seat) = self.seats.get_mut(&id) else { return };
        // What may not be seen is not there, now or later.
        seat.wanted = topics.into_iter().filter(|topic| self.state.sees(seat.view, topic)).collect();
        let handles: BTreeSet<Handle> = seat.wanted.iter().filter_map(|t| self.state.handle(t)).collect();
        // Samples are told by the fleet alone: who did without it has missed some, and needs the sparks again.
        if !seat.current.contains(&FLEET) && handles.contains(&FLEET) {
            seat.current.clear();
        }
        seat.current.retain(|h| handles.contains(h));
        seat.due.retain(|h| handles.contains(h));
        seat.due.extend(handles.iter().filter(|h| !seat.current.contains(h)).copied().collect::<Vec<_>>());
        self.catch_up();
    }

    /// Has what was absorbed told, together with what comes within the next moment.
    fn tell_soon(&mut self) {
        if !self.state.gathers() {
            self.tell();
        } else if self.tell_at.is_none() {
            self.tell_at = Some((Instant::now() + GATHER).max(self.not_before));
        }
    }

    /// Tells what was absorbed since the last time.
    fn tell(&mut self) {
        let began = std::time::Instant::now();
        let news = self.state.flush(unix_ms());
        self.publish(&news);
        let took = began.elapsed();
        self.metrics.worked(took);
        self.not_before = Instant::now() + took * (SHARE - 1);
    }

    /// Makes the state public, and hands out the frames that lead to it.
    fn publish(&mut self, news: &[TopicFrame]) {
        self.tell_at = None;
        self.world.send_replace(Arc::new(self.state.world()));
        for news in news {
            self.hand_out(news);
        }
        self.catch_up();
    }

    fn hand_out(&mut self, news: &TopicFrame) {
        let Self { state, seats, metrics, .. } = self;
        let encode = |encoding| encode(&news.frame, encoding, state);
        let mut encoded = Encoded::new(&encode);
        let hidden = state.hidden(news);
        let mut encoded_hidden: HashMap<(ViewId, Encoding), Payload> = HashMap::new();
        // A topic's first change is its snapshot for those who asked for it before it existed.
        let fresh = state.newborn(news.handle);
        for seat in seats.values_mut().filter(|s| news.handle >= FIRST || s.view == news.view) {
            if let Some(id) = &fresh
                && seat.wanted.contains(id)
            {
                seat.current.remove(&news.handle);
                seat.due.insert(news.handle);
            } else if seat.current.contains(&news.handle) {
                let frame = match seat.view.and_then(|view| Some((view, hidden.get(&view)?))) {
                    None => encoded.get(seat.encoding),
                    Some((view, frame)) => encoded_hidden.entry((view, seat.encoding)).or_insert_with(|| {
                        metrics.frames.inc();
                        self::encode(frame, seat.encoding, state)
                    }),
                };
                match seat.send(frame) {
                    Sent::Queued => metrics.sent(frame.len()),
                    Sent::Full => {
                        seat.fall_behind();
                        metrics.viewers_behind.inc();
                    }
                    Sent::Gone => {}
                }
            }
        }
        metrics.frames.inc_by(encoded.made);
    }

    /// Gives snapshots to the viewers that need them and have room.
    fn catch_up(&mut self) {
        // A snapshot holds what no frame has told yet: that is told first, and never twice.
        if self.state.is_untold() && self.seats.values().any(|s| !s.due.is_empty() && s.is_ready()) {
            return self.tell();
        }
        let Self { state, seats, metrics, .. } = self;
        let before = seats.len();
        seats.retain(|_, seat| {
            let is_there = !seat.is_gone();
            if !is_there {
                state.leave(seat.view);
            }
            is_there
        });
        metrics.viewers.dec_by(i64::try_from(before - seats.len()).unwrap_or(0));
        let mut snapshots: HashMap<(Option<ViewId>, Handle, Encoding), Payload> = HashMap::new();
        for seat in seats.values_mut().filter(|s| !s.due.is_empty() && s.is_ready()) {
            seat.behind = false;
            while seat.takes_snapshot()
                && let Some(handle) = seat.due.first().copied()
            {
                let payload = match snapshots.entry((seat.view, handle, seat.encoding)) {
                    Entry::Occupied(entry) => entry.into_mut(),
                    Entry::Vacant(entry) => {
                        let Some(frame) = state.snapshot(handle, seat.view) else {
                            seat.due.remove(&handle);
                            continue;
                        };
                        metrics.frames.inc();
                        entry.insert(encode(&frame, seat.encoding, state))
                    }
                };
                if seat.send(payload) != Sent::Queued {
                    break;
                }
                metrics.sent(payload.len());
                seat.due.remove(&handle);
                seat.current.insert(handle);
            }
        }
    }
}

fn encode(frame: &Frame, encoding: Encoding, state: &State) -> Payload {
    match encoding {
        // Encoding the model's own types can't fail; an empty frame would make the page connect anew.
        Encoding::Postcard => frame.encode().unwrap_or_default().into(),
        Encoding::Json => text::text(frame, state).to_string().into(),
    }
}
