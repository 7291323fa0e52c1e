//! The hub by its public API: what viewers see, whatever happens and however slowly they read.
//!
//! Time stands still (`start_paused`) and jumps to the next timer when everybody waits, so that samples are taken
//! every ten seconds without anybody waiting for them.

mod crowd;
mod following;
mod forgetting;
mod merged;
mod page;
mod program;
mod slow;
mod source;
mod subscribing;
mod views;
mod world;

use std::time::Duration;

use model::topic::TopicId;
use source::Source;

use super::*;

/// Longer than anything here takes, on the clock that jumps.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running hub with nodes that change at random.
struct Fixture {
    hub: Hub,
    source: Source,
    metrics: Arc<Metrics>,
    tracker: TaskTracker,
    shutdown: CancellationToken,
}

impl Fixture {
    fn start(seed: u64) -> Self {
        let source = Source::new(seed);
        let (metrics, tracker, shutdown) = (Arc::new(Metrics::new()), TaskTracker::new(), CancellationToken::new());
        let hub = Hub::spawn(source.nodes(), "build".into(), metrics.clone(), &tracker, shutdown.clone());
        Self { hub, source, metrics, tracker, shutdown }
    }

    /// One random change; returns when the hub has taken it in.
    async fn change(&mut self) {
        let update = self.source.change();
        self.tell(update).await;
    }

    /// So many random changes.
    async fn changes(&mut self, count: usize) {
        for _ in 0..count {
            self.change().await;
        }
    }

    /// Tells the hub, and returns when it has taken it in. Every update has a `polled` of its own.
    async fn tell(&self, update: Update) {
        let (place, polled) = (update.place, update.node.stats.polled);
        assert!(self.hub.update(update).await, "the hub ended");
        let taken = self.hub.wait_for(|world| world.fleet.nodes[place].stats.polled == polled).await;
        taken.expect("the hub runs");
    }
}

/// Fails where one of the names stands in what somebody is sent.
fn assert_free_of(bytes: &[u8], names: &[String]) {
    for name in names {
        let is_there = bytes.windows(name.len()).any(|window| window == name.as_bytes());
        assert!(!is_there, "{name} in {}", String::from_utf8_lossy(bytes));
    }
}

/// Every topic that can ever exist here.
fn every_topic() -> Vec<TopicId> {
    let proxies = source::CLUSTERS.iter().flat_map(|c| source::PROXIES.iter().map(|p| TopicId::proxy(c, p)));
    let on_node = |node: &'static str| source::PROXIES.iter().map(move |p| TopicId::node(node, p));
    let nodes = ["lb1", "lb2"].into_iter().flat_map(on_node);
    [TopicId::Fleet, TopicId::Events].into_iter().chain(proxies).chain(nodes).collect()
}
