//! The current state of everything, and its fan-out to viewers.
//!
//! One task owns it. Collectors send [`Update`]s, viewers join and subscribe; the newest [`World`] can be read by anybody at any time.

mod broadcast;
mod events;
mod json;
mod merged;
mod proxies;
mod redaction;
mod state;
mod subscribers;
mod summary;
mod task;
mod topics;
mod views;
mod visibility;
mod world;

use std::sync::Arc;

use model::{change::Change, event::Event, fleet::Node, lost::Lost, rights::Rights, row::Row, topic::TopicId};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::metrics::Metrics;

pub use events::{EVENTS_KEPT, EventLog};
pub use world::{ProxyState, Replies, World};

pub(crate) use redaction::requests_of;
pub(crate) use visibility::{HIDDEN, Visibility};

pub use subscribers::{Encoding, Payload, Viewer};

/// Messages that may wait for the hub; a sender of one more waits.
const QUEUE: usize = 1_024;

/// What a collector found.
#[derive(Debug)]
pub struct Update {
    /// The node's place in the configuration.
    pub place: usize,
    /// The node as it is now.
    pub node: Node,
    /// The answers; nothing after a poll that failed.
    pub replies: Option<Arc<Replies>>,
    /// The proxies whose rows changed.
    pub proxies: Vec<ProxyUpdate>,
    /// What happened on the node, not yet numbered.
    pub events: Vec<Event>,
    /// What reloads lost on the node, where that changed.
    pub lost: Option<Vec<Lost>>,
}

/// One proxy's rows on one node.
#[derive(Debug)]
pub struct ProxyUpdate {
    /// HAProxy's `pxname`.
    pub proxy: String,
    /// The rows as they are now, and what changed; nothing when the node does not have the proxy any more.
    pub rows: Option<(Arc<Vec<Row>>, Change)>,
}

/// A message to the hub's task.
#[derive(Debug)]
enum Message {
    Update(Box<Update>),
    Events(Vec<Event>),
    Join(subscribers::Subscriber, Arc<Rights>),
    Subscribe(subscribers::ViewerId, Vec<TopicId>),
    Leave(subscribers::ViewerId),
    /// Answered at once, to show that the task runs.
    Ping(oneshot::Sender<()>),
}

/// A handle of the hub.
#[derive(Clone, Debug)]
pub struct Hub {
    messages: mpsc::Sender<Message>,
    world: watch::Receiver<Arc<World>>,
}

impl Hub {
    /// Starts the hub's task. `nodes` are the configured nodes, none of which has answered yet.
    pub fn spawn(
        nodes: Vec<Node>,
        build: Arc<str>,
        metrics: Arc<Metrics>,
        tracker: &TaskTracker,
        shutdown: CancellationToken,
    ) -> Self {
        let (messages, inbox) = mpsc::channel(QUEUE);
        let (task, world) = task::Task::new(nodes, build, metrics);
        tracker.spawn(task.run(inbox, shutdown));
        Self { messages, world }
    }

    /// The newest state.
    #[must_use]
    pub fn world(&self) -> Arc<World> {
        self.world.borrow().clone()
    }

    /// Waits for a state that fulfils `wanted`; nothing if the hub ends first.
    pub async fn wait_for(&self, wanted: impl FnMut(&Arc<World>) -> bool) -> Option<Arc<World>> {
        self.world.clone().wait_for(wanted).await.ok().map(|world| world.clone())
    }

    /// Passes on what a collector found. Waits while the hub is busy; false when it has ended.
    pub async fn update(&self, update: Update) -> bool {
        self.messages.send(Message::Update(Box::new(update))).await.is_ok()
    }

    /// Adds events that no collector finds. Waits while the hub is busy; false when it has ended.
    pub async fn add_events(&self, events: Vec<Event>) -> bool {
        self.messages.send(Message::Events(events)).await.is_ok()
    }

    /// Waits until its task has worked off what it was sent before; false when it has ended. For a watchdog.
    pub async fn answers(&self) -> bool {
        let (answer, answered) = oneshot::channel();
        self.messages.send(Message::Ping(answer)).await.is_ok() && answered.await.is_ok()
    }

    /// A new viewer with these rights, which has no topic yet; nothing when the hub has ended.
    ///
    /// What the rights do not let it see is for it as if it did not exist.
    pub async fn join(&self, encoding: Encoding, rights: &Arc<Rights>) -> Option<Viewer> {
        let (viewer, subscriber) = subscribers::pair(encoding, self.messages.clone());
        self.messages.send(Message::Join(subscriber, rights.clone())).await.ok()?;
        Some(viewer)
    }
}

#[cfg(test)]
mod tests;
