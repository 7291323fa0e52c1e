//! A section in the fleet: how many of its servers are in which state, and which problems it has.

use model::{
    fleet::{Counts, Link, Node, NodeStats},
    problem::{Problem, Severity, problems, rank},
    row::RowKind,
    status::RowState,
    topic::Section,
};

/// A section's part in the fleet, kept until its rows change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) counts: Counts,
    pub(super) problems: Vec<Problem>,
}

/// Counts a section's servers, and finds what is not well in it.
pub(super) fn summary(cluster: &str, proxy: &str, section: &Section) -> Summary {
    Summary { counts: counts(section), problems: problems(cluster, proxy, section) }
}

/// Counts a section's servers.
pub(super) fn counts(section: &Section) -> Counts {
    let mut counts = Counts { node: section.node.clone(), ..Counts::default() };
    for row in section.rows.iter().filter(|r| r.kind == RowKind::Server) {
        let state = row.state();
        if let Some(at) = RowState::ALL.iter().position(|s| *s == state) {
            counts.states[at] += 1;
        }
        counts.up += u32::from(row.takes_traffic());
    }
    counts
}

/// Every problem, worst first: the nodes that do not answer, and the problems of the others' rows.
///
/// What a node said before it went down is left out.
pub(super) fn all_problems<'a>(nodes: &[Node], sections: impl Iterator<Item = &'a Summary>) -> Vec<Problem> {
    let is_down = |name: &str| nodes.iter().any(|n| n.name == name && n.link == Link::Down);
    let away = nodes.iter().filter(|n| n.link != Link::Live).map(|node| Problem {
        severity: Severity::NodeDown,
        cluster: node.cluster.clone(),
        proxy: String::new(),
        name: node.name.clone(),
        status: if node.link == Link::Down { "UNREACHABLE".to_owned() } else { "STALE".to_owned() },
        cause: node.error.clone(),
        since: last_heard(&node.stats, node) / 1_000,
        nodes: vec![node.name.clone()],
    });
    let rows = sections.filter(|s| !is_down(&s.counts.node)).flat_map(|s| s.problems.iter().cloned());
    rank(away.chain(rows))
}

/// When the node last answered; for one that never did, since when it is tried. Unix milliseconds.
fn last_heard(stats: &NodeStats, node: &Node) -> u64 {
    if stats.polled == 0 { node.since } else { stats.polled }
}
