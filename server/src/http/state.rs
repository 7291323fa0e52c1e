//! What every handler can reach.

use std::sync::Arc;

use app::model::access::Who;
use axum::extract::FromRef;
use leptos::prelude::LeptosOptions;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{access::Caller, hub::Hub, metrics::Metrics, operations::Operations, record::Record, vault::Vault};

/// What every handler can reach. A clone is cheap and reaches the same.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The newest state of every node, and its stream.
    pub hub: Hub,
    /// The way to act.
    pub operations: Operations,
    /// What was done, by whom.
    pub record: Record,
    /// Accounts and sessions.
    pub vault: Vault,
    /// Sluice's own figures.
    pub metrics: Arc<Metrics>,
    /// Names the program and the site inside it, as [`super::assets::build`] does.
    pub build: Arc<str>,
    /// Cancelled when the program is to end.
    pub shutdown: CancellationToken,
    /// The tasks that outlive a request: open streams and running operations. The end of the program waits for them.
    pub tracker: TaskTracker,
    /// Where the pages find their script and style.
    pub leptos: LeptosOptions,
}

impl AppState {
    /// The state of a program that has just been started.
    #[must_use]
    pub fn new(
        hub: Hub,
        operations: Operations,
        vault: Vault,
        metrics: Arc<Metrics>,
        build: Arc<str>,
        shutdown: CancellationToken,
    ) -> Self {
        // The names that `Cargo.toml` gives to cargo-leptos.
        let leptos = LeptosOptions::builder().output_name("sluice").site_pkg_dir("pkg").build();
        let record = operations.record().clone();
        Self { hub, operations, record, vault, metrics, build, shutdown, tracker: TaskTracker::new(), leptos }
    }

    /// What a page needs to know of who looks at it.
    #[must_use]
    pub fn who(&self, caller: &Caller) -> Who {
        Who { needs_reason: self.operations.needs_reason(), ..caller.who() }
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}
