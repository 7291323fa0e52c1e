//! A busy fleet in which every name says where it belongs, so that one in the wrong place is found.

use std::sync::Arc;

use fastrand::Rng;
use model::{
    action::Action,
    change::diff,
    col::{Col, Text},
    event::{Event, EventKind},
    fleet::{Link, Node, NodeStats},
    lost::Lost,
    rights::{Grant, Pattern, Rights, Role},
    row::{Row, RowKind},
    topic::TopicId,
};

use crate::hub::{ProxyUpdate, Update};

/// Clusters, and how many nodes each has. No name here is a part of another.
const CLUSTERS: [(&str, usize); 3] = [("edge.end", 2), ("core.end", 1), ("far.end", 2)];

/// Proxies of each cluster, but for what stands before them.
const PROXIES: [&str; 4] = ["app1.end", "app2.end", "db.end", "web.end"];

/// A proxy's name: each cluster has its own.
fn proxy(cluster: &str, proxy: &str) -> String {
    format!("{}-{proxy}", cluster.trim_end_matches(".end"))
}

fn server(proxy: &str, number: usize) -> String {
    format!("{}.s{number}.end", proxy.trim_end_matches(".end"))
}

/// What happens to the fleet.
pub(super) struct Busy {
    rng: Rng,
    pub(super) nodes: Vec<Node>,
    /// Per node and proxy its rows.
    known: Vec<Vec<Arc<Vec<Row>>>>,
    tick: u64,
}

impl Busy {
    pub(super) fn new(seed: u64) -> Self {
        let of = |(cluster, count): (&str, usize)| {
            let stem = cluster.trim_end_matches(".end").to_owned();
            let cluster = cluster.to_owned();
            (0..count).map(move |n| Node {
                name: format!("{stem}.lb{n}.end"),
                cluster: cluster.clone(),
                address: format!("unix:/run/{stem}.lb{n}.end"),
                ..Node::default()
            })
        };
        let nodes: Vec<Node> = CLUSTERS.into_iter().flat_map(of).collect();
        let known = vec![vec![Arc::default(); PROXIES.len()]; nodes.len()];
        Self { rng: Rng::with_seed(seed), nodes, known, tick: 0 }
    }

    /// The next poll of any node.
    pub(super) fn change(&mut self) -> Update {
        self.tick += 1;
        let place = self.rng.usize(..self.nodes.len());
        let link = match self.rng.u8(..16) {
            0 => Link::Down,
            1 => Link::Stale,
            _ => Link::Live,
        };
        let proxies = match link {
            Link::Live => (0..PROXIES.len()).filter_map(|at| self.evolve(place, at)).collect(),
            _ => Vec::new(),
        };
        let events = self.happened(place);
        let lost = (self.rng.u8(..6) == 0).then(|| self.lost(place));
        let requests = self.requests(place);
        let node = &mut self.nodes[place];
        node.link = link;
        node.error = if link == Link::Live { String::new() } else { format!("no answer of {}", node.address) };
        node.stats = NodeStats { polled: self.tick, conns: self.rng.u64(..9), idle: 50, requests };
        Update { place, node: node.clone(), replies: None, proxies, events, lost }
    }

    fn requests(&self, place: usize) -> u64 {
        self.known[place].iter().flat_map(|rows| rows.iter()).map(crate::hub::requests_of).sum()
    }

    fn evolve(&mut self, place: usize, at: usize) -> Option<ProxyUpdate> {
        let cluster = self.nodes[place].cluster.clone();
        let name = proxy(&cluster, PROXIES[at]);
        let old = self.known[place][at].clone();
        let mut rows = match self.rng.u8(..12) {
            0 => {
                self.known[place][at] = Arc::default();
                return (!old.is_empty()).then_some(ProxyUpdate { proxy: name, rows: None });
            }
            1..6 if !old.is_empty() => return None,
            6..11 if !old.is_empty() => Vec::clone(&old),
            _ => self.rows(&name),
        };
        for _ in 0..3 {
            let at = self.rng.usize(..rows.len());
            self.touch(&cluster, &mut rows[at]);
        }
        let change = diff(&old, &rows)?;
        let rows = Arc::new(rows);
        self.known[place][at] = rows.clone();
        Some(ProxyUpdate { proxy: name, rows: Some((rows, change)) })
    }

    fn rows(&mut self, proxy: &str) -> Vec<Row> {
        let servers = self.rng.usize(1..5);
        let servers = (0..servers).map(|n| Row::new(RowKind::Server, server(proxy, n)));
        let frontend = Row::new(RowKind::Frontend, "FRONTEND");
        std::iter::once(frontend).chain(servers).chain([Row::new(RowKind::Backend, "BACKEND")]).collect()
    }

    /// Other figures, and now and then a server of any proxy of the cluster to follow.
    fn touch(&mut self, cluster: &str, row: &mut Row) {
        row.set(Col::Scur, Some(self.rng.u64(..100)));
        row.set(Col::ReqRate, Some(self.rng.u64(..100)));
        let other = proxy(cluster, PROXIES[self.rng.usize(..PROXIES.len())]);
        let other = format!("{other}/{}", server(&other, self.rng.usize(..4)));
        let via = format!("MAINT (via {other})");
        let (status, tracked) = match self.rng.u8(..5) {
            0 => (via.as_str(), other.as_str()),
            1 => ("DOWN", ""),
            2 => ("UP", other.as_str()),
            3 => ("DRAIN", other.as_str()),
            _ => ("UP", ""),
        };
        if row.kind == RowKind::Server {
            row.set_text(Text::Tracked, tracked);
        }
        row.set_text(Text::Status, status);
    }

    fn any_row(&mut self, place: usize) -> Option<(String, Row)> {
        let at = self.rng.usize(..PROXIES.len());
        let rows = self.known[place][at].clone();
        let row = rows.get(self.rng.usize(..rows.len().max(1)))?;
        Some((proxy(&self.nodes[place].cluster, PROXIES[at]), row.clone()))
    }

    /// Changes of state, operations, reloads, links.
    fn happened(&mut self, place: usize) -> Vec<Event> {
        let kind = EventKind::ALL[self.rng.usize(..EventKind::ALL.len())];
        let event = Event::of(&self.nodes[place], kind, self.tick);
        match kind {
            // No node has one.
            EventKind::Account => Vec::new(),
            EventKind::Reload | EventKind::Link => vec![Event { cause: "3 states lost".into(), ..event }],
            EventKind::State | EventKind::Operation => {
                let Some((proxy, row)) = self.any_row(place) else { return Vec::new() };
                let status = row.text(Text::Status).to_owned();
                let cause = format!("follows {}, 3 sessions left", row.text(Text::Tracked));
                let before = format!("{status} for 3 s");
                vec![Event { proxy, server: row.name, before, after: status, cause, by: "anna".into(), ..event }]
            }
        }
    }

    fn lost(&mut self, place: usize) -> Vec<Lost> {
        let rows: Vec<_> = (0..2).filter_map(|_| self.any_row(place)).collect();
        let Node { name, cluster, .. } = &self.nodes[place];
        let lost = |(proxy, row): (String, Row)| Lost {
            node: name.clone(),
            cluster: cluster.clone(),
            proxy,
            server: row.name,
            action: Action::Drain,
            since: 0,
            by: "anna".into(),
            operation: String::new(),
            at: self.tick,
        };
        rows.into_iter().map(lost).collect()
    }
}

/// Rights that bind, and bind a little differently by each seed.
pub(super) fn rights(seed: u64) -> Arc<Rights> {
    let mut rng = Rng::with_seed(seed);
    let pattern = |name: &str| Pattern(name.to_owned());
    let mut grants = Vec::new();
    for _ in 0..rng.usize(0..3) {
        let cluster = ["edge.end", "core.end", "far.end", "e*", "nowhere"][rng.usize(..5)];
        let backends = ["*-app*", "edge-app1.end", "*-web.end", "core-db.end", "nothing"];
        let backend = pattern(backends[rng.usize(..backends.len())]);
        let by_backend = Grant { clusters: vec![], backends: vec![backend], actions: vec![] };
        let by_cluster = Grant { clusters: vec![pattern(cluster)], backends: vec![], actions: vec![] };
        grants.push(match rng.u8(..3) {
            0 => by_backend,
            1 => by_cluster,
            _ => Grant { clusters: by_cluster.clusters, ..by_backend },
        });
    }
    Arc::new(Rights { role: Role::Viewer, grants: Some(grants) })
}

/// Every name that they may not read.
pub(super) fn invisible(rights: &Rights) -> Vec<String> {
    let mut out = Vec::new();
    for (cluster, nodes) in CLUSTERS {
        let stem = cluster.trim_end_matches(".end");
        if !rights.sees_cluster(cluster) {
            out.push(cluster.to_owned());
            out.extend((0..nodes).map(|n| format!("{stem}.lb{n}.end")));
        }
        for name in PROXIES.map(|p| proxy(cluster, p)) {
            if !rights.sees(cluster, &name) {
                out.extend((0..5).map(|n| server(&name, n)));
                out.push(name);
            }
        }
    }
    out
}

/// Every topic that there can be, seen or not.
pub(super) fn topics() -> Vec<TopicId> {
    let of = |(cluster, nodes): (&'static str, usize)| {
        let stem = cluster.trim_end_matches(".end");
        PROXIES.into_iter().map(move |p| proxy(cluster, p)).flat_map(move |name| {
            let on_nodes = (0..nodes).map(|n| TopicId::node(&format!("{stem}.lb{n}.end"), &name)).collect::<Vec<_>>();
            on_nodes.into_iter().chain([TopicId::proxy(cluster, &name)])
        })
    };
    [TopicId::Fleet, TopicId::Events].into_iter().chain(CLUSTERS.into_iter().flat_map(of)).collect()
}
