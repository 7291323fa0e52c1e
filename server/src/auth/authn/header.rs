//! A reverse proxy that logs people in and names them in a header.
//!
//! Anybody who reaches Sluice can write headers. These count only when the connection itself comes from a listed address,
//! whatever is said of the client behind it.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use super::external_identity::{ExternalIdentity, ExternalIdentityError, ProviderKind};
use crate::auth::authz::roles::RoleMapping;

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

/// Whom the headers of a request identify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderIdentity {
    /// They name nobody.
    Absent,
    /// They name somebody, but the connection's address is not listed, or the host is another: they don't count.
    Untrusted,
    /// They name somebody who may come in.
    Identified(ExternalIdentity),
    /// They name somebody who may not come in.
    Denied(HeaderError),
}

/// Why somebody whom the reverse proxy names is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// There are two headers of that name, and only one can be the reverse proxy's.
    #[error("the header {0} is there twice: the reverse proxy has to replace what clients send")]
    Twice(HeaderName),
    /// Bytes that are no text.
    #[error("the header {0} is no text")]
    NoText(HeaderName),
    /// The name can't be used, or the groups have no role.
    #[error(transparent)]
    ExternalIdentity(#[from] ExternalIdentityError),
}

impl TrustedHeader {
    /// Whether a connection from there is the reverse proxy's.
    #[must_use]
    pub fn trusts(&self, connection: IpAddr) -> bool {
        // A socket for both families shows an IPv4 address as one of IPv6.
        let connection = connection.to_canonical();
        self.from.iter().any(|net| net.contains(&connection))
    }

    /// Whom the headers of a request identify; `connection` is the address that the connection itself comes from.
    #[must_use]
    pub fn identify(&self, roles: &RoleMapping, headers: &HeaderMap, connection: IpAddr) -> HeaderIdentity {
        if !self.trusts(connection) {
            return if headers.contains_key(&self.user) { HeaderIdentity::Untrusted } else { HeaderIdentity::Absent };
        }
        let identity = || {
            let user = only(headers, &self.user)?.unwrap_or_default();
            if user.trim().is_empty() {
                // With an empty header proxies say that nobody is logged in.
                return Ok(None);
            }
            // Two headers that a proxy joined would be one name with a comma.
            if user.contains(',') {
                return Err(ExternalIdentityError::Name.into());
            }
            let groups = match &self.groups {
                Some(name) => only(headers, name)?.unwrap_or_default(),
                None => "",
            };
            let groups = groups.split(',').map(str::to_owned);
            Ok(Some(ExternalIdentity::admit(ProviderKind::Header, user, groups, roles)?))
        };
        match identity() {
            Ok(Some(identity)) => HeaderIdentity::Identified(identity),
            Ok(None) => HeaderIdentity::Absent,
            Err(error) => HeaderIdentity::Denied(error),
        }
    }
}

/// The value of a header that may be there once at most.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, HeaderError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            // Names that are not ASCII are sent as UTF-8.
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

    fn identified(from: &str, headers: &[(&'static str, &[u8])]) -> HeaderIdentity {
        let pattern = |p: &str| vec![Pattern(p.to_owned())];
        let roles = RoleMapping { admin: pattern("admins"), operator: pattern("ops"), viewer: pattern("staff") };
        let trusted = TrustedHeader {
            user: HeaderName::from_static("x-forwarded-user"),
            groups: Some(HeaderName::from_static("x-forwarded-groups")),
            from: ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"].map(|net| net.parse().expect("a network")).to_vec(),
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value).expect("a value"));
        }
        trusted.identify(&roles, &map, from.parse().expect("an address"))
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
            let got = identified(from, &[ANNA, STAFF]);
            assert_eq!(matches!(got, HeaderIdentity::Identified(_)), believed, "{from} {got:?}");
            assert!(believed || got == HeaderIdentity::Untrusted, "{from} {got:?}");
        }
        assert_eq!(identified("11.0.0.1", &[STAFF]), HeaderIdentity::Absent);
    }

    #[test]
    fn who_is_named_has_the_role_of_their_groups() {
        let somebody = |name: &str, groups: &[&str], role| {
            let groups = groups.iter().map(|g| (*g).to_owned()).collect();
            HeaderIdentity::Identified(ExternalIdentity { name: name.to_owned(), groups, role })
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
            (&[], HeaderIdentity::Absent),
            (&[("x-forwarded-user", b" ")], HeaderIdentity::Absent),
            (&[("x-forwarded-user", b""), ("x-forwarded-groups", b"admins")], HeaderIdentity::Absent),
            (&[STAFF], HeaderIdentity::Absent),
        ] {
            assert_eq!(identified("127.0.0.1", headers), want, "{headers:?}");
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
            (&[("x-forwarded-user", b"mallory, anna"), STAFF], ExternalIdentityError::Name.into()),
            (&[("x-forwarded-user", "an\u{202e}na".as_bytes()), STAFF], ExternalIdentityError::Name.into()),
            (&[ANNA, ("x-forwarded-groups", b"Admins")], no_role.clone().into()),
            (&[ANNA], no_role.into()),
        ] {
            assert_eq!(identified("10.0.0.1", headers), HeaderIdentity::Denied(want), "{headers:?}");
        }
    }
}
