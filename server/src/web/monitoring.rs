//! What a supervisor and a Prometheus ask: whether the program serves, and its own figures.

use axum::{
    Json,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use model::fleet::Link;
use serde::Serialize;
use utoipa::ToSchema;

use super::AppState;

/// The format of [`metrics`], by its registered name.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// That the program serves.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// Always `ok`: a program that is unwell does not answer.
    status: &'static str,
    /// Nodes whose last poll succeeded.
    nodes_live: usize,
    /// Nodes whose last poll failed a moment ago.
    nodes_stale: usize,
    /// Nodes that do not answer.
    nodes_down: usize,
}

/// Whether Sluice serves. It does when its nodes are down, too: they are counted.
#[utoipa::path(get, path = "/healthz", responses((status = 200, description = "It serves", body = Health)))]
pub(super) async fn healthz(State(AppState { hub, .. }): State<AppState>) -> Json<Health> {
    let world = hub.world();
    let count = |link: Link| world.fleet.nodes.iter().filter(|node| node.link == link).count();
    Json(Health {
        status: "ok",
        nodes_live: count(Link::Live),
        nodes_stale: count(Link::Stale),
        nodes_down: count(Link::Down),
    })
}

/// Sluice's own figures for Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    responses((status = 200, description = "The figures", content_type = "application/openmetrics-text", body = String))
)]
pub(super) async fn metrics(State(AppState { metrics, .. }): State<AppState>) -> Response {
    ([(CONTENT_TYPE, OPEN_METRICS)], metrics.encode()).into_response()
}
