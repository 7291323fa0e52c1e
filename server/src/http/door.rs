//! What is known about the way in: the reverse proxies, the name that browsers use, limits, the certificate.

use super::serve::Timing;
use crate::{
    config::{Config, ConnectionLimits, DoorConfig},
    tls::Certificates,
};

/// The way in. Made once, at the start.
#[derive(Debug)]
pub struct Door {
    /// Reverse proxies and name.
    pub config: DoorConfig,
    /// How many connections there may be.
    pub limits: ConnectionLimits,
    /// How long things may take.
    pub timing: Timing,
    /// The certificate; without one, HTTP without TLS is served.
    pub certificates: Option<Certificates>,
}

impl Door {
    /// The door that a configuration describes.
    #[must_use]
    pub fn new(config: &Config, certificates: Option<Certificates>) -> Self {
        Self { config: config.door.clone(), limits: config.limits, certificates, ..Self::default() }
    }
}

/// Without proxy, name, and certificate.
impl Default for Door {
    fn default() -> Self {
        Self {
            config: DoorConfig::default(),
            limits: ConnectionLimits::default(),
            timing: Timing::default(),
            certificates: None,
        }
    }
}
