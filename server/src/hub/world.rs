//! What the hub knows at one moment, for pages, the API, operations and metrics.

use std::sync::Arc;

use model::{
    fleet::Fleet,
    problem::Problem,
    state_rows::state_rows,
    topic::{Section, Sections, Spark, TopicId},
};

use super::{events::EventLog, visibility::Visibility};

/// The state as it was at one moment. Cheap to hold: everything inside is shared.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The topic `fleet`.
    pub fleet: Arc<Fleet>,
    /// Every proxy, in the order of `fleet.proxies`.
    pub proxies: Vec<Arc<ProxyState>>,
    /// Per node, by its place in the configuration, what it answered last.
    pub replies: Vec<Option<Arc<Replies>>>,
    /// What happened lately, oldest first.
    pub events: Arc<EventLog>,
    /// What is not well, worst first: all of it, while the fleet tells only the first of them.
    pub problems: Arc<Vec<Problem>>,
    /// What may be seen of the whole in this world; nothing where that is everything.
    pub(crate) visibility: Option<Visibility>,
}

impl World {
    /// One proxy of a cluster.
    #[must_use]
    pub fn proxy(&self, cluster: &str, proxy: &str) -> Option<&Arc<ProxyState>> {
        self.proxies.iter().find(|p| p.cluster == cluster && p.proxy == proxy)
    }
}

/// One proxy of a cluster.
#[derive(Clone, Debug)]
pub struct ProxyState {
    /// The cluster's name.
    pub cluster: String,
    /// HAProxy's `pxname`.
    pub proxy: String,
    /// Its rows on each node, every figure of them.
    pub sections: Sections,
    /// In a cluster of several nodes, the rows merged over those that answer.
    pub merged: Option<Section>,
    /// Requests a second that its frontends take, a sample per epoch.
    pub requests: Spark,
}

impl ProxyState {
    /// A proxy without rows; `is_merged` in a cluster of several nodes.
    pub(crate) fn new(cluster: &str, proxy: &str, is_merged: bool) -> Self {
        Self {
            cluster: cluster.to_owned(),
            proxy: proxy.to_owned(),
            sections: Sections::default(),
            merged: is_merged.then(|| Section::new(Section::MERGED, Arc::default())),
            requests: Spark::default(),
        }
    }

    /// The topic's name.
    #[must_use]
    pub fn id(&self) -> TopicId {
        TopicId::proxy(&self.cluster, &self.proxy)
    }

    /// What its topic tells: the rows of a lone node; otherwise the merged rows, and what state each node sees.
    #[must_use]
    pub fn topic(&self) -> Sections {
        let Some(merged) = &self.merged else { return self.sections.clone() };
        // Without rows there is nothing to merge either.
        let merged = (!merged.rows.is_empty()).then(|| merged.clone());
        let states = self.sections.0.iter().map(|s| Section::new(&s.node, Arc::new(state_rows(&s.rows))));
        Sections(merged.into_iter().chain(states).collect())
    }
}

/// What a node answered in its last good poll.
#[derive(Clone, Debug)]
pub struct Replies {
    /// `show info`.
    pub info: haproxy::Info,
    /// `show stat`, unparsed.
    pub stat: haproxy::StatTable,
    /// When the poll ended, Unix milliseconds.
    pub polled: u64,
}
