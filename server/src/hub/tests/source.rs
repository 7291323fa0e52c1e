//! Nodes whose rows change at random, as collectors would tell it.

use std::{collections::BTreeMap, sync::Arc};

use fastrand::Rng;
use model::{
    change::diff,
    col::{Col, Text},
    event::{Event, EventKind},
    fleet::{Link, Node, NodeStats},
    row::{Row, RowKind},
};

use crate::hub::{ProxyUpdate, Update};

pub(super) const CLUSTERS: [&str; 2] = ["edge", "lab"];
pub(super) const PROXIES: [&str; 6] = ["api", "web", "img", "db", "a.b-c_d:e", "stats"];

/// What HAProxy writes into `status`, and what it does not.
const STATUSES: [&str; 8] =
    ["UP", "DOWN", "UP 1/3", "MAINT (via web/s1)", "no check", "", "SIDEWAYS", "<b>\u{e9}\"\u{fffd}"];

/// The nodes of two clusters.
pub(super) struct Source {
    rng: Rng,
    nodes: Vec<Node>,
    /// Per node its proxies.
    known: Vec<BTreeMap<String, Arc<Vec<Row>>>>,
    /// Counts the updates: `polled` of each.
    tick: u64,
}

impl Source {
    pub(super) fn new(seed: u64) -> Self {
        let node = |name: &str, cluster: &str| Node { name: name.into(), cluster: cluster.into(), ..Node::default() };
        let nodes = vec![node("lb1", CLUSTERS[0]), node("lb2", CLUSTERS[0]), node("lb3", CLUSTERS[1])];
        Self { rng: Rng::with_seed(seed), known: vec![BTreeMap::new(); nodes.len()], nodes, tick: 0 }
    }

    pub(super) fn nodes(&self) -> Vec<Node> {
        self.nodes.clone()
    }

    /// What the next poll of any node brings.
    pub(super) fn change(&mut self) -> Update {
        let place = self.rng.usize(..self.nodes.len());
        if self.rng.u8(..20) == 0 {
            let link = if self.rng.bool() { Link::Stale } else { Link::Down };
            return self.update(place, link, Vec::new());
        }
        let mut names = PROXIES;
        self.rng.shuffle(&mut names);
        let count = self.rng.usize(1..4);
        let proxies = names[..count].iter().filter_map(|name| self.evolve(place, name)).collect();
        self.update(place, Link::Live, proxies)
    }

    /// A poll that finds one proxy changed: that of node `lb1` with this name, first seen or other cells.
    pub(super) fn change_of(&mut self, proxy: &str) -> Update {
        let old = self.known[0].get(proxy).cloned().unwrap_or_default();
        let mut rows = if old.is_empty() { self.rows() } else { Vec::clone(&old) };
        let tick = self.tick;
        rows[0].set(Col::Stot, Some(tick));
        let update = self.proxy_update(0, proxy, &old, rows);
        self.update(0, Link::Live, update.into_iter().collect())
    }

    fn update(&mut self, place: usize, link: Link, proxies: Vec<ProxyUpdate>) -> Update {
        self.tick += 1;
        let stats =
            NodeStats { polled: self.tick, conns: self.rng.u64(..9), idle: 50, requests: self.rng.u64(..1_000) };
        let events = self.happened(place);
        let node = &mut self.nodes[place];
        node.link = link;
        node.error = if link == Link::Live { String::new() } else { format!("no answer, {}", self.tick % 3) };
        node.stats = stats;
        Update { place, node: node.clone(), replies: None, proxies, events, lost: None }
    }

    /// Now and then something happens.
    fn happened(&mut self, place: usize) -> Vec<Event> {
        let count = self.rng.usize(..8).saturating_sub(5);
        let tick = self.tick;
        (0..count).map(|_| Event::of(&self.nodes[place], EventKind::Link, tick)).collect()
    }

    fn evolve(&mut self, place: usize, proxy: &str) -> Option<ProxyUpdate> {
        let old = self.known[place].get(proxy).cloned().unwrap_or_default();
        if old.is_empty() {
            let rows = self.rows();
            return self.proxy_update(place, proxy, &old, rows);
        }
        let mut rows = Vec::clone(&old);
        match self.rng.u8(..12) {
            0 => {
                self.known[place].remove(proxy);
                return Some(ProxyUpdate { proxy: proxy.into(), rows: None });
            }
            1 => rows = self.rows(),
            2 => {
                let (a, b) = (self.rng.usize(..rows.len()), self.rng.usize(..rows.len()));
                rows.swap(a, b);
            }
            3 => drop(rows.remove(self.rng.usize(..rows.len()))),
            _ => {}
        }
        for _ in 0..self.rng.usize(..6).min(rows.len()) {
            let at = self.rng.usize(..rows.len());
            self.touch(&mut rows[at]);
        }
        self.proxy_update(place, proxy, &old, rows)
    }

    fn proxy_update(&mut self, place: usize, proxy: &str, old: &[Row], rows: Vec<Row>) -> Option<ProxyUpdate> {
        let change = diff(old, &rows)?;
        let rows = Arc::new(rows);
        self.known[place].insert(proxy.into(), rows.clone());
        Some(ProxyUpdate { proxy: proxy.into(), rows: Some((rows, change)) })
    }

    /// A frontend, some of ten servers, a backend.
    fn rows(&mut self) -> Vec<Row> {
        let mut servers: Vec<u8> = (0..10).collect();
        self.rng.shuffle(&mut servers);
        servers.truncate(self.rng.usize(1..8));
        let servers = servers.iter().map(|n| Row::new(RowKind::Server, format!("s{n}")));
        let mut rows: Vec<Row> = std::iter::once(Row::new(RowKind::Frontend, "FRONTEND")).chain(servers).collect();
        rows.push(Row::new(RowKind::Backend, "BACKEND"));
        for row in &mut rows {
            self.touch(row);
        }
        rows
    }

    /// Other cells, the extremes and empty ones among them.
    fn touch(&mut self, row: &mut Row) {
        for _ in 0..self.rng.usize(1..5) {
            let col = Col::ALL[self.rng.usize(..Col::COUNT)];
            let value = match self.rng.u8(..5) {
                0 => None,
                1 => Some(self.rng.u64(..u64::MAX)),
                _ => Some(self.rng.u64(..1_000)),
            };
            row.set(col, value);
        }
        row.set(Col::Scur, Some(self.rng.u64(..100)));
        row.set_text(Text::Status, STATUSES[self.rng.usize(..STATUSES.len())]);
        row.set_text(Text::LastChk, STATUSES[self.rng.usize(..STATUSES.len())]);
    }
}
