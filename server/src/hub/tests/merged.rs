//! Rows merged over a cluster: what counts, and what does not any more.

use model::{
    change::diff,
    col::{Col, Text},
    fleet::Link,
    row::{Row, RowKind},
    topic::Section,
};

use super::{Fixture, source};
use crate::hub::{ProxyUpdate, Update};

const CLUSTER: &str = source::CLUSTERS[0];

/// A poll of the cluster's `place`-th node that finds one server with these sessions.
fn poll(fixture: &Fixture, place: usize, polled: u64, link: Link, status: &str, scur: u64) -> Update {
    let mut node = fixture.source.nodes()[place].clone();
    (node.link, node.stats.polled) = (link, polled);
    let mut row = Row::new(RowKind::Server, "s1");
    row.set_text(Text::Status, status);
    row.set(Col::Scur, Some(scur));
    let rows = vec![row];
    let known = fixture.hub.world().proxy(CLUSTER, "web").and_then(|p| p.sections.section(&node.name).cloned());
    let old = known.map(|s| s.rows).unwrap_or_default();
    let update = diff(&old, &rows).map(|change| ProxyUpdate { proxy: "web".into(), rows: Some((rows.into(), change)) });
    let proxies = update.into_iter().collect();
    Update { place, node, replies: None, proxies, events: Vec::new(), lost: None }
}

/// The merged row's sessions and status, and how many sections its topic has.
fn merged(fixture: &Fixture) -> (u64, String, usize) {
    let world = fixture.hub.world();
    let topic = world.proxy(CLUSTER, "web").expect("the proxy").topic();
    let row = &topic.section(Section::MERGED).expect("merged rows").rows[0];
    (row.get(Col::Scur), row.text(Text::Status).to_owned(), topic.0.len())
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_down_leaves_the_sum_and_comes_back() {
    let fixture = Fixture::start(1);
    fixture.tell(poll(&fixture, 0, 1, Link::Live, "UP", 5)).await;
    assert_eq!(merged(&fixture), (5, "UP".into(), 2));
    fixture.tell(poll(&fixture, 1, 2, Link::Live, "DOWN", 7)).await;
    assert_eq!(merged(&fixture), (12, "DOWN".into(), 3));
    // A stale node's rows, a few seconds old, still count.
    fixture.tell(poll(&fixture, 1, 3, Link::Stale, "DOWN", 7)).await;
    assert_eq!(merged(&fixture), (12, "DOWN".into(), 3));
    fixture.tell(poll(&fixture, 1, 4, Link::Down, "DOWN", 7)).await;
    assert_eq!(merged(&fixture), (5, "UP".into(), 3), "its last word is still there, in its own section");
    fixture.tell(poll(&fixture, 1, 5, Link::Live, "UP", 8)).await;
    assert_eq!(merged(&fixture), (13, "UP".into(), 3));
}

#[tokio::test(start_paused = true)]
async fn with_every_node_down_the_last_words_are_merged() {
    let fixture = Fixture::start(2);
    for (place, scur) in [(0, 5), (1, 7)] {
        fixture.tell(poll(&fixture, place, 1 + place as u64, Link::Live, "UP", scur)).await;
    }
    for place in [0, 1] {
        fixture.tell(poll(&fixture, place, 10 + place as u64, Link::Down, "UP", [5, 7][place])).await;
    }
    assert_eq!(merged(&fixture), (12, "UP".into(), 3));
}

#[tokio::test(start_paused = true)]
async fn the_fleet_counts_a_server_of_several_nodes_once() {
    let fixture = Fixture::start(3);
    fixture.tell(poll(&fixture, 0, 1, Link::Live, "UP", 0)).await;
    fixture.tell(poll(&fixture, 1, 2, Link::Live, "MAINT", 0)).await;
    let world = fixture.hub.world();
    let summary = &world.fleet.proxies[0];
    let counts = summary.merged.as_ref().expect("a cluster");
    assert_eq!((summary.nodes.len(), counts.total(), counts.up), (2, 1, 0), "as its worst node sees it");
}

#[tokio::test(start_paused = true)]
async fn a_lone_node_has_nothing_merged() {
    let fixture = Fixture::start(4);
    let mut update = poll(&fixture, 2, 1, Link::Live, "UP", 5);
    update.proxies[0].proxy = "only".into();
    fixture.tell(update).await;
    let world = fixture.hub.world();
    let proxy = world.proxy(source::CLUSTERS[1], "only").expect("the proxy");
    assert!(proxy.merged.is_none() && proxy.topic() == proxy.sections);
}

#[tokio::test(start_paused = true)]
async fn clusters_are_listed_as_configured_whoever_answers_first() {
    let fixture = Fixture::start(5);
    fixture.tell(poll(&fixture, 2, 1, Link::Live, "UP", 0)).await;
    fixture.tell(poll(&fixture, 0, 2, Link::Live, "UP", 0)).await;
    let world = fixture.hub.world();
    let listed = |clusters: Vec<&str>| assert_eq!(clusters, source::CLUSTERS);
    listed(world.proxies.iter().map(|p| p.cluster.as_str()).collect());
    listed(world.fleet.proxies.iter().map(|p| p.cluster.as_str()).collect());
}
