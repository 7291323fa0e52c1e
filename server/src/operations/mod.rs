//! What operators ask for: resolved against what the nodes said last, carried out, verified, recorded.
//!
//! The page, the form and the API come through here.

mod audit_entries;
mod authorise;
mod resolve;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use authorise::{allowed, seen_by};
use futures::future::join_all;
use model::{
    action::Action,
    event::{Event, EventKind},
    outcome::{ActionRequest, ActionResponse, Outcome, Target, TargetOutcome},
};

use crate::{
    audit::{AuditLog, plain},
    auth::Principal,
    clock::unix_ms,
    collector::{Collector, OrderError, Requester},
    hub::Hub,
    metrics::{Metrics, OutcomeLabel},
    opaque_id::opaque_id,
    rate_limit::{Pace, Pass},
};

pub use resolve::RequestError;

/// Longest reason that the events keep, in characters; the record has all of it.
const LONGEST_IN_EVENTS: usize = 200;

/// What is said when an operation was done and its outcome can't be recorded.
const OUTCOME_UNRECORDED: &str = "The outcome could not be recorded: the record says that this was begun, and not what \
                                  became of it. The log of Sluice says why.";

/// The way to act.
#[derive(Clone, Debug)]
pub struct Operations {
    shared: Arc<Shared>,
    needs_reason: bool,
}

#[derive(Debug)]
struct Shared {
    hub: Hub,
    collectors: BTreeMap<String, Collector>,
    record: AuditLog,
    metrics: Arc<Metrics>,
    pace: Mutex<Pace>,
    started: u64,
    count: AtomicU64,
}

/// What a request comes to, before anything is sent.
struct Plan {
    targets: Vec<Target>,
    /// Why, on one line; empty where nobody said.
    reason: String,
}

impl Operations {
    /// Operations on these nodes.
    #[must_use]
    pub fn new(hub: Hub, collectors: BTreeMap<String, Collector>, record: AuditLog, metrics: Arc<Metrics>) -> Self {
        let (pace, started, count) = (Mutex::default(), unix_ms(), AtomicU64::new(0));
        let shared = Shared { hub, collectors, record, metrics, pace, started, count };
        Self { shared: Arc::new(shared), needs_reason: false }
    }

    /// The same, where an action without a reason is refused.
    #[must_use]
    pub fn with_reasons(mut self, needs_reason: bool) -> Self {
        self.needs_reason = needs_reason;
        self
    }

    /// Whether an action needs a reason.
    #[must_use]
    pub fn needs_reason(&self) -> bool {
        self.needs_reason
    }

    /// Where operations are recorded.
    #[must_use]
    pub fn record(&self) -> &AuditLog {
        &self.shared.record
    }

    /// The servers that a request means, where the caller may do this to them; for who has to ask a question first. Nobody
    /// needs to have said why yet.
    ///
    /// # Errors
    /// As [`Self::run`]; the refusal is recorded.
    pub async fn targets(&self, request: &ActionRequest, principal: &Principal) -> Result<Vec<Target>, RequestError> {
        match self.allowed(request, principal) {
            Ok(targets) => Ok(targets),
            Err(error) => Err(self.refused(request, principal, error).await),
        }
    }

    /// Does what is asked for, on all nodes at once, and tells what became of each target.
    ///
    /// # Errors
    /// When it may not be done, a target is not known or not clear, or it can't be recorded: then nothing was sent to any
    /// node.
    pub async fn run(&self, request: ActionRequest, principal: &Principal) -> Result<ActionResponse, RequestError> {
        let Plan { targets, reason } = match self.plan(&request, principal) {
            Ok(plan) => plan,
            Err(error) => return Err(self.refused(&request, principal, error).await),
        };
        match self.pace(principal) {
            Pass::Goes => {}
            Pass::Waits { wait, is_first } => {
                let error = RequestError::Rate { wait };
                return Err(if is_first { self.refused(&request, principal, error).await } else { error });
            }
        }
        let (action, operation) = (request.action, self.name());
        let by = &principal.name;
        tracing::info!(operation, by, reason, action = action.id(), targets = targets.len(), "asked for");
        // What can't be recorded is not done.
        let entry = audit_entries::operation(principal, action, &operation, &targets, &reason);
        self.shared.record.append(entry).await.map_err(|error| RequestError::Unrecorded(error.to_string()))?;
        // In a task of its own: who asked may go away, and what was begun is recorded all the same.
        let work = self.clone().carry_out(principal.clone(), operation.clone(), action, targets.clone(), reason);
        let (outcomes, is_recorded) =
            tokio::spawn(work).await.unwrap_or_else(|_| (unreachable(targets, OrderError::Ended), false));
        let warning = if is_recorded { String::new() } else { OUTCOME_UNRECORDED.to_owned() };
        let response = ActionResponse { operation, outcomes, warning };
        Ok(seen_by(&principal.rights, &self.shared.hub.world(), response))
    }

    /// Everything that is looked at before anything is sent, in the order of what is told first.
    fn plan(&self, request: &ActionRequest, principal: &Principal) -> Result<Plan, RequestError> {
        let targets = self.allowed(request, principal)?;
        let reason = plain(request.reason.as_deref().unwrap_or_default().trim());
        match reason.chars().count() {
            0 if self.needs_reason => Err(RequestError::NoReason),
            length if length > resolve::LONGEST_REASON => Err(RequestError::LongReason(length)),
            _ => Ok(Plan { targets, reason }),
        }
    }

    fn allowed(&self, request: &ActionRequest, principal: &Principal) -> Result<Vec<Target>, RequestError> {
        allowed(&self.shared.hub.world(), request.action, &request.targets, &principal.rights)
    }

    fn pace(&self, principal: &Principal) -> Pass {
        // Counts are whole whoever panicked.
        let mut pace = self.shared.pace.lock().unwrap_or_else(PoisonError::into_inner);
        pace.pass(&crate::rate_limit::key(principal), Instant::now())
    }

    /// Records a refusal. Where that fails it is refused all the same, and the log tells both.
    async fn refused(&self, request: &ActionRequest, principal: &Principal, error: RequestError) -> RequestError {
        tracing::info!(by = principal.name, action = request.action.id(), %error, "refused");
        let entry = audit_entries::refusal(principal, request, &error);
        let _: Result<_, crate::db::DatabaseError> = self.shared.record.append_limited(entry).await;
        error
    }

    /// The outcomes, and whether they were recorded.
    async fn carry_out(
        self,
        principal: Principal,
        operation: String,
        action: Action,
        targets: Vec<Target>,
        reason: String,
    ) -> (Vec<TargetOutcome>, bool) {
        let asked = Requester { by: principal.name.clone(), operation };
        let mut by_node: BTreeMap<&str, Vec<Target>> = BTreeMap::new();
        for target in &targets {
            by_node.entry(&target.node).or_default().push(target.clone());
        }
        let parts = by_node.into_iter().map(|(node, targets)| self.on_node(node, action, targets, &asked));
        let mut outcomes: Vec<TargetOutcome> = join_all(parts).await.into_iter().flatten().collect();
        let place: BTreeMap<&Target, usize> = targets.iter().zip(0..).collect();
        outcomes.sort_by_key(|o| place.get(&o.target).copied());
        let entry = audit_entries::outcome(&principal, action, &asked.operation, &outcomes);
        let is_recorded = self.shared.record.append(entry).await.is_ok();
        if !is_recorded {
            tracing::error!(operation = asked.operation, "an operation was done, and its outcome can't be recorded");
        }
        self.tell(&asked, action, &short(&reason), &outcomes).await;
        (outcomes, is_recorded)
    }

    async fn on_node(&self, node: &str, action: Action, targets: Vec<Target>, asked: &Requester) -> Vec<TargetOutcome> {
        let answer = match self.shared.collectors.get(node) {
            Some(collector) => collector.act(action, targets.clone(), asked.clone()).await,
            None => Err(OrderError::Ended),
        };
        answer.unwrap_or_else(|error| unreachable(targets, error))
    }

    async fn tell(&self, asked: &Requester, action: Action, reason: &str, outcomes: &[TargetOutcome]) {
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

    /// A name that no other operation of this machine has: the start of the program and a number, which does not tell
    /// how many operations of others there were.
    fn name(&self) -> String {
        let count = self.shared.count.fetch_add(1, Ordering::Relaxed);
        format!("{:x}-{:x}", self.shared.started, opaque_id("operation", count))
    }
}

/// What the events tell of one target's outcome.
fn event(
    cluster: String,
    asked: &Requester,
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

/// A reason as the events keep it: no longer than somebody reads.
fn short(reason: &str) -> String {
    reason.chars().take(LONGEST_IN_EVENTS).collect()
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
