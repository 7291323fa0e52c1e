//! The credentials in a request's headers: a token, the cookies of a session, a known browser, a wall link. They are
//! only read here; whether they are valid is checked elsewhere.

use axum::http::{
    HeaderMap,
    header::{AUTHORIZATION, COOKIE},
};

use crate::auth::Secret;

/// The cookie of a session. `__Host-`: a browser takes it from this host alone, for every path, and sends it only over
/// an encrypted connection.
pub const SESSION_COOKIE: &str = "__Host-sluice";

/// The cookie of a browser that somebody logged in from before.
pub const DEVICE_COOKIE: &str = "__Host-sluice-device";

/// The cookie of a display that opened a wall link.
pub const WALL_COOKIE: &str = "__Host-sluice-wall";

/// The cookie of a browser that is sent to a provider to log in.
pub const OIDC_COOKIE: &str = "__Host-sluice-oidc";

/// The longest token that is read, in characters.
const LONGEST_TOKEN: usize = 256;

/// What the header `Authorization` holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Bearer<'h> {
    /// No token: there is no such header, or it has a scheme that a reverse proxy may use for itself.
    Absent,
    /// What may be a token.
    Token(&'h str),
    /// What can't be a token, or two headers: the request is nobody's, whatever else it shows.
    Malformed,
}

impl std::fmt::Debug for Bearer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Absent => "Absent",
            Self::Token(_) => "Token(..)",
            Self::Malformed => "Malformed",
        })
    }
}

/// The token of `Authorization: Bearer TOKEN`.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Bearer<'_> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return if headers.contains_key(AUTHORIZATION) { Bearer::Malformed } else { Bearer::Absent };
    };
    let Ok(text) = value.to_str() else { return Bearer::Malformed };
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Bearer::Absent;
    }
    let token = token.trim_matches(' ');
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !token.is_empty() && token.len() <= LONGEST_TOKEN && token.chars().all(fits) {
        Bearer::Token(token)
    } else {
        Bearer::Malformed
    }
}

/// The value of the cookie of that name. Where there are two, somebody else set one of them, and neither counts.
#[must_use]
pub fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let texts = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim_matches(' ').split_once('='));
    let mut values = pairs.filter(|(found, _)| *found == name).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

/// The secret in the cookie of that name.
#[must_use]
pub fn secret(headers: &HeaderMap, name: &str) -> Option<Secret> {
    Secret::parse(cookie(headers, name)?)
}

#[cfg(test)]
mod tests;
