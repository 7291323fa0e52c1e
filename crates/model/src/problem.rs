//! What is not well, and how bad it is.

use std::collections::{BTreeMap, btree_map::Entry};

use serde::{Deserialize, Serialize};

use crate::{
    cause::cause,
    col::{Col, Text},
    format::plural,
    row::{Row, RowKind},
    status::RowState,
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
    let servers: Vec<&Row> = section.rows.iter().filter(|r| r.kind == RowKind::Server).collect();
    section
        .rows
        .iter()
        .filter_map(|row| {
            let severity = severity(row, servers.len())?;
            let cause = match severity {
                Severity::BackendDown => format!("{}: {}", cause(row), why_none(&servers)),
                _ => cause(row),
            };
            Some(Problem {
                severity,
                cluster: cluster.to_owned(),
                proxy: proxy.to_owned(),
                name: row.name.clone(),
                status: row.text(Text::Status).to_owned(),
                cause,
                since: row.get(Col::Lastchg),
                nodes: vec![section.node.clone()],
            })
        })
        .collect()
}

fn severity(row: &Row, servers: usize) -> Option<Severity> {
    match (row.kind, row.state()) {
        (RowKind::Backend, RowState::Down) if servers > 0 => Some(Severity::BackendDown),
        (RowKind::Backend, _) => None,
        (RowKind::Server, RowState::Down) => Some(Severity::Down),
        (_, RowState::Failing | RowState::Recovering) => Some(Severity::Failing),
        (_, RowState::Full) => Some(Severity::Full),
        (RowKind::Server, RowState::Drain) => Some(Severity::Drain),
        // A frontend that takes no connection is a problem even where an operator stopped it.
        (RowKind::Frontend, RowState::Maint) => Some(Severity::Down),
        _ => None,
    }
}

/// What became of the servers of a backend that has none left: `2 servers down, 1 in maint`.
fn why_none(servers: &[&Row]) -> String {
    let mut out = String::new();
    for word in ["down", "coming up", "in drain", "in maint", "without weight", "in an unknown state"] {
        let count = servers.iter().filter(|r| fate(r.state()) == word).count();
        match count {
            0 => {}
            _ if out.is_empty() => out = format!("{} {word}", plural(count, "server")),
            _ => out = format!("{out}, {count} {word}"),
        }
    }
    out
}

fn fate(state: RowState) -> &'static str {
    match state {
        RowState::Down => "down",
        RowState::Recovering => "coming up",
        RowState::Drain => "in drain",
        RowState::Maint => "in maint",
        // It would take traffic.
        RowState::Up | RowState::Failing | RowState::NoCheck => "without weight",
        RowState::Full | RowState::Unknown => "in an unknown state",
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
    use std::sync::Arc;

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
    fn a_backend_without_a_server_tells_what_became_of_them() {
        let row = |kind, name: &str, status: &str| {
            let mut row = Row::new(kind, name);
            row.set_text(Text::Status, status);
            row
        };
        let server = |(name, status): &(&str, &str)| row(RowKind::Server, name, status);
        for (mode, servers, want) in [
            (
                "http",
                &[("a", "DOWN"), ("b", "MAINT"), ("c", "DOWN (agent)")][..],
                "its requests get 503: 2 servers down, 1 in maint",
            ),
            ("tcp", &[("a", "DRAIN")], "its connections are closed: 1 server in drain"),
            (
                "http",
                &[("a", "UP"), ("b", "DOWN 1/2"), ("c", "no check")],
                "its requests get 503: 1 server coming up, 2 without weight",
            ),
        ] {
            let mut rows: Vec<Row> = servers.iter().map(server).collect();
            let mut backend = row(RowKind::Backend, "BACKEND", "DOWN");
            backend.set_text(Text::Mode, mode);
            rows.push(backend);
            let section = Section { node: "lb1".into(), rows: rows.into(), sparks: Arc::default() };
            let problems = problems("edge", "web", &section);
            assert_eq!(problems.last().expect("a problem").cause, want);
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
