//! Operations: an action on servers, authorised, recorded in the audit log, carried out by collectors, and verified.
//!
//! The page, the form and the API all come through here.

mod audit_entries;
mod authorise;
mod rate;
mod resolve;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use authorise::{authorised_targets, redact};
use futures::future::join_all;
use model::{
    action::Action,
    event::{Event, EventKind},
    outcome::{ActionRequest, ActionResponse, Outcome, Target, TargetOutcome},
    text::plain,
};

use crate::{
    audit,
    auth::{Auth, ChangeError, Principal, Revoked, authz::policy::Permission},
    clock::unix_ms,
    collector::{Collector, OrderError, Permit, Requester},
    hub::Hub,
    metrics::{Metrics, OutcomeLabel},
    opaque_id::opaque_id,
    rate_limit::{RateLimited, RateLimiter},
};

pub use resolve::RequestError;

/// The longest reason that events keep, in characters; the audit log has all of it.
const LONGEST_IN_EVENTS: usize = 200;

/// What is said when an operation was done and its outcome can't be recorded.
const OUTCOME_UNRECORDED: &str = "The outcome could not be recorded: the audit log says that this was begun, and not what \
                                  became of it. The log of Sluice says why.";

/// A handle that carries operations out. A clone is cheap.
#[derive(Clone, Debug)]
pub struct Operations {
    shared: Arc<OperationParts>,
    needs_reason: bool,
    /// Bytes that the audit log may use.
    max_size: u64,
}

#[derive(Debug)]
struct OperationParts {
    hub: Hub,
    collectors: BTreeMap<String, Collector>,
    auth: Auth,
    metrics: Arc<Metrics>,
    rate_limiter: Mutex<RateLimiter>,
    started: u64,
    count: AtomicU64,
}

/// What a request comes to, before anything is sent.
struct CheckedRequest {
    targets: Vec<Target>,
    /// Why, on one line; empty where nobody said.
    reason: String,
}

impl Operations {
    /// Operations on these nodes, by those whom `auth` lets in.
    #[must_use]
    pub fn new(hub: Hub, collectors: BTreeMap<String, Collector>, auth: Auth, metrics: Arc<Metrics>) -> Self {
        let rate_limiter = Mutex::new(RateLimiter::new(rate::ACTIONS));
        let (started, count) = (unix_ms(), AtomicU64::new(0));
        let shared = OperationParts { hub, collectors, auth, metrics, rate_limiter, started, count };
        Self { shared: Arc::new(shared), needs_reason: false, max_size: u64::MAX }
    }

    /// The same, with an action without a reason denied.
    #[must_use]
    pub fn with_reasons(mut self, needs_reason: bool) -> Self {
        self.needs_reason = needs_reason;
        self
    }

    /// The same, with none carried out while the audit log uses so many bytes.
    #[must_use]
    pub fn with_max_size(mut self, max_size: u64) -> Self {
        self.max_size = max_size;
        self
    }

    /// Whether an action needs a reason.
    #[must_use]
    pub fn needs_reason(&self) -> bool {
        self.needs_reason
    }

    /// The servers that a request means, if the principal may do this to them: for the form, which asks a question before
    /// it runs an operation. A reason is not needed yet.
    ///
    /// # Errors
    /// As [`Self::run`]; the denial is recorded.
    pub async fn targets(&self, request: &ActionRequest, principal: &Principal) -> Result<Vec<Target>, RequestError> {
        match self.authorise(request, principal) {
            Ok(targets) => Ok(targets),
            Err(error) => Err(self.deny(request, principal, error).await),
        }
    }

    /// Does what is asked for, on all nodes at once, and gives the outcome of each target.
    ///
    /// # Errors
    /// When it may not be done, a target is not known or not clear, or it can't be recorded: then nothing was sent to any
    /// node.
    pub async fn run(&self, request: ActionRequest, principal: &Principal) -> Result<ActionResponse, RequestError> {
        let CheckedRequest { targets, reason } = match self.plan(&request, principal) {
            Ok(plan) => plan,
            Err(error) => return Err(self.deny(&request, principal, error).await),
        };
        if let Err(RateLimited { retry_after, is_first }) = self.check_rate(principal) {
            let error = RequestError::Rate { wait: retry_after };
            return Err(if is_first { self.deny(&request, principal, error).await } else { error });
        }
        let (action, operation) = (request.action, self.new_name());
        let by = &principal.name;
        tracing::info!(operation, by, reason, action = action.id(), targets = targets.len(), "asked for");
        // Without this entry nothing is sent.
        if let Err(error) = self.record(&request, principal, &operation, &targets, &reason).await {
            return Err(if error.is_denial() { self.deny(&request, principal, error).await } else { error });
        }
        // In a task of its own: should the client go away, the outcomes are recorded all the same.
        let work = self.clone().carry_out(principal.clone(), operation.clone(), action, targets.clone(), reason);
        let (outcomes, is_recorded) =
            tokio::spawn(work).await.unwrap_or_else(|_| (unreachable(targets, OrderError::Ended), false));
        let warning = if is_recorded { String::new() } else { OUTCOME_UNRECORDED.to_owned() };
        let response = ActionResponse { operation, outcomes, warning };
        Ok(redact(&principal.rights, &self.shared.hub.world(), response))
    }

    /// Checks everything that has to hold before anything is sent. The first check that fails is the one that is reported.
    fn plan(&self, request: &ActionRequest, principal: &Principal) -> Result<CheckedRequest, RequestError> {
        let targets = self.authorise(request, principal)?;
        let reason = plain(request.reason.as_deref().unwrap_or_default().trim());
        match reason.chars().count() {
            0 if self.needs_reason => Err(RequestError::NoReason),
            length if length > resolve::LONGEST_REASON => Err(RequestError::LongReason(length)),
            _ => Ok(CheckedRequest { targets, reason }),
        }
    }

    /// Writes the entry before an operation, if the principal may do it at that very moment.
    async fn record(
        &self,
        request: &ActionRequest,
        principal: &Principal,
        operation: &str,
        targets: &[Target],
        reason: &str,
    ) -> Result<(), RequestError> {
        let (world, rights, request) = (self.shared.hub.world(), principal.rights.clone(), request.clone());
        let (operation, targets, reason) = (operation.to_owned(), targets.to_vec(), reason.to_owned());
        let (max_size, unrecorded) =
            (self.max_size, |error: rusqlite::Error| RequestError::Unrecorded(error.to_string()));
        let recorded = self.shared.auth.change(principal, Permission::Act, move |transaction, by| {
            let used = audit::used_bytes(transaction).map_err(unrecorded)?;
            if used >= max_size {
                return Err(RequestError::Full { used: used / 1_000_000, max: max_size / 1_000_000 });
            }
            if by.rights != rights {
                authorised_targets(&world, request.action, &request.targets, &by.rights)?;
            }
            let entry = audit_entries::operation(by, request.action, &operation, &targets, &reason);
            audit::append(transaction, &entry).map_err(unrecorded)
        });
        match recorded.await {
            Ok(recorded) => recorded,
            Err(ChangeError::Revoked(Revoked { now: None, .. })) => Err(RequestError::NotLoggedIn),
            Err(ChangeError::Revoked(revoked)) => Err(RequestError::Denied(revoked.reason().to_owned())),
            Err(ChangeError::Database(error)) => Err(RequestError::Unrecorded(error.to_string())),
        }
    }

    fn authorise(&self, request: &ActionRequest, principal: &Principal) -> Result<Vec<Target>, RequestError> {
        authorised_targets(&self.shared.hub.world(), request.action, &request.targets, &principal.rights)
    }

    fn check_rate(&self, principal: &Principal) -> Result<(), RateLimited> {
        // A panic elsewhere leaves the counts whole.
        let mut limiter = self.shared.rate_limiter.lock().unwrap_or_else(PoisonError::into_inner);
        limiter.check(&rate::key(principal), Instant::now())
    }

    /// Records a denial. Should that fail, the request is denied all the same, and the log has both errors.
    async fn deny(&self, request: &ActionRequest, principal: &Principal, error: RequestError) -> RequestError {
        tracing::info!(by = principal.name, action = request.action.id(), %error, "denied");
        let entry = audit_entries::denial(principal, request, &error);
        self.shared.auth.audit_denial(entry).await;
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
        let requester = Requester { by: principal.name.clone(), operation };
        let mut by_node: BTreeMap<&str, Vec<Target>> = BTreeMap::new();
        for target in &targets {
            by_node.entry(&target.node).or_default().push(target.clone());
        }
        let parts = by_node.into_iter().map(|(node, targets)| {
            let permit = self.permit(&principal, action, node);
            self.on_node(node, action, targets, &requester, permit)
        });
        let mut outcomes: Vec<TargetOutcome> = join_all(parts).await.into_iter().flatten().collect();
        let place: BTreeMap<&Target, usize> = targets.iter().zip(0..).collect();
        outcomes.sort_by_key(|o| place.get(&o.target).copied());
        let entry = audit_entries::outcome(&principal, action, &requester.operation, &outcomes);
        let is_recorded = self.shared.auth.audit().append(entry).await.is_ok();
        if !is_recorded {
            tracing::error!(
                operation = requester.operation,
                "an operation was done, and its outcome can't be recorded"
            );
        }
        self.report(&requester, action, &short(&reason), &outcomes).await;
        (outcomes, is_recorded)
    }

    /// Lets a node go on with an operation as long as the account of whoever asked for it has the right to do it.
    fn permit(&self, principal: &Principal, action: Action, node: &str) -> Permit {
        let world = self.shared.hub.world();
        let cluster = world.fleet.node(node).map(|node| node.cluster.clone()).unwrap_or_default();
        let (auth, principal) = (self.shared.auth.clone(), principal.clone());
        Permit::new(move |target| {
            let (auth, principal) = (auth.clone(), principal.clone());
            let (cluster, backend) = (cluster.clone(), target.backend.clone());
            Box::pin(async move {
                match auth.account_rights(&principal).await {
                    Ok(Some(rights)) if rights.denied(action, &cluster, &backend).is_none() => Ok(()),
                    Ok(_) => Err(format!("{} may not do this any more", principal.name)),
                    Err(error) => Err(format!("it is not known whether {} may still do this: {error}", principal.name)),
                }
            })
        })
    }

    async fn on_node(
        &self,
        node: &str,
        action: Action,
        targets: Vec<Target>,
        requester: &Requester,
        permit: Permit,
    ) -> Vec<TargetOutcome> {
        let outcomes = match self.shared.collectors.get(node) {
            Some(collector) => collector.execute(action, targets.clone(), requester.clone(), permit).await,
            None => Err(OrderError::Ended),
        };
        outcomes.unwrap_or_else(|error| unreachable(targets, error))
    }

    /// Counts and logs the outcomes, and makes events of them.
    async fn report(&self, requester: &Requester, action: Action, reason: &str, outcomes: &[TargetOutcome]) {
        let operation = &requester.operation;
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
        let event = |o: &TargetOutcome| event(cluster(&o.target.node), requester, action, reason, o, now);
        let events: Vec<Event> = outcomes.iter().map(event).collect();
        self.shared.metrics.happened(&events);
        self.shared.hub.add_events(events).await;
    }

    /// A name that no other operation on this machine has: when the program started, and a number. The number is opaque, so
    /// that it does not tell how many operations of others there were.
    fn new_name(&self) -> String {
        let count = self.shared.count.fetch_add(1, Ordering::Relaxed);
        format!("{:x}-{:x}", self.shared.started, opaque_id("operation", count))
    }
}

/// The event of one target's outcome.
fn event(
    cluster: String,
    requester: &Requester,
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
        account: String::new(),
        kind: EventKind::Operation,
        before: before.clone(),
        after: after.clone(),
        cause,
        by: requester.by.clone(),
        operation: requester.operation.clone(),
    }
}

/// A reason as events keep it: no longer than somebody reads.
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
