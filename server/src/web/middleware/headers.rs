//! Headers that every answer carries, unless its handler said otherwise.

use axum::{
    extract::Request,
    http::{
        HeaderName, HeaderValue,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
            X_FRAME_OPTIONS,
        },
    },
    middleware::Next,
    response::Response,
};

use super::origin::{host, is_loopback};
use crate::auth::Peer;

/// For everything that is not a page. A page sets its own policy, with a nonce for its scripts.
const NO_PAGE: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What is set where it is missing, and why.
const DEFAULTS: [(HeaderName, &str); 7] = [
    (CONTENT_SECURITY_POLICY, NO_PAGE),
    // A browser takes the content type at its word.
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Addresses hold names of servers and filters; they are nobody else's business. Not `no-referrer`: under that a
    // page's own form posts `Origin: null`, and could not be told from a stranger's.
    (REFERRER_POLICY, "same-origin"),
    // `frame-ancestors`, for browsers that don't know it.
    (X_FRAME_OPTIONS, "DENY"),
    // No other site's page may hold a handle on ours, or load an answer as an image or a script.
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    // Old data never looks well: nothing between us and the reader keeps an answer.
    (CACHE_CONTROL, "no-store"),
];

/// How long a browser asks for this name with TLS alone: a year, as long as makes sense. Not for the names below it,
/// which may be somebody else's.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds each of the headers that is missing.
pub(in crate::web) async fn add_defaults(request: Request, next: Next) -> Response {
    // A browser would remember it for every port of `localhost`, whatever serves there.
    let is_named = host(&request).is_some_and(|host| !is_loopback(host.host()));
    let is_secure = is_named && Peer::of_request(&request).is_secure;
    let mut response = defaults(next.run(request).await);
    if is_secure {
        response.headers_mut().entry(STRICT_TRANSPORT_SECURITY).or_insert(HSTS);
    }
    response
}

fn defaults(mut response: Response) -> Response {
    for (name, value) in DEFAULTS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;

    use super::*;

    #[test]
    fn a_handler_s_own_header_is_kept_and_the_others_are_added() {
        let own = "default-src 'self'";
        let response = defaults([(CONTENT_SECURITY_POLICY, own)].into_response());
        let headers = response.headers();
        assert_eq!(headers[CONTENT_SECURITY_POLICY], own);
        assert_eq!(headers.get_all(CONTENT_SECURITY_POLICY).iter().count(), 1);
        for (name, value) in DEFAULTS.iter().skip(1) {
            assert_eq!(headers[name], value);
        }
        assert!(!NO_PAGE.contains("unsafe"));
    }
}
