//! Bounds on what a request may send: how much, and for how long.

use axum::{
    body::Body,
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures::StreamExt as _;
use tokio::time::timeout;

use super::origin::is_safe;
use crate::web::{AppState, problem::Problem};

/// The largest body: an action on 10,000 servers takes a third of it.
const MAX_BODY: usize = 1024 * 1024;

/// Reads the whole body before anything else is done, within the bounds.
pub(in crate::web) async fn bounded(State(state): State<AppState>, request: Request, next: Next) -> Response {
    // These have none that anybody reads; the stream's upgrade must not be touched.
    if is_safe(request.method()) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let within = state.listener_settings.timing.body;
    match timeout(within, read(body)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(problem)) => problem.into_response(),
        Err(_) => Problem::new(StatusCode::REQUEST_TIMEOUT, "The body took too long")
            .with_detail(format!("It must be sent within {} seconds.", within.as_secs()))
            .into_response(),
    }
}

async fn read(body: Body) -> Result<Vec<u8>, Problem> {
    let mut chunks = body.into_data_stream();
    let mut all = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| {
            Problem::new(StatusCode::BAD_REQUEST, "The body ended too early").with_detail(error.to_string())
        })?;
        if all.len() + chunk.len() > MAX_BODY {
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large")
                .with_detail(format!("{MAX_BODY} bytes are the most.")));
        }
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_read_up_to_the_bound() {
        assert_eq!(read(Body::from(vec![7; MAX_BODY])).await.expect("fits").len(), MAX_BODY);
        let refused = read(Body::from(vec![7; MAX_BODY + 1])).await.expect_err("too large");
        assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}
