//! The proxies that are known, by the handle of each one's topic.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use model::{
    fleet::{Node, ProxySummary},
    frame::Handle,
};

use super::{
    summary::{Summary, counts},
    world::ProxyState,
};

/// One proxy of a cluster.
#[derive(Debug)]
pub(super) struct ClusterProxy {
    pub(super) state: Arc<ProxyState>,
    /// Per node, by its place in the configuration, the summary of its section.
    pub(super) summaries: BTreeMap<usize, Summary>,
}

impl ClusterProxy {
    /// Its entry in the fleet.
    pub(super) fn summary(&self) -> ProxySummary {
        ProxySummary {
            cluster: self.state.cluster.clone(),
            proxy: self.state.proxy.clone(),
            nodes: self.summaries.values().map(|s| s.counts.clone()).collect(),
            merged: self.state.merged.as_ref().map(counts),
        }
    }
}

/// Every proxy.
#[derive(Debug, Default)]
pub(super) struct Proxies {
    all: HashMap<Handle, ClusterProxy>,
    /// As pages list them: clusters as configured, the proxies of each in the order of first sight.
    listed: Vec<Handle>,
}

impl Proxies {
    pub(super) fn get(&self, handle: Handle) -> Option<&ClusterProxy> {
        self.all.get(&handle)
    }

    pub(super) fn get_mut(&mut self, handle: Handle) -> Option<&mut ClusterProxy> {
        self.all.get_mut(&handle)
    }

    /// Adds a proxy. `nodes` are all nodes, as configured.
    pub(super) fn add(&mut self, handle: Handle, state: ProxyState, nodes: &[Node]) {
        self.all.insert(handle, ClusterProxy { state: Arc::new(state), summaries: BTreeMap::new() });
        let rank = |handle: &Handle| {
            let cluster = &self.all.get(handle)?.state.cluster;
            nodes.iter().position(|n| n.cluster == *cluster)
        };
        // Within its cluster the proxy that was seen last stands last.
        let at = self.listed.partition_point(|other| rank(other) <= rank(&handle));
        self.listed.insert(at, handle);
    }

    /// Forgets the proxies with these handles. Handles of other topics are passed over.
    pub(super) fn remove_all(&mut self, handles: &[Handle]) {
        for handle in handles {
            self.all.remove(handle);
        }
        self.listed.retain(|handle| self.all.contains_key(handle));
    }

    /// As pages list them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &ClusterProxy> + Clone {
        self.listed.iter().filter_map(|handle| self.all.get(handle))
    }

    /// In any order, each with its handle.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (Handle, &mut ClusterProxy)> {
        self.all.iter_mut().map(|(handle, proxy)| (*handle, proxy))
    }

    /// The states, as pages list them.
    pub(super) fn states(&self) -> impl Iterator<Item = &Arc<ProxyState>> + Clone {
        self.iter().map(|proxy| &proxy.state)
    }
}
