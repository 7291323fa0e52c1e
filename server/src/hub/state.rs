//! The current state, and which frames bring a viewer from one to the next. No viewers, no clock, no input or output.
//!
//! What collectors find is absorbed at once and told at the next [`State::flush`]: what comes within a moment goes out as
//! one frame per topic, and merged rows are made once for all nodes that changed.

mod views;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    mem,
    sync::Arc,
};

use model::{
    event::Event,
    fleet::{Fleet, Link, Node, ProxySummary},
    frame::{Frame, Handle, Seq},
    lost::Lost,
    problem::Problem,
    row::Row,
    state_rows::state_change,
    topic::{Delta, Section, Sections, TopicId},
};

use super::{
    ProxyState, ProxyUpdate, Replies, Update, World,
    events::Events,
    merged::Merged,
    redaction,
    subscribers::{EVENTS, FIRST, FLEET},
    summary::{Summary, all_problems, counts, summary},
    views::{ViewId, Views},
};

/// Everything that is known.
#[derive(Debug)]
pub(super) struct State {
    fleet: Arc<Fleet>,
    fleet_seq: Seq,
    /// The nodes as they are, told at the next flush.
    nodes: Vec<Node>,
    /// What reloads lost, told at the next flush.
    lost: Vec<Lost>,
    events: Events,
    proxies: Vec<Arc<ProxyState>>,
    /// Per proxy and node the section's part in the fleet.
    summaries: Vec<BTreeMap<usize, Summary>>,
    /// The places of `proxies` as pages list them: clusters as configured, each one's proxies in the order of first sight.
    listed: Vec<usize>,
    /// Where a proxy stands in `proxies`, by cluster and name.
    places: HashMap<(String, String), usize>,
    /// The topics of rows, by handle from [`FIRST`] on.
    topics: Vec<Topic>,
    handles: HashMap<TopicId, Handle>,
    replies: Vec<Option<Arc<Replies>>>,
    /// What is not well, worst first; all of it.
    problems: Arc<Vec<Problem>>,
    views: Views,
    untold: Pending,
}

/// A topic of rows.
#[derive(Debug)]
enum Topic {
    /// One proxy of a cluster, by its place.
    Proxy(usize),
    /// One proxy on one node.
    Node { proxy: usize, node: String, seq: Seq },
}

/// What was absorbed since the last flush.
#[derive(Debug, Default)]
struct Pending {
    any: bool,
    events: Vec<Event>,
    /// Per handle what changed, in order.
    deltas: BTreeMap<Handle, Vec<Delta>>,
    /// The proxies whose merged rows are to be made again.
    merge: BTreeSet<usize>,
}

/// A frame for the viewers of one topic.
#[derive(Debug)]
pub(super) struct TopicFrame {
    pub(super) handle: Handle,
    /// Whose it is, of the fleet and the events: each view has its own. Rows are for all who see them.
    pub(super) view: Option<ViewId>,
    pub(super) frame: Frame,
}

impl State {
    pub(super) fn new(nodes: Vec<Node>) -> Self {
        Self {
            replies: vec![None; nodes.len()],
            nodes: nodes.clone(),
            lost: Vec::new(),
            events: Events::default(),
            fleet: Arc::new(Fleet { nodes, ..Fleet::default() }),
            fleet_seq: Seq::default(),
            proxies: Vec::new(),
            summaries: Vec::new(),
            listed: Vec::new(),
            places: HashMap::new(),
            topics: Vec::new(),
            handles: HashMap::new(),
            problems: Arc::default(),
            views: Views::default(),
            untold: Pending::default(),
        }
    }

    pub(super) fn world(&self) -> World {
        World {
            fleet: self.fleet.clone(),
            proxies: self.listed.iter().map(|at| self.proxies[*at].clone()).collect(),
            replies: self.replies.clone(),
            events: self.events.log(),
            problems: self.problems.clone(),
            sight: None,
        }
    }

    /// The handle of a topic, if it exists.
    pub(super) fn handle(&self, id: &TopicId) -> Option<Handle> {
        match id {
            TopicId::Fleet => Some(FLEET),
            TopicId::Events => Some(EVENTS),
            _ => self.handles.get(id).copied(),
        }
    }

    fn topic(&self, handle: Handle) -> Option<&Topic> {
        self.topics.get(handle.checked_sub(FIRST)? as usize)
    }

    /// The name of a topic that was never told before the frame that the last flush made for it.
    pub(super) fn newborn(&self, handle: Handle) -> Option<TopicId> {
        let seq = match self.topic(handle)? {
            Topic::Proxy(at) => self.proxies[*at].seq,
            Topic::Node { seq, .. } => *seq,
        };
        (seq == Seq::default().next()).then(|| self.id(handle))?
    }

    /// The name of a topic of rows.
    pub(super) fn id(&self, handle: Handle) -> Option<TopicId> {
        Some(match self.topic(handle)? {
            Topic::Proxy(at) => self.proxies[*at].id(),
            Topic::Node { proxy, node, .. } => TopicId::node(node, &self.proxies[*proxy].proxy),
        })
    }

    /// The rows of one section of a topic.
    pub(super) fn rows(&self, handle: Handle, node: &str) -> Option<&[Row]> {
        let (Topic::Proxy(at) | Topic::Node { proxy: at, .. }) = self.topic(handle)?;
        let proxy = &self.proxies[*at];
        let section = match &proxy.merged {
            Some(merged) if node == Section::MERGED => merged,
            _ => proxy.sections.section(node)?,
        };
        Some(&section.rows)
    }

    /// The whole of a topic, as a frame, as who sees everything sees it.
    fn whole_snapshot(&self, handle: Handle) -> Option<Frame> {
        if handle == FLEET {
            return Some(Frame::Fleet(self.fleet_seq, Box::new(Fleet::clone(&self.fleet))));
        }
        if handle == EVENTS {
            return Some(self.events.snapshot());
        }
        let (seq, sections) = match self.topic(handle)? {
            Topic::Proxy(at) => (self.proxies[*at].seq, self.proxies[*at].topic()),
            Topic::Node { proxy, node, seq } => {
                let section = self.proxies[*proxy].sections.section(node).cloned();
                (*seq, Sections(section.into_iter().collect()))
            }
        };
        Some(Frame::Proxy(handle, seq, self.id(handle)?, sections))
    }

    /// Takes in what a collector found.
    pub(super) fn absorb(&mut self, update: Update) {
        let Update { place, node, replies, proxies, events, lost } = update;
        self.record(events);
        if let Some(lost) = lost {
            self.lost.retain(|l| l.node != node.name);
            self.lost.extend(lost);
        }
        for proxy in proxies {
            let name = proxy.proxy.clone();
            self.absorb_proxy(place, &node, proxy);
            self.summarise(place, &node, &name);
        }
        if replies.is_some() {
            self.replies[place] = replies;
        }
        // A node that goes away leaves the sums, and comes back into them.
        if (node.link == Link::Down) != (self.nodes[place].link == Link::Down) {
            let cluster = self.proxies.iter().enumerate().filter(|(_, p)| p.cluster == node.cluster);
            self.untold.merge.extend(cluster.filter(|(_, p)| p.merged.is_some()).map(|(at, _)| at));
        }
        self.nodes[place] = node;
    }

    /// Takes in what happened.
    pub(super) fn record(&mut self, events: Vec<Event>) {
        self.untold.any = true;
        self.untold.events.extend(events);
    }

    /// Whether anything was absorbed that no frame has told yet.
    pub(super) fn is_untold(&self) -> bool {
        self.untold.any
    }

    /// Whether frames wait for those of other nodes: with a single node there are none.
    pub(super) fn gathers(&self) -> bool {
        self.nodes.len() > 1
    }

    /// Tells what was absorbed: the news of rows come first, the fleet's last.
    pub(super) fn flush(&mut self, now: u64) -> Vec<TopicFrame> {
        let mut fleet = Fleet::clone(&self.fleet);
        fleet.nodes.clone_from(&self.nodes);
        fleet.lost.clone_from(&self.lost);
        self.tell(fleet, now)
    }

    /// Takes a sample of every row for the sparklines.
    pub(super) fn sample(&mut self, now: u64) -> Vec<TopicFrame> {
        // What is absorbed is told first: viewers sample what they were told.
        let mut news = self.flush(now);
        for proxy in &mut self.proxies {
            let proxy = Arc::make_mut(proxy);
            proxy.sections.sample();
            proxy.merged.iter_mut().for_each(Section::sample);
            proxy.requests.push(redaction::sample_of(proxy, &self.nodes));
        }
        let mut fleet = Fleet::clone(&self.fleet);
        fleet.epoch += 1;
        let requests = fleet.requests_now();
        fleet.requests.push(u32::try_from(requests).unwrap_or(u32::MAX));
        news.extend(self.tell(fleet, now));
        news
    }

    fn absorb_proxy(&mut self, place: usize, node: &Node, update: ProxyUpdate) {
        let at = self.place(&node.cluster, &update.proxy);
        let proxy = Arc::make_mut(&mut self.proxies[at]);
        // Sections stand in the order of the configuration's nodes.
        let order = |name: &str| self.nodes.iter().position(|n| n.name == name);
        let known = proxy.sections.0.iter().position(|s| s.node == node.name);
        let position = known
            .unwrap_or_else(|| proxy.sections.0.iter().filter(|s| order(&s.node).is_some_and(|p| p < place)).count());
        let change = match update.news {
            Some((rows, change)) => {
                if known.is_none() {
                    proxy.sections.0.insert(position, Section::new(&node.name, Arc::default()));
                }
                proxy.sections.0[position].replace(rows);
                Some(change)
            }
            None if known.is_none() => return,
            None => {
                proxy.sections.0.remove(position);
                None
            }
        };
        let (handle, is_merged, name) = (proxy.handle, proxy.merged.is_some(), proxy.proxy.clone());
        let delta =
            |change, place| Delta { node: node.name.clone(), place: u32::try_from(place).unwrap_or(u32::MAX), change };
        if is_merged {
            self.untold.merge.insert(at);
            let state = match &change {
                Some(change) => state_change(change).map(Some),
                None => Some(None),
            };
            // The merged rows stand first.
            let delta_of_state = state.map(|change| delta(change, position + 1));
            self.untold.deltas.entry(handle).or_default().extend(delta_of_state);
            let handle = self.node_topic(at, &node.name, &name);
            self.untold.deltas.entry(handle).or_default().push(delta(change, 0));
        } else {
            self.untold.deltas.entry(handle).or_default().push(delta(change, position));
        }
    }

    /// Where a proxy stands; a new one is added.
    fn place(&mut self, cluster: &str, proxy: &str) -> usize {
        let key = (cluster.to_owned(), proxy.to_owned());
        if let Some(at) = self.places.get(&key) {
            return *at;
        }
        let at = self.proxies.len();
        let is_merged = self.nodes.iter().filter(|n| n.cluster == cluster).count() > 1;
        let handle = self.add_topic(TopicId::proxy(cluster, proxy), Topic::Proxy(at));
        self.proxies.push(Arc::new(ProxyState::new(cluster, proxy, handle, is_merged)));
        self.summaries.push(BTreeMap::new());
        self.listed.push(at);
        let rank = |at: &usize| self.nodes.iter().position(|n| n.cluster == self.proxies[*at].cluster);
        self.listed.sort_by_key(|at| (rank(at), *at));
        self.places.insert(key, at);
        at
    }

    /// The handle of a node's topic; a new one is added.
    fn node_topic(&mut self, at: usize, node: &str, proxy: &str) -> Handle {
        let id = TopicId::node(node, proxy);
        match self.handles.get(&id) {
            Some(handle) => *handle,
            None => self.add_topic(id, Topic::Node { proxy: at, node: node.to_owned(), seq: Seq::default() }),
        }
    }

    fn add_topic(&mut self, id: TopicId, topic: Topic) -> Handle {
        // Four thousand million topics are more than memory holds.
        let handle = FIRST + Handle::try_from(self.topics.len()).unwrap_or(Handle::MAX - FIRST);
        self.topics.push(topic);
        self.handles.insert(id, handle);
        handle
    }

    fn summarise(&mut self, place: usize, node: &Node, proxy: &str) {
        let Some(&at) = self.places.get(&(node.cluster.clone(), proxy.to_owned())) else { return };
        match self.proxies[at].sections.section(&node.name) {
            Some(section) => self.summaries[at].insert(place, summary(&node.cluster, proxy, section)),
            None => self.summaries[at].remove(&place),
        };
    }

    /// Frames of everything untold, and `fleet` made the current one.
    fn tell(&mut self, fleet: Fleet, now: u64) -> Vec<TopicFrame> {
        let Pending { mut deltas, merge, events, .. } = mem::take(&mut self.untold);
        for at in merge {
            let proxy = Arc::make_mut(&mut self.proxies[at]);
            let Some(merged) = &mut proxy.merged else { continue };
            let change = Merged::new(&self.nodes, &proxy.sections).update(merged, now / 1_000);
            // First in the frame, as it stands first in the topic.
            let delta = change.map(|change| Delta { node: Section::MERGED.to_owned(), place: 0, change });
            deltas.entry(proxy.handle).or_default().splice(0..0, delta);
        }
        let mut news = Vec::with_capacity(deltas.len() + 1);
        for (handle, deltas) in deltas.into_iter().filter(|(_, d)| !d.is_empty()) {
            let Some(topic) = self.topics.get_mut((handle - FIRST) as usize) else { continue };
            let seq = match topic {
                Topic::Proxy(at) => &mut Arc::make_mut(&mut self.proxies[*at]).seq,
                Topic::Node { seq, .. } => seq,
            };
            *seq = seq.next();
            news.push(TopicFrame { handle, view: None, frame: Frame::ProxyDelta(handle, *seq, deltas) });
        }
        let count = events.len();
        if let Some(frame) = self.events.record(events) {
            news.push(TopicFrame { handle: EVENTS, view: None, frame });
            let seen = self.views.tell_events(&self.events.log(), count).into_iter();
            news.extend(seen.map(|(view, frame)| TopicFrame { handle: EVENTS, view: Some(view), frame }));
        }
        self.tell_fleet(fleet, now, &mut news);
        news
    }

    /// Makes `fleet` the current one, its derived parts brought up to date.
    fn tell_fleet(&mut self, mut fleet: Fleet, now: u64, news: &mut Vec<TopicFrame>) {
        fleet.now = now;
        fleet.proxies = self
            .listed
            .iter()
            .map(|at| (&self.proxies[*at], &self.summaries[*at]))
            .map(|(proxy, nodes)| ProxySummary {
                cluster: proxy.cluster.clone(),
                proxy: proxy.proxy.clone(),
                nodes: nodes.values().map(|s| s.counts.clone()).collect(),
                merged: proxy.merged.as_ref().map(counts),
            })
            .collect();
        let problems = all_problems(&fleet.nodes, self.summaries.iter().flat_map(BTreeMap::values));
        fleet.problem_count = problems.len() as u64;
        fleet.problems = problems.iter().take(Fleet::MOST_PROBLEMS).cloned().collect();
        self.problems = Arc::new(problems);
        let delta = self.fleet.diff(&fleet);
        self.fleet = Arc::new(fleet);
        self.fleet_seq = self.fleet_seq.next();
        news.push(TopicFrame { handle: FLEET, view: None, frame: Frame::FleetDelta(self.fleet_seq, Box::new(delta)) });
        let seen = self.with_views(Views::tell_fleet).into_iter();
        news.extend(seen.map(|(view, frame)| TopicFrame { handle: FLEET, view: Some(view), frame }));
    }
}
