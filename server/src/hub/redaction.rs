//! The world without what a principal may not see. Plain functions over a [`World`].

use std::sync::Arc;

use model::{
    col::Col,
    event::Event,
    fleet::{Fleet, Link, Node},
    problem::Problem,
    rights::Rights,
    row::{Row, RowKind},
    topic::{Section, Spark},
};

use super::{
    events::EventLog,
    visibility::Visibility,
    world::{ProxyState, World},
};

impl World {
    /// The world without what `rights` do not let be seen; the very same where that is nothing.
    ///
    /// Of a node's replies `show stat` is the raw text of all its rows: [`World::sees`] tells which may be passed on.
    #[must_use]
    pub fn seen_by(self: &Arc<Self>, rights: &Rights) -> Arc<Self> {
        let Some(visibility) = Visibility::of(rights) else { return self.clone() };
        let proxies: Vec<Arc<ProxyState>> = self.proxies.iter().filter_map(|p| proxy(&visibility, p)).collect();
        let fleet = fleet(&visibility, &self.fleet, &self.problems, self.proxies.iter(), None);
        let replies = self.fleet.nodes.iter().zip(&self.replies).filter(|(n, _)| visibility.sees_cluster(&n.cluster));
        Arc::new(Self {
            problems: Arc::new(problems(&visibility, &self.problems)),
            replies: replies.map(|(_, replies)| replies.clone()).collect(),
            events: Arc::new(events(&visibility, &self.events)),
            fleet: Arc::new(fleet),
            proxies,
            visibility: Some(visibility),
        })
    }

    /// Whether a proxy's rows may be seen in this world, whether the proxy exists or not.
    #[must_use]
    pub fn sees(&self, cluster: &str, proxy: &str) -> bool {
        self.visibility.as_ref().is_none_or(|visibility| visibility.sees(cluster, proxy))
    }
}

/// A proxy as it is seen; nothing where it is not.
fn proxy(visibility: &Visibility, proxy: &Arc<ProxyState>) -> Option<Arc<ProxyState>> {
    let cluster = &proxy.cluster;
    visibility.sees(cluster, &proxy.proxy).then(|| {
        let sections = visibility.sections(cluster, &proxy.sections);
        let merged = proxy.merged.as_ref().and_then(|m| visibility.section(cluster, m));
        if sections.is_none() && merged.is_none() {
            return proxy.clone();
        }
        let mut proxy = ProxyState::clone(proxy);
        proxy.sections = sections.unwrap_or(proxy.sections);
        proxy.merged = merged.or(proxy.merged);
        Arc::new(proxy)
    })
}

/// The fleet as it is seen. `problems` and `proxies` are all that there are; a `known` fleet of the same epoch spares
/// the sums of the past.
///
/// Connections, idle time and limits are the process's, and shown to everybody who sees its cluster. The requests of a node
/// are those of the frontends that are seen.
pub(super) fn fleet<'a>(
    visibility: &Visibility,
    all: &Fleet,
    all_problems: &[Problem],
    proxies: impl Iterator<Item = &'a Arc<ProxyState>> + Clone,
    known: Option<&Fleet>,
) -> Fleet {
    let seen = proxies.filter(|p| visibility.sees(&p.cluster, &p.proxy));
    let node = |node: &Node| {
        let mut node = node.clone();
        if !visibility.sees_whole(&node.cluster) {
            let of_cluster = seen.clone().filter(|p| p.cluster == node.cluster);
            let sections = of_cluster.filter_map(|p| p.sections.section(&node.name));
            node.stats.requests = sections.map(requests).fold(0, u64::saturating_add);
        }
        node
    };
    let mut problems = problems(visibility, all_problems);
    let problem_count = problems.len() as u64;
    problems.truncate(Fleet::MOST_PROBLEMS);
    Fleet {
        now: all.now,
        epoch: all.epoch,
        nodes: all.nodes.iter().filter(|n| visibility.sees_cluster(&n.cluster)).map(node).collect(),
        proxies: all.proxies.iter().filter(|p| visibility.sees(&p.cluster, &p.proxy)).cloned().collect(),
        problems,
        problem_count,
        requests: match known.filter(|known| known.epoch == all.epoch) {
            Some(known) => known.requests.clone(),
            None => sum(seen.map(|p| &p.requests), all.requests.0.len()),
        },
        lost: all.lost.iter().filter(|l| visibility.sees(&l.cluster, &l.proxy)).cloned().collect(),
    }
}

/// The problems that are seen. They are ranked already, and each is of one proxy or one node: nothing is merged anew.
fn problems(visibility: &Visibility, all: &[Problem]) -> Vec<Problem> {
    let is_seen = |p: &&Problem| match p.proxy.as_str() {
        "" => visibility.sees_cluster(&p.cluster),
        proxy => visibility.sees(&p.cluster, proxy),
    };
    let mut out: Vec<Problem> = all.iter().filter(is_seen).cloned().collect();
    for problem in &mut out {
        for text in [&mut problem.status, &mut problem.cause] {
            visibility.hide(&problem.cluster, text);
        }
    }
    out
}

/// The events that are seen, oldest first.
fn events(visibility: &Visibility, all: &EventLog) -> EventLog {
    all.iter().filter_map(|event| Some(Arc::new(visibility.event(event)?))).collect()
}

/// The newest events that are seen, oldest first, `most` at most.
pub(super) fn newest(visibility: &Visibility, all: &EventLog, most: usize) -> Vec<Event> {
    let mut out: Vec<Event> = all.iter().rev().filter_map(|event| visibility.event(event)).take(most).collect();
    out.reverse();
    out
}

/// Requests a second that a section's frontends take.
pub(super) fn requests(section: &Section) -> u64 {
    section.rows.iter().map(requests_of).fold(0, u64::saturating_add)
}

/// Requests a second that a frontend takes; sessions where it does not count requests.
pub(crate) fn requests_of(row: &Row) -> u64 {
    match row.kind {
        RowKind::Frontend => row.get(Col::ReqRate).max(row.get(Col::Rate)),
        _ => 0,
    }
}

/// Requests a second that a proxy takes on the nodes that answer, as a sample of its past.
pub(super) fn sample_of(proxy: &ProxyState, nodes: &[Node]) -> u32 {
    let is_live = |s: &&Section| nodes.iter().any(|n| n.name == s.node && n.link == Link::Live);
    let total = proxy.sections.0.iter().filter(is_live).map(requests).fold(0, u64::saturating_add);
    u32::try_from(total).unwrap_or(u32::MAX)
}

/// Pasts added up, newest with newest, over `samples` samples.
fn sum<'a>(pasts: impl Iterator<Item = &'a Spark>, samples: usize) -> Spark {
    let mut out = vec![0_u32; samples];
    for past in pasts {
        for (sum, sample) in out.iter_mut().rev().zip(past.0.iter().rev()) {
            *sum = sum.saturating_add(*sample);
        }
    }
    Spark(out)
}
