//! `GET /api/v1/info`: what each process says of itself.

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::{IntoParams, ToSchema};

use super::{
    AppState,
    problem::ProblemResponse,
    query::{age_ms, selected},
    stats::cell::Cell,
};
use crate::auth::Principal;

/// Which node.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub(super) struct NodeFilter {
    /// Only the node of this name.
    node: Option<String>,
}

/// `show info` of each node.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Infos {
    /// In the order of the configuration.
    nodes: Vec<InfoView>,
}

/// `show info` of one node.
#[derive(Debug, Serialize, ToSchema)]
struct InfoView {
    /// The node's name.
    name: String,
    /// How old the answer is, in milliseconds; null when there was none yet.
    age_ms: Option<u64>,
    /// Every line by HAProxy's name; empty when there was no answer yet.
    #[schema(value_type = std::collections::BTreeMap<String, Cell>)]
    info: Lines,
}

/// Lines in HAProxy's order.
#[derive(Debug, Default)]
struct Lines(Vec<(String, Cell)>);

impl Serialize for Lines {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The lines for whoever does not see every proxy of the node: what the process is, its limits, and how busy it is, which its
/// cluster's pages show too. What counts traffic counts that of hidden proxies, so that a line is passed on only when it is
/// known not to.
const FOR_ALL: [&str; 25] = [
    "Name",
    "Version",
    "Release_date",
    "Nbthread",
    "Nbproc",
    "Process_num",
    "Pid",
    "Uptime",
    "Uptime_sec",
    "Start_time_sec",
    "Memmax_MB",
    "Ulimit-n",
    "Maxsock",
    "Maxconn",
    "Hard_maxconn",
    "CurrConns",
    "Maxpipes",
    "ConnRateLimit",
    "SessRateLimit",
    "SslRateLimit",
    "CompressBpsRateLim",
    "Idle_pct",
    "node",
    "Stopping",
    "Build info",
];

impl Lines {
    /// Every line that says something and may be seen. Of two with one name the first counts, as it does for `Info`.
    fn of(info: &haproxy::Info, sees_all: bool) -> Self {
        let mut lines: Vec<(String, Cell)> = Vec::new();
        let is_seen = |name: &str| sees_all || FOR_ALL.contains(&name);
        for (name, value) in info.iter().filter(|(name, value)| !value.is_empty() && is_seen(name)) {
            if !lines.iter().any(|(known, _)| known == name) {
                lines.push((name.to_owned(), Cell::of_info(name, value)));
            }
        }
        Self(lines)
    }
}

/// `show info` of each node that is asked for.
pub(super) async fn info(
    State(AppState { hub, .. }): State<AppState>,
    Extension(principal): Extension<Principal>,
    query: Result<Query<NodeFilter>, QueryRejection>,
) -> Result<Json<Infos>, ProblemResponse> {
    let Query(filter) = query?;
    let world = hub.world().seen_by(&principal.rights);
    let view = |place: usize| {
        let replies = world.replies.get(place).and_then(Option::as_ref);
        let node = &world.fleet.nodes[place];
        let sees_all = world.visibility.as_ref().is_none_or(|visibility| visibility.sees_whole(&node.cluster));
        InfoView {
            name: node.name.clone(),
            age_ms: replies.and_then(|replies| age_ms(replies.polled)),
            info: replies.map(|replies| Lines::of(&replies.info, sees_all)).unwrap_or_default(),
        }
    };
    Ok(Json(Infos { nodes: selected(&world, filter.node.as_deref())?.into_iter().map(view).collect() }))
}
