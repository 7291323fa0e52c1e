//! Whose requests are answered: no other site's page in a browser that reaches us, and nobody in clear text from another
//! machine.
//!
//! Any page that somebody opens can send requests to addresses that only their browser reaches. Two rules keep those
//! out. A request that changes something, or opens the stream, must come from our own page or from a program that is no
//! browser (cross-site requests). And the `Host` must be one of ours, so that a page whose name its owner's DNS turns
//! towards our address gets no answer (DNS rebinding): it has no cookie of ours, but could guess passwords from its
//! visitor's address, or be taken for whom a reverse proxy names.

use std::net::IpAddr;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::method::is_safe;
use crate::{
    auth::{
        Peer,
        authn::credentials::{Bearer, bearer},
    },
    config::{PublicUrl, origin},
    tls::CertificateReloader,
    web::{AppState, ListenerSettings, problem::ProblemResponse},
};

/// How a browser says where a request comes from (Fetch Metadata).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The stream's path: a GET that browsers send across sites without asking.
pub(in crate::web) const STREAM: &str = "/ws";

/// Where a load balancer asks whether Sluice serves.
const HEALTH: &str = "/healthz";

/// Where a Prometheus asks for Sluice's figures.
const METRICS: &str = "/metrics";

/// Passes a request on, or denies it.
pub(in crate::web) async fn check_origin(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let context = RequestContext::of(&state.listener_settings, &request);
    match check(request.method(), request.uri(), request.headers(), context) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// What a request is judged by, beside its own head: the program's settings and the connection.
#[derive(Clone, Copy, Debug)]
struct RequestContext<'s> {
    /// Whether what is sent can be read on the way, and not only on this machine or by our own reverse proxy.
    is_exposed: bool,
    /// Whether the client is on this machine.
    is_local: bool,
    /// Whether the way to us is encrypted.
    is_secure: bool,
    /// What browsers call us.
    url: Option<&'s PublicUrl>,
    /// Whether a reverse proxy is in front.
    is_behind_proxy: bool,
    /// Whether Sluice's own certificate is for the host that was asked.
    is_certified: bool,
}

impl<'s> RequestContext<'s> {
    fn of(listener_settings: &'s ListenerSettings, request: &Request) -> Self {
        let ListenerSettings { config, certificates, .. } = listener_settings;
        let (peer, host) = (Peer::of_request(request), host(request));
        let is_near = peer.connection.to_canonical().is_loopback() || config.trusts(peer.connection);
        let names = |certificates: &CertificateReloader| host.is_some_and(|host| certificates.names(host.host()));
        Self {
            is_exposed: !peer.is_secure && !is_near,
            is_local: peer.address.to_canonical().is_loopback(),
            is_secure: peer.is_secure,
            url: config.url.as_ref(),
            is_behind_proxy: config.proxies.is_some(),
            is_certified: certificates.as_ref().is_some_and(names),
        }
    }

    /// Whether we answer to that host.
    fn is_own(self, host: &str) -> bool {
        match (self.is_behind_proxy, self.url) {
            (true, Some(url)) => url.has_host(host),
            // The reverse proxy answers to the names that it was given, and passes them on.
            (true, None) => true,
            // A certificate is for the names that somebody put into it; no browser takes it for another.
            (false, url) => is_loopback(host) || url.is_some_and(|url| url.has_host(host)) || self.is_certified,
        }
    }

    /// Whether the reverse proxy says that the client came without encryption, though everybody is to use it.
    fn is_downgraded(self) -> bool {
        self.url.is_some_and(PublicUrl::is_secure) && !self.is_secure && !self.is_local
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
    let path = uri.path();
    // A load balancer asks by address; and a rebound page has no token.
    let is_any_host = path == HEALTH || path == METRICS && matches!(bearer(headers), Bearer::Token(_));
    let host = if is_any_host { named(uri, headers)? } else { Some(own_host(uri, headers, context)?) };
    if context.is_downgraded() && path != HEALTH {
        return Err(ProblemResponse::new(
            StatusCode::FORBIDDEN,
            "This came without encryption, and Sluice is to be used by https",
        )
        .with_detail(
            "The reverse proxy says `X-Forwarded-Proto: http`. Open Sluice by https; if you did, the proxy has to send \
                 `X-Forwarded-Proto: https`.",
        ));
    }
    if is_safe(method) && path != STREAM {
        return Ok(());
    }
    let site = only(headers, &SEC_FETCH_SITE)?;
    match (only(headers, &header::ORIGIN)?, site) {
        // A form posts `null` where an extension or a policy holds back referrers; the other header still is the
        // browser's own word.
        (Some("null"), Some("same-origin")) | (None, Some("same-origin" | "none")) => Ok(()),
        (Some(origin), _) if host.is_some_and(|host| context.is_ours(origin, &host)) => Ok(()),
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
    if let Some(host) = asked.filter(|host| context.is_own(host.host())) {
        return Ok(host);
    }
    let header = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name: String = header.chars().take(80).collect();
    let problem =
        ProblemResponse::new(StatusCode::MISDIRECTED_REQUEST, format!("Sluice does not answer to the name {name:?}"));
    Err(match context.url {
        Some(url) => problem.with_detail(format!("Open it at {url}. Another name has to be `url` in the configuration.")),
        None => problem.with_detail(
            "Open it as http://localhost or http://127.0.0.1 with its port, from elsewhere through a tunnel. If browsers \
             use this name, write it into the configuration, as url = \"https://NAME\".",
        ),
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
