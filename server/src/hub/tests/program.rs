//! A viewer that takes frames as text, and knows nothing of our types but the names of columns.

use std::{collections::BTreeMap, sync::Arc};

use model::{
    col::{Col, Text},
    fleet::{Fleet, FleetDelta},
    rights::Rights,
    row::Row,
    topic::TopicId,
};
use serde_json::{Map, Value, from_value, json};
use tokio::time::timeout;

use super::PATIENCE;
use crate::hub::{Encoding, Hub, Viewer, World};

type Rows = Vec<Map<String, Value>>;

/// One program.
pub(super) struct Program {
    viewer: Viewer,
    rights: Arc<Rights>,
    /// What no byte that it is sent may hold.
    pub(super) invisible: Vec<String>,
    wanted: Vec<TopicId>,
    seqs: BTreeMap<String, u64>,
    /// The events, if they were asked for.
    events: Option<Vec<Value>>,
    fleet: Option<Fleet>,
    /// Per topic and node its rows.
    proxies: BTreeMap<String, BTreeMap<String, Rows>>,
}

impl Program {
    pub(super) async fn open(hub: &Hub, topics: Vec<TopicId>) -> Self {
        Self::open_as(hub, topics, &Arc::default()).await
    }

    pub(super) async fn open_as(hub: &Hub, topics: Vec<TopicId>, rights: &Arc<Rights>) -> Self {
        let mut viewer = hub.join(Encoding::Json, rights).await.expect("the hub runs");
        assert_eq!(parsed(&viewer.next().await.expect("a frame")), json!({ "type": "hello", "build": "build" }));
        assert!(viewer.subscribe(topics.clone()).await, "the hub ended");
        Self {
            viewer,
            rights: rights.clone(),
            invisible: Vec::new(),
            wanted: topics,
            seqs: BTreeMap::new(),
            events: None,
            fleet: None,
            proxies: BTreeMap::new(),
        }
    }

    /// Reads until it knows what the hub knows.
    pub(super) async fn catch_up(&mut self, hub: &Hub) {
        let reading = async {
            while !self.knows(&hub.world().seen_by(&self.rights)) {
                let bytes = self.viewer.next().await.expect("the hub runs");
                super::assert_free_of(&bytes, &self.invisible);
                self.take(&parsed(&bytes));
            }
        };
        timeout(PATIENCE, reading).await.expect("the program knows what the hub knows");
    }

    fn knows(&self, world: &World) -> bool {
        self.wanted.iter().all(|topic| match topic {
            TopicId::Fleet => self.fleet.as_ref() == Some(&*world.fleet),
            TopicId::Accounts => true,
            TopicId::Events => {
                let newest = self.events.as_ref().map(|e| e.last().map(|e| e["id"].clone()));
                newest == Some(world.events.back().map(|e| e.id.into()))
            }
            TopicId::Proxy { cluster, proxy } => {
                let sections = world.proxy(cluster, proxy).map(|p| p.topic().0.into_iter());
                let nodes = sections.map(|s| s.map(|s| (s.node.clone(), s.rows.iter().map(columns).collect())));
                self.proxies.get(&topic.to_string()) == nodes.map(BTreeMap::from_iter).as_ref()
            }
            TopicId::Node { node, proxy } => {
                let known = world.proxies.iter().filter(|p| p.proxy == *proxy && p.merged.is_some());
                let section = known.filter_map(|p| p.sections.section(node));
                let rows = section.map(|s| (s.node.clone(), s.rows.iter().map(columns).collect())).collect();
                self.proxies.get(&topic.to_string()).cloned().unwrap_or_default() == rows
            }
        })
    }

    fn take(&mut self, frame: &Value) {
        let topic = frame["topic"].as_str().expect("a topic").to_owned();
        let seq = frame["seq"].as_u64().expect("a number");
        let last = self.seqs.insert(topic.clone(), seq);
        match (frame["type"].as_str().expect("a type"), topic.as_str()) {
            ("snapshot", "fleet") => self.fleet = Some(from_value(frame["fleet"].clone()).expect("a fleet")),
            ("snapshot", "events") => self.events = Some(events(frame)),
            ("snapshot", _) => {
                let nodes = frame["nodes"].as_array().expect("nodes").iter();
                self.proxies.insert(topic, nodes.map(|n| (node(n), rows(n))).collect());
            }
            ("delta", _) if last.is_none_or(|last| last + 1 != seq) => panic!("a gap before {frame}"),
            ("delta", "fleet") => {
                let delta: FleetDelta = from_value(frame["fleet"].clone()).expect("a change of the fleet");
                self.fleet.as_mut().expect("a snapshot came first").apply(delta);
            }
            ("delta", "events") => self.events.as_mut().expect("a snapshot came first").extend(events(frame)),
            ("delta", _) => {
                let proxy = self.proxies.get_mut(&topic).expect("a snapshot came first");
                frame["nodes"].as_array().expect("nodes").iter().for_each(|change| apply(proxy, change));
            }
            _ => panic!("what is {frame}"),
        }
    }
}

fn apply(nodes: &mut BTreeMap<String, Rows>, frame: &Value) {
    if frame["gone"] == true {
        nodes.remove(&node(frame));
    } else if frame["replaces"] == true {
        nodes.insert(node(frame), rows(frame));
    } else {
        let known = nodes.get_mut(&node(frame)).expect("a node that is there");
        for changed in rows(frame) {
            let is_it = |row: &&mut Map<String, Value>| ["svname", "kind"].iter().all(|k| row[*k] == changed[*k]);
            let row = known.iter_mut().find(is_it).expect("a row that is there");
            row.extend(changed);
            row.retain(|_, value| !value.is_null() && value != "");
        }
    }
}

fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

/// The name of a node; empty for the merged rows, which have none.
fn node(value: &Value) -> String {
    if value["node"].is_null() { String::new() } else { value["node"].as_str().expect("a node").to_owned() }
}

fn events(value: &Value) -> Vec<Value> {
    value["events"].as_array().expect("events").clone()
}

fn rows(value: &Value) -> Rows {
    from_value(value["rows"].clone()).expect("rows")
}

/// A row as every cell that holds something.
fn columns(row: &Row) -> Map<String, Value> {
    let mut out = Map::from_iter([("svname".into(), json!(row.name)), ("kind".into(), json!(row.kind))]);
    for col in Col::ALL.iter().filter(|c| row.num(**c).is_some()) {
        out.insert(col.name().into(), row.get(*col).into());
    }
    for text in Text::ALL.iter().filter(|t| !row.text(**t).is_empty()) {
        out.insert(text.name().into(), row.text(*text).into());
    }
    out
}
