//! The address that browsers use: a scheme, a name and a port.

use std::{fmt, str::FromStr};

use axum::http::Uri;

/// The address that people open, without a path: `https://sluice.example.org`. It is written like an origin of a browser:
/// in lower case, and without the scheme's default port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    is_secure: bool,
}

/// Why a text is not such an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no address that browsers open Sluice at: write its scheme and name, without a path, as \
     \"https://sluice.example.org\""
)]
pub struct PublicUrlError(String);

impl PublicUrl {
    /// As a browser's `Origin` header says it.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether it has that host, whatever the port.
    #[must_use]
    pub fn has_host(&self, host: &str) -> bool {
        let own: Option<Uri> = self.origin.parse().ok();
        own.is_some_and(|own| own.host().is_some_and(|own| own.eq_ignore_ascii_case(host)))
    }

    /// Whether it is `https`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let error = || PublicUrlError(text.chars().take(200).collect());
        let uri: Uri = text.parse().map_err(|_| error())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(error()) };
        let is_secure = scheme.eq_ignore_ascii_case("https");
        let is_web = is_secure || scheme.eq_ignore_ascii_case("http");
        let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none() && !text.contains('#');
        if !is_web || !is_bare || authority.host().is_empty() || authority.as_str().contains('@') {
            return Err(error());
        }
        let scheme = if is_secure { "https" } else { "http" };
        Ok(Self { origin: origin(scheme, authority.as_str()), is_secure })
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

/// The origin of a scheme, `http` or `https`, and a host with or without a port.
pub(crate) fn origin(scheme: &str, host: &str) -> String {
    let own_port = if scheme == "https" { ":443" } else { ":80" };
    let bare = host.strip_suffix(own_port).unwrap_or(host);
    format!("{scheme}://{}", bare.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_an_origin() {
        for (text, expected) in [
            ("https://sluice.example.org", "https://sluice.example.org"),
            ("https://Sluice.Example.org:443/", "https://sluice.example.org"),
            ("HTTPS://sluice.example.org:8443", "https://sluice.example.org:8443"),
            ("http://10.0.0.1:80", "http://10.0.0.1"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            let url: PublicUrl = text.parse().expect(text);
            assert_eq!(url.origin(), expected);
            assert_eq!(url.is_secure(), expected.starts_with("https"));
            let host = expected.split("//").nth(1).expect("a host");
            let host =
                host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(host, _)| host);
            assert!(
                url.has_host(host) && !url.has_host("evil.example") && !url.has_host(&format!("{host}.evil.example"))
            );
        }
        for bad in [
            "",
            "sluice.example.org",
            "ftp://x",
            "https://",
            "https://a@b",
            "https://x/sluice",
            "https://x?y",
            "https://x/#y",
        ] {
            assert_eq!(bad.parse::<PublicUrl>(), Err(PublicUrlError(bad.to_owned())), "{bad}");
        }
    }
}
