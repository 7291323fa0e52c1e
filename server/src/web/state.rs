//! What every handler can reach.

use std::sync::Arc;

use leptos::prelude::LeptosOptions;
use model::rights::Who;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{assets, listener::settings::ListenerSettings, route::RouteTable, stream::StreamLimits};
use crate::{
    audit::AuditLog,
    auth::{Auth, Principal},
    db::Database,
    hub::Hub,
    metrics::Metrics,
    operations::Operations,
};

/// What every handler can reach. A clone is cheap and reaches the same.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The newest state of every node, and its stream.
    pub hub: Hub,
    /// The way to act.
    pub operations: Operations,
    /// What was done, by whom.
    pub audit: AuditLog,
    /// The file of accounts, sessions and the audit log.
    pub database: Database,
    /// Who may do what.
    pub auth: Auth,
    /// Sluice's own figures.
    pub metrics: Arc<Metrics>,
    /// Names the program and the site inside it, as [`super::assets::build`] does.
    pub build: Arc<str>,
    /// Cancelled when the program is to end.
    pub shutdown: CancellationToken,
    /// The way in: reverse proxies, limits, the certificate, whether it is open to all.
    pub listener_settings: Arc<ListenerSettings>,
    /// The tasks that outlive a request: open streams and running operations. The end of the program waits for them.
    pub tracker: TaskTracker,
    /// How many streams are open.
    pub streams: StreamLimits,
    /// Where the pages find their script and style.
    pub leptos: LeptosOptions,
    /// What each route needs; empty, so that nothing can be reached, until [`super::router`] is made.
    pub routes: RouteTable,
}

impl AppState {
    /// The state of a program that has just been started.
    #[must_use]
    pub fn new(
        hub: Hub,
        operations: Operations,
        database: Database,
        auth: Auth,
        metrics: Arc<Metrics>,
        build: Arc<str>,
        shutdown: CancellationToken,
    ) -> Self {
        let leptos = LeptosOptions::builder().output_name("sluice").site_pkg_dir(assets::folder()).build();
        let audit = auth.audit().clone();
        let (listener_settings, tracker, routes) = (Arc::default(), TaskTracker::new(), RouteTable::default());
        Self {
            hub,
            operations,
            audit,
            database,
            auth,
            metrics,
            build,
            shutdown,
            listener_settings,
            tracker,
            streams: StreamLimits::default(),
            leptos,
            routes,
        }
    }

    /// What a page needs to know of who looks at it.
    #[must_use]
    pub fn who(&self, principal: &Principal) -> Who {
        Who { needs_reason: self.operations.needs_reason(), ..principal.who() }
    }
}
