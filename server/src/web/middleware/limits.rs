//! Bounds on a request's body: how much, and for how long.
//!
//! axum reads it whole, and ends with an error what is longer (`to_bytes`, which is the `Limited` of tower-http's
//! `RequestBodyLimitLayer`). That layer is not used itself, as it answers in plain text where the API promises a problem;
//! nor is tower-http's `RequestBodyTimeoutLayer`: it bounds the pause between two chunks, so that a byte now and then
//! holds a handler for as long as it likes. Here one time-out is for the whole body, before any handler runs.

use std::error::Error as _;

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http_body_util::LengthLimitError;
use tokio::time::timeout;

use super::method::is_safe;
use crate::web::{AppState, problem::ProblemResponse};

/// The largest body, in bytes: an action on 10,000 servers takes a third of it.
const MAX_BODY: usize = 1024 * 1024;

/// Reads the whole body within the bounds, and passes the request on with it.
pub(in crate::web) async fn read_body(State(state): State<AppState>, request: Request, next: Next) -> Response {
    // These have none that anybody reads; the stream's upgrade must not be touched.
    if is_safe(request.method()) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let within = state.listener_settings.timing.body;
    match timeout(within, read(body)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(problem)) => problem.into_response(),
        Err(_) => ProblemResponse::new(StatusCode::REQUEST_TIMEOUT, "The body took too long")
            .with_detail(format!("It must be sent within {} seconds.", within.as_secs()))
            .into_response(),
    }
}

async fn read(body: Body) -> Result<Bytes, ProblemResponse> {
    to_bytes(body, MAX_BODY).await.map_err(|error| {
        if error.source().is_some_and(<dyn std::error::Error>::is::<LengthLimitError>) {
            ProblemResponse::new(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large")
                .with_detail(format!("{MAX_BODY} bytes are the most."))
        } else {
            ProblemResponse::new(StatusCode::BAD_REQUEST, "The body ended too early").with_detail(error.to_string())
        }
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use futures::{StreamExt as _, stream};

    use super::*;

    #[tokio::test]
    async fn a_body_is_read_up_to_the_bound() {
        assert_eq!(read(Body::from(vec![7; MAX_BODY])).await.expect("fits").len(), MAX_BODY);
        let denied = read(Body::from(vec![7; MAX_BODY + 1])).await.expect_err("too large");
        assert_eq!(denied.status(), StatusCode::PAYLOAD_TOO_LARGE);
        // One that does not say how long it is.
        let chunks = stream::repeat_with(|| Ok::<_, io::Error>(vec![7; 1_000])).take(MAX_BODY / 1_000 + 1);
        let denied = read(Body::from_stream(chunks)).await.expect_err("too large");
        assert_eq!(denied.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_no_body() {
        let chunks = [Ok("half"), Err(io::Error::from(io::ErrorKind::ConnectionReset))];
        let denied = read(Body::from_stream(stream::iter(chunks))).await.expect_err("half");
        assert_eq!(denied.status(), StatusCode::BAD_REQUEST);
    }
}
