//! Which viewer is sent which frame: deltas to those who are up to date, snapshots to those who are not. Each frame is encoded
//! once per encoding, however many get it.

use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    sync::Arc,
};

use model::{
    event::Event,
    frame::{Frame, Handle, Seq},
    topic::TopicId,
};

use super::{
    json,
    state::HubState,
    subscribers::{Encoding, Payload, SendResult, Subscriber, ViewerId},
    topics::{FIRST, TopicFrame},
    views::ViewId,
};
use crate::metrics::Metrics;

/// The viewers that there are.
pub(super) struct Subscribers {
    all: HashMap<ViewerId, Subscriber>,
    metrics: Arc<Metrics>,
}

impl Subscribers {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { all: HashMap::new(), metrics }
    }

    /// Adds a viewer and greets it.
    pub(super) fn add(&mut self, subscriber: Subscriber, build: &str, state: &HubState) {
        let hello = encode(&Frame::Hello { build: build.to_owned() }, subscriber.encoding, state);
        subscriber.send(&hello);
        self.metrics.viewers.inc();
        self.all.insert(subscriber.id, subscriber);
    }

    pub(super) fn remove(&mut self, id: ViewerId, state: &mut HubState) {
        if let Some(subscriber) = self.all.remove(&id) {
            state.leave_view(subscriber.view);
            self.metrics.viewers.dec();
        }
    }

    /// Sets the topics that a viewer wants. A topic that it may not see is for it as if it did not exist, now and later.
    pub(super) fn subscribe(&mut self, id: ViewerId, topics: Vec<TopicId>, state: &HubState) {
        let Some(subscriber) = self.all.get_mut(&id) else { return };
        let wanted: BTreeSet<TopicId> = topics.into_iter().filter(|topic| state.sees(subscriber.view, topic)).collect();
        let handles = wanted.iter().filter_map(|topic| state.topics().handle(topic)).collect();
        subscriber.set_topics(wanted, &handles);
    }

    /// Drops the topics that have ended. Should one begin again, its first frame finds those who still want it.
    pub(super) fn drop_ended_topics(&mut self, state: &HubState) {
        for subscriber in self.all.values_mut() {
            subscriber.keep_topics(|handle| state.topics().contains(handle));
        }
    }

    /// Sends a frame to the viewers of its topic.
    pub(super) fn broadcast(&mut self, frame: &TopicFrame, state: &HubState) {
        let Self { all, metrics } = self;
        let encode = |encoding| encode(&frame.frame, encoding, state);
        let mut encoded = Encoded::new(&encode);
        let redacted = state.redacted(frame);
        let mut encoded_redacted: HashMap<(ViewId, Encoding), Payload> = HashMap::new();
        // Those who asked for a topic before it existed get a snapshot in place of its first delta.
        let new_topic = state.topics().get(frame.handle).filter(|_| state.topics().is_first_frame(frame.handle));
        for subscriber in all.values_mut().filter(|s| frame.handle >= FIRST || s.view == frame.view) {
            if let Some(topic) = new_topic
                && subscriber.wanted.contains(&topic.id)
            {
                subscriber.current.remove(&frame.handle);
                subscriber.due.insert(frame.handle);
            } else if subscriber.current.contains(&frame.handle) {
                let payload = match subscriber.view.and_then(|view| Some((view, redacted.get(&view)?))) {
                    None => encoded.get(subscriber.encoding),
                    Some((view, frame)) => encoded_redacted.entry((view, subscriber.encoding)).or_insert_with(|| {
                        metrics.frames.inc();
                        self::encode(frame, subscriber.encoding, state)
                    }),
                };
                match subscriber.send(payload) {
                    SendResult::Queued => metrics.sent(payload.len()),
                    SendResult::Full => {
                        subscriber.fall_behind();
                        metrics.viewers_behind.inc();
                    }
                    SendResult::Gone => {}
                }
            }
        }
        metrics.frames.inc_by(encoded.made);
    }

    /// Whether a viewer waits for a snapshot and could be sent it.
    pub(super) fn wants_snapshots(&self) -> bool {
        self.all.values().any(|s| !s.due.is_empty() && s.is_ready())
    }

    /// Sends snapshots to the viewers that need them and have room, and forgets those that are gone.
    pub(super) fn send_snapshots(&mut self, state: &mut HubState) {
        self.forget_gone(state);
        let Self { all, metrics } = self;
        let mut snapshots: HashMap<(Option<ViewId>, Handle, Encoding), Payload> = HashMap::new();
        for subscriber in all.values_mut().filter(|s| !s.due.is_empty() && s.is_ready()) {
            subscriber.behind = false;
            while subscriber.takes_snapshot()
                && let Some(handle) = subscriber.due.first().copied()
            {
                let payload = match snapshots.entry((subscriber.view, handle, subscriber.encoding)) {
                    Entry::Occupied(entry) => entry.into_mut(),
                    Entry::Vacant(entry) => {
                        let Some(frame) = state.snapshot(handle, subscriber.view) else {
                            subscriber.due.remove(&handle);
                            continue;
                        };
                        metrics.frames.inc();
                        entry.insert(encode(&frame, subscriber.encoding, state))
                    }
                };
                if subscriber.send(payload) != SendResult::Queued {
                    break;
                }
                metrics.sent(payload.len());
                subscriber.due.remove(&handle);
                subscriber.current.insert(handle);
            }
        }
    }

    fn forget_gone(&mut self, state: &mut HubState) {
        let before = self.all.len();
        self.all.retain(|_, subscriber| {
            let is_there = !subscriber.is_gone();
            if !is_there {
                state.leave_view(subscriber.view);
            }
            is_there
        });
        self.metrics.viewers.dec_by(i64::try_from(before - self.all.len()).unwrap_or(0));
    }
}

/// A frame in both encodings, each made when the first viewer needs it.
struct Encoded<'a> {
    frame: &'a dyn Fn(Encoding) -> Payload,
    postcard: Option<Payload>,
    json: Option<Payload>,
    /// How many encodings were made.
    made: u64,
}

impl<'a> Encoded<'a> {
    fn new(frame: &'a dyn Fn(Encoding) -> Payload) -> Self {
        Self { frame, postcard: None, json: None, made: 0 }
    }

    fn get(&mut self, encoding: Encoding) -> &Payload {
        let slot = match encoding {
            Encoding::Postcard => &mut self.postcard,
            Encoding::Json => &mut self.json,
        };
        slot.get_or_insert_with(|| {
            self.made += 1;
            (self.frame)(encoding)
        })
    }
}

fn encode(frame: &Frame, encoding: Encoding, state: &HubState) -> Payload {
    match encoding {
        Encoding::Postcard => binary(frame),
        Encoding::Json => json::frame(frame, state).to_string().into(),
    }
}

/// A frame of the topic `accounts`, which streams send by themselves: no two accounts see the same.
pub(crate) fn account_events(seq: Seq, events: Vec<Event>, encoding: Encoding) -> Payload {
    match encoding {
        Encoding::Postcard => binary(&Frame::AccountEvents(seq, events)),
        Encoding::Json => json::account_events(seq, &events).to_string().into(),
    }
}

/// Encoding the model's own types can't fail; an empty frame would make the page connect anew.
fn binary(frame: &Frame) -> Payload {
    frame.encode().unwrap_or_default().into()
}
