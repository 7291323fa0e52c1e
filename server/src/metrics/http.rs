//! Requests and their answers.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};

/// Bounds of the buckets of a request's duration, in seconds: what is read from memory takes less than a millisecond, a
/// log-in tens of them, an action waits for HAProxy.
const DURATION_BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0];

/// Names requests that were answered alike.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AnswerLabels {
    route: String,
    method: &'static str,
    status: u16,
}

/// Names requests for the same.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RouteLabels {
    route: String,
    method: &'static str,
}

/// Requests and their answers. A clone counts the same ones.
#[derive(Clone, Debug)]
pub struct HttpMetrics {
    requests: Family<AnswerLabels, Counter>,
    duration: Family<RouteLabels, Histogram, fn() -> Histogram>,
    /// Panics of handlers.
    pub panics: Counter,
}

impl HttpMetrics {
    /// All of them at zero.
    pub(super) fn new() -> Self {
        Self {
            requests: Family::default(),
            duration: Family::new_with_constructor(|| Histogram::new(DURATION_BUCKETS)),
            panics: Counter::default(),
        }
    }

    /// Registers all of them.
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "HTTP requests, by route, method and status";
        registry.register("http_requests", help, self.requests.clone());
        let help = "Time from a request's head to its answer's head";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, self.duration.clone());
        registry.register("http_panics", "Panics of HTTP handlers", self.panics.clone());
    }

    /// Counts a request that ended after `took`. Route and method must be of a bounded set: each is a figure of its own.
    pub fn count(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        self.requests.get_or_create(&AnswerLabels { route: route.to_owned(), method, status }).inc();
        let labels = RouteLabels { route: route.to_owned(), method };
        self.duration.get_or_create(&labels).observe(took.as_secs_f64());
    }
}
