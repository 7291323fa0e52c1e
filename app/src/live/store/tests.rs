//! Which proxies leave the page.

use leptos::reactive::owner::Owner;
use model::{
    fleet::{Counts, NodeStats, ProxySummary},
    row::RowKind,
};

use super::*;

/// Cluster `edge` of lb1 and lb2, and a proxy of each of these names; who has not answered was polled at 0.
fn fleet(proxies: &[&str], polled: [u64; 2]) -> Fleet {
    let node = |name: &str, polled| Node {
        name: name.into(),
        cluster: "edge".into(),
        stats: NodeStats { polled, ..NodeStats::default() },
        ..Node::default()
    };
    let proxy = |name: &&str| ProxySummary {
        cluster: "edge".into(),
        proxy: (*name).to_owned(),
        nodes: vec![Counts { node: "lb1".into(), ..Counts::default() }],
        merged: Some(Counts::default()),
    };
    let nodes = vec![node("lb1", polled[0]), node("lb2", polled[1])];
    Fleet { nodes, proxies: proxies.iter().map(proxy).collect(), ..Fleet::default() }
}

fn store(proxies: &[&str]) -> Store {
    let section = |node: &str| Section::new(node, vec![Row::new(RowKind::Server, "s1")].into());
    let sections = || Sections(vec![section(Section::MERGED), section("lb1"), section("lb2")]);
    let proxies = proxies.iter().map(|name| ("edge".to_owned(), (*name).to_owned(), sections())).collect();
    let opened = ["lb1", "lb2"].map(|node| (TopicId::node(node, "web"), Sections(vec![section(node)])));
    Store::new(proxies, opened.into())
}

fn names(store: &Store) -> Vec<String> {
    store.listed(None).into_iter().map(|section| section.proxy).collect()
}

#[test]
fn a_proxy_that_the_fleet_does_not_list_leaves_the_page() {
    Owner::new().with(|| {
        let store = store(&["web", "old"]);
        store.drop_gone(&fleet(&["web", "old"], [1, 1]));
        assert_eq!(names(&store), ["web", "old"]);
        store.drop_gone(&fleet(&["web"], [1, 1]));
        assert_eq!(names(&store), ["web"]);
        assert!(store.opened("lb1", "web").is_some(), "lb1 has it");
        assert!(store.opened("lb2", "web").is_none(), "lb2 has it no more");
    });
}

#[test]
fn what_a_node_has_not_told_again_since_sluice_started_stays() {
    Owner::new().with(|| {
        let store = store(&["web", "old"]);
        store.drop_gone(&fleet(&[], [0, 0]));
        store.drop_gone(&fleet(&["web"], [1, 0]));
        assert_eq!(names(&store), ["web", "old"]);
        assert!(store.opened("lb2", "web").is_some());
        store.drop_gone(&fleet(&["web"], [1, 1]));
        assert_eq!(names(&store), ["web"]);
    });
}
