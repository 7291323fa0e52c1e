//! The two ends of a viewer's queue.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use model::{frame::Handle, topic::TopicId};
use tokio::sync::mpsc;

use super::{Message, views::ViewId};

/// Frames that may wait for one viewer. A busy page of 1,000 servers in 100 backends is two seconds' worth; one that is further behind gets snapshots.
pub(super) const QUEUE: usize = 256;

/// Room that snapshots leave for the deltas that follow them: with none left, the next poll would undo a large page's catching up.
const ROOM_FOR_DELTAS: usize = QUEUE / 2;

/// How a viewer wants its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Binary, for our own page.
    Postcard,
    /// Text, for everybody else.
    Json,
}

/// One encoded frame, shared among its viewers.
pub type Payload = Bytes;

/// Names a viewer on this run.
pub(super) type ViewerId = u64;

/// A viewer's own end.
#[derive(Debug)]
pub struct Viewer {
    id: ViewerId,
    frames: mpsc::Receiver<Payload>,
    hub: mpsc::Sender<Message>,
}

impl Viewer {
    /// Says which topics it shows from now on. False when the hub has ended.
    pub async fn subscribe(&self, topics: Vec<TopicId>) -> bool {
        self.hub.send(Message::Subscribe(self.id, topics)).await.is_ok()
    }

    /// The next frame; nothing when the hub has ended.
    pub async fn next(&mut self) -> Option<Payload> {
        self.frames.recv().await
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        // With the hub's queue full the seat is cleared at its next frame instead, which finds the queue closed.
        let _: Result<(), _> = self.hub.try_send(Message::Leave(self.id));
    }
}

/// The hub's end.
#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) id: ViewerId,
    pub(super) encoding: Encoding,
    /// All topics wanted, known or not.
    pub(super) wanted: BTreeSet<TopicId>,
    /// The topics that it is up to date with; deltas go to these alone.
    pub(super) current: BTreeSet<Handle>,
    /// The topics that it needs a snapshot of.
    pub(super) due: BTreeSet<Handle>,
    /// Whether its queue was full: it is left alone until it has read everything.
    pub(super) behind: bool,
    /// What it looks through; nothing for one that sees everything.
    pub(super) view: Option<ViewId>,
    frames: mpsc::Sender<Payload>,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    Queued,
    Full,
    Gone,
}

impl Subscriber {
    /// Puts a frame into the queue, if there is room.
    pub(super) fn send(&self, frame: &Payload) -> Sent {
        match self.frames.try_send(frame.clone()) {
            Ok(()) => Sent::Queued,
            Err(mpsc::error::TrySendError::Full(_)) => Sent::Full,
            Err(mpsc::error::TrySendError::Closed(_)) => Sent::Gone,
        }
    }

    /// Whether it may be given snapshots now: one that fell behind only once it has read everything.
    pub(super) fn is_ready(&self) -> bool {
        !self.behind || self.frames.capacity() == self.frames.max_capacity()
    }

    /// Whether there is room for one more snapshot.
    pub(super) fn takes_snapshot(&self) -> bool {
        self.frames.capacity() > ROOM_FOR_DELTAS
    }

    /// Gives up on its deltas: every topic needs a snapshot.
    pub(super) fn fall_behind(&mut self) {
        self.behind = true;
        self.due.append(&mut self.current);
    }

    /// Whether the viewer is gone.
    pub(super) fn is_gone(&self) -> bool {
        self.frames.is_closed()
    }
}

/// Both ends of a new viewer.
pub(super) fn pair(encoding: Encoding, hub: mpsc::Sender<Message>) -> (Viewer, Subscriber) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let (sender, frames) = mpsc::channel(QUEUE);
    let seat = Subscriber {
        id,
        encoding,
        wanted: BTreeSet::new(),
        current: BTreeSet::new(),
        due: BTreeSet::new(),
        behind: false,
        view: None,
        frames: sender,
    };
    (Viewer { id, frames, hub }, seat)
}

/// The handle of the topic `fleet`.
pub(super) const FLEET: Handle = 0;

/// The handle of the topic `events`.
pub(super) const EVENTS: Handle = 1;

/// The handle of the first topic of rows.
pub(super) const FIRST: Handle = EVENTS + 1;

/// A frame in both encodings, each made when the first viewer needs it.
pub(super) struct Encoded<'a> {
    frame: &'a dyn Fn(Encoding) -> Payload,
    postcard: Option<Payload>,
    json: Option<Payload>,
    /// How many encodings were made.
    pub(super) made: u64,
}

impl<'a> Encoded<'a> {
    pub(super) fn new(frame: &'a dyn Fn(Encoding) -> Payload) -> Self {
        Self { frame, postcard: None, json: None, made: 0 }
    }

    pub(super) fn get(&mut self, encoding: Encoding) -> &Payload {
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
