//! What operators ask for: resolved against what the nodes said last, carried out, verified, recorded.
//!
//! The page, the form and the API come through here.

mod allowed;
mod resolve;
pub mod verify;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use app::model::{
    action::Action,
    event::{Event, EventKind},
    outcome::{ActionRequest, ActionResponse, Outcome, Target, TargetOutcome},
};
use futures::future::join_all;

use crate::{
    access::Caller,
    collector::{Asked, Collector, OrderError},
    hub::{Hub, unix_ms},
    metrics::{Metrics, OutcomeLabel},
    record::{Entry, Kind, Record},
};

pub use allowed::{allowed, seen_by};
pub use resolve::RequestError;

/// Longest reason that the events keep, in characters; the log has all of it.
const LONGEST_REASON: usize = 200;

/// The way to act.
#[derive(Clone, Debug)]
pub struct Operations {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    hub: Hub,
    collectors: BTreeMap<String, Collector>,
    record: Record,
    metrics: Arc<Metrics>,
    started: u64,
    count: AtomicU64,
}

impl Operations {
    /// Operations on these nodes.
    #[must_use]
    pub fn new(hub: Hub, collectors: BTreeMap<String, Collector>, record: Record, metrics: Arc<Metrics>) -> Self {
        let shared = Shared { hub, collectors, record, metrics, started: unix_ms(), count: AtomicU64::new(0) };
        Self { shared: Arc::new(shared) }
    }

    /// Does what is asked for, on all nodes at once, and tells what became of each target.
    ///
    /// # Errors
    /// When a target is not known or not clear, or `caller` may not do this to it: then nothing was sent to any node.
    pub async fn run(&self, request: ActionRequest, caller: &Caller) -> Result<ActionResponse, RequestError> {
        let world = self.shared.hub.world();
        let targets = allowed(&world, request.action, &request.targets, &caller.rights)?;
        let operation = self.name();
        let by = &caller.name;
        let reason = request.reason.as_deref().unwrap_or_default();
        tracing::info!(operation, by, reason, action = request.action.id(), targets = targets.len(), "asked for");
        let entry = Entry {
            operation: operation.clone(),
            reason: reason.to_owned(),
            ..Entry::by(caller, Kind::Operation, request.action.id())
        };
        // What can't be recorded is not done.
        self.shared.record.append(entry).await.map_err(|error| RequestError::Unrecorded(error.to_string()))?;
        // In a task of its own: who asked may go away, and what was begun is recorded all the same.
        let asked = Asked { by: by.to_owned(), operation: operation.clone() };
        let work = self.clone().carry_out(asked, request.action, targets.clone(), short(reason));
        let outcomes = tokio::spawn(work).await.unwrap_or_else(|_| unreachable(targets, OrderError::Ended));
        Ok(ActionResponse { operation, outcomes })
    }

    async fn carry_out(self, asked: Asked, action: Action, targets: Vec<Target>, reason: String) -> Vec<TargetOutcome> {
        let mut by_node: BTreeMap<&str, Vec<Target>> = BTreeMap::new();
        for target in &targets {
            by_node.entry(&target.node).or_default().push(target.clone());
        }
        let parts = by_node.into_iter().map(|(node, targets)| self.on_node(node, action, targets, &asked));
        let mut outcomes: Vec<TargetOutcome> = join_all(parts).await.into_iter().flatten().collect();
        let place: BTreeMap<&Target, usize> = targets.iter().zip(0..).collect();
        outcomes.sort_by_key(|o| place.get(&o.target).copied());
        self.record(&asked, action, &reason, &outcomes).await;
        outcomes
    }

    async fn on_node(&self, node: &str, action: Action, targets: Vec<Target>, asked: &Asked) -> Vec<TargetOutcome> {
        let answer = match self.shared.collectors.get(node) {
            Some(collector) => collector.act(action, targets.clone(), asked.clone()).await,
            None => Err(OrderError::Ended),
        };
        answer.unwrap_or_else(|error| unreachable(targets, error))
    }

    async fn record(&self, asked: &Asked, action: Action, reason: &str, outcomes: &[TargetOutcome]) {
        let operation = &asked.operation;
        for TargetOutcome { target, outcome, message, before, after } in outcomes {
            let label = OutcomeLabel { action: action.id().to_owned(), outcome: outcome.word().to_owned() };
            self.shared.metrics.outcomes.get_or_create(&label).inc();
            tracing::info!(
                operation,
                action = action.id(),
                %target,
                outcome = outcome.word(),
                message,
                before,
                after,
                "outcome"
            );
        }
        let (world, now) = (self.shared.hub.world(), unix_ms());
        let cluster = |node: &str| world.fleet.node(node).map(|n| n.cluster.clone()).unwrap_or_default();
        let event = |o: &TargetOutcome| event(cluster(&o.target.node), asked, action, reason, o, now);
        let events: Vec<Event> = outcomes.iter().map(event).collect();
        self.shared.metrics.happened(&events);
        self.shared.hub.record(events).await;
    }

    /// A name that no other operation of this machine has: the start of the program and a count.
    fn name(&self) -> String {
        format!("{:x}-{}", self.shared.started, self.shared.count.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// What the events tell of one target's outcome.
fn event(
    cluster: String,
    asked: &Asked,
    action: Action,
    reason: &str,
    TargetOutcome { target, outcome, message, before, after }: &TargetOutcome,
    now: u64,
) -> Event {
    let mut cause = format!("{}: {}", action.label(), outcome.word());
    for part in [message, reason].into_iter().filter(|part| !part.is_empty()) {
        cause.push_str("; ");
        cause.push_str(part);
    }
    Event {
        id: 0,
        at: now,
        node: target.node.clone(),
        cluster,
        proxy: target.backend.clone(),
        server: target.server.clone(),
        kind: EventKind::Operation,
        before: before.clone(),
        after: after.clone(),
        cause,
        by: asked.by.clone(),
        operation: asked.operation.clone(),
    }
}

/// A reason as the events keep it: one line, and no longer than somebody reads.
fn short(reason: &str) -> String {
    reason.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_REASON).collect()
}

/// The outcomes of an order that the node did not take.
fn unreachable(targets: Vec<Target>, error: OrderError) -> Vec<TargetOutcome> {
    let outcome = |target| TargetOutcome {
        target,
        outcome: Outcome::Unreachable,
        message: error.to_string(),
        before: String::new(),
        after: String::new(),
    };
    targets.into_iter().map(outcome).collect()
}
