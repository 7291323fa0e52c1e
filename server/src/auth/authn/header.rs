//! A reverse proxy that logs people in and says who they are in a header.
//!
//! Whoever reaches Sluice can write headers. They count only from a connection that comes from one of the listed
//! addresses, whatever is said of the client behind it.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::auth::{ExternalIdentity, ExternalIdentityError, ProviderKind, Roles};

/// `[header]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedHeader {
    /// Holds the user's name.
    pub user: HeaderName,
    /// Holds the groups, separated by commas.
    pub groups: Option<HeaderName>,
    /// Where the reverse proxy connects from.
    pub from: Vec<IpNet>,
}

/// What the headers of a request come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderIdentity {
    /// They name nobody.
    Nothing,
    /// They name somebody, from an address that is not listed: they don't count.
    Ignored,
    /// They name somebody who may come in.
    Somebody(ExternalIdentity),
    /// They name nobody who can come in.
    Refused(HeaderError),
}

/// Why somebody whom the reverse proxy names can't come in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Two headers of that name: the reverse proxy may have meant the other one.
    #[error("the header {0} is there twice: the reverse proxy has to replace what clients send")]
    Twice(HeaderName),
    /// Bytes that are no text.
    #[error("the header {0} is no text")]
    NoText(HeaderName),
    /// The name or the groups don't do.
    #[error(transparent)]
    ExternalIdentity(#[from] ExternalIdentityError),
}

impl TrustedHeader {
    /// Whether a connection from there is the reverse proxy's.
    #[must_use]
    pub fn trusts(&self, connection: IpAddr) -> bool {
        // A socket for both families shows an address of IPv4 inside one of IPv6.
        let connection = connection.to_canonical();
        self.from.iter().any(|net| net.contains(&connection))
    }

    /// Whom the headers of a request name, `connection` being the address that the connection itself comes from.
    #[must_use]
    pub fn said(&self, roles: &Roles, headers: &HeaderMap, connection: IpAddr) -> HeaderIdentity {
        if !self.trusts(connection) {
            return if headers.contains_key(&self.user) { HeaderIdentity::Ignored } else { HeaderIdentity::Nothing };
        }
        let named = || {
            let user = only(headers, &self.user)?.unwrap_or_default();
            if user.trim().is_empty() {
                // So proxies say that nobody is logged in.
                return Ok(None);
            }
            let groups = match &self.groups {
                Some(name) => only(headers, name)?.unwrap_or_default(),
                None => "",
            };
            Ok(Some(roles.admit(ProviderKind::Header, user, groups.split(',').map(str::to_owned))?))
        };
        match named() {
            Ok(Some(outsider)) => HeaderIdentity::Somebody(outsider),
            Ok(None) => HeaderIdentity::Nothing,
            Err(error) => HeaderIdentity::Refused(error),
        }
    }
}

/// The value of a header that may be there once at most.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, HeaderError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            // Names are written in UTF-8 where they are not ASCII.
            std::str::from_utf8(value.as_bytes()).map(Some).map_err(|_| HeaderError::NoText(name.clone()))
        }
        (Some(_), Some(_)) => Err(HeaderError::Twice(name.clone())),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use model::rights::{Pattern, Role};

    use super::*;

    fn said(from: &str, headers: &[(&'static str, &[u8])]) -> HeaderIdentity {
        let pattern = |p: &str| vec![Pattern(p.to_owned())];
        let roles = Roles { admin: pattern("admins"), operator: pattern("ops"), viewer: pattern("staff") };
        let trusted = TrustedHeader {
            user: HeaderName::from_static("x-forwarded-user"),
            groups: Some(HeaderName::from_static("x-forwarded-groups")),
            from: ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"].map(|net| net.parse().expect("a network")).to_vec(),
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value).expect("a value"));
        }
        trusted.said(&roles, &map, from.parse().expect("an address"))
    }

    const ANNA: (&str, &[u8]) = ("x-forwarded-user", b"anna");
    const STAFF: (&str, &[u8]) = ("x-forwarded-groups", b"staff");

    #[test]
    fn only_listed_addresses_are_believed() {
        for (from, believed) in [
            ("127.0.0.1", true),
            ("10.255.0.1", true),
            ("::ffff:10.1.2.3", true),
            ("fd00::1", true),
            ("127.0.0.2", false),
            ("11.0.0.1", false),
            ("::1", false),
            ("::ffff:11.1.2.3", false),
        ] {
            let got = said(from, &[ANNA, STAFF]);
            assert_eq!(matches!(got, HeaderIdentity::Somebody(_)), believed, "{from} {got:?}");
            assert!(believed || got == HeaderIdentity::Ignored, "{from} {got:?}");
        }
        assert_eq!(said("11.0.0.1", &[STAFF]), HeaderIdentity::Nothing);
    }

    #[test]
    fn who_is_named_has_the_role_of_their_groups() {
        let somebody = |name: &str, groups: &[&str], role| {
            let groups = groups.iter().map(|g| (*g).to_owned()).collect();
            HeaderIdentity::Somebody(ExternalIdentity { name: name.to_owned(), groups, role })
        };
        for (headers, want) in [
            (&[ANNA, STAFF][..], somebody("header:anna", &["staff"], Role::Viewer)),
            (
                &[ANNA, ("x-forwarded-groups", b" ops , staff,,")],
                somebody("header:anna", &["ops", "staff"], Role::Operator),
            ),
            (
                &[("x-forwarded-user", " jürgen ".as_bytes()), STAFF],
                somebody("header:jürgen", &["staff"], Role::Viewer),
            ),
            // A name that pretends to come from elsewhere stays one of the header's.
            (&[("x-forwarded-user", b"oidc:ben"), STAFF], somebody("header:oidc:ben", &["staff"], Role::Viewer)),
            (&[], HeaderIdentity::Nothing),
            (&[("x-forwarded-user", b" ")], HeaderIdentity::Nothing),
            (&[("x-forwarded-user", b""), ("x-forwarded-groups", b"admins")], HeaderIdentity::Nothing),
            (&[STAFF], HeaderIdentity::Nothing),
        ] {
            assert_eq!(said("127.0.0.1", headers), want, "{headers:?}");
        }
    }

    #[test]
    fn what_is_unclear_lets_nobody_in() {
        let user = HeaderName::from_static("x-forwarded-user");
        let groups = HeaderName::from_static("x-forwarded-groups");
        let no_role = ExternalIdentityError::NoRole("header:anna".to_owned());
        for (headers, want) in [
            (&[ANNA, ANNA, STAFF][..], HeaderError::Twice(user.clone())),
            (&[ANNA, ("x-forwarded-user", b"ben"), STAFF], HeaderError::Twice(user.clone())),
            (&[ANNA, STAFF, ("x-forwarded-groups", b"admins")], HeaderError::Twice(groups.clone())),
            (&[("x-forwarded-user", b"an\xffna"), STAFF], HeaderError::NoText(user)),
            (&[ANNA, ("x-forwarded-groups", b"\xc3\x28")], HeaderError::NoText(groups)),
            (&[("x-forwarded-user", b"an\tna"), STAFF], ExternalIdentityError::Name.into()),
            (&[("x-forwarded-user", "an\u{202e}na".as_bytes()), STAFF], ExternalIdentityError::Name.into()),
            (&[ANNA, ("x-forwarded-groups", b"Admins")], no_role.clone().into()),
            (&[ANNA], no_role.into()),
        ] {
            assert_eq!(said("10.0.0.1", headers), HeaderIdentity::Refused(want), "{headers:?}");
        }
    }
}
