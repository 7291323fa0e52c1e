//! The current state of everything, and its fan-out to viewers.
//!
//! One task owns it. Collectors send [`Update`]s, viewers join and subscribe; the newest [`World`] can be read by anybody at any time.

mod broadcast;
mod events;
mod json;
mod merged;
mod message;
mod proxies;
mod redaction;
mod state;
mod subscribers;
mod summary;
mod task;
mod topics;
mod viewer;
mod views;
mod visibility;
mod world;

use std::sync::Arc;

use message::Message;
use model::{event::Event, fleet::Node, rights::Rights};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::metrics::Metrics;

pub use events::{EVENTS_KEPT, EventLog};
pub use message::{ProxyUpdate, Update};
pub use subscribers::{Encoding, Payload};
pub use viewer::Viewer;
pub use world::{ProxyState, Replies, World};

pub(crate) use broadcast::account_events;
pub(crate) use redaction::requests_of;
pub(crate) use visibility::{HIDDEN, Visibility};

/// Messages that may wait for the hub; a sender of one more waits.
const QUEUE: usize = 1_024;

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
        let (task, world) = task::HubTask::new(nodes, build, metrics);
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
        let (viewer, subscriber) = viewer::pair(encoding, self.messages.clone());
        self.messages.send(Message::Join(subscriber, rights.clone())).await.ok()?;
        Some(viewer)
    }
}

#[cfg(test)]
mod tests;
