//! Other systems that vouch for people: an OpenID Connect provider, a reverse proxy.

use axum::http::HeaderMap;
use prometheus_client::metrics::counter::Counter;

use super::{
    header::{HeaderIdentity, TrustedHeader},
    oidc::{Oidc, OidcConfig},
};
use crate::auth::{Peer, authz::roles::RoleMapping};

/// The systems that the configuration names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityConfig {
    /// An OpenID Connect provider.
    pub oidc: Option<OidcConfig>,
    /// A reverse proxy.
    pub header: Option<TrustedHeader>,
    /// Which groups have which role.
    pub roles: RoleMapping,
}

impl IdentityConfig {
    /// Whether another system vouches for people, so that there are accounts even without local ones.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.oidc.is_some() || self.header.is_some()
    }
}

/// The systems, ready to be asked.
#[derive(Clone, Debug, Default)]
pub struct IdentityProviders {
    /// The provider that people log in at.
    pub oidc: Option<Oidc>,
    /// The reverse proxy that names who is asking.
    pub header: Option<TrustedHeader>,
    /// Which groups have which role.
    pub roles: RoleMapping,
    /// Counts requests whose header names somebody, and whose connection or host is not the reverse proxy's.
    pub ignored_headers: Counter,
}

impl IdentityProviders {
    /// Those of the configuration; nobody is asked yet.
    #[must_use]
    pub fn new(config: &IdentityConfig, ignored_headers: Counter) -> Self {
        let IdentityConfig { oidc, header, roles } = config.clone();
        Self { oidc: oidc.map(Oidc::new), header, roles, ignored_headers }
    }

    /// Whether people of another system can be admins.
    #[must_use]
    pub fn has_admins(&self) -> bool {
        (self.oidc.is_some() || self.header.is_some()) && !self.roles.admin.is_empty()
    }

    /// Whom the reverse proxy names. That counts only under the name that browsers use: a page of a stranger's name that
    /// leads to this machine could set the header as well.
    #[must_use]
    pub fn identify(&self, headers: &HeaderMap, peer: Peer) -> HeaderIdentity {
        let identify = |header: &TrustedHeader| header.identify(&self.roles, headers, peer.connection);
        let identity = match self.header.as_ref().map_or(HeaderIdentity::Absent, identify) {
            HeaderIdentity::Absent => HeaderIdentity::Absent,
            _ if !peer.is_by_url => HeaderIdentity::Untrusted,
            identity => identity,
        };
        if identity == HeaderIdentity::Untrusted {
            self.ignored_headers.inc();
        }
        identity
    }
}
