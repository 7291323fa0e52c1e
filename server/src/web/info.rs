//! `GET /api/v1/info`: what each process says of itself.

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
};
use haproxy;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::{
    AppState,
    openapi::ProblemDetails,
    problem::Problem,
    query::{NodeFilter, age_ms, selected},
    stats::cell::Cell,
};
use crate::auth::Principal;

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

/// `show info` of each node, by HAProxy's names.
///
/// A whole number is a number, an empty value is absent.
#[utoipa::path(
    get,
    path = "/api/v1/info",
    params(NodeFilter),
    responses(
        (status = 200, description = "The nodes asked for", body = Infos),
        (status = 404, description = "No such node", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn info(
    State(AppState { hub, .. }): State<AppState>,
    Extension(principal): Extension<Principal>,
    query: Result<Query<NodeFilter>, QueryRejection>,
) -> Result<Json<Infos>, Problem> {
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
