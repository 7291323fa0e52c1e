//! `[oidc]` of the configuration.

use std::{fmt, net::IpAddr, time::Duration};

use openidconnect::url::{Host, Url};

/// How long the provider may take for one answer: people wait for it at the log-in page.
pub const PATIENCE: Duration = Duration::from_secs(6);

/// The provider, and Sluice as its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcConfig {
    /// Its address; the issuer that it names itself must be the same, letter for letter.
    pub issuer: String,
    /// Sluice's name there.
    pub client_id: String,
    /// What Sluice authenticates itself with; there may be none, as PKCE protects the code.
    pub client_secret: Option<ClientSecret>,
    /// Its name, for the button.
    pub name: String,
    /// The scopes that are asked for.
    pub scopes: Vec<String>,
    /// The claim that holds the user's name; nothing for the first of the usual ones.
    pub user_claim: Option<String>,
    /// The claim that holds the groups; a dot leads to a member of a claim.
    pub groups_claim: String,
    /// The authorities (PEM) that may have signed the provider's certificate, in place of the system's.
    pub ca: Option<Vec<u8>>,
    /// Where the provider sends browsers back to.
    pub redirect: String,
    /// How long the provider may take for one answer.
    pub patience: Duration,
}

/// A client secret; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret(pub String);

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret")
    }
}

/// Why an issuer can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// It is not an address.
    #[error("{0:?} is no address: write the provider's, as https://id.example.org/")]
    NoAddress(String),
    /// It is not encrypted, over a network.
    #[error("{0:?} is not encrypted: only https:// keeps others from logging in as anybody")]
    Insecure(String),
    /// It has parts that an issuer can't have.
    #[error("{0:?} has a query, a fragment or a password: an issuer has none")]
    Parts(String),
}

/// Checks an issuer's address.
///
/// # Errors
/// With what is wrong with it.
pub fn check_issuer(issuer: &str) -> Result<(), IssuerError> {
    let url = Url::parse(issuer).ok().filter(Url::has_host);
    let url = url.ok_or_else(|| IssuerError::NoAddress(issuer.to_owned()))?;
    if !is_allowed(&url, true) {
        return Err(IssuerError::Insecure(issuer.to_owned()));
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(IssuerError::Parts(issuer.to_owned()));
    }
    Ok(())
}

impl OidcConfig {
    /// Whether the provider is reached in the clear on this machine, as in tests.
    pub(super) fn is_local(&self) -> bool {
        self.issuer.starts_with("http://")
    }
}

/// Whether requests, and people, may be sent to an address of the provider: over TLS, or on this machine where the issuer
/// is, too.
pub(super) fn is_allowed(url: &Url, is_local: bool) -> bool {
    url.scheme() == "https" || (is_local && url.scheme() == "http" && is_loopback(url))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => IpAddr::from(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::from(ip).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_encrypted_or_on_this_machine() {
        for good in
            ["https://id.example.org", "https://id.example.org:8443/realms/x", "http://127.0.0.1:9/", "http://[::1]:9"]
        {
            assert_eq!(check_issuer(good), Ok(()), "{good}");
        }
        for bad in ["http://id.example.org", "http://10.0.0.1", "ftp://localhost/", "http://localhost.evil.example/"] {
            assert_eq!(check_issuer(bad), Err(IssuerError::Insecure(bad.to_owned())), "{bad}");
        }
        for bad in ["", "id.example.org", "https://", "mailto:a@b"] {
            assert_eq!(check_issuer(bad), Err(IssuerError::NoAddress(bad.to_owned())), "{bad}");
        }
        for bad in ["https://id.example.org/?a=b", "https://id.example.org/#a", "https://a:b@id.example.org/"] {
            assert_eq!(check_issuer(bad), Err(IssuerError::Parts(bad.to_owned())), "{bad}");
        }
    }

    #[test]
    fn a_client_secret_is_not_shown() {
        assert!(!format!("{:?}", Some(ClientSecret("hush".to_owned()))).contains("hush"));
    }
}
