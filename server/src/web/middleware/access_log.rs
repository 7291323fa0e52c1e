//! One line in the log for each request, at debug: method, route, status, milliseconds, and who asked.
//!
//! tower-http brings the span, the clock, and the notice of a client that went away. The span is there at every level, so
//! that whatever else a handler logs says in which request.

use std::time::{Duration, Instant};

use axum::{
    body::Body,
    extract::{MatchedPath, Request},
    response::Response,
};
use tower_http::{
    classify::{ServerErrorsAsFailures, SharedClassifier},
    on_early_drop::{OnDropCallback, OnEarlyDropLayer, OnFutureDrop},
    trace::{MakeSpan, OnResponse, TraceLayer},
};
use tracing::Span;

use super::{method, route_label::route_label};
use crate::{auth::Principal, web::route::RouteTable};

/// The status of a request whose client went away before its answer: nginx's, as HTTP has none.
pub(super) const CLIENT_CLOSED_REQUEST: u16 = 499;

/// `TraceLayer` with nothing but a line for the answer.
type Trace = TraceLayer<SharedClassifier<ServerErrorsAsFailures>, RequestSpan, (), LogAnswer, (), (), ()>;

/// The layers, the outer one first.
pub(super) fn layers(routes: RouteTable) -> (Trace, OnEarlyDropLayer<LogEarlyDrop, ()>) {
    let trace = TraceLayer::new_for_http()
        .make_span_with(RequestSpan { routes })
        .on_request(())
        .on_response(LogAnswer)
        .on_body_chunk(())
        .on_eos(())
        .on_failure(());
    (trace, OnEarlyDropLayer::builder().on_future_drop(LogEarlyDrop))
}

/// What is known of a request before its answer.
#[derive(Clone, Debug)]
pub(super) struct RequestSpan {
    routes: RouteTable,
}

impl MakeSpan<Body> for RequestSpan {
    fn make_span(&mut self, request: &Request) -> Span {
        let route = route_label(&self.routes, request.extensions().get::<MatchedPath>());
        tracing::error_span!("request", method = method::label(request.method()), route)
    }
}

/// Writes the line of a request that is answered.
#[derive(Clone, Debug)]
pub(super) struct LogAnswer;

impl<B> OnResponse<B> for LogAnswer {
    fn on_response(self, response: &Response<B>, latency: Duration, _: &Span) {
        let who = response.extensions().get::<Principal>().map(|principal| principal.name.as_str());
        tracing::debug!(status = response.status().as_u16(), milliseconds = millis(latency), who, "answered");
    }
}

/// Writes the line of a request whose client went away first.
#[derive(Clone, Debug)]
pub(super) struct LogEarlyDrop;

/// The request that it would be of.
pub(super) struct Unanswered {
    span: Span,
    began: Instant,
}

impl OnFutureDrop<Body> for LogEarlyDrop {
    type Callback = Unanswered;

    fn make(&mut self, _: &Request) -> Unanswered {
        Unanswered { span: Span::current(), began: Instant::now() }
    }
}

impl OnDropCallback for Unanswered {
    fn on_drop(self) {
        let _entered = self.span.enter();
        let milliseconds = millis(self.began.elapsed());
        tracing::debug!(status = CLIENT_CLOSED_REQUEST, milliseconds, "the client went away");
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
