//! What the listener is set up with: reverse proxies, the name that browsers use, limits, the certificate.

use super::timing::Timing;
use crate::{
    config::{Config, ConnectionLimits, ListenerConfig},
    tls::CertificateReloader,
};

/// What the listener is set up with, once, at the start.
#[derive(Debug)]
pub struct ListenerSettings {
    /// Reverse proxies and name.
    pub config: ListenerConfig,
    /// How many connections there may be.
    pub limits: ConnectionLimits,
    /// How long things may take.
    pub timing: Timing,
    /// The certificate; without one, HTTP without TLS is served.
    pub certificates: Option<CertificateReloader>,
    /// Whether cookies are of the kind that is kept without TLS, but under an encrypted `url`: only this machine reaches the
    /// listener, which has no certificate.
    pub has_plain_cookies: bool,
}

impl ListenerSettings {
    /// The settings of a configuration.
    #[must_use]
    pub fn new(config: &Config, certificates: Option<CertificateReloader>) -> Self {
        let has_plain_cookies = config.is_local() && certificates.is_none();
        let (limits, config) = (config.limits, config.listener.clone());
        Self { config, limits, certificates, has_plain_cookies, ..Self::default() }
    }
}

/// Without proxy, name or certificate.
impl Default for ListenerSettings {
    fn default() -> Self {
        Self {
            config: ListenerConfig::default(),
            limits: ConnectionLimits::default(),
            timing: Timing::default(),
            certificates: None,
            has_plain_cookies: false,
        }
    }
}
