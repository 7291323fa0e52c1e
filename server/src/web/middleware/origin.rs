//! Whose requests are answered: no other site's page in a browser that reaches us, and nobody in clear text from another
//! machine.
//!
//! Any page that somebody opens can send requests to addresses that only their browser reaches. Two rules keep those
//! out. A request that changes something, or opens the stream, must come from our own page or from a program that is no
//! browser (cross-site requests). And while there are no accounts the `Host` must be this machine's own, so that a page
//! whose name its owner's DNS turns towards 127.0.0.1 gets no answer (DNS rebinding); with accounts such a page has no
//! cookie of ours.

use std::net::IpAddr;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::method::is_safe;
use crate::{
    auth::Peer,
    config::{PublicUrl, origin},
    web::{AppState, ListenerSettings, problem::ProblemResponse},
};

/// How a browser says where a request comes from (Fetch Metadata).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The stream's path: a GET that browsers send across sites without asking.
pub(in crate::web) const STREAM: &str = "/ws";

/// Passes a request on, or denies it.
pub(in crate::web) async fn check_origin(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let context = RequestContext::of(&state.listener_settings, state.auth.is_open(), Peer::of_request(&request));
    match check(request.method(), request.uri(), request.headers(), context) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// What a request is judged by, beside its own head: the program's settings and the connection.
#[derive(Clone, Copy, Debug)]
struct RequestContext<'s> {
    /// Whether there are no accounts.
    is_open: bool,
    /// Whether what is sent can be read on the way, and not only on this machine or by our own reverse proxy.
    is_exposed: bool,
    /// Whether the way to us is encrypted.
    is_secure: bool,
    /// What browsers call us.
    url: Option<&'s PublicUrl>,
    /// Whether a reverse proxy is in front.
    is_behind_proxy: bool,
}

impl<'s> RequestContext<'s> {
    fn of(listener_settings: &'s ListenerSettings, is_open: bool, peer: Peer) -> Self {
        let is_near = peer.connection.to_canonical().is_loopback() || listener_settings.config.trusts(peer.connection);
        Self {
            is_open,
            is_exposed: !peer.is_secure && !is_near,
            is_secure: peer.is_secure,
            url: listener_settings.config.url.as_ref(),
            is_behind_proxy: listener_settings.config.proxies.is_some(),
        }
    }

    /// Whether a page of that origin is ours, when it was asked for under `host`.
    fn is_ours(self, page: &str, host: &Authority) -> bool {
        let scheme = if self.is_secure { "https" } else { "http" };
        page.eq_ignore_ascii_case(&origin(scheme, host.as_str()))
            || self.url.is_some_and(|url| page.eq_ignore_ascii_case(url.origin()))
    }
}

/// The rules, as a function of the request's head.
fn check(method: &Method, uri: &Uri, headers: &HeaderMap, context: RequestContext<'_>) -> Result<(), ProblemResponse> {
    if context.is_exposed {
        return Err(ProblemResponse::new(StatusCode::FORBIDDEN, "Sluice is behind a reverse proxy: come through that").with_detail(
            "What is sent here is not encrypted. If this is the reverse proxy, its address belongs into `trusted_proxies`.",
        ));
    }
    let host = own_host(uri, headers, context)?;
    let path = uri.path();
    if is_safe(method) && path != STREAM {
        return Ok(());
    }
    let site = only(headers, &SEC_FETCH_SITE)?;
    match (only(headers, &header::ORIGIN)?, site) {
        // A form posts `null` where an extension or a policy holds back referrers; the other header still is the
        // browser's own word.
        (Some("null"), Some("same-origin")) | (None, Some("same-origin" | "none")) => Ok(()),
        (Some(origin), _) if context.is_ours(origin, &host) => Ok(()),
        (Some(_), _) | (None, Some(_)) => Err(cross_site(context)),
        // Every browser of the last years says where a form comes from; a program has the API.
        (None, None) if path == STREAM || path.starts_with("/api/") => Ok(()),
        (None, None) => Err(ProblemResponse::new(StatusCode::FORBIDDEN, "This form is for browsers")
            .with_detail("A program posts to /api/v1/actions, as /api/v1/openapi.json describes.")),
    }
}

/// The host and port that a request is for, where it says so in one way.
pub(in crate::web) fn host(request: &Request) -> Option<Authority> {
    named(request.uri(), request.headers()).ok().flatten()
}

/// The host and port that were asked: the `Host` header of HTTP/1, the `:authority` of HTTP/2. Nothing where the two
/// differ, or one is no host.
fn named(uri: &Uri, headers: &HeaderMap) -> Result<Option<Authority>, ProblemResponse> {
    let header = only(headers, &header::HOST)?;
    let asked = match (header, uri.authority()) {
        (Some(header), Some(authority)) if !header.eq_ignore_ascii_case(authority.as_str()) => return Ok(None),
        (Some(header), _) => header.parse().ok(),
        (None, authority) => authority.cloned(),
    };
    Ok(asked.filter(|authority: &Authority| !authority.as_str().contains('@') && !authority.host().is_empty()))
}

/// The host and port that were asked, when we answer to them.
fn own_host(uri: &Uri, headers: &HeaderMap, context: RequestContext<'_>) -> Result<Authority, ProblemResponse> {
    let asked = named(uri, headers)?;
    if let Some(host) = asked.filter(|host| !context.is_open || is_loopback(host.host())) {
        return Ok(host);
    }
    let header = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name: String = header.chars().take(80).collect();
    let problem =
        ProblemResponse::new(StatusCode::MISDIRECTED_REQUEST, format!("Sluice does not answer to the name {name:?}"));
    Err(if context.is_open {
        problem.with_detail(
            "There are no accounts, so that only this machine is answered: open it as http://localhost or \
             http://127.0.0.1 with its port; from elsewhere, through a tunnel.",
        )
    } else {
        problem.with_detail("The request must name one host, as browsers do.")
    })
}

/// Whether a host is this machine's own name or address.
pub(in crate::web) fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The value of a header that may be there once at most: of two, another program might believe the other one.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, ProblemResponse> {
    let mut values = headers.get_all(name).iter();
    let bad =
        || ProblemResponse::new(StatusCode::BAD_REQUEST, format!("The header {name} is there twice, or is no text"));
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| bad()),
        (Some(_), Some(_)) => Err(bad()),
    }
}

fn cross_site(context: RequestContext<'_>) -> ProblemResponse {
    let detail = if context.is_behind_proxy && context.url.is_none() {
        "Only Sluice's own page may act and read the stream. If this is its page: the reverse proxy must pass `Host` and \
         `X-Forwarded-Proto` on, or the configuration say what browsers call Sluice, as url = \"https://NAME\"."
    } else {
        "Only Sluice's own page, opened under the same name and port, may act and read the stream."
    };
    ProblemResponse::new(StatusCode::FORBIDDEN, "The request comes from another site's page").with_detail(detail)
}

#[cfg(test)]
mod tests;
