//! What the hub's task is told.

use std::sync::Arc;

use model::{change::Change, event::Event, fleet::Node, lost::Lost, rights::Rights, row::Row, topic::TopicId};
use tokio::sync::oneshot;

use super::{
    subscribers::{Subscriber, ViewerId},
    world::Replies,
};

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
pub(super) enum Message {
    Update(Box<Update>),
    Events(Vec<Event>),
    Join(Subscriber, Arc<Rights>),
    Subscribe(ViewerId, Vec<TopicId>),
    Leave(ViewerId),
    /// Answered at once, to show that the task runs.
    Ping(oneshot::Sender<()>),
}
