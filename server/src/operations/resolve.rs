//! Finds the servers that a request names among the rows of the last polls. Nothing that is not found there is ever sent.

use std::collections::BTreeSet;

use model::{
    outcome::{Target, TargetRef},
    row::RowKind,
};

use crate::hub::World;

/// The most targets of one operation, after clusters are resolved: ten thousand servers on two nodes.
const MOST_TARGETS: usize = 20_000;

/// The longest reason, in characters: some sentences.
pub(super) const LONGEST_REASON: usize = 500;

/// The longest part of a client's text that an error repeats, in characters.
const QUOTED: usize = 80;

/// Why a request was denied. Nothing was sent to any node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// It names nothing.
    #[error("no target is named")]
    Empty,
    /// It names too much.
    #[error("{0} targets are named, {MOST_TARGETS} are the most")]
    TooMany(usize),
    /// It names a node and a cluster.
    #[error("{0} names a node and a cluster: name one of them")]
    Both(String),
    /// No such node.
    #[error("there is no node {0}")]
    Node(String),
    /// No such cluster.
    #[error("there is no cluster {0}")]
    Cluster(String),
    /// No such server.
    #[error("there is no server {0}")]
    Server(String),
    /// No reason, where one is needed.
    #[error("an action needs a reason here: say why")]
    NoReason,
    /// A reason that nobody would read.
    #[error("the reason has {0} characters, {LONGEST_REASON} are the most")]
    LongReason(usize),
    /// Too many of them.
    #[error("too many actions in a short time; wait {wait} s")]
    Rate {
        /// Seconds until the next one is taken.
        wait: u64,
    },
    /// What let the principal in has ended meanwhile.
    #[error("you are not logged in any more: your session or token has ended")]
    NotLoggedIn,
    /// Role or rules do not let the principal do this to every server that is named.
    #[error("{0}")]
    Denied(String),
    /// Its entry in the audit log can't be written, so nothing is sent.
    #[error("the audit log can't be written, and what can't be recorded is not done: {0}")]
    Unrecorded(String),
    /// The audit log is as large as it may be.
    #[error(
        "the audit log has no room: it uses {used} of the {max} MB of `max_size` in [audit], and nothing in it is old enough \
         to be dropped. An admin can raise `max_size` or lower `keep`, and start Sluice again"
    )]
    Full {
        /// Megabytes that it uses.
        used: u64,
        /// Megabytes that it may use.
        max: u64,
    },
    /// Several clusters have it.
    #[error("{server} is in more than one cluster ({clusters}): name the cluster or the node")]
    Ambiguous {
        /// `backend/server`.
        server: String,
        /// The clusters' names.
        clusters: String,
    },
}

impl RequestError {
    /// The error in a word or two, as the audit log keeps it.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Empty | Self::Both(_) => "malformed",
            Self::TooMany(_) => "too many",
            Self::Node(_) | Self::Cluster(_) | Self::Server(_) => "unknown",
            Self::Ambiguous { .. } => "ambiguous",
            Self::Denied(_) => "not allowed",
            Self::NotLoggedIn => "not logged in",
            Self::NoReason | Self::LongReason(_) => "no reason",
            Self::Rate { .. } => "rate",
            Self::Unrecorded(_) => "unrecorded",
            Self::Full { .. } => "audit log full",
        }
    }

    /// Whether it denies the principal something, which goes into the audit log.
    pub(super) fn is_denial(&self) -> bool {
        !matches!(self, Self::Unrecorded(_))
    }

    /// The HTTP status that fits.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Empty | Self::Both(_) => 400,
            Self::NotLoggedIn => 401,
            Self::Denied(_) => 403,
            Self::TooMany(_) => 413,
            Self::Node(_) | Self::Cluster(_) | Self::Server(_) => 404,
            Self::Ambiguous { .. } => 409,
            Self::NoReason | Self::LongReason(_) => 422,
            Self::Rate { .. } => 429,
            Self::Unrecorded(_) => 503,
            Self::Full { .. } => 507,
        }
    }
}

/// The servers that are meant, each once, in the order asked for.
///
/// # Errors
/// The first that is not known or not clear.
pub(super) fn resolve(world: &World, targets: &[TargetRef]) -> Result<Vec<Target>, RequestError> {
    if targets.is_empty() {
        return Err(RequestError::Empty);
    }
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for target in targets {
        for found in find(world, target)? {
            if seen.insert(found.clone()) {
                out.push(found);
            }
        }
        if out.len() > MOST_TARGETS {
            return Err(RequestError::TooMany(out.len()));
        }
    }
    Ok(out)
}

fn find(world: &World, target: &TargetRef) -> Result<Vec<Target>, RequestError> {
    let name = quote(&format!("{}/{}", target.backend, target.server));
    let nodes = &world.fleet.nodes;
    match (&target.node, &target.cluster) {
        (Some(_), Some(_)) => return Err(RequestError::Both(name)),
        (Some(node), None) if !nodes.iter().any(|n| n.name == *node) => return Err(RequestError::Node(quote(node))),
        (None, Some(cluster)) if !nodes.iter().any(|n| n.cluster == *cluster) => {
            return Err(RequestError::Cluster(quote(cluster)));
        }
        _ => {}
    }
    let proxies = world.proxies.iter().filter(|p| p.proxy == target.backend);
    let wanted = proxies.filter(|p| target.cluster.as_ref().is_none_or(|c| p.cluster == *c));
    let mut clusters = BTreeSet::new();
    let mut found = Vec::new();
    for proxy in wanted {
        let sections = proxy.sections.0.iter().filter(|s| target.node.as_ref().is_none_or(|n| s.node == *n));
        for section in sections {
            if section.rows.iter().any(|r| r.kind == RowKind::Server && r.name == target.server) {
                clusters.insert(proxy.cluster.as_str());
                found.push(Target::new(&section.node, &proxy.proxy, &target.server));
            }
        }
    }
    if found.is_empty() {
        return Err(RequestError::Server(name));
    }
    if target.node.is_none() && clusters.len() > 1 {
        let clusters = clusters.into_iter().collect::<Vec<_>>().join(", ");
        return Err(RequestError::Ambiguous { server: name, clusters });
    }
    Ok(found)
}

/// A client's text, fit for a log and an error: quoted, escaped, cut.
pub(super) fn quote(text: &str) -> String {
    let short: String = text.chars().take(QUOTED).collect();
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::{
        fleet::{Fleet, Node},
        row::Row,
        topic::{Section, Sections},
    };

    use super::*;
    use crate::hub::ProxyState;

    /// Clusters `edge` (lb1, lb2) and `lab` (lb3): all have web/s1, lb1 alone has web/s2, lb3 alone has only/s1.
    fn world() -> World {
        let node = |name: &str, cluster: &str| Node { name: name.into(), cluster: cluster.into(), ..Node::default() };
        let section = |node: &str, servers: &[&str]| Section {
            node: node.into(),
            rows: Arc::new(servers.iter().map(|s| Row::new(RowKind::Server, *s)).collect()),
            sparks: Arc::default(),
        };
        let proxy = |cluster: &str, proxy: &str, sections| {
            Arc::new(ProxyState { sections: Sections(sections), ..ProxyState::new(cluster, proxy, false) })
        };
        let nodes = vec![node("lb1", "edge"), node("lb2", "edge"), node("lb3", "lab")];
        World {
            fleet: Arc::new(Fleet { nodes, ..Fleet::default() }),
            proxies: vec![
                proxy("edge", "web", vec![section("lb1", &["s1", "s2"]), section("lb2", &["s1"])]),
                proxy("lab", "web", vec![section("lb3", &["s1"])]),
                proxy("lab", "only", vec![section("lb3", &["s1"])]),
            ],
            ..World::default()
        }
    }

    fn of(node: Option<&str>, cluster: Option<&str>, backend: &str, server: &str) -> Result<String, u16> {
        let target = TargetRef {
            node: node.map(str::to_owned),
            cluster: cluster.map(str::to_owned),
            backend: backend.into(),
            server: server.into(),
        };
        resolve(&world(), &[target.clone(), target])
            .map(|t| t.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
            .map_err(|e| e.status())
    }

    #[test]
    fn a_target_is_found_by_node_by_cluster_and_by_itself() {
        assert_eq!(of(Some("lb2"), None, "web", "s1").as_deref(), Ok("lb2/web/s1"));
        assert_eq!(of(None, Some("edge"), "web", "s1").as_deref(), Ok("lb1/web/s1 lb2/web/s1"));
        assert_eq!(of(None, Some("edge"), "web", "s2").as_deref(), Ok("lb1/web/s2"));
        assert_eq!(of(None, None, "only", "s1").as_deref(), Ok("lb3/only/s1"));
        assert_eq!(of(None, None, "web", "s2").as_deref(), Ok("lb1/web/s2"));
    }

    #[test]
    fn what_is_not_known_or_not_clear_is_an_error() {
        for (got, status) in [
            (of(None, None, "web", "s1"), 409),
            (of(Some("lb1"), Some("edge"), "web", "s1"), 400),
            (of(Some("lb9"), None, "web", "s1"), 404),
            (of(None, Some("nope"), "web", "s1"), 404),
            (of(Some("lb2"), None, "web", "s2"), 404),
            (of(None, None, "web", "s1\n"), 404),
            (of(None, None, "web;show info", "s1"), 404),
            (of(None, None, "#1", "#1"), 404),
            (of(None, None, "", ""), 404),
        ] {
            assert_eq!(got, Err(status));
        }
        assert_eq!(resolve(&world(), &[]), Err(RequestError::Empty));
    }

    #[test]
    fn a_client_s_text_is_quoted_and_cut() {
        assert_eq!(quote("a\n\u{1b}[31m\""), r#""a\n\u{1b}[31m\"""#);
        assert!(quote(&"x".repeat(5_000)).len() < 100);
    }
}
