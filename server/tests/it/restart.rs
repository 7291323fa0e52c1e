//! A HAProxy that comes back as another: other servers, and counters that start again.

use lab::Haproxy;
use model::{col::Col, fleet::Link};
use server::hub::World;

use crate::harness::{
    servers::{PAGE, Server, page},
    sluice::{Sluice, highest_rate, row},
};

/// More than this machine moves in a second; a counter taken below zero would be billions of times as much.
const ABSURD: u64 = 10_000_000_000;

const BEFORE: &str = "\
frontend web
	bind unix@DIR/web.sock
	default_backend be
backend be
	server s1 127.0.0.1:WEB
	server s2 127.0.0.1:WEB
backend old
	server o1 127.0.0.1:WEB
";

const AFTER: &str = "\
frontend web
	bind unix@DIR/web.sock
	default_backend be
backend be
	server s2 127.0.0.1:WEB
	server s3 127.0.0.1:WEB
backend new
	server n1 127.0.0.1:WEB
";

#[tokio::test]
async fn rows_follow_and_rates_stay_sane() {
    let web = Server::web().await;
    let with_port = |proxies: &str| proxies.replace("WEB", &web.port.to_string());
    let Some(mut haproxy) = Haproxy::start(&with_port(BEFORE)).await else { return };
    let sluice = Sluice::watching(&[("lb1", "edge", &haproxy.admin())]).await;
    for _ in 0..100 {
        assert!(page(&haproxy.path("web.sock")).await);
    }
    let busy = |w: &World| row(w, "lb1/web/FRONTEND").is_some_and(|r| r.get(Col::Bout) > 100 * PAGE as u64);
    sluice.until("the traffic is seen", busy).await;
    let moved = sluice.until("a rate", |w| highest_rate(w) > 0).await;
    assert!(highest_rate(&moved) < ABSURD);

    haproxy.stop();
    sluice.until("lb1 is not live", |w| w.fleet.nodes[0].link != Link::Live).await;
    haproxy.configure(&with_port(AFTER));
    haproxy.start_again().await;
    for _ in 0..5 {
        assert!(page(&haproxy.path("web.sock")).await);
    }
    let world = sluice.until("the new servers", |w| row(w, "lb1/new/n1").is_some()).await;
    let servers = |backend: &str| {
        let proxy = world.proxy("edge", backend).expect("a proxy");
        proxy.sections.0.iter().flat_map(|s| s.rows.iter().map(|r| r.name.clone())).collect::<Vec<_>>()
    };
    assert_eq!(servers("be"), ["s2", "s3", "BACKEND"]);
    assert_eq!(servers("new"), ["n1", "BACKEND"]);
    assert!(servers("old").is_empty());
    let state = row(&world, "lb1/be/s3").expect("a server").num(Col::AdminState);
    assert_eq!(state, Some(0), "the state of the new servers was read with them");

    // Over some more polls, each of which is looked at.
    let mut last = world;
    for _ in 0..15 {
        let polled = last.fleet.nodes[0].stats.polled;
        last = sluice.until("another poll", |w| w.fleet.nodes[0].stats.polled > polled).await;
        assert!(highest_rate(&last) < ABSURD, "{:?}", row(&last, "lb1/web/FRONTEND"));
        assert!(row(&last, "lb1/be/s2").is_some_and(|r| r.get(Col::ErrorsMinute) == 0));
    }
}
