//! Who may ask: no page of another site, in a browser that happens to run on this machine.
//!
//! Sluice listens on a loopback address and has no accounts. That keeps other machines out, not other sites: any page
//! that somebody opens here can send requests to it. Two rules keep those out. The `Host` must be this machine's own,
//! so that a name which a stranger's DNS turns towards 127.0.0.1 ("DNS rebinding") is answered nothing. And what acts,
//! or streams, must come from our own page, or from a program that is no browser.

use std::net::IpAddr;

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::problem::Problem;

/// How a browser says where a request comes from (Fetch Metadata).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The stream's path: a GET that browsers send across sites without asking.
pub(super) const STREAM: &str = "/ws";

/// Passes a request on, or refuses it.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    match check(request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// The rules, as a function of the request's head.
fn check(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let host = own_host(uri, headers)?;
    let path = uri.path();
    if is_safe(method) && path != STREAM {
        return Ok(());
    }
    let site = only(headers, &SEC_FETCH_SITE)?;
    match (only(headers, &header::ORIGIN)?, site) {
        // A form posts `null` where an extension or a policy holds back referrers; the other header still is the
        // browser's own word.
        (Some("null"), Some("same-origin")) | (None, Some("same-origin" | "none")) => Ok(()),
        (Some(origin), _) if origin.eq_ignore_ascii_case(&format!("http://{host}")) => Ok(()),
        (Some(_), _) | (None, Some(_)) => Err(foreign()),
        // Every browser of the last years says where a form comes from; a program has the API.
        (None, None) if path == STREAM || path.starts_with("/api/") => Ok(()),
        (None, None) => Err(Problem::new(StatusCode::FORBIDDEN, "This form is for browsers")
            .with_detail("A program posts to /api/v1/actions, as /api/v1/openapi.json describes.")),
    }
}

/// The host and port that were asked, when they are this machine's own.
fn own_host<'h>(uri: &Uri, headers: &'h HeaderMap) -> Result<&'h str, Problem> {
    let host = only(headers, &header::HOST)?.unwrap_or_default();
    let named = |authority: &Authority| is_loopback(authority.host()) && !authority.as_str().contains('@');
    let is_own = host.parse().is_ok_and(|authority| named(&authority)) && uri.authority().is_none_or(named);
    if is_own {
        return Ok(host);
    }
    let asked: String = host.chars().take(80).collect();
    Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, format!("Sluice does not answer to the name {asked:?}"))
        .with_detail(
            "Open it as http://localhost or http://127.0.0.1 with its port; from elsewhere, through a tunnel.",
        ))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Methods that change nothing.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The value of a header that may be there once at most: of two, another program might believe the other one.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let bad = || Problem::new(StatusCode::BAD_REQUEST, format!("The header {name} is there twice, or is no text"));
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| bad()),
        (Some(_), Some(_)) => Err(bad()),
    }
}

fn foreign() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "The request comes from another site's page")
        .with_detail("Only Sluice's own page, opened under the same name and port, may act and read the stream.")
}

#[cfg(test)]
mod tests;
