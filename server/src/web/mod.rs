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
mod confirmation;
mod denial;
mod events;
mod form_fields;
mod info;
mod lately;
pub mod listener;
mod login;
mod middleware;
mod monitoring;
mod nodes;
mod openapi;
mod pages;
pub mod problem;
mod quality;
mod query;
mod render;
mod return_to;
mod route;
mod route_list;
mod router;
mod state;
mod stats;
mod stream;
mod wall_link;

use std::{io, time::Duration};

use tokio::{net::TcpListener, time::timeout};

pub use listener::settings::ListenerSettings;
pub use router::router;
pub use state::AppState;
pub use stream::StreamLimits;

/// How long requests, streams and operations may take to end once the program is to end: an operation's own deadlines
/// are shorter, and a supervisor's patience (90 s with systemd) is longer.
const GRACE: Duration = Duration::from_secs(15);

/// Serves until `state.shutdown` is cancelled, then lets what runs come to its end.
///
/// # Errors
/// When the listener can't be served.
pub async fn run(listener: TcpListener, state: AppState) -> io::Result<()> {
    let AppState { shutdown, tracker, listener_settings, metrics, .. } = state.clone();
    let router = router(state);
    if !listener::serve(listener, router, &listener_settings, &metrics.listener, &shutdown, GRACE).await? {
        tracing::warn!("requests did not end in time");
    }
    tracker.close();
    if timeout(GRACE, tracker.wait()).await.is_err() {
        tracing::warn!(tasks = tracker.len(), "streams or operations did not end in time");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
