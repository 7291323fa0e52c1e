//! What is known about the way in: the reverse proxies, the name that browsers use, limits, the certificate.

use std::sync::atomic::{AtomicBool, Ordering};

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
    /// Whether everybody who reaches the address may do everything, as there are no accounts. Then it must be a loopback
    /// address, and no other name is answered to.
    is_open: AtomicBool,
}

impl Door {
    /// The door that a configuration describes, open to everybody who reaches it.
    #[must_use]
    pub fn new(config: &Config, certificates: Option<Certificates>) -> Self {
        Self { config: config.door.clone(), limits: config.limits, certificates, ..Self::default() }
    }

    /// Whether there are no accounts.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed)
    }

    /// Says whether there are no accounts; the next request is judged by that.
    pub fn set_open(&self, is_open: bool) {
        self.is_open.store(is_open, Ordering::Relaxed);
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
            is_open: AtomicBool::new(true),
        }
    }
}
