//! Connections: open ones, refused ones, those that were cut.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// Names a reason.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ReasonLabel {
    /// In a word or two.
    pub reason: &'static str,
}

/// Connections of browsers, programs and strangers.
#[derive(Clone, Debug, Default)]
pub struct ListenerMetrics {
    /// Open ones, streams among them.
    pub open: Gauge,
    /// Refused ones: too many in `total`, or of an `address`.
    pub refused: Family<ReasonLabel, Counter>,
    /// Cut ones: by what took too long.
    pub cut: Family<ReasonLabel, Counter>,
    /// TLS handshakes that came to their end, well or not.
    pub handshakes: Family<ReasonLabel, Counter>,
}

impl ListenerMetrics {
    /// Registers all of them.
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("connections", "Open TCP connections, streams among them", self.open.clone());
        registry.register(
            "connections_refused",
            "TCP connections refused because there were too many, by bound",
            self.refused.clone(),
        );
        registry.register("connections_cut", "TCP connections cut, by what took too long", self.cut.clone());
        registry.register("tls_handshakes", "TLS handshakes that ended, by how", self.handshakes.clone());
    }
}

impl ReasonLabel {
    /// Of that name.
    #[must_use]
    pub fn of(reason: &'static str) -> Self {
        Self { reason }
    }
}
