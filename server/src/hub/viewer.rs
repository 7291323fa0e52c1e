//! A viewer's own end of its queue.

use std::sync::atomic::{AtomicU64, Ordering};

use model::topic::TopicId;
use tokio::sync::mpsc;

use super::{
    message::Message,
    subscribers::{Encoding, Payload, Subscriber, ViewerId},
};

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
        // While the hub's own queue is full, its next frame for this viewer finds the viewer's queue closed instead.
        let _: Result<(), _> = self.hub.try_send(Message::Leave(self.id));
    }
}

/// Both ends of a new viewer.
pub(super) fn pair(encoding: Encoding, hub: mpsc::Sender<Message>) -> (Viewer, Subscriber) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let (subscriber, frames) = Subscriber::new(id, encoding);
    (Viewer { id, frames, hub }, subscriber)
}
