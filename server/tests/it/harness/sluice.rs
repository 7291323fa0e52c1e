//! Sluice's core: a hub, a collector per node, operations.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use haproxy::{Address, Connector};
use model::{
    action::Action,
    col::{Col, Text},
    fleet::Link,
    outcome::{ActionRequest, Target, TargetOutcome, TargetRef},
    row::Row,
};
use server::{
    audit::AuditLog,
    auth::{Auth, AuthConfig, Cost, Principal, Rules, SessionLimits},
    collector::{Collector, unpolled_node},
    config::NodeConfig,
    db::Database,
    hub::{Hub, World},
    metrics::Metrics,
    operations::{Operations, RequestError},
    web::AppState,
};
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::PATIENCE;

/// The usual time between two polls here: short, so that tests are.
const POLL: Duration = Duration::from_millis(200);

/// A running core. Dropping it ends its tasks.
pub(crate) struct Sluice {
    pub(crate) hub: Hub,
    pub(crate) operations: Operations,
    pub(crate) database: Database,
    pub(crate) metrics: Arc<Metrics>,
    shutdown: CancellationToken,
}

/// Who may do what: everybody everything, as there are no accounts; nobody anything where it may not be open.
fn auth(database: &Database, may_be_open: bool) -> Auth {
    let (rules, sessions) = (Rules::default(), SessionLimits::default());
    let cost = Cost { memory: 8, passes: 1, lanes: 1 };
    Auth::start(database.clone(), AuthConfig { rules, sessions, may_be_open, cost }).expect("access")
}

impl Sluice {
    /// Watches nodes, each given as name, cluster and socket; returns when all are live.
    pub(crate) async fn watching(nodes: &[(&str, &str, &Path)]) -> Self {
        Self::polling(POLL, nodes).await
    }

    /// The same with another time between two polls.
    pub(crate) async fn polling(poll: Duration, nodes: &[(&str, &str, &Path)]) -> Self {
        let config = |(name, cluster, path): &(&str, &str, &Path)| NodeConfig {
            cluster: (*cluster).to_owned(),
            ..node(name, Address::Unix(path.to_path_buf()), poll)
        };
        let sluice = Self::start(&nodes.iter().map(config).collect::<Vec<_>>());
        sluice.until("every node is live", |w| w.fleet.nodes.iter().all(|n| n.link == Link::Live)).await;
        sluice
    }

    /// Watches nodes, each given as its name and how it is reached; returns when all are live.
    pub(crate) async fn reaching(nodes: &[(&str, Connector)]) -> Self {
        let configs: Vec<_> = nodes.iter().map(|(name, connector)| node(name, connector.clone(), POLL)).collect();
        let sluice = Self::start(&configs);
        sluice.until("every node is live", |w| w.fleet.nodes.iter().all(|n| n.link == Link::Live)).await;
        sluice
    }

    /// Watches nodes, whether they answer or not.
    pub(crate) fn start(configs: &[NodeConfig]) -> Self {
        let (metrics, tracker, shutdown) = (Arc::new(Metrics::new()), TaskTracker::new(), CancellationToken::new());
        let nodes = configs.iter().map(|c| unpolled_node(c, 0)).collect();
        let hub = Hub::spawn(nodes, "test".into(), metrics.clone(), &tracker, shutdown.clone());
        let collector = |(place, config): (usize, &NodeConfig)| {
            let task = Collector::spawn(place, config, hub.clone(), metrics.clone(), &tracker, shutdown.clone());
            (config.name.clone(), task)
        };
        let collectors: BTreeMap<_, _> = configs.iter().enumerate().map(collector).collect();
        let database = Database::in_memory(server::schema::MIGRATIONS).expect("memory");
        let operations = Operations::new(hub.clone(), collectors, auth(&database, true), metrics.clone());
        Self { hub, operations, database, metrics, shutdown }
    }

    /// Its audit log.
    pub(crate) fn audit(&self) -> AuditLog {
        AuditLog::new(self.database.clone())
    }

    /// The state of a program that serves what this core knows, until `shutdown` is cancelled; without accounts, for
    /// everybody or nobody.
    pub(crate) fn state(&self, may_be_open: bool, shutdown: CancellationToken) -> AppState {
        let (hub, operations, database) = (self.hub.clone(), self.operations.clone(), self.database.clone());
        let auth = auth(&database, may_be_open);
        AppState::new(hub, operations, database, auth, self.metrics.clone(), "test".into(), shutdown)
    }

    /// Waits for a state of the world.
    pub(crate) async fn until(&self, what: &str, mut wanted: impl FnMut(&World) -> bool) -> Arc<World> {
        let Ok(world) = timeout(PATIENCE, self.hub.wait_for(|w| wanted(w))).await else {
            panic!("not in time: {what}; {:#?}", self.hub.world().fleet);
        };
        world.expect("the hub runs")
    }

    /// Waits until a server has this status.
    pub(crate) async fn until_status(&self, target: &str, status: &str) -> Arc<World> {
        self.until(&format!("{target} is {status}"), |w| row(w, target).is_some_and(|r| r.text(Text::Status) == status))
            .await
    }

    /// What becomes of an action on one server of one node.
    pub(crate) async fn act(&self, action: Action, target: &str) -> TargetOutcome {
        let target: Target = target.parse().expect("a target");
        let mut outcomes = self.request(action, vec![target.clone().into()]).await.expect("a known server");
        assert_eq!(outcomes.len(), 1);
        let outcome = outcomes.remove(0);
        assert_eq!(outcome.target, target);
        outcome
    }

    /// What becomes of an action on these.
    pub(crate) async fn request(
        &self,
        action: Action,
        targets: Vec<TargetRef>,
    ) -> Result<Vec<TargetOutcome>, RequestError> {
        let request = ActionRequest { action, targets, reason: Some("a test".to_owned()) };
        let answer = timeout(PATIENCE, self.operations.run(request, &Principal::command_line("tester")))
            .await
            .expect("an answer in time");
        answer.map(|response| response.outcomes)
    }
}

impl Drop for Sluice {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// A node that is a cluster of its own.
pub(crate) fn node(name: &str, connector: impl Into<Connector>, poll: Duration) -> NodeConfig {
    NodeConfig { name: name.to_owned(), cluster: name.to_owned(), connector: connector.into(), poll }
}

/// The row of `NODE/BACKEND/SERVER`.
pub(crate) fn row<'a>(world: &'a World, target: &str) -> Option<&'a Row> {
    let target: Target = target.parse().expect("a target");
    let proxies = world.proxies.iter().filter(|p| p.proxy == target.backend);
    proxies
        .filter_map(|p| p.sections.section(&target.node))
        .flat_map(|s| s.rows.iter())
        .find(|r| r.name == target.server)
}

/// The highest of all rates, bytes a second.
pub(crate) fn highest_rate(world: &World) -> u64 {
    let rows = world.proxies.iter().flat_map(|p| &p.sections.0).flat_map(|s| s.rows.iter());
    rows.flat_map(|r| [r.get(Col::BinRate), r.get(Col::BoutRate)]).max().unwrap_or(0)
}
