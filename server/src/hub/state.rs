//! The current state, and which frames bring a viewer from one state to the next. No viewers, no clock, no input or output.
//!
//! An update of a collector is applied at once, and its frames are made at the next [`HubState::flush`]: what comes within
//! a moment goes out as one frame per topic, and merged rows are made once for all nodes that changed.

mod views;

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::Arc,
};

use model::{
    event::Event,
    fleet::{Fleet, Link, Node},
    frame::{Frame, Handle, Seq},
    lost::Lost,
    problem::Problem,
    row::Row,
    state_rows::state_change,
    topic::{Delta, Section, Sections, TopicId},
};
use tokio::time::Instant;

use super::{
    events::EventRing,
    merged::Merged,
    message::{ProxyUpdate, Update},
    proxies::{ClusterProxy, Proxies},
    redaction,
    summary::{all_problems, summary},
    topics::{EVENTS, FLEET, TopicFrame, Topics},
    views::Views,
    world::{ProxyState, Replies, World},
};

/// Everything that is known.
#[derive(Debug)]
pub(super) struct HubState {
    fleet: Arc<Fleet>,
    fleet_seq: Seq,
    /// The nodes as they are; the fleet has them from the next flush on.
    nodes: Vec<Node>,
    /// What reloads lost; the fleet has it from the next flush on.
    lost: Vec<Lost>,
    events: EventRing,
    proxies: Proxies,
    topics: Topics,
    replies: Vec<Option<Arc<Replies>>>,
    /// What is not well, worst first; all of it.
    problems: Arc<Vec<Problem>>,
    views: Views,
    pending: Pending,
}

/// What was applied since the last flush.
#[derive(Debug, Default)]
struct Pending {
    is_any: bool,
    events: Vec<Event>,
    /// Per topic what changed, in order.
    deltas: BTreeMap<Handle, Vec<Delta>>,
    /// The proxies whose merged rows are to be made again.
    merge: BTreeSet<Handle>,
}

impl HubState {
    pub(super) fn new(nodes: Vec<Node>) -> Self {
        Self {
            replies: vec![None; nodes.len()],
            nodes: nodes.clone(),
            lost: Vec::new(),
            events: EventRing::default(),
            fleet: Arc::new(Fleet { nodes, ..Fleet::default() }),
            fleet_seq: Seq::default(),
            proxies: Proxies::default(),
            topics: Topics::default(),
            problems: Arc::default(),
            views: Views::default(),
            pending: Pending::default(),
        }
    }

    pub(super) fn world(&self) -> World {
        World {
            fleet: self.fleet.clone(),
            proxies: self.proxies.states().cloned().collect(),
            replies: self.replies.clone(),
            events: self.events.log(),
            problems: self.problems.clone(),
            visibility: None,
        }
    }

    pub(super) fn topics(&self) -> &Topics {
        &self.topics
    }

    /// The rows of one section of a topic.
    pub(super) fn rows(&self, handle: Handle, node: &str) -> Option<&[Row]> {
        let proxy = &self.proxy_of(handle)?.state;
        let section = match &proxy.merged {
            Some(merged) if node == Section::MERGED => merged,
            _ => proxy.sections.section(node)?,
        };
        Some(&section.rows)
    }

    /// The proxy that a topic of rows is about.
    fn proxy_of(&self, handle: Handle) -> Option<&ClusterProxy> {
        self.proxies.get(self.topics.get(handle)?.proxy)
    }

    /// The whole of a topic as a frame, with nothing hidden.
    fn full_snapshot(&self, handle: Handle) -> Option<Frame> {
        if handle == FLEET {
            return Some(Frame::Fleet(self.fleet_seq, Box::new(Fleet::clone(&self.fleet))));
        }
        if handle == EVENTS {
            return Some(self.events.snapshot());
        }
        let topic = self.topics.get(handle)?;
        let proxy = &self.proxy_of(handle)?.state;
        let sections = match &topic.id {
            TopicId::Node { node, .. } => Sections(proxy.sections.section(node).cloned().into_iter().collect()),
            _ => proxy.topic(),
        };
        Some(Frame::Proxy(handle, topic.seq, topic.id.clone(), sections))
    }

    /// Takes in what a collector found. `now` is the hub's clock: it says since when a proxy has no rows.
    pub(super) fn apply_update(&mut self, update: Update, now: Instant) {
        let Update { place, node, replies, proxies, events, lost } = update;
        self.add_events(events);
        if let Some(lost) = lost {
            self.lost.retain(|l| l.node != node.name);
            self.lost.extend(lost);
        }
        for proxy in proxies {
            self.apply_proxy_update(place, &node, proxy, now);
        }
        if replies.is_some() {
            self.replies[place] = replies;
        }
        // A node that goes down leaves the sums, and comes back into them.
        if (node.link == Link::Down) != (self.nodes[place].link == Link::Down) {
            let is_summed = |p: &ClusterProxy| p.state.cluster == node.cluster && p.state.merged.is_some();
            self.pending.merge.extend(self.proxies.iter_mut().filter(|(_, p)| is_summed(p)).map(|(handle, _)| handle));
        }
        self.nodes[place] = node;
    }

    /// Takes in what happened.
    pub(super) fn add_events(&mut self, events: Vec<Event>) {
        self.pending.is_any = true;
        self.pending.events.extend(events);
    }

    /// Whether anything was applied since the last flush.
    pub(super) fn has_pending(&self) -> bool {
        self.pending.is_any
    }

    /// Whether frames wait for the updates of other nodes: with a single node there are none.
    pub(super) fn has_several_nodes(&self) -> bool {
        self.nodes.len() > 1
    }

    /// The frames of everything pending: those of rows first, the fleet's last. `now` is Unix milliseconds.
    pub(super) fn flush(&mut self, now: u64) -> Vec<TopicFrame> {
        let mut fleet = Fleet::clone(&self.fleet);
        fleet.nodes.clone_from(&self.nodes);
        fleet.lost.clone_from(&self.lost);
        self.frames_to(fleet, now)
    }

    /// Takes a sample of every row for the sparklines. `now` is Unix milliseconds.
    pub(super) fn sample(&mut self, now: u64) -> Vec<TopicFrame> {
        // What is pending goes first: viewers take their sample of the rows that they were sent.
        let mut frames = self.flush(now);
        for (_, proxy) in self.proxies.iter_mut() {
            let proxy = Arc::make_mut(&mut proxy.state);
            proxy.sections.sample();
            proxy.merged.iter_mut().for_each(Section::sample);
            proxy.requests.push(redaction::sample_of(proxy, &self.nodes));
        }
        let mut fleet = Fleet::clone(&self.fleet);
        fleet.epoch += 1;
        let requests = fleet.requests_now();
        fleet.requests.push(u32::try_from(requests).unwrap_or(u32::MAX));
        frames.extend(self.frames_to(fleet, now));
        frames
    }

    /// Forgets the proxies, and ends the topics, that have been without rows for [`KEPT_EMPTY`] at `now`.
    ///
    /// Rows go only when a node answers without them: what a node said before it went down stays, since nothing is known
    /// of it.
    ///
    /// [`KEPT_EMPTY`]: super::topics::KEPT_EMPTY
    pub(super) fn forget_empty(&mut self, now: Instant) {
        let ended = self.topics.end_empty(now);
        self.proxies.remove_all(&ended);
        self.pending.is_any = true;
    }

    fn apply_proxy_update(&mut self, place: usize, node: &Node, update: ProxyUpdate, now: Instant) {
        let handle = match self.topics.handle(&TopicId::proxy(&node.cluster, &update.proxy)) {
            Some(handle) => handle,
            None if update.rows.is_none() => return,
            None => self.add_proxy(&node.cluster, &update.proxy),
        };
        let Some(ClusterProxy { state, summaries }) = self.proxies.get_mut(handle) else { return };
        let state = Arc::make_mut(state);
        let sections = &mut state.sections.0;
        // Sections stand in the order of the configuration's nodes.
        let order = |name: &str| self.nodes.iter().position(|n| n.name == name);
        let known = sections.iter().position(|s| s.node == node.name);
        let position =
            known.unwrap_or_else(|| sections.iter().filter(|s| order(&s.node).is_some_and(|p| p < place)).count());
        let change = match update.rows {
            Some((rows, change)) => {
                if known.is_none() {
                    sections.insert(position, Section::new(&node.name, Arc::default()));
                }
                sections[position].replace(rows);
                summaries.insert(place, summary(&node.cluster, &update.proxy, &sections[position]));
                Some(change)
            }
            None if known.is_none() => return,
            None => {
                sections.remove(position);
                summaries.remove(&place);
                None
            }
        };
        let (is_empty, is_merged) = (sections.is_empty(), state.merged.is_some());
        self.topics.set_empty(handle, is_empty, now);
        let delta =
            |change, place| Delta { node: node.name.clone(), place: u32::try_from(place).unwrap_or(u32::MAX), change };
        if !is_merged {
            self.pending.deltas.entry(handle).or_default().push(delta(change, position));
            return;
        }
        self.pending.merge.insert(handle);
        let state = match &change {
            Some(change) => state_change(change).map(Some),
            None => Some(None),
        };
        // The merged rows stand first.
        let delta_of_state = state.map(|change| delta(change, position + 1));
        self.pending.deltas.entry(handle).or_default().extend(delta_of_state);
        let on_node = self.topics.of_node(handle, &node.name, &update.proxy);
        self.topics.set_empty(on_node, change.is_none(), now);
        self.pending.deltas.entry(on_node).or_default().push(delta(change, 0));
    }

    fn add_proxy(&mut self, cluster: &str, proxy: &str) -> Handle {
        let is_merged = self.nodes.iter().filter(|n| n.cluster == cluster).count() > 1;
        let handle = self.topics.add_proxy(cluster, proxy);
        self.proxies.add(handle, ProxyState::new(cluster, proxy, is_merged), &self.nodes);
        handle
    }

    /// The frames of everything pending, and those that lead to `fleet`.
    fn frames_to(&mut self, fleet: Fleet, now: u64) -> Vec<TopicFrame> {
        let Pending { mut deltas, merge, events, .. } = mem::take(&mut self.pending);
        for handle in merge {
            let Some(proxy) = self.proxies.get_mut(handle) else { continue };
            let proxy = Arc::make_mut(&mut proxy.state);
            let Some(merged) = &mut proxy.merged else { continue };
            let change = Merged::new(&self.nodes, &proxy.sections).update(merged, now / 1_000);
            // First in the frame, as it stands first in the topic.
            let delta = change.map(|change| Delta { node: Section::MERGED.to_owned(), place: 0, change });
            deltas.entry(handle).or_default().splice(0..0, delta);
        }
        let mut frames = Vec::with_capacity(deltas.len() + 1);
        for (handle, deltas) in deltas.into_iter().filter(|(_, d)| !d.is_empty()) {
            let Some(seq) = self.topics.next_seq(handle) else { continue };
            frames.push(TopicFrame { handle, view: None, frame: Frame::ProxyDelta(handle, seq, deltas) });
        }
        let count = events.len();
        if let Some(frame) = self.events.record(events) {
            frames.push(TopicFrame { handle: EVENTS, view: None, frame });
            let of_views = self.views.event_frames(&self.events.log(), count).into_iter();
            frames.extend(of_views.map(|(view, frame)| TopicFrame { handle: EVENTS, view: Some(view), frame }));
        }
        self.set_fleet(fleet, now, &mut frames);
        frames
    }

    /// Makes `fleet` the current one, with everything that follows from other parts of the state.
    fn set_fleet(&mut self, mut fleet: Fleet, now: u64, frames: &mut Vec<TopicFrame>) {
        fleet.now = now;
        fleet.proxies = self.proxies.iter().map(ClusterProxy::summary).collect();
        let problems = all_problems(&fleet.nodes, self.proxies.iter().flat_map(|p| p.summaries.values()));
        fleet.problem_count = problems.len() as u64;
        fleet.problems = problems.iter().take(Fleet::MOST_PROBLEMS).cloned().collect();
        self.problems = Arc::new(problems);
        let delta = self.fleet.diff(&fleet);
        self.fleet = Arc::new(fleet);
        self.fleet_seq = self.fleet_seq.next();
        frames.push(TopicFrame {
            handle: FLEET,
            view: None,
            frame: Frame::FleetDelta(self.fleet_seq, Box::new(delta)),
        });
        let of_views = self.with_views(Views::fleet_frames).into_iter();
        frames.extend(of_views.map(|(view, frame)| TopicFrame { handle: FLEET, view: Some(view), frame }));
    }
}
