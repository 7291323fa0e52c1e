//! The hub's end of each viewer's queue.

use std::collections::BTreeSet;

use bytes::Bytes;
use model::{frame::Handle, topic::TopicId};
use tokio::sync::mpsc;

use super::{topics::FLEET, views::ViewId};

/// Frames that may wait for one viewer: two seconds' worth for a busy page of 1,000 servers in 100 backends. A viewer that
/// is further behind gets snapshots.
pub(super) const QUEUE: usize = 256;

/// Room that snapshots leave for the deltas that follow them. Without it the next poll would undo the catching up of a
/// large page.
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

/// The hub's end.
#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) id: ViewerId,
    pub(super) encoding: Encoding,
    /// All topics wanted, whether they exist or not.
    pub(super) wanted: BTreeSet<TopicId>,
    /// The topics that it is up to date with; deltas go to these alone.
    pub(super) current: BTreeSet<Handle>,
    /// The topics that it needs a snapshot of.
    pub(super) due: BTreeSet<Handle>,
    /// Whether its queue was full: it is left alone until it has read everything.
    pub(super) behind: bool,
    /// The view through which it sees the fleet; nothing where it sees everything.
    pub(super) view: Option<ViewId>,
    frames: mpsc::Sender<Payload>,
}

/// What became of a frame that was put into a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SendResult {
    Queued,
    Full,
    Gone,
}

impl Subscriber {
    /// A viewer that has no topic yet, and its own end of the queue.
    pub(super) fn new(id: ViewerId, encoding: Encoding) -> (Self, mpsc::Receiver<Payload>) {
        let (sender, frames) = mpsc::channel(QUEUE);
        let subscriber = Self {
            id,
            encoding,
            wanted: BTreeSet::new(),
            current: BTreeSet::new(),
            due: BTreeSet::new(),
            behind: false,
            view: None,
            frames: sender,
        };
        (subscriber, frames)
    }

    /// Puts a frame into the queue, if there is room.
    pub(super) fn send(&self, frame: &Payload) -> SendResult {
        match self.frames.try_send(frame.clone()) {
            Ok(()) => SendResult::Queued,
            Err(mpsc::error::TrySendError::Full(_)) => SendResult::Full,
            Err(mpsc::error::TrySendError::Closed(_)) => SendResult::Gone,
        }
    }

    /// Sets the topics wanted. `handles` are the handles of those that exist.
    pub(super) fn set_topics(&mut self, wanted: BTreeSet<TopicId>, handles: &BTreeSet<Handle>) {
        self.wanted = wanted;
        // A page takes its samples when the fleet tells it to. Without the fleet it has missed some, and needs the
        // sparklines again.
        if !self.current.contains(&FLEET) && handles.contains(&FLEET) {
            self.current.clear();
        }
        self.keep_topics(|handle| handles.contains(&handle));
        self.due.extend(handles.difference(&self.current));
    }

    /// Drops the topics that `is_kept` does not name.
    pub(super) fn keep_topics(&mut self, is_kept: impl Fn(Handle) -> bool) {
        self.current.retain(|handle| is_kept(*handle));
        self.due.retain(|handle| is_kept(*handle));
    }

    /// Whether it may be sent snapshots now: one that fell behind only once it has read everything.
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
