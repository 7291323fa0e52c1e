//! What each request passes through before its handler, and each answer afterwards.

mod access_log;
mod audit;
pub(super) mod authorize;
mod catch_panic;
pub(super) mod client_address;
mod headers;
mod limits;
mod method;
mod metrics;
pub(super) mod origin;
mod plain_cookies;
mod route_label;

#[cfg(test)]
mod tests;

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
};
use tower::ServiceBuilder;

use super::AppState;

/// Puts the middleware around all routes. A request meets it from top to bottom, its answer from bottom to top.
pub(super) fn layers(routes: Router<AppState>, state: &AppState) -> Router<AppState> {
    let of = || state.clone();
    routes.layer(
        ServiceBuilder::new()
            // Where from: whoever is denied further in is denied under that address.
            .layer(from_fn_with_state(of(), client_address::find_peer))
            // Before anybody reads a cookie, and after everybody has set theirs.
            .layer(from_fn_with_state(of(), plain_cookies::rename_cookies))
            // Both see every answer as it is sent, whatever it comes from.
            .layer(from_fn_with_state(of(), metrics::count_requests))
            .layer(access_log::layers(state.routes.clone()))
            .layer(from_fn(headers::add_defaults))
            // Inside what must be around an error, too; outside all that may panic.
            .layer(from_fn_with_state(of(), catch_panic::guard_body))
            .layer(catch_panic::layer(state.metrics.http.panics.clone()))
            // Around all that denies.
            .layer(from_fn_with_state(of(), audit::audit_denials))
            .layer(from_fn_with_state(of(), authorize::check_method))
            // Whose page, under which name: before anybody's cookie counts.
            .layer(from_fn_with_state(of(), origin::check_origin))
            // Who asks, and whether the route is theirs: before anything of theirs is read.
            .layer(from_fn_with_state(of(), authorize::authorize))
            .layer(from_fn_with_state(of(), limits::read_body))
            // Who asks, once more: the body may have taken its time.
            .layer(from_fn_with_state(of(), authorize::reauthorize)),
    )
}
