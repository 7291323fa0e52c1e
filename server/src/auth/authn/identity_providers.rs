//! What Sluice knows by the word of others: a provider, a reverse proxy, and what their groups make of people.

use prometheus_client::metrics::counter::Counter;

use super::oidc::{Oidc, OidcConfig};
use crate::auth::{HeaderIdentity, Peer, Roles, TrustedHeader};

/// Who else vouches for people, and what their groups make of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// An OpenID Connect provider.
    pub oidc: Option<OidcConfig>,
    /// A reverse proxy.
    pub header: Option<TrustedHeader>,
    /// What groups may do.
    pub roles: Roles,
}

impl Identity {
    /// Whether somebody else vouches for people, so that there are accounts even without local ones.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.oidc.is_some() || self.header.is_some()
    }
}

/// The others.
#[derive(Clone, Debug, Default)]
pub struct IdentityProviders {
    /// The provider that people log in at.
    pub oidc: Option<Oidc>,
    /// The reverse proxy that says who asks.
    pub header: Option<TrustedHeader>,
    /// What groups may do.
    pub roles: Roles,
    /// Counts headers that name somebody and come from elsewhere than the reverse proxy.
    pub ignored: Counter,
}

impl IdentityProviders {
    /// Those of the configuration; nobody is asked yet.
    #[must_use]
    pub fn new(identity: &Identity, ignored: Counter) -> Self {
        let Identity { oidc, header, roles } = identity.clone();
        Self { oidc: oidc.map(Oidc::new), header, roles, ignored }
    }

    /// Whether people of another system can be admins.
    #[must_use]
    pub fn has_admins(&self) -> bool {
        (self.oidc.is_some() || self.header.is_some()) && !self.roles.admin.is_empty()
    }

    /// Whom the reverse proxy names.
    #[must_use]
    pub fn said(&self, headers: &axum::http::HeaderMap, peer: Peer) -> HeaderIdentity {
        let said =
            self.header.as_ref().map_or(HeaderIdentity::Nothing, |h| h.said(&self.roles, headers, peer.connection));
        if said == HeaderIdentity::Ignored {
            self.ignored.inc();
        }
        said
    }
}
