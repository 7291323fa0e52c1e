//! What is not well, and how bad it is.

use std::collections::{BTreeMap, btree_map::Entry};

use serde::{Deserialize, Serialize};

use super::{
    cause::cause,
    col::{Col, Text},
    row::{Kind, Row},
    status::State,
    topic::Section,
};

/// How bad: the order is that of the wall, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Severity {
    /// A node does not answer.
    NodeDown,
    /// A backend has no server left.
    BackendDown,
    /// A server is DOWN.
    Down,
    /// A server fails its checks, or comes back.
    Failing,
    /// Something is full.
    Full,
    /// A server gets no new sessions.
    Drain,
}

/// One thing that is not well, on the nodes that see it so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// How bad.
    pub severity: Severity,
    /// The cluster's name.
    pub cluster: String,
    /// HAProxy's `pxname`; empty for a node.
    pub proxy: String,
    /// HAProxy's `svname`; empty for a node.
    pub name: String,
    /// The state, as HAProxy wrote it.
    pub status: String,
    /// Why, in a sentence's half.
    pub cause: String,
    /// Since when, Unix seconds: the earliest that a node says.
    pub since: u64,
    /// The nodes that see it.
    pub nodes: Vec<String>,
}

/// What is not well in one section, in HAProxy's order.
#[must_use]
pub fn problems(cluster: &str, proxy: &str, section: &Section) -> Vec<Problem> {
    let servers = section.rows.iter().filter(|r| r.kind == Kind::Server).count();
    section
        .rows
        .iter()
        .filter_map(|row| {
            let severity = severity(row, servers)?;
            Some(Problem {
                severity,
                cluster: cluster.to_owned(),
                proxy: proxy.to_owned(),
                name: row.name.clone(),
                status: row.text(Text::Status).to_owned(),
                cause: cause(row),
                since: row.get(Col::Lastchg),
                nodes: vec![section.node.clone()],
            })
        })
        .collect()
}

fn severity(row: &Row, servers: usize) -> Option<Severity> {
    match (row.kind, row.state()) {
        (Kind::Backend, State::Down) if servers > 0 => Some(Severity::BackendDown),
        (Kind::Backend, _) => None,
        (Kind::Server, State::Down) => Some(Severity::Down),
        (_, State::Failing | State::Recovering) => Some(Severity::Failing),
        (_, State::Full) => Some(Severity::Full),
        (Kind::Server, State::Drain) => Some(Severity::Drain),
        // A frontend that takes nobody is a problem, whoever stopped it.
        (Kind::Frontend, State::Maint) => Some(Severity::Down),
        _ => None,
    }
}

/// Makes one entry of what several nodes of a cluster see alike, and puts the worst first.
#[must_use]
pub fn rank(problems: impl IntoIterator<Item = Problem>) -> Vec<Problem> {
    let mut merged: BTreeMap<(Severity, String, String, String), Problem> = BTreeMap::new();
    for problem in problems {
        // A node has no proxy: its own name keeps it apart from other nodes.
        let name = if problem.proxy.is_empty() { problem.nodes.concat() } else { problem.name.clone() };
        match merged.entry((problem.severity, problem.cluster.clone(), problem.proxy.clone(), name)) {
            Entry::Vacant(entry) => {
                entry.insert(problem);
            }
            Entry::Occupied(mut entry) => {
                let known = entry.get_mut();
                known.since = known.since.min(problem.since);
                known.nodes.extend(problem.nodes);
            }
        }
    }
    let mut out: Vec<Problem> = merged.into_values().collect();
    // Stable: what is equally bad and equally old stays in the order of its names.
    out.sort_by_key(|p| (p.severity, p.since));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(severity: Severity, name: &str, node: &str, since: u64) -> Problem {
        Problem {
            severity,
            cluster: "edge".into(),
            proxy: "web".into(),
            name: name.into(),
            status: String::new(),
            cause: String::new(),
            since,
            nodes: vec![node.into()],
        }
    }

    #[test]
    fn what_nodes_see_alike_is_one_entry_and_the_worst_is_first() {
        let got = rank([
            problem(Severity::Drain, "a", "lb1", 5),
            problem(Severity::Down, "b", "lb1", 9),
            problem(Severity::Down, "b", "lb2", 7),
            problem(Severity::Down, "c", "lb1", 8),
        ]);
        let short: Vec<_> = got.iter().map(|p| (p.name.as_str(), p.since, p.nodes.join("+"))).collect();
        assert_eq!(short, [("b", 7, "lb1+lb2".into()), ("c", 8, "lb1".into()), ("a", 5, "lb1".into())]);
    }
}
