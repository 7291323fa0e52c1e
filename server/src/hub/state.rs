//! The current state, and which frames bring a viewer from one to the next. No viewers, no clock, no input or output.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use app::model::{
    event::Event,
    fleet::{Fleet, Node, ProxySummary},
    frame::{Frame, Handle, Seq},
    topic::{Delta, Section, Sections, TopicId},
};

use super::{
    ProxyState, ProxyUpdate, Replies, Update, World,
    events::Events,
    summary::{Summary, all_problems, summary},
    viewer::{EVENTS, FIRST_PROXY, FLEET},
};

/// Everything that is known.
#[derive(Debug)]
pub(super) struct State {
    fleet: Arc<Fleet>,
    fleet_seq: Seq,
    proxies: Vec<Arc<ProxyState>>,
    /// Per proxy and node the section's part in the fleet.
    summaries: Vec<BTreeMap<usize, Summary>>,
    /// Where a proxy stands in `proxies`, by cluster and name.
    places: HashMap<(String, String), usize>,
    replies: Vec<Option<Arc<Replies>>>,
    events: Events,
}

/// A frame for the viewers of one topic.
#[derive(Debug)]
pub(super) struct News {
    pub(super) handle: Handle,
    pub(super) frame: Frame,
}

impl State {
    pub(super) fn new(nodes: Vec<Node>) -> Self {
        Self {
            replies: vec![None; nodes.len()],
            fleet: Arc::new(Fleet { nodes, ..Fleet::default() }),
            fleet_seq: Seq::default(),
            proxies: Vec::new(),
            summaries: Vec::new(),
            places: HashMap::new(),
            events: Events::default(),
        }
    }

    pub(super) fn world(&self) -> World {
        World {
            fleet: self.fleet.clone(),
            proxies: self.proxies.clone(),
            replies: self.replies.clone(),
            events: self.events.log(),
        }
    }

    /// The handle of a topic, if it exists.
    pub(super) fn handle(&self, id: &TopicId) -> Option<Handle> {
        match id {
            TopicId::Fleet => Some(FLEET),
            TopicId::Events => Some(EVENTS),
            TopicId::Proxy { cluster, proxy } => {
                let place = self.places.get(&(cluster.clone(), proxy.clone()))?;
                Some(self.proxies[*place].handle)
            }
        }
    }

    /// The proxy behind a handle. Handles count from [`FIRST_PROXY`] on, in the order of `proxies`.
    pub(super) fn proxy(&self, handle: Handle) -> Option<&Arc<ProxyState>> {
        self.proxies.get(handle.checked_sub(FIRST_PROXY)? as usize)
    }

    /// The whole of a topic, as a frame.
    pub(super) fn snapshot(&self, handle: Handle) -> Option<Frame> {
        if handle == FLEET {
            return Some(Frame::Fleet(self.fleet_seq, Box::new(Fleet::clone(&self.fleet))));
        }
        if handle == EVENTS {
            return Some(self.events.snapshot());
        }
        let proxy = self.proxy(handle)?;
        Some(Frame::Proxy(handle, proxy.seq, proxy.id(), proxy.sections.clone()))
    }

    /// Takes in what a collector found. The news of the proxies come first, the fleet's last.
    pub(super) fn absorb(&mut self, update: Update, now: u64) -> Vec<News> {
        let Update { place, node, replies, proxies, events, lost } = update;
        let mut news = Vec::new();
        for proxy in proxies {
            let (name, news_of) = (proxy.proxy.clone(), self.absorb_proxy(place, &node, proxy));
            news.extend(news_of);
            self.summarise(place, &node, &name);
        }
        if replies.is_some() {
            self.replies[place] = replies;
        }
        news.extend(self.record(events));
        let mut fleet = Fleet::clone(&self.fleet);
        if let Some(lost) = lost {
            fleet.lost.retain(|l| l.node != node.name);
            fleet.lost.extend(lost);
        }
        fleet.nodes[place] = node;
        news.push(self.publish(fleet, now));
        news
    }

    /// Takes in what happened.
    pub(super) fn record(&mut self, events: Vec<Event>) -> Option<News> {
        Some(News { handle: EVENTS, frame: self.events.record(events)? })
    }

    /// Takes a sample of every row for the sparklines.
    pub(super) fn sample(&mut self, now: u64) -> News {
        for proxy in &mut self.proxies {
            Arc::make_mut(proxy).sections.sample();
        }
        let mut fleet = Fleet::clone(&self.fleet);
        fleet.epoch += 1;
        let requests = fleet.requests_now();
        fleet.requests.push(u32::try_from(requests).unwrap_or(u32::MAX));
        self.publish(fleet, now)
    }

    fn absorb_proxy(&mut self, place: usize, node: &Node, update: ProxyUpdate) -> Option<News> {
        let at = self.place(&node.cluster, &update.proxy);
        let proxy = Arc::make_mut(&mut self.proxies[at]);
        // Sections stand in the order of the configuration's nodes.
        let order = |name: &str| self.fleet.nodes.iter().position(|n| n.name == name);
        let known = proxy.sections.0.iter().position(|s| s.node == node.name);
        let position = known
            .unwrap_or_else(|| proxy.sections.0.iter().filter(|s| order(&s.node).is_some_and(|p| p < place)).count());
        let change = match update.news {
            Some((rows, change)) => {
                if known.is_none() {
                    let empty = Section { node: node.name.clone(), rows: Arc::default(), sparks: Arc::default() };
                    proxy.sections.0.insert(position, empty);
                }
                proxy.sections.0[position].replace(rows);
                Some(change)
            }
            None => {
                known?;
                proxy.sections.0.remove(position);
                None
            }
        };
        proxy.seq = proxy.seq.next();
        let delta = Delta { node: node.name.clone(), place: u32::try_from(position).unwrap_or(u32::MAX), change };
        Some(News { handle: proxy.handle, frame: Frame::ProxyDelta(proxy.handle, proxy.seq, delta) })
    }

    /// Where a proxy stands; a new one is added.
    fn place(&mut self, cluster: &str, proxy: &str) -> usize {
        let key = (cluster.to_owned(), proxy.to_owned());
        if let Some(at) = self.places.get(&key) {
            return *at;
        }
        let at = self.proxies.len();
        self.proxies.push(Arc::new(ProxyState {
            cluster: key.0.clone(),
            proxy: key.1.clone(),
            handle: FIRST_PROXY + Handle::try_from(at).unwrap_or(Handle::MAX - FIRST_PROXY),
            seq: Seq::default(),
            sections: Sections::default(),
        }));
        self.summaries.push(BTreeMap::new());
        self.places.insert(key, at);
        at
    }

    fn summarise(&mut self, place: usize, node: &Node, proxy: &str) {
        let Some(&at) = self.places.get(&(node.cluster.clone(), proxy.to_owned())) else { return };
        match self.proxies[at].sections.section(&node.name) {
            Some(section) => self.summaries[at].insert(place, summary(&node.cluster, proxy, section)),
            None => self.summaries[at].remove(&place),
        };
    }

    /// Makes `fleet` the current one, its derived parts brought up to date.
    fn publish(&mut self, mut fleet: Fleet, now: u64) -> News {
        fleet.now = now;
        fleet.proxies = self
            .proxies
            .iter()
            .zip(&self.summaries)
            .map(|(proxy, nodes)| ProxySummary {
                cluster: proxy.cluster.clone(),
                proxy: proxy.proxy.clone(),
                nodes: nodes.values().map(|s| s.counts.clone()).collect(),
            })
            .collect();
        (fleet.problems, fleet.problem_count) =
            all_problems(&fleet.nodes, self.summaries.iter().flat_map(BTreeMap::values));
        let delta = self.fleet.diff(&fleet);
        self.fleet = Arc::new(fleet);
        self.fleet_seq = self.fleet_seq.next();
        News { handle: FLEET, frame: Frame::FleetDelta(self.fleet_seq, Box::new(delta)) }
    }
}
