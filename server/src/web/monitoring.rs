//! What a supervisor and a Prometheus ask: whether the program serves, and its own figures.

use axum::{
    Extension, Json,
    extract::State,
    http::{
        HeaderMap,
        header::{ACCEPT, CONTENT_TYPE, VARY},
    },
    response::{IntoResponse, Response},
};
use model::fleet::Link;
use serde::Serialize;
use utoipa::ToSchema;

use super::{AppState, quality};
use crate::{auth::Principal, metrics::TextFormat};

/// That the program serves.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// Always `ok`: a program that is unwell does not answer.
    status: &'static str,
    /// Nodes whose last poll succeeded; null for who may not see them.
    nodes_live: Option<usize>,
    /// Nodes whose last poll failed a moment ago.
    nodes_stale: Option<usize>,
    /// Nodes that do not answer.
    nodes_down: Option<usize>,
}

/// Whether Sluice serves. It does when its nodes are down, too: who may see them is told how many.
pub(super) async fn healthz(
    State(AppState { hub, .. }): State<AppState>,
    principal: Option<Extension<Principal>>,
) -> Json<Health> {
    let world = principal.map(|Extension(principal)| hub.world().seen_by(&principal.rights));
    let count = |link: Link| world.as_ref().map(|w| w.fleet.nodes.iter().filter(|node| node.link == link).count());
    Json(Health {
        status: "ok",
        nodes_live: count(Link::Live),
        nodes_stale: count(Link::Stale),
        nodes_down: count(Link::Down),
    })
}

/// Sluice's own figures for Prometheus: in its text format, or in OpenMetrics for who prefers that.
pub(super) async fn metrics(State(AppState { metrics, .. }): State<AppState>, headers: HeaderMap) -> Response {
    let format = preferred_format(&headers);
    ([(CONTENT_TYPE, content_type(format)), (VARY, "accept")], metrics.encode(format)).into_response()
}

/// A format by its registered name.
fn content_type(format: TextFormat) -> &'static str {
    match format {
        TextFormat::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        TextFormat::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
    }
}

/// Prometheus' text, unless the client prefers OpenMetrics. Versions are not compared: what is written here reads the same
/// in all of them.
fn preferred_format(headers: &HeaderMap) -> TextFormat {
    let accepted = quality::entries(headers.get_all(ACCEPT));
    let weight = |ranges: [&str; 3]| {
        let of = |range| accepted.iter().filter(|(name, _)| name == range).map(|(_, weight)| *weight).max();
        // The most exact one counts (RFC 9110, 12.5.1).
        ranges.into_iter().find_map(of).unwrap_or(0)
    };
    let open_metrics = weight(["application/openmetrics-text", "application/*", "*/*"]);
    if open_metrics > weight(["text/plain", "text/*", "*/*"]) {
        TextFormat::OpenMetrics
    } else {
        TextFormat::Prometheus
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_that_the_client_prefers_is_answered() {
        const PROMETHEUS_2: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
             text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        const PROMETHEUS_3: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
             application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
             text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        for (accept, is_open_metrics) in [
            (None, false),
            (Some(""), false),
            (Some("*/*"), false),
            (Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"), false),
            (Some("text/plain;version=0.0.4"), false),
            (Some("application/json"), false),
            (Some("application/openmetrics-text"), true),
            (Some("Application/OpenMetrics-Text; version=1.0.0; charset=utf-8"), true),
            (Some("application/*"), true),
            (Some("application/openmetrics-text, text/plain"), false),
            (Some("application/openmetrics-text, */*"), false),
            (Some("application/openmetrics-text, */*;q=0.9"), true),
            (Some("application/openmetrics-text;q=0.5,text/plain;q=0.8"), false),
            (Some("application/openmetrics-text;q=0,*/*"), false),
            (Some("text/plain;q=0,*/*"), true),
            (Some("application/openmetrics-text;q=nonsense"), false),
            (Some(PROMETHEUS_2), true),
            (Some(PROMETHEUS_3), true),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(ACCEPT, accept.parse().expect("a value"));
            }
            let expected = if is_open_metrics { TextFormat::OpenMetrics } else { TextFormat::Prometheus };
            assert_eq!(preferred_format(&headers), expected, "{accept:?}");
        }
    }
}
