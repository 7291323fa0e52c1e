//! One task per node: it polls, parses, compares with the poll before, and carries out the node's actions.
//!
//! Only this task talks to its HAProxy. What it finds goes to the hub; what it is to do comes as an [`Order`].

mod execute;
mod ingest;
mod link;
mod overrides;
mod permit;
mod poll;
mod rates;
mod reload;
mod schedule;
mod state_events;

use std::{sync::Arc, time::Duration};

use haproxy::{Client, Limits};
use link::LinkMonitor;
use model::{
    action::Action,
    fleet::Node,
    outcome::{Target, TargetOutcome},
};
use schedule::PollSchedule;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    config::NodeConfig,
    hub::{Hub, Update},
    metrics::Metrics,
};

pub use overrides::Requester;
pub use permit::Permit;

/// Orders that may wait for one node. One more is turned away: the node is busy.
const ORDERS: usize = 16;

/// The longest that one request to HAProxy may take. A wall display has to show within five seconds that a node hangs.
const DEADLINE: Duration = Duration::from_secs(3);

/// A configured node before its first poll.
#[must_use]
pub fn unpolled_node(config: &NodeConfig, now_ms: u64) -> Node {
    Node {
        name: config.name.clone(),
        cluster: config.cluster.clone(),
        address: config.connector.address.to_string(),
        poll_ms: u64::try_from(config.poll.as_millis()).unwrap_or(u64::MAX),
        error: "not polled yet".to_owned(),
        since: now_ms,
        ..Node::default()
    }
}

/// Something to do on one node.
#[derive(Debug)]
struct Order {
    action: Action,
    targets: Vec<Target>,
    requester: Requester,
    permit: Permit,
    outcomes: oneshot::Sender<Vec<TargetOutcome>>,
}

/// Why a node could not take an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Its queue is full.
    #[error("the node is still busy with earlier actions; nothing was sent")]
    Busy,
    /// Its task has ended.
    #[error("Sluice is shutting down; what became of the action is not known")]
    Ended,
}

/// A handle of a collector.
#[derive(Clone, Debug)]
pub struct Collector {
    orders: mpsc::Sender<Order>,
}

impl Collector {
    /// Starts the task of one node. `place` is its place in the configuration.
    pub fn spawn(
        place: usize,
        config: &NodeConfig,
        hub: Hub,
        metrics: Arc<Metrics>,
        tracker: &TaskTracker,
        shutdown: CancellationToken,
    ) -> Self {
        let (orders, inbox) = mpsc::channel(ORDERS);
        let limits = Limits { deadline: DEADLINE, ..Limits::default() };
        let client = Client::new(config.connector.clone(), limits);
        let poller = poll::Poller::new(unpolled_node(config, crate::clock::unix_ms()), client, metrics);
        let task = NodeTask { place, poll: config.poll, poller, hub: hub.clone(), link: LinkMonitor::default() };
        let node = unpolled_node(config, crate::clock::unix_ms());
        tracker.spawn(async move {
            if tokio::spawn(task.run(inbox, shutdown)).await.is_err() {
                // A panic of ours must not leave the node's last rows looking like the present.
                tracing::error!(node = node.name, "the task of this node failed");
                let error = "Sluice failed on this node and polls it no more: see its log, and start it again";
                let node = Node { error: error.to_owned(), ..node };
                hub.update(node_update(place, node)).await;
            }
        });
        Self { orders }
    }

    /// Does `action` on servers of this node, one after the other, as long as `permit` lets it, and gives the outcome of
    /// each.
    ///
    /// # Errors
    /// When the node takes no orders. `Busy` means that nothing was sent.
    pub async fn execute(
        &self,
        action: Action,
        targets: Vec<Target>,
        requester: Requester,
        permit: Permit,
    ) -> Result<Vec<TargetOutcome>, OrderError> {
        let (outcomes, received) = oneshot::channel();
        self.orders.try_send(Order { action, targets, requester, permit, outcomes }).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => OrderError::Busy,
            mpsc::error::TrySendError::Closed(_) => OrderError::Ended,
        })?;
        received.await.map_err(|_| OrderError::Ended)
    }
}

/// An update of the node alone, without rows.
fn node_update(place: usize, node: Node) -> Update {
    Update { place, node, replies: None, proxies: Vec::new(), events: Vec::new(), lost: None }
}

struct NodeTask {
    place: usize,
    poll: Duration,
    poller: poll::Poller,
    hub: Hub,
    link: LinkMonitor,
}

impl NodeTask {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>, shutdown: CancellationToken) {
        let schedule = PollSchedule::new(Instant::now(), crate::clock::unix_ms(), self.poll, &self.poller.node.cluster);
        let mut next = Instant::now();
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                order = orders.recv() => {
                    let Some(order) = order else { return };
                    self.execute(order).await;
                    next = schedule.after(Instant::now());
                }
                () = sleep_until(next) => {
                    let began = Instant::now();
                    // An order does not cut a poll short: its reply would be lost. A poll that took longer than its period
                    // is not made up for.
                    next = match self.poll_once().await {
                        Ok(()) => schedule.after(began).max(Instant::now()),
                        Err(wait) => (began + wait).max(Instant::now()),
                    };
                }
            }
        }
    }

    /// Polls, and passes the result on to the hub. An error is the time to wait before the next try.
    async fn poll_once(&mut self) -> Result<(), Duration> {
        match self.poller.poll().await {
            Ok(result) => {
                let now = crate::clock::unix_ms();
                let node = self.link.succeeded(result.node, now);
                let mut events = result.events;
                events.extend(state_events::link_event(&self.poller.node, &node, now));
                self.poller.node.clone_from(&node);
                self.poller.metrics.happened(&events);
                let update = Update {
                    replies: Some(result.replies),
                    proxies: result.proxies,
                    events,
                    lost: result.lost,
                    ..node_update(self.place, node)
                };
                self.hub.update(update).await;
                Ok(())
            }
            Err(error) => {
                let now = crate::clock::unix_ms();
                let (node, wait) = self.link.failed(self.poller.node.clone(), &error, now);
                let events: Vec<_> = state_events::link_event(&self.poller.node, &node, now).into_iter().collect();
                self.poller.node.clone_from(&node);
                self.poller.metrics.happened(&events);
                self.hub.update(Update { events, ..node_update(self.place, node) }).await;
                Err(wait)
            }
        }
    }

    async fn execute(&mut self, order: Order) {
        let outcomes = execute::execute(self, order.action, &order.targets, &order.requester, &order.permit).await;
        // Nobody may wait for them any more: the outcomes are in the log as well.
        let _: Result<(), _> = order.outcomes.send(outcomes);
    }
}
