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

impl Lines {
    /// Every line that says something. Of two with one name the first counts, as it does for `Info`.
    fn of(info: &haproxy::Info) -> Self {
        let mut lines: Vec<(String, Cell)> = Vec::new();
        for (name, value) in info.iter().filter(|(_, value)| !value.is_empty()) {
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
        InfoView {
            name: world.fleet.nodes[place].name.clone(),
            age_ms: replies.and_then(|replies| age_ms(replies.polled)),
            info: replies.map(|replies| Lines::of(&replies.info)).unwrap_or_default(),
        }
    };
    Ok(Json(Infos { nodes: selected(&world, filter.node.as_deref())?.into_iter().map(view).collect() }))
}
