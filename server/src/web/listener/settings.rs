//! What is known about the way in: the reverse proxies, the name that browsers use, limits, the certificate.

use super::Timing;
use crate::{
    config::{Config, ConnectionLimits, ListenerConfig},
    tls::Certificates,
};

/// The way in. Made once, at the start.
#[derive(Debug)]
pub struct ListenerSettings {
    /// Reverse proxies and name.
    pub config: ListenerConfig,
    /// How many connections there may be.
    pub limits: ConnectionLimits,
    /// How long things may take.
    pub timing: Timing,
    /// The certificate; without one, HTTP without TLS is served.
    pub certificates: Option<Certificates>,
}

impl ListenerSettings {
    /// The door that a configuration describes.
    #[must_use]
    pub fn new(config: &Config, certificates: Option<Certificates>) -> Self {
        Self { config: config.listener.clone(), limits: config.limits, certificates, ..Self::default() }
    }
}

/// Without proxy, name, and certificate.
impl Default for ListenerSettings {
    fn default() -> Self {
        Self {
            config: ListenerConfig::default(),
            limits: ConnectionLimits::default(),
            timing: Timing::default(),
            certificates: None,
        }
    }
}
