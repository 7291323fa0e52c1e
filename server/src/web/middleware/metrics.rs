//! Each request in the figures: how many, how they were answered, how long they took.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};

use super::{access_log::CLIENT_CLOSED_REQUEST, method, route_label::route_label};
use crate::{metrics::HttpMetrics, web::AppState};

/// Passes a request on and counts it.
pub(super) async fn count_requests(
    State(state): State<AppState>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let mut counted = CountedRequest {
        metrics: state.metrics.http.clone(),
        route: route_label(&state.routes, path.as_ref()).to_owned(),
        method: method::label(request.method()),
        status: CLIENT_CLOSED_REQUEST,
        began: Instant::now(),
    };
    let response = next.run(request).await;
    counted.status = response.status().as_u16();
    response
}

/// Counts a request when it is dropped: once there is an answer, or when its client went away.
struct CountedRequest {
    metrics: HttpMetrics,
    route: String,
    method: &'static str,
    status: u16,
    began: Instant,
}

impl Drop for CountedRequest {
    fn drop(&mut self) {
        self.metrics.count(&self.route, self.method, self.status, self.began.elapsed());
    }
}
