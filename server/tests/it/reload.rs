//! A reload under traffic: another worker, and nobody notices.

use std::collections::BTreeSet;

use lab::Haproxy;
use model::{col::Col, fleet::Link};
use server::metrics::Metrics;

use crate::harness::{
    raw,
    servers::{Server, traffic},
    sluice::{Sluice, highest_rate, row},
};

const PROXIES: &str = "\
frontend web
	bind unix@DIR/web.sock
	default_backend be
backend be
	server s1 127.0.0.1:WEB
	server s2 127.0.0.1:WEB
";

/// How often it is reloaded.
const RELOADS: usize = 3;

/// More than this machine moves in a second.
const ABSURD: u64 = 10_000_000_000;

#[tokio::test]
async fn a_reload_changes_the_process_and_nothing_else() {
    let web = Server::web().await;
    let Some(haproxy) = Haproxy::builder().master().start(&PROXIES.replace("WEB", &web.port.to_string())).await else {
        return;
    };
    let sluice = Sluice::watching(&[("lb1", "edge", &haproxy.admin())]).await;
    let traffic = traffic(&haproxy.path("web.sock"));
    sluice.until("a rate", |w| highest_rate(w) > 0).await;

    let mut pids = BTreeSet::new();
    let mut last = sluice.hub.world();
    for _ in 0..RELOADS {
        let (pid, pages) = (last.fleet.nodes[0].pid, traffic.pages());
        haproxy.reload();
        // Every poll on the way is looked at.
        loop {
            let polled = last.fleet.nodes[0].stats.polled;
            last = sluice.until("another poll", |w| w.fleet.nodes[0].stats.polled > polled).await;
            let node = &last.fleet.nodes[0];
            assert_eq!((node.link, node.error.as_str()), (Link::Live, ""));
            assert!(highest_rate(&last) < ABSURD, "{:?}", row(&last, "lb1/web/FRONTEND"));
            assert!(last.fleet.problems.is_empty(), "{:?}", last.fleet.problems);
            let in_use = row(&last, "lb1/be/s1").is_some_and(|r| r.get(Col::Bout) > 0 && r.get(Col::BoutRate) > 0);
            if node.pid != pid && in_use && traffic.pages() > pages {
                break;
            }
        }
        let said = raw::ask(&haproxy.admin(), "show info").await;
        assert!(said.contains(&format!("\nPid: {}\n", last.fleet.nodes[0].pid)), "{said}");
        pids.insert(last.fleet.nodes[0].pid);
    }
    assert_eq!(pids.len(), RELOADS);
    let label = Metrics::node("lb1");
    assert_eq!(sluice.metrics.poll_errors.get_or_create(&label).get(), 0);
}
