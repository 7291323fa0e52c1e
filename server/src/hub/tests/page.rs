//! A viewer that does what the page in a browser does with its frames: apply, count, and sample on a new epoch.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use model::{
    event::Event,
    fleet::Fleet,
    frame::{Frame, Handle, Seq},
    rights::Rights,
    topic::{Sections, TopicId},
};
use tokio::time::timeout;

use super::PATIENCE;
use crate::hub::{
    Encoding, Hub, Viewer, World,
    topics::{EVENTS, FLEET},
};

/// One page.
pub(super) struct Page {
    viewer: Viewer,
    rights: Arc<Rights>,
    /// What no byte that it is sent may hold.
    pub(super) invisible: Vec<String>,
    wanted: BTreeSet<TopicId>,
    /// Per topic the number of its last frame.
    seqs: HashMap<Handle, Seq>,
    names: HashMap<Handle, TopicId>,
    fleet: Fleet,
    events: Vec<Event>,
    proxies: BTreeMap<TopicId, Sections>,
    /// Per topic how many snapshots came.
    pub(super) snapshots: BTreeMap<TopicId, usize>,
    /// How many deltas came.
    pub(super) deltas: usize,
}

impl Page {
    /// Opens a page that shows these topics.
    pub(super) async fn open(hub: &Hub, topics: Vec<TopicId>) -> Self {
        Self::open_as(hub, topics, &Arc::default()).await
    }

    /// Opens a page for somebody who may see what `rights` let be seen.
    pub(super) async fn open_as(hub: &Hub, topics: Vec<TopicId>, rights: &Arc<Rights>) -> Self {
        let mut viewer = hub.join(Encoding::Postcard, rights).await.expect("the hub runs");
        let hello = Frame::decode(&viewer.next().await.expect("a frame")).expect("decodes");
        assert_eq!(hello, Frame::Hello { build: "build".into() });
        let mut page = Self {
            viewer,
            rights: rights.clone(),
            invisible: Vec::new(),
            wanted: BTreeSet::new(),
            seqs: HashMap::new(),
            names: HashMap::new(),
            fleet: Fleet::default(),
            events: Vec::new(),
            proxies: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            deltas: 0,
        };
        page.show(topics).await;
        page
    }

    /// Shows these topics from now on.
    pub(super) async fn show(&mut self, topics: Vec<TopicId>) {
        self.wanted = topics.iter().cloned().collect();
        assert!(self.viewer.subscribe(topics).await, "the hub ended");
    }

    /// Takes the next frame; false when there will be none.
    pub(super) async fn read(&mut self) -> bool {
        let Some(bytes) = self.viewer.next().await else { return false };
        super::assert_free_of(&bytes, &self.invisible);
        self.take(Frame::decode(&bytes).expect("decodes"));
        true
    }

    /// Reads until it shows what the hub knows.
    pub(super) async fn catch_up(&mut self, hub: &Hub) {
        let reading = async {
            while !self.shows(&hub.world().seen_by(&self.rights)) {
                assert!(self.read().await, "the hub ended");
            }
        };
        timeout(PATIENCE, reading).await.expect("the page shows what the hub knows");
    }

    /// Whether it shows what the hub knows, of the topics that it wants.
    pub(super) fn shows(&self, world: &World) -> bool {
        self.wanted.iter().all(|topic| match topic {
            TopicId::Fleet => self.fleet == *world.fleet,
            TopicId::Accounts => true,
            TopicId::Events => self.names.contains_key(&EVENTS) && self.shows_events(world),
            // Beside merged rows no section has a past.
            TopicId::Proxy { cluster, proxy } => {
                self.proxies.get(topic) == world.proxy(cluster, proxy).map(|p| p.topic()).as_ref()
            }
            TopicId::Node { node, proxy } => {
                let known = world.proxies.iter().filter(|p| p.proxy == *proxy && p.merged.is_some());
                let sections = known.filter_map(|p| p.sections.section(node)).cloned().collect();
                let shown = self.proxies.get(topic).cloned().unwrap_or_default();
                shown == Sections(sections)
            }
        })
    }

    /// A snapshot has the newest events alone; those that are there run to the newest without a gap.
    fn shows_events(&self, world: &World) -> bool {
        let known = world.events.iter().rev().map(|e| &**e);
        self.events.is_empty() == world.events.is_empty() && self.events.iter().rev().zip(known).all(|(a, b)| a == b)
    }

    /// How many snapshots of a topic came.
    pub(super) fn snapshots_of(&self, topic: &TopicId) -> usize {
        self.snapshots.get(topic).copied().unwrap_or(0)
    }

    /// The names of the proxies that its fleet lists.
    pub(super) fn fleet_proxies(&self) -> Vec<String> {
        self.fleet.proxies.iter().map(|p| p.proxy.clone()).collect()
    }

    fn take(&mut self, frame: Frame) {
        match frame {
            Frame::Hello { .. } => panic!("a second hello"),
            Frame::Fleet(seq, fleet) => {
                self.snapshot(FLEET, seq, TopicId::Fleet);
                self.fleet = *fleet;
            }
            Frame::FleetDelta(seq, delta) => {
                self.delta(FLEET, seq);
                if self.fleet.epoch != delta.epoch {
                    self.proxies.values_mut().for_each(Sections::sample);
                }
                self.fleet.apply(*delta);
            }
            Frame::Events(seq, events) => {
                self.snapshot(EVENTS, seq, TopicId::Events);
                self.events = events;
            }
            Frame::EventsNew(seq, events) => {
                self.delta(EVENTS, seq);
                self.events.extend(events);
            }
            Frame::AccountEvents(..) => panic!("the hub knows nothing of accounts"),
            Frame::Proxy(handle, seq, id, sections) => {
                self.snapshot(handle, seq, id.clone());
                self.proxies.insert(id, sections);
            }
            Frame::ProxyDelta(handle, seq, deltas) => {
                self.delta(handle, seq);
                let sections = self.proxies.get_mut(&self.names[&handle]).expect("a snapshot came first");
                deltas.into_iter().for_each(|delta| sections.apply(delta).expect("a delta fits"));
            }
        }
    }

    fn snapshot(&mut self, handle: Handle, seq: Seq, id: TopicId) {
        self.seqs.insert(handle, seq);
        *self.snapshots.entry(id.clone()).or_default() += 1;
        self.names.insert(handle, id);
    }

    fn delta(&mut self, handle: Handle, seq: Seq) {
        let last = self.seqs.get_mut(&handle).expect("a snapshot comes first");
        assert_eq!(seq, last.next(), "a gap in {:?}", self.names[&handle]);
        *last = seq;
        self.deltas += 1;
    }
}
