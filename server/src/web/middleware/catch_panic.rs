//! A panic is answered, logged and counted, and takes no connection with it.
//!
//! tower-http catches what panics before there is an answer. A body that is made while it is sent, as pages and exports
//! are, may panic later: there is no status any more to tell of it, so its stream ends with an error and the client sees
//! that it is not whole.

use std::{any::Any, panic::AssertUnwindSafe};

use axum::{
    body::{Body, HttpBody as _},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures::StreamExt as _;
use prometheus_client::metrics::counter::Counter;
use tower_http::catch_panic::{CatchPanicLayer, ResponseForPanic};

use crate::web::{AppState, problem::ProblemResponse};

/// The layer around everything that may panic before there is an answer.
pub(super) fn layer(panics: Counter) -> CatchPanicLayer<PanicResponse> {
    CatchPanicLayer::custom(PanicResponse { panics })
}

/// Makes an answer of a panic.
#[derive(Clone)]
pub(super) struct PanicResponse {
    panics: Counter,
}

impl ResponseForPanic for PanicResponse {
    type ResponseBody = Body;

    fn response_for_panic(&mut self, panic: Box<dyn Any + Send>) -> Response {
        self.panics.inc();
        ProblemResponse::internal(format!("a handler panicked: {}", message(&*panic))).into_response()
    }
}

/// Guards the body of an answer that is not whole yet.
pub(super) async fn guard_body(State(state): State<AppState>, request: Request, next: Next) -> Response {
    next.run(request).await.map(|body| match body.size_hint().exact() {
        Some(_) => body,
        None => guarded(body, state.metrics.http.panics.clone()),
    })
}

fn guarded(body: Body, panics: Counter) -> Body {
    let parts = AssertUnwindSafe(body.into_data_stream()).catch_unwind();
    Body::from_stream(parts.map(move |part| {
        part.unwrap_or_else(|panic| {
            panics.inc();
            let message = message(&*panic);
            tracing::error!(message, "the body of an answer panicked");
            Err(axum::Error::new(format!("panicked: {message}")))
        })
    }))
}

/// What a panic says; nothing where it carries something else than text.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default()
}
