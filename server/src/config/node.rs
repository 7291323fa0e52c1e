//! One node of the configuration.

use std::time::Duration;

use haproxy::Connector;

/// One HAProxy process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeConfig {
    /// Its name, of `[A-Za-z0-9_.:-]+`.
    pub name: String,
    /// The cluster that it belongs to, of the same characters; its own name where none was given.
    pub cluster: String,
    /// Where its stats socket is, and how it is reached.
    pub connector: Connector,
    /// The time from one poll to the next.
    pub poll: Duration,
}

/// Whether a node or a cluster can have this name. The rule is HAProxy's own, so that a topic, an address or a log line
/// never has a slash, a space or a quote in it.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_name_char)
}

pub(super) fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-')
}
