//! Sluice's own figures, for Prometheus.

mod http;
mod listener;
mod text_format;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use model::event::{Event, EventKind};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

pub use http::HttpMetrics;
pub use listener::{ListenerMetrics, ReasonLabel};

/// Bounds of the buckets of a poll's duration, in seconds: a small HAProxy answers within one millisecond, a large one
/// within a hundred.
const POLL_BUCKETS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

/// Names a node.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct NodeLabel {
    /// Its name in the configuration.
    pub node: String,
}

/// Names an outcome of an action.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct OutcomeLabel {
    /// The action's short name.
    pub action: String,
    /// `done`, `unchanged`, ...
    pub outcome: String,
}

/// Names a kind of event.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct KindLabel {
    /// `state`, `operation`, ...
    pub kind: String,
}

/// A format that Prometheus reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextFormat {
    /// Prometheus' own text format, version 0.0.4.
    Prometheus,
    /// OpenMetrics, version 1.0.0.
    OpenMetrics,
}

/// Every figure. Counting one is an atomic addition, from whichever task it happens in.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Polls that were answered.
    pub polls: Family<NodeLabel, Counter>,
    /// Polls that failed.
    pub poll_errors: Family<NodeLabel, Counter>,
    /// How long a poll took, from the first connection to the parsed rows.
    pub poll_seconds: Family<NodeLabel, Histogram, fn() -> Histogram>,
    /// Rows in a node's last reply.
    pub rows: Family<NodeLabel, Gauge>,
    /// Open streams.
    pub viewers: Gauge,
    /// Frames encoded: one per topic, tick and encoding.
    pub frames: Counter,
    /// Frames put into viewers' queues.
    pub frames_sent: Counter,
    /// Bytes put into viewers' queues.
    pub bytes_sent: Counter,
    /// Times that a viewer fell behind and was given snapshots instead.
    pub viewers_behind: Counter,
    /// Targets of actions, by outcome.
    pub outcomes: Family<OutcomeLabel, Counter>,
    /// Events, by kind.
    pub events: Family<KindLabel, Counter>,
    /// Times that a node had another process than at the poll before.
    pub reloads: Family<NodeLabel, Counter>,
    /// Entries of the audit log, by kind.
    pub audit_entries: Family<KindLabel, Counter>,
    /// The bytes that the database uses, most of them of the audit log.
    pub audit_bytes: Gauge,
    /// Entries of the audit log that could not be written.
    pub audit_failures: Counter,
    /// Entries of the audit log that the syslog did not take in time.
    pub syslog_dropped: Counter,
    /// Headers that name a user and came from elsewhere than the reverse proxy.
    pub headers_ignored: Counter,
    /// Requests and their answers.
    pub http: HttpMetrics,
    /// Connections, and what became of them.
    pub listener: ListenerMetrics,
    /// CPU time from a poll's raw reply to its encoded frames, nanoseconds; shown by the benchmark.
    pub work_nanos: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All figures at zero, registered under the prefix `sluice`.
    #[must_use]
    pub fn new() -> Self {
        let mut out = Self {
            registry: Registry::with_prefix("sluice"),
            polls: Family::default(),
            poll_errors: Family::default(),
            poll_seconds: Family::new_with_constructor(|| Histogram::new(POLL_BUCKETS)),
            rows: Family::default(),
            viewers: Gauge::default(),
            frames: Counter::default(),
            frames_sent: Counter::default(),
            bytes_sent: Counter::default(),
            viewers_behind: Counter::default(),
            outcomes: Family::default(),
            events: Family::default(),
            reloads: Family::default(),
            audit_entries: Family::default(),
            audit_bytes: Gauge::default(),
            audit_failures: Counter::default(),
            syslog_dropped: Counter::default(),
            headers_ignored: Counter::default(),
            http: HttpMetrics::new(),
            listener: ListenerMetrics::default(),
            work_nanos: AtomicU64::new(0),
        };
        let r = &mut out.registry;
        out.http.register(r);
        out.listener.register(r);
        r.register("polls", "Polls of a node that it answered", out.polls.clone());
        r.register("poll_errors", "Polls of a node that failed", out.poll_errors.clone());
        r.register_with_unit(
            "poll_duration",
            "Time from connecting to a node to its parsed rows",
            Unit::Seconds,
            out.poll_seconds.clone(),
        );
        r.register("rows", "Rows of statistics in a node's last reply", out.rows.clone());
        r.register("viewers", "Viewers: open streams", out.viewers.clone());
        r.register("frames_encoded", "Frames encoded: one for each topic, tick and encoding", out.frames.clone());
        r.register("frames_sent", "Frames put into viewers' queues", out.frames_sent.clone());
        r.register_with_unit("frames_sent", "Bytes put into viewers' queues", Unit::Bytes, out.bytes_sent.clone());
        r.register(
            "viewers_behind",
            "Times that a viewer fell behind and was sent snapshots instead of deltas",
            out.viewers_behind.clone(),
        );
        r.register("operation_outcomes", "Targets of operations, by action and outcome", out.outcomes.clone());
        r.register("events", "Events of nodes and servers, by kind", out.events.clone());
        r.register("reloads", "Times that a node had a new HAProxy process: reloads and restarts", out.reloads.clone());
        r.register("audit_entries", "Entries of the audit log, by kind", out.audit_entries.clone());
        let bytes = "Bytes that the database uses, most of them of the audit log; measured once an hour";
        r.register("audit_bytes", bytes, out.audit_bytes.clone());
        let failures = "Entries of the audit log that could not be written";
        r.register("audit_failures", failures, out.audit_failures.clone());
        let dropped = "Entries of the audit log that the syslog did not take in time";
        r.register("audit_syslog_dropped", dropped, out.syslog_dropped.clone());
        let help = "Headers naming a user that were ignored, as they came from elsewhere than the reverse proxy";
        r.register("trusted_headers_ignored", help, out.headers_ignored.clone());
        out
    }

    /// The figures as text.
    #[must_use]
    pub fn encode(&self, format: TextFormat) -> String {
        let mut out = String::new();
        // Writing into a String can't fail.
        let _: std::fmt::Result = text::encode(&mut out, &self.registry);
        match format {
            TextFormat::Prometheus => text_format::from_open_metrics(&out),
            TextFormat::OpenMetrics => out,
        }
    }

    /// Counts one frame put into a viewer's queue.
    pub fn sent(&self, bytes: usize) {
        self.frames_sent.inc();
        self.bytes_sent.inc_by(bytes as u64);
    }

    /// Counts what happened.
    pub fn happened(&self, events: &[Event]) {
        for event in events {
            self.events.get_or_create(&KindLabel { kind: event.kind.word().to_owned() }).inc();
            if event.kind == EventKind::Reload {
                self.reloads.get_or_create(&Self::node(&event.node)).inc();
            }
        }
    }

    /// Adds to the time spent between a poll's reply and its frames.
    pub fn worked(&self, time: Duration) {
        self.work_nanos.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The label of a node.
    #[must_use]
    pub fn node(name: &str) -> NodeLabel {
        NodeLabel { node: name.to_owned() }
    }
}
