//! Finds out who asks, once per request.

use axum::{extract::Request, middleware::Next, response::Response};

use super::Peer;
use crate::access::Caller;

/// Puts the [`Caller`] among the request's extensions.
pub(super) async fn identify(mut request: Request, next: Next) -> Response {
    let peer = Peer::of_request(&request);
    request.extensions_mut().insert(Caller::open(peer.address));
    next.run(request).await
}
