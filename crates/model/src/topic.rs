//! A part of the state that a viewer can subscribe to.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    change::{self, Change, MisfitError},
    col::Col,
    row::Row,
};

/// What a topic is called: `fleet`, `events`, `accounts`, `proxy:CLUSTER/NAME`, or `node:NODE/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TopicId {
    /// Links, totals, what is not well.
    Fleet,
    /// What happened to nodes and servers.
    Events,
    /// What changed about accounts: about one's own, and for admins about every one.
    Accounts,
    /// One proxy of a cluster: its rows on a lone node; otherwise the merged rows, and the state that each node sees.
    Proxy {
        /// The cluster's name.
        cluster: String,
        /// HAProxy's `pxname`.
        proxy: String,
    },
    /// One proxy's rows on one node of a cluster of several.
    Node {
        /// The node's name.
        node: String,
        /// HAProxy's `pxname`.
        proxy: String,
    },
}

/// Not the name of a topic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no topic: it is `fleet`, `events`, `accounts`, `proxy:CLUSTER/NAME` or `node:NODE/NAME`")]
pub struct TopicIdError(String);

impl TopicId {
    /// The topic of one proxy.
    #[must_use]
    pub fn proxy(cluster: &str, proxy: &str) -> Self {
        Self::Proxy { cluster: cluster.to_owned(), proxy: proxy.to_owned() }
    }

    /// The topic of one proxy on one node.
    #[must_use]
    pub fn node(node: &str, proxy: &str) -> Self {
        Self::Node { node: node.to_owned(), proxy: proxy.to_owned() }
    }
}

impl FromStr for TopicId {
    type Err = TopicIdError;

    fn from_str(s: &str) -> Result<Self, TopicIdError> {
        if s == "fleet" {
            return Ok(Self::Fleet);
        }
        if s == "events" {
            return Ok(Self::Events);
        }
        if s == "accounts" {
            return Ok(Self::Accounts);
        }
        // Names of clusters and nodes have no slash: the configuration does not take it. Neither has a proxy's, as far as
        // HAProxy goes.
        let parts = s.split_once(':').and_then(|(kind, s)| Some((kind, s.split_once('/')?)));
        match parts {
            Some((kind, (of, proxy))) if !of.is_empty() && !proxy.is_empty() => match kind {
                "proxy" => Ok(Self::proxy(of, proxy)),
                "node" => Ok(Self::node(of, proxy)),
                _ => Err(TopicIdError(s.to_owned())),
            },
            _ => Err(TopicIdError(s.to_owned())),
        }
    }
}

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fleet => f.write_str("fleet"),
            Self::Events => f.write_str("events"),
            Self::Accounts => f.write_str("accounts"),
            Self::Proxy { cluster, proxy } => write!(f, "proxy:{cluster}/{proxy}"),
            Self::Node { node, proxy } => write!(f, "node:{node}/{proxy}"),
        }
    }
}

impl TryFrom<String> for TopicId {
    type Error = TopicIdError;

    fn try_from(s: String) -> Result<Self, TopicIdError> {
        s.parse()
    }
}

impl From<TopicId> for String {
    fn from(id: TopicId) -> Self {
        id.to_string()
    }
}

/// Sessions of one row over the last minutes, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spark(pub Vec<u32>);

impl Spark {
    /// How many samples it keeps.
    pub const SAMPLES: usize = 60;
    /// Seconds between two samples: with [`Self::SAMPLES`] of them it covers ten minutes.
    pub const INTERVAL_S: u64 = 10;

    /// What a row adds to its spark: its sessions.
    #[must_use]
    pub fn sample_of(row: &Row) -> u32 {
        u32::try_from(row.get(Col::Scur)).unwrap_or(u32::MAX)
    }

    /// Adds a sample, and drops the oldest when there are enough.
    pub fn push(&mut self, sample: u32) {
        if self.0.len() >= Self::SAMPLES {
            self.0.remove(0);
        }
        self.0.push(sample);
    }
}

/// One proxy's rows on one node, or merged over the nodes of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// The node's name; [`Section::MERGED`] for the merged rows.
    pub node: String,
    /// In HAProxy's order: frontend, listeners, servers, backend. Shared with the collector that read them.
    pub rows: Arc<Vec<Row>>,
    /// Per row its recent sessions; may be shorter than `rows` where nothing was sampled yet.
    pub sparks: Arc<Vec<Spark>>,
}

/// One proxy's sections: the merged one first where there is one, then those of the nodes that have it, ordered by the
/// node's place in the configuration. Beside merged rows a node's section tells [states](crate::state_rows) alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sections(pub Vec<Section>);

/// What happened to one section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// The node's name.
    pub node: String,
    /// The section's place, should it be new.
    pub place: u32,
    /// What changed; nothing when the node does not have this proxy any more.
    pub change: Option<Change>,
}

impl Sections {
    /// The rows of one node, or the merged ones.
    #[must_use]
    pub fn section(&self, node: &str) -> Option<&Section> {
        self.0.iter().find(|s| s.node == node)
    }

    /// Whether they begin with merged rows.
    #[must_use]
    pub fn is_merged(&self) -> bool {
        self.0.first().is_some_and(Section::is_merged)
    }

    /// Carries a delta out.
    ///
    /// # Errors
    /// When it does not fit: a snapshot is needed.
    pub fn apply(&mut self, delta: Delta) -> Result<(), MisfitError> {
        let at = self.0.iter().position(|s| s.node == delta.node);
        let Some(change) = delta.change else {
            self.0.retain(|s| s.node != delta.node);
            return Ok(());
        };
        let at = at.unwrap_or_else(|| {
            let at = self.0.len().min(delta.place as usize);
            self.0.insert(at, Section::new(&delta.node, Arc::default()));
            at
        });
        self.0[at].apply(change)
    }

    /// Takes one sample of every row's sessions; beside merged rows, of those alone.
    pub fn sample(&mut self) {
        let count = if self.is_merged() { 1 } else { self.0.len() };
        self.0[..count].iter_mut().for_each(Section::sample);
    }
}

impl Section {
    /// In the place of a node's name: no node has an empty one.
    pub const MERGED: &str = "";

    /// Rows without a past.
    #[must_use]
    pub fn new(node: &str, rows: Arc<Vec<Row>>) -> Self {
        Self { node: node.to_owned(), rows, sparks: Arc::default() }
    }

    /// Whether its rows are merged over a cluster's nodes.
    #[must_use]
    pub fn is_merged(&self) -> bool {
        self.node == Self::MERGED
    }

    fn apply(&mut self, change: Change) -> Result<(), MisfitError> {
        match change {
            Change::Rows(new) => self.replace(Arc::new(new)),
            Change::Patch(_) => change::apply(Arc::make_mut(&mut self.rows), change)?,
        }
        Ok(())
    }

    /// Puts new rows in place of the old; a row that stays keeps its spark.
    pub fn replace(&mut self, new: Arc<Vec<Row>>) {
        let unchanged = self.rows.len() == new.len() && self.rows.iter().zip(&*new).all(|(a, b)| a.same_object(b));
        // Without a past there is none to keep.
        if !unchanged && !self.sparks.is_empty() {
            let of = |row: &Row| self.rows.iter().position(|r| r.same_object(row));
            let spark = |row| of(row).and_then(|at| self.sparks.get(at)).cloned().unwrap_or_default();
            self.sparks = Arc::new(new.iter().map(spark).collect());
        }
        self.rows = new;
    }

    /// Takes one sample of every row's sessions.
    pub fn sample(&mut self) {
        let sparks = Arc::make_mut(&mut self.sparks);
        sparks.resize(self.rows.len(), Spark::default());
        for (row, spark) in self.rows.iter().zip(sparks) {
            spark.push(Spark::sample_of(row));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::RowKind;

    #[test]
    fn a_topic_is_read_back_from_its_name() {
        for name in [
            "fleet",
            "events",
            "accounts",
            "proxy:edge/web",
            "proxy:edge/a.b-c_d:e",
            "proxy:edge/../x y",
            "node:lb1/web",
        ] {
            assert_eq!(name.parse::<TopicId>().expect(name).to_string(), name);
        }
        for name in
            ["", "fleet ", "proxy:", "proxy:web", "proxy:/web", "proxy:edge/", "Proxy:a/b", "node:/web", "a:b/c"]
        {
            assert!(name.parse::<TopicId>().is_err(), "{name}");
        }
    }

    #[test]
    fn a_spark_follows_its_server_when_the_rows_change() {
        let server = |name: &str, scur| {
            let mut row = Row::new(RowKind::Server, name);
            row.set(Col::Scur, Some(scur));
            row
        };
        let mut sections = Sections::default();
        let rows = |rows| Delta { node: "lb1".into(), place: 0, change: Some(Change::Rows(rows)) };
        sections.apply(rows(vec![server("a", 1), server("b", 2)])).expect("fits");
        sections.sample();
        sections.apply(rows(vec![server("b", 5), server("c", 7)])).expect("fits");
        sections.sample();
        assert_eq!(*sections.0[0].sparks, [Spark(vec![2, 5]), Spark(vec![7])]);
    }
}
