//! The topic `fleet`: the nodes, a summary of every proxy, and what is not well.

use serde::{Deserialize, Serialize};

use crate::{lost::Lost, problem::Problem, status::RowState, topic::Spark};

/// How well a node answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Link {
    /// The last poll succeeded.
    Live,
    /// The last poll failed; the rows are a few seconds old.
    Stale,
    /// Nothing has been heard for longer than that, or ever.
    #[default]
    Down,
}

impl Link {
    /// Its word in the API and in events.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Stale => "stale",
            Self::Down => "down",
        }
    }
}

/// What a node's socket permits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Everything.
    Admin,
    /// Reading, and clearing counters.
    Operator,
    /// Reading, without addresses and cookies.
    User,
    /// Not yet found out.
    #[default]
    Unknown,
}

impl Level {
    /// HAProxy's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::User => "user",
            Self::Unknown => "unknown",
        }
    }
}

/// One HAProxy process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name in Sluice's configuration.
    pub name: String,
    /// The cluster that it belongs to.
    pub cluster: String,
    /// Where its socket is.
    pub address: String,
    /// The time between two polls, milliseconds.
    pub poll_ms: u64,
    /// Whether it answers.
    pub link: Link,
    /// Why it does not; empty while it does.
    pub error: String,
    /// Since when `link` is as it is, Unix milliseconds.
    pub since: u64,
    /// `show info`: version.
    pub version: String,
    /// `show info`: process id.
    pub pid: u64,
    /// The instant the process started, Unix seconds (`Uptime_sec` as an instant).
    pub started: u64,
    /// `show info`: hard limit of connections.
    pub maxconn: u64,
    /// What its socket permits.
    pub level: Level,
    /// What every poll changes; `pulse` in the stream, which programs read.
    #[serde(rename = "pulse")]
    pub stats: NodeStats,
}

/// The figures of a node that every poll changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStats {
    /// When the last good poll ended, Unix milliseconds; 0 for never.
    pub polled: u64,
    /// `show info`: connections.
    pub conns: u64,
    /// `show info`: idle time of the process, per cent.
    pub idle: u64,
    /// Requests a second over all frontends; sessions for those in mode tcp.
    pub requests: u64,
}

/// How many servers of a proxy are in which state, on one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// The node's name.
    pub node: String,
    /// Servers by state, in the order of [`RowState::ALL`].
    pub states: [u32; RowState::ALL.len()],
    /// Servers that get new sessions.
    pub up: u32,
}

impl Counts {
    /// How many servers there are.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.states.iter().sum()
    }
}

/// One proxy of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxySummary {
    /// The cluster's name.
    pub cluster: String,
    /// HAProxy's `pxname`.
    pub proxy: String,
    /// Per node that has it, its servers.
    pub nodes: Vec<Counts>,
    /// In a cluster of several nodes, the servers of the merged rows.
    pub merged: Option<Counts>,
}

/// The whole topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fleet {
    /// Sluice's clock when this was so, Unix milliseconds.
    pub now: u64,
    /// Counts the samples taken for the sparklines.
    pub epoch: u64,
    /// In the order of the configuration.
    pub nodes: Vec<Node>,
    /// In the order of first sight: clusters as configured, proxies as HAProxy lists them.
    pub proxies: Vec<ProxySummary>,
    /// What is not well, worst first, [`Fleet::MOST_PROBLEMS`] at most.
    pub problems: Vec<Problem>,
    /// How many problems there are in all.
    pub problem_count: u64,
    /// Requests a second over all nodes, a sample per epoch.
    pub requests: Spark,
    /// What operators had set and reloads lost, node by node.
    pub lost: Vec<Lost>,
}

/// What changed in the fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetDelta {
    /// The new clock.
    pub now: u64,
    /// The new count of samples.
    pub epoch: u64,
    /// All nodes, where more than their figures changed.
    pub nodes: Option<Vec<Node>>,
    /// Otherwise the figures that changed, by the node's place; `pulses` in the stream.
    #[serde(rename = "pulses")]
    pub stats: Vec<(u32, NodeStats)>,
    /// All proxies, where one came or went.
    pub proxies: Option<Vec<ProxySummary>>,
    /// Otherwise the summaries that changed, by their place.
    pub summaries: Vec<(u32, ProxySummary)>,
    /// All problems and their full count, where one changed.
    pub problems: Option<(Vec<Problem>, u64)>,
    /// The history of requests, where it changed.
    pub requests: Option<Spark>,
    /// All lost states, where one changed.
    pub lost: Option<Vec<Lost>>,
}

impl Node {
    /// What may come on top of two polls before a node's rows count as old, in milliseconds.
    const GRACE_MS: u64 = 2_000;

    /// How old its rows are at `now`, in milliseconds; nothing if there never were any.
    #[must_use]
    pub fn age_ms(&self, now: u64) -> Option<u64> {
        (self.stats.polled > 0).then(|| now.saturating_sub(self.stats.polled))
    }

    /// Whether its rows may be taken for the present: it answers, and the last answer is not overdue.
    #[must_use]
    pub fn is_fresh(&self, now: u64) -> bool {
        self.link == Link::Live && self.age_ms(now).is_some_and(|age| age <= 2 * self.poll_ms + Self::GRACE_MS)
    }
}

impl Fleet {
    /// A wall shows fewer; an outage of thousands must not fill every frame.
    pub const MOST_PROBLEMS: usize = 100;

    /// What turns `self` into `new`.
    #[must_use]
    pub fn diff(&self, new: &Self) -> FleetDelta {
        let alike = |a: &Node, b: &Node| *a == Node { stats: a.stats.clone(), ..b.clone() };
        let nodes = (self.nodes.len() != new.nodes.len()
            || self.nodes.iter().zip(&new.nodes).any(|(a, b)| !alike(a, b)))
        .then(|| new.nodes.clone());
        let stats = match nodes {
            Some(_) => Vec::new(),
            None => changed(&self.nodes, &new.nodes, |n| &n.stats),
        };
        let named = |p: &ProxySummary| (p.cluster.clone(), p.proxy.clone());
        let proxies = (self.proxies.len() != new.proxies.len()
            || self.proxies.iter().zip(&new.proxies).any(|(a, b)| named(a) != named(b)))
        .then(|| new.proxies.clone());
        let summaries = match proxies {
            Some(_) => Vec::new(),
            None => changed(&self.proxies, &new.proxies, |p| p),
        };
        FleetDelta {
            now: new.now,
            epoch: new.epoch,
            nodes,
            stats,
            proxies,
            summaries,
            problems: (self.problems != new.problems || self.problem_count != new.problem_count)
                .then(|| (new.problems.clone(), new.problem_count)),
            requests: (self.requests != new.requests).then(|| new.requests.clone()),
            lost: (self.lost != new.lost).then(|| new.lost.clone()),
        }
    }

    /// Carries a delta out. Places that do not exist are passed over: the next snapshot has them.
    pub fn apply(&mut self, delta: FleetDelta) {
        self.now = delta.now;
        self.epoch = delta.epoch;
        if let Some(nodes) = delta.nodes {
            self.nodes = nodes;
        }
        for (at, stats) in delta.stats {
            if let Some(node) = self.nodes.get_mut(at as usize) {
                node.stats = stats;
            }
        }
        if let Some(proxies) = delta.proxies {
            self.proxies = proxies;
        }
        for (at, summary) in delta.summaries {
            if let Some(proxy) = self.proxies.get_mut(at as usize) {
                *proxy = summary;
            }
        }
        if let Some((problems, count)) = delta.problems {
            self.problems = problems;
            self.problem_count = count;
        }
        if let Some(requests) = delta.requests {
            self.requests = requests;
        }
        if let Some(lost) = delta.lost {
            self.lost = lost;
        }
    }

    /// Requests a second over the nodes that answer.
    #[must_use]
    pub fn requests_now(&self) -> u64 {
        self.nodes.iter().filter(|n| n.link == Link::Live).map(|n| n.stats.requests).fold(0, u64::saturating_add)
    }

    /// The node of that name.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|n| n.name == name)
    }
}

/// The parts that differ, by place, of two lists of equal length.
fn changed<T, P: PartialEq + Clone>(old: &[T], new: &[T], part: impl Fn(&T) -> &P) -> Vec<(u32, P)> {
    (0..)
        .zip(old.iter().zip(new))
        .filter(|(_, (a, b))| part(a) != part(b))
        .map(|(at, (_, b))| (at, part(b).clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fleet() -> impl Strategy<Value = Fleet> {
        let node = ("[ab]", any::<u64>(), 0..3_u64).prop_map(|(name, polled, pid)| Node {
            name,
            pid,
            stats: NodeStats { polled, ..NodeStats::default() },
            ..Node::default()
        });
        let proxy = ("[ab]", 0..3_u32).prop_map(|(proxy, up)| ProxySummary {
            cluster: "edge".into(),
            proxy,
            nodes: vec![Counts { up, ..Counts::default() }],
            merged: None,
        });
        let lists = (prop::collection::vec(node, 0..3), prop::collection::vec(proxy, 0..3));
        (any::<u64>(), 0..3_u64, lists).prop_map(|(now, epoch, (nodes, proxies))| Fleet {
            now,
            epoch,
            nodes,
            proxies,
            requests: Spark(vec![u32::try_from(epoch).unwrap_or_default()]),
            lost: vec![lost(epoch)],
            ..Fleet::default()
        })
    }

    fn lost(at: u64) -> Lost {
        Lost {
            node: "lb1".into(),
            cluster: "edge".into(),
            proxy: "web".into(),
            server: "s1".into(),
            action: crate::action::Action::Drain,
            since: 0,
            by: String::new(),
            operation: String::new(),
            at,
        }
    }

    #[test]
    fn an_answer_that_is_overdue_is_not_fresh() {
        let mut node = Node { link: Link::Live, poll_ms: 1_000, ..Node::default() };
        assert!(!node.is_fresh(0));
        node.stats.polled = 10_000;
        assert!(node.is_fresh(14_000));
        assert!(!node.is_fresh(14_001));
        node.link = Link::Stale;
        assert!(!node.is_fresh(10_001));
    }

    proptest! {
        #[test]
        fn apply_of_diff_gives_the_new_fleet(old in fleet(), new in fleet()) {
            let mut got = old.clone();
            got.apply(old.diff(&new));
            prop_assert_eq!(got, new);
        }
    }
}
