//! What is refused is in the record, whoever refused it: one layer looks at every answer.
//!
//! Who tells the record themselves, with names and reasons, marks the answer as [`AlreadyAudited`].

use axum::{
    extract::{MatchedPath, Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::Response,
};

use super::origin::is_safe;
use crate::{
    audit::{Entry, Kind},
    auth::{Peer, Principal},
    web::AppState,
};

/// Marks an answer whose refusal the record has already, or has on purpose not once more.
#[derive(Clone, Copy, Debug)]
pub(in crate::web) struct AlreadyAudited;

/// Marks an answer that is a refusal whatever its status says: the way to the log-in page in place of what was asked for.
#[derive(Clone, Copy, Debug)]
pub(in crate::web) struct Denied;

/// What a refusal says of itself, in a sentence without anybody's secret.
#[derive(Clone, Debug)]
pub(in crate::web) struct DenialReason(pub(in crate::web) String);

/// Passes a request on, and tells the record when it was refused.
pub(in crate::web) async fn audit_denials(
    State(state): State<AppState>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let (method, peer) = (request.method().clone(), Peer::of_request(&request));
    let response = next.run(request).await;
    let marks = response.extensions();
    let is_refused = marks.get::<Denied>().is_some() || is_refusal(&method, response.status(), path.is_some());
    if !is_refused || marks.get::<AlreadyAudited>().is_some() {
        return response;
    }
    let principal = marks.get().cloned().unwrap_or_else(|| Principal::nobody("nobody", peer.address));
    // A stranger's path is not repeated: whoever pastes a secret into an address finds it nowhere.
    let action = format!("{method} {}", path.as_ref().map_or("elsewhere", MatchedPath::as_str));
    let entry = Entry {
        outcome: outcome(response.status()).to_owned(),
        detail: marks.get().map_or_else(String::new, |DenialReason(why)| why.clone()),
        ..principal.entry(Kind::Refusal, &action)
    };
    state.auth.tell_refusal(entry).await;
    response
}

/// Whether an answer refuses: keeps somebody out, or does not do what would have changed something. Whoever only looks
/// for what is not there is refused nothing.
fn is_refusal(method: &Method, status: StatusCode, is_ours: bool) -> bool {
    let keeps_out = matches!(
        status,
        StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::MISDIRECTED_REQUEST
            | StatusCode::TOO_MANY_REQUESTS
    );
    keeps_out || is_ours && !is_safe(method) && status.is_client_error()
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
