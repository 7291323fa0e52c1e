//! Whether a node answers, as everybody sees it.

use std::time::Duration;

use lab::Haproxy;
use model::{fleet::Link, problem::Severity};
use server::hub::World;

use crate::harness::{
    servers::Server,
    sluice::{Sluice, row},
};

/// A time between polls with which a node that stopped is stale for a while before it is down.
const POLL: Duration = Duration::from_millis(500);

fn proxies(web: &Server) -> String {
    format!("backend be\n\tserver s1 127.0.0.1:{}\n", web.port)
}

/// What the wall says of the node.
fn complaint(world: &World) -> Option<(&str, &str)> {
    let problem = world.fleet.problems.iter().find(|p| p.severity == Severity::NodeDown && p.name == "lb1")?;
    Some((&problem.status, &problem.cause))
}

#[tokio::test]
async fn a_node_that_stops_is_stale_then_down_and_comes_back_by_itself() {
    let web = Server::web().await;
    let Some(mut haproxy) = Haproxy::start(&proxies(&web)).await else { return };
    let sluice = Sluice::polling(POLL, &[("lb1", "edge", &haproxy.admin())]).await;
    let live = sluice.hub.world();
    assert_eq!((complaint(&live), live.fleet.nodes[0].error.as_str()), (None, ""));

    haproxy.stop();
    let stale = sluice.until("lb1 is stale", |w| w.fleet.nodes[0].link == Link::Stale).await;
    assert!(stale.fleet.nodes[0].error.contains("HAProxy is stopped"), "{}", stale.fleet.nodes[0].error);
    assert_eq!(complaint(&stale).map(|(status, _)| status), Some("STALE"));

    let down = sluice.until("lb1 is down", |w| w.fleet.nodes[0].link == Link::Down).await;
    let (status, cause) = complaint(&down).expect("a complaint");
    assert!(status == "UNREACHABLE" && cause.contains("HAProxy is stopped"), "{status}: {cause}");
    assert_eq!(down.fleet.nodes[0].stats.polled, live_until(&stale), "the age is that of the last answer");
    assert!(row(&down, "lb1/be/s1").is_some(), "its rows stay, with their age");

    haproxy.start_again().await;
    let back = sluice.until("lb1 is live", |w| w.fleet.nodes[0].link == Link::Live).await;
    assert_eq!((complaint(&back), back.fleet.nodes[0].error.as_str()), (None, ""));
    assert_ne!(back.fleet.nodes[0].pid, live.fleet.nodes[0].pid);
}

fn live_until(world: &World) -> u64 {
    world.fleet.nodes[0].stats.polled
}

#[tokio::test]
async fn a_node_that_freezes_is_told_and_holds_up_no_other() {
    let web = Server::web().await;
    let (Some(one), Some(two)) = (Haproxy::start(&proxies(&web)).await, Haproxy::start(&proxies(&web)).await) else {
        return;
    };
    let sluice = Sluice::watching(&[("lb1", "edge", &one.admin()), ("lb2", "edge", &two.admin())]).await;
    let before = sluice.hub.world();
    one.freeze();
    let frozen = sluice.until("lb1 is not live", |w| w.fleet.nodes[0].link != Link::Live).await;
    assert!(frozen.fleet.nodes[0].error.contains("no answer in time"), "{}", frozen.fleet.nodes[0].error);
    assert!(complaint(&frozen).is_some());
    // Meanwhile the other was polled on and on.
    assert_eq!(frozen.fleet.nodes[1].link, Link::Live);
    assert!(frozen.fleet.nodes[1].stats.polled > before.fleet.nodes[1].stats.polled);
    let label = server::metrics::Metrics::node("lb2");
    assert!(sluice.metrics.polls.get_or_create(&label).get() > 5);
    assert_eq!(sluice.metrics.poll_errors.get_or_create(&label).get(), 0);

    one.thaw();
    let back = sluice.until("lb1 is live", |w| w.fleet.nodes[0].link == Link::Live).await;
    assert_eq!(back.fleet.nodes[0].pid, before.fleet.nodes[0].pid);
    assert!(complaint(&back).is_none());
}
