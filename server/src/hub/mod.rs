//! The current state of everything, and its fan-out to viewers.
//!
//! One task owns it. Collectors send [`Update`]s, viewers join and subscribe; the newest [`World`] can be read by anybody at any time.

mod events;
mod merged;
mod redaction;
mod state;
mod subscribers;
mod summary;
mod task;
mod text;
mod views;
mod visibility;

use std::sync::Arc;

use haproxy;
use model::{
    change::Change,
    event::Event,
    fleet::{Fleet, Node},
    frame::{Handle, Seq},
    lost::Lost,
    problem::Problem,
    rights::Rights,
    row::Row,
    state_rows::state_rows,
    topic::{Section, Sections, Spark, TopicId},
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::metrics::Metrics;

pub use events::{EVENTS_KEPT, EventLog};

pub(crate) use redaction::requests_of;
pub(crate) use visibility::{HIDDEN, Visibility};

pub use subscribers::{Encoding, Payload, Viewer};

/// Updates and wishes that may wait for the hub; who sends one more waits.
const QUEUE: usize = 1_024;

/// The state as it was at one moment. Cheap to hold: everything inside is shared.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The topic `fleet`.
    pub fleet: Arc<Fleet>,
    /// Every proxy, in the order of `fleet.proxies`.
    pub proxies: Vec<Arc<ProxyState>>,
    /// Per node, by its place in the configuration, what it answered last.
    pub replies: Vec<Option<Arc<Replies>>>,
    /// What happened lately, oldest first.
    pub events: Arc<EventLog>,
    /// What is not well, worst first: all of it, where the fleet tells the first alone.
    pub problems: Arc<Vec<Problem>>,
    /// Whom it is for; nothing for those who see everything.
    pub(crate) sight: Option<Visibility>,
}

impl World {
    /// One proxy of a cluster.
    #[must_use]
    pub fn proxy(&self, cluster: &str, proxy: &str) -> Option<&Arc<ProxyState>> {
        self.proxies.iter().find(|p| p.cluster == cluster && p.proxy == proxy)
    }
}

/// One proxy's topic.
#[derive(Clone, Debug)]
pub struct ProxyState {
    /// The cluster's name.
    pub cluster: String,
    /// HAProxy's `pxname`.
    pub proxy: String,
    /// The topic's short name on this run.
    pub handle: Handle,
    /// The number of its last frame.
    pub seq: Seq,
    /// Its rows on each node, every figure of them.
    pub sections: Sections,
    /// In a cluster of several nodes, the rows merged over those that answer.
    pub merged: Option<Section>,
    /// Requests a second that its frontends take, a sample per epoch.
    pub requests: Spark,
}

impl ProxyState {
    /// A proxy that nothing is known of yet; `is_merged` in a cluster of several nodes.
    pub(crate) fn new(cluster: &str, proxy: &str, handle: Handle, is_merged: bool) -> Self {
        Self {
            cluster: cluster.to_owned(),
            proxy: proxy.to_owned(),
            handle,
            seq: Seq::default(),
            sections: Sections::default(),
            merged: is_merged.then(|| Section::new(Section::MERGED, Arc::default())),
            requests: Spark::default(),
        }
    }

    /// The topic's name.
    #[must_use]
    pub fn id(&self) -> TopicId {
        TopicId::proxy(&self.cluster, &self.proxy)
    }

    /// What its topic tells: the rows of a lone node; otherwise the merged rows, and what state each node sees.
    #[must_use]
    pub fn topic(&self) -> Sections {
        let Some(merged) = &self.merged else { return self.sections.clone() };
        // Without rows there is nothing to merge either.
        let merged = (!merged.rows.is_empty()).then(|| merged.clone());
        let states = self.sections.0.iter().map(|s| Section::new(&s.node, Arc::new(state_rows(&s.rows))));
        Sections(merged.into_iter().chain(states).collect())
    }
}

/// What a node answered in its last good poll.
#[derive(Clone, Debug)]
pub struct Replies {
    /// `show info`.
    pub info: haproxy::Info,
    /// `show stat`, unparsed.
    pub stat: haproxy::StatTable,
    /// When the poll ended, Unix milliseconds.
    pub polled: u64,
}

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
    /// The rows as they are now and what changed; nothing when the node does not have the proxy any more.
    pub news: Option<(Arc<Vec<Row>>, Change)>,
}

/// What the hub is told.
#[derive(Debug)]
enum Message {
    Update(Box<Update>),
    AuditLog(Vec<Event>),
    Join(subscribers::Subscriber, Arc<Rights>),
    Subscribe(subscribers::ViewerId, Vec<TopicId>),
    Leave(subscribers::ViewerId),
    Answer(oneshot::Sender<()>),
}

/// The way to the hub.
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

    /// Tells what a collector found. Waits while the hub is busy; false when it has ended.
    pub async fn update(&self, update: Update) -> bool {
        self.messages.send(Message::Update(Box::new(update))).await.is_ok()
    }

    /// Tells what happened that no collector finds. Waits while the hub is busy; false when it has ended.
    pub async fn record(&self, events: Vec<Event>) -> bool {
        self.messages.send(Message::AuditLog(events)).await.is_ok()
    }

    /// Whether its task takes what it is sent; waits for it. For a watchdog.
    pub async fn answers(&self) -> bool {
        let (answer, answered) = oneshot::channel();
        self.messages.send(Message::Answer(answer)).await.is_ok() && answered.await.is_ok()
    }

    /// A new viewer who may see what `rights` let be seen, without a topic yet; nothing when the hub has ended.
    ///
    /// What they may not see is for them as if it did not exist.
    pub async fn join(&self, encoding: Encoding, rights: &Arc<Rights>) -> Option<Viewer> {
        let (viewer, seat) = subscribers::pair(encoding, self.messages.clone());
        self.messages.send(Message::Join(seat, rights.clone())).await.ok()?;
        Some(viewer)
    }
}

#[cfg(test)]
mod tests;
