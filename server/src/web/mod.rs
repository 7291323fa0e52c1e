//! The HTTP side: the listener, routes, the stream, the API, the site's files.
//!
//! Handlers own nothing: they read the newest state from the hub, and act through operations. None waits for a node
//! but the one that acts.

mod account;
mod account_pages;
mod actions;
mod admin;
pub mod assets;
mod audit;
mod events;
mod form_fields;
mod info;
pub mod listener;
mod login;
mod middleware;
mod monitoring;
mod nodes;
mod openapi;
pub mod pages;
pub mod problem;
mod query;
mod render;
mod return_to;
mod state;
mod stats;
mod stream;
mod wall_link;

use std::{io, time::Duration};

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    routing::{MethodRouter, any, get, post},
};
use tokio::{net::TcpListener, time::timeout};
use tower_http::compression::CompressionLayer;

pub use listener::settings::ListenerSettings;
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
    let AppState { shutdown, tracker, listener_settings, metrics, .. } = state.clone();
    let router = router(state, pages);
    if !listener::serve(listener, router, &listener_settings, &metrics.listener, &shutdown, GRACE).await? {
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
        .layer(from_fn_with_state(state.clone(), middleware::limits::bounded))
        .layer(from_fn_with_state(state.clone(), middleware::authorize::authorize))
        .layer(from_fn_with_state(state.clone(), middleware::origin::check_origin))
        .layer(from_fn_with_state(state.clone(), middleware::audit::audit_denials))
        .layer(from_fn(middleware::headers::complete))
        .layer(from_fn_with_state(state.clone(), middleware::client_address::note))
        .with_state(state)
}

/// Every route. What each needs is in the table of [`needs`].
fn routes(pages: Router<AppState>) -> Router<AppState> {
    let own =
        [login::page::routes(), login::oidc::routes(), wall_link::routes(), account::page::routes(), admin::routes()];
    let dynamic = documented()
        .into_iter()
        .fold(own.into_iter().fold(pages, Router::merge), |router, (path, method)| router.route(path, method))
        .route("/audit", get(audit::page::audit))
        .route("/api", any(problem::unknown_path))
        .route("/api/{*path}", any(problem::unknown_path))
        .layer(CompressionLayer::new());
    dynamic.merge(assets::routes()).fallback(render::missing).method_not_allowed_fallback(problem::wrong_method)
}

/// What a program can call; `openapi.json` describes all of it.
fn documented() -> Vec<(&'static str, MethodRouter<AppState>)> {
    vec![
        ("/api/v1/nodes", get(nodes::nodes)),
        ("/api/v1/stats", get(stats::api::stats)),
        ("/api/v1/info", get(info::info)),
        ("/api/v1/events", get(events::events)),
        ("/api/v1/actions", post(actions::api::act)),
        ("/api/v1/audit", get(audit::api::audit)),
        ("/api/v1/login", post(login::api::log_in)),
        ("/api/v1/logout", post(login::api::log_out)),
        ("/api/v1/me", get(login::api::me)),
        ("/api/v1/sessions", get(account::api::sessions).delete(account::api::end_session)),
        ("/api/v1/tokens", get(account::api::tokens).post(account::api::make_token).delete(account::api::end_token)),
        ("/api/v1/openapi.json", get(openapi::openapi)),
        (middleware::origin::STREAM, get(stream::stream)),
        ("/healthz", get(monitoring::healthz)),
        ("/metrics", get(monitoring::metrics)),
    ]
}

#[cfg(test)]
mod tests;
