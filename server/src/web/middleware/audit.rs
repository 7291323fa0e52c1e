//! Each denied request is in the audit log, whatever denied it: one layer looks at every answer.
//!
//! Code that writes its own entry, with names and reasons, marks its answer as [`AlreadyAudited`].

use axum::{
    extract::{MatchedPath, Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::Response,
};

use super::{method::is_safe, route_label};
use crate::{
    audit::{Entry, Kind},
    auth::{Peer, Principal},
    web::{
        AppState,
        denial::{AlreadyAudited, DenialReason, Denied},
    },
};

/// Passes a request on, and writes an entry when it was denied.
pub(in crate::web) async fn audit_denials(
    State(state): State<AppState>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let (method, peer) = (request.method().clone(), Peer::of_request(&request));
    let response = next.run(request).await;
    let marks = response.extensions();
    let is_denied = marks.get::<Denied>().is_some() || is_denial(&method, response.status(), path.is_some());
    if !is_denied || marks.get::<AlreadyAudited>().is_some() {
        return response;
    }
    let principal = marks.get().cloned().unwrap_or_else(|| Principal::anonymous("nobody", peer.address));
    let action = format!("{method} {}", path.as_ref().map_or(route_label::UNMATCHED, MatchedPath::as_str));
    let entry = Entry {
        outcome: outcome(response.status()).to_owned(),
        detail: marks.get().map_or_else(String::new, |DenialReason(reason)| reason.clone()),
        ..principal.entry(Kind::Denial, &action)
    };
    state.auth.audit_denial(entry).await;
    response
}

/// Whether an answer denies something: it keeps somebody out, or does not do what would have changed something. A page
/// that is not there is denied to nobody.
fn is_denial(method: &Method, status: StatusCode, has_route: bool) -> bool {
    let keeps_out = matches!(
        status,
        StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::MISDIRECTED_REQUEST
            | StatusCode::TOO_MANY_REQUESTS
    );
    keeps_out || has_route && !is_safe(method) && status.is_client_error()
}

/// What became of it, in a word or two.
fn outcome(status: StatusCode) -> &'static str {
    match status {
        StatusCode::FORBIDDEN => "not allowed",
        StatusCode::MISDIRECTED_REQUEST => "wrong host",
        StatusCode::TOO_MANY_REQUESTS => "told to wait",
        StatusCode::NOT_FOUND => "not found",
        StatusCode::UNAUTHORIZED => "not logged in",
        // The way to the log-in page.
        status if status.is_redirection() => "not logged in",
        _ => "not understood",
    }
}

#[cfg(test)]
mod tests;
