//! What is not well, and how bad it is.

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
    let mut out: Vec<Problem> = Vec::new();
    for problem in problems {
        let same = out.iter_mut().find(|p| {
            p.severity == problem.severity
                && p.cluster == problem.cluster
                && p.proxy == problem.proxy
                && p.name == problem.name
                && problem.severity != Severity::NodeDown
        });
        match same {
            Some(known) => {
                known.since = known.since.min(problem.since);
                known.nodes.extend(problem.nodes);
            }
            None => out.push(problem),
        }
    }
    out.sort_by(|a, b| {
        (a.severity, a.since, &a.cluster, &a.proxy, &a.name).cmp(&(b.severity, b.since, &b.cluster, &b.proxy, &b.name))
    });
    out
}
