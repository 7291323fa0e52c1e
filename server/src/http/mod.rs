//! The HTTP side: the listener, routes, the stream, the API, the site's files.
//!
//! Handlers own nothing: they read the newest state from the hub, and act through operations. None waits for a node
//! but the one that acts.

mod account;
mod admin;
mod api;
pub mod assets;
mod audit;
mod body;
mod door;
mod fields;
mod form;
mod guard;
mod headers;
mod health;
mod login;
mod managed;
mod needs;
mod next;
mod oidc;
mod own;
pub mod pages;
mod peer;
mod plain;
pub mod problem;
mod refusals;
pub mod serve;
mod state;
mod wall_link;
mod ws;

use std::{io, time::Duration};

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    routing::{MethodRouter, any, get, post},
};
use tokio::{net::TcpListener, time::timeout};
use tower_http::compression::CompressionLayer;

pub use door::Door;
pub use state::AppState;

/// How long requests, streams and operations may take to end once the program is to end: an operation's own deadlines
/// are shorter, and a supervisor's patience (90 s with systemd) is longer.
const GRACE: Duration = Duration::from_secs(15);

/// Serves until `state.shutdown` is cancelled, then lets what runs come to its end.
///
/// `pages` are the routes of the pages and of their form.
///
/// # Errors
/// When the listener can't be served.
pub async fn run(listener: TcpListener, state: AppState, pages: Router<AppState>) -> io::Result<()> {
    let AppState { shutdown, tracker, door, metrics, .. } = state.clone();
    let router = router(state, pages);
    if !serve::serve(listener, router, &door, &metrics.door, &shutdown, GRACE).await? {
        tracing::warn!("requests did not end in time");
    }
    tracker.close();
    if timeout(GRACE, tracker.wait()).await.is_err() {
        tracing::warn!(tasks = tracker.len(), "streams or operations did not end in time");
    }
    Ok(())
}

/// Every route, and what each request passes through.
pub fn router(state: AppState, pages: Router<AppState>) -> Router {
    // The last layer is the first that a request meets, and the last that its answer does.
    routes(pages)
        .layer(from_fn_with_state(state.clone(), body::bounded))
        .layer(from_fn_with_state(state.clone(), needs::admit))
        .layer(from_fn_with_state(state.clone(), guard::guard))
        .layer(from_fn_with_state(state.clone(), refusals::note))
        .layer(from_fn(headers::complete))
        .layer(from_fn_with_state(state.clone(), peer::note))
        .with_state(state)
}

/// Every route. What each needs is in the table of [`needs`].
fn routes(pages: Router<AppState>) -> Router<AppState> {
    let own = [login::routes(), oidc::routes(), wall_link::routes(), account::routes(), admin::routes()];
    let dynamic = documented()
        .into_iter()
        .fold(own.into_iter().fold(pages, Router::merge), |router, (path, method)| router.route(path, method))
        .route("/audit", get(audit::audit))
        .route("/api", any(problem::unknown_path))
        .route("/api/{*path}", any(problem::unknown_path))
        .layer(CompressionLayer::new());
    dynamic.merge(assets::routes()).fallback(plain::missing).method_not_allowed_fallback(problem::wrong_method)
}

/// What a program can call; `openapi.json` describes all of it.
fn documented() -> Vec<(&'static str, MethodRouter<AppState>)> {
    vec![
        ("/api/v1/nodes", get(api::nodes)),
        ("/api/v1/stats", get(api::stats)),
        ("/api/v1/info", get(api::info)),
        ("/api/v1/events", get(api::events)),
        ("/api/v1/actions", post(api::act)),
        ("/api/v1/audit", get(api::audit)),
        ("/api/v1/login", post(api::log_in)),
        ("/api/v1/logout", post(api::log_out)),
        ("/api/v1/me", get(api::me)),
        ("/api/v1/sessions", get(api::sessions).delete(api::end_session)),
        ("/api/v1/tokens", get(api::tokens).post(api::make_token).delete(api::end_token)),
        ("/api/v1/openapi.json", get(api::openapi)),
        (guard::STREAM, get(ws::stream)),
        ("/healthz", get(health::healthz)),
        ("/metrics", get(health::metrics)),
    ]
}

#[cfg(test)]
mod tests;
