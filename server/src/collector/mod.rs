//! One task per node: tick, poll, parse, diff; and the node's actions.
//!
//! The task alone talks to its HAProxy. What it finds goes to the hub; what it is asked to do comes as an [`Order`].

mod execute;
mod ingest;
mod link;
mod overrides;
mod poll;
mod rates;
mod reload;
mod schedule;
mod state_events;

use std::{sync::Arc, time::Duration};

use haproxy::{Client, Limits};
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

/// Orders that may wait for one node; who gives one more is told that the node is busy.
const ORDERS: usize = 16;

/// The longest that one request to HAProxy may take. A wall has to tell within five seconds that a node hangs.
const DEADLINE: Duration = Duration::from_secs(3);

/// A configured node before anything was heard of it.
#[must_use]
pub fn unheard(config: &NodeConfig, now_ms: u64) -> Node {
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
    asked: Requester,
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

/// The way to a collector.
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
        let poller = poll::Poller::new(unheard(config, crate::clock::unix_ms()), client, metrics);
        let task = Task { place, poll: config.poll, poller, hub: hub.clone(), link: link::Watch::default() };
        let node = unheard(config, crate::clock::unix_ms());
        tracker.spawn(async move {
            if tokio::spawn(task.run(inbox, shutdown)).await.is_err() {
                // A defect of ours must not leave the node's last rows looking well.
                tracing::error!(node = node.name, "the task of this node failed");
                let error = "Sluice failed on this node and polls it no more: see its log, and start it again";
                let node = Node { error: error.to_owned(), ..node };
                hub.update(bare(place, node)).await;
            }
        });
        Self { orders }
    }

    /// Does `action` on servers of this node, one after the other, and tells what became of each.
    ///
    /// # Errors
    /// When the node takes no orders. `Busy` means that nothing was sent.
    pub async fn act(
        &self,
        action: Action,
        targets: Vec<Target>,
        asked: Requester,
    ) -> Result<Vec<TargetOutcome>, OrderError> {
        let (outcomes, answer) = oneshot::channel();
        self.orders.try_send(Order { action, targets, asked, outcomes }).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => OrderError::Busy,
            mpsc::error::TrySendError::Closed(_) => OrderError::Ended,
        })?;
        answer.await.map_err(|_| OrderError::Ended)
    }
}

/// An update that tells of the node alone.
fn bare(place: usize, node: Node) -> Update {
    Update { place, node, replies: None, proxies: Vec::new(), events: Vec::new(), lost: None }
}

struct Task {
    place: usize,
    poll: Duration,
    poller: poll::Poller,
    hub: Hub,
    link: link::Watch,
}

impl Task {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>, shutdown: CancellationToken) {
        let grid = PollSchedule::new(Instant::now(), crate::clock::unix_ms(), self.poll, &self.poller.node.cluster);
        let mut next = Instant::now();
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                order = orders.recv() => {
                    let Some(order) = order else { return };
                    self.carry_out(order).await;
                    next = grid.after(Instant::now());
                }
                () = sleep_until(next) => {
                    let began = Instant::now();
                    // A poll is never cut short by an order: its reply would be lost. Late polls are not made up for:
                    // the tick stretches.
                    next = match self.poll_once().await {
                        Ok(()) => grid.after(began).max(Instant::now()),
                        Err(wait) => (began + wait).max(Instant::now()),
                    };
                }
            }
        }
    }

    /// Polls, and tells the hub. After a failure it says how long to wait.
    async fn poll_once(&mut self) -> Result<(), Duration> {
        match self.poller.poll().await {
            Ok(found) => {
                let now = crate::clock::unix_ms();
                let node = self.link.succeeded(found.node, now);
                let mut events = found.events;
                events.extend(state_events::link_news(&self.poller.node, &node, now));
                self.poller.node.clone_from(&node);
                self.poller.metrics.happened(&events);
                let update = Update {
                    replies: Some(found.replies),
                    proxies: found.proxies,
                    events,
                    lost: found.lost,
                    ..bare(self.place, node)
                };
                self.hub.update(update).await;
                Ok(())
            }
            Err(error) => {
                let now = crate::clock::unix_ms();
                let (node, wait) = self.link.failed(self.poller.node.clone(), &error, now);
                let events: Vec<_> = state_events::link_news(&self.poller.node, &node, now).into_iter().collect();
                self.poller.node.clone_from(&node);
                self.poller.metrics.happened(&events);
                self.hub.update(Update { events, ..bare(self.place, node) }).await;
                Err(wait)
            }
        }
    }

    async fn carry_out(&mut self, order: Order) {
        let outcomes = execute::carry_out(self, order.action, &order.targets, &order.asked).await;
        // Whoever asked may have gone: the outcomes are in the log as well.
        let _: Result<(), _> = order.outcomes.send(outcomes);
    }
}
