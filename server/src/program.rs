//! The program put together: `Config` in, tasks out, one token that ends them all.

use std::{collections::BTreeMap, convert::Infallible, future::pending, sync::Arc};

use anyhow::Context;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    audit::AuditLog,
    auth::{Auth, AuthConfig, Cost, IdentityProviders, PasswordError, users},
    clock::unix_ms,
    collector::{Collector, unpolled_node},
    config::Config,
    db::Database,
    hub::Hub,
    metrics::Metrics,
    operations::Operations,
    schema::MIGRATIONS,
    supervisor, systemd,
    tls::{self, CertificateReloader},
    web::{self, AppState, ListenerSettings, assets},
};

/// Binds, polls and serves until `shutdown` is cancelled; reads the certificate again whenever `reload` changes.
///
/// # Errors
/// When other machines would be served without TLS or accounts, the certificate can't be used, the address can't be
/// bound, or serving fails.
pub async fn serve(config: Config, shutdown: CancellationToken, reload: watch::Receiver<u64>) -> anyhow::Result<()> {
    config.refuse_clear_text()?;
    let database = Database::open(&config.data, MIGRATIONS)?;
    let has_users = database.run(|connection| users::has_any(connection)).await?;
    config.refuse_strangers(has_users || config.identity.is_any())?;
    let certificates = config.tls.clone().map(CertificateReloader::load).transpose()?;
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!("cannot listen on {}: is another program there? Choose another with --listen", config.listen)
    })?;
    let address = listener.local_addr()?;
    // Nodes are polled to the last: an operation that runs when the program is to end still reads its outcome.
    let polling = CancellationToken::new();
    let _polling = polling.clone().drop_guard();
    let listener_settings = Arc::new(ListenerSettings::new(&config, certificates.clone()));
    let state = AppState { listener_settings, ..start(&config, database, &polling, shutdown.clone())? };
    if let Some(certificates) = certificates {
        certificates.log_status();
        tokio::spawn(certificates.run(tls::CHECK_INTERVAL, reload, shutdown.clone()));
    }
    let url = config.url_at(address);
    anyhow::ensure!(supervisor::has_started(&state.hub, &state.database).await, "a part of Sluice does not answer");
    tokio::spawn(supervisor::watch(state.hub.clone(), state.database.clone(), shutdown.clone()));
    let stopping = async {
        shutdown.cancelled().await;
        systemd::stopping();
        pending::<Infallible>().await
    };
    tracing::info!("open {url}");
    systemd::ready(&url);
    tokio::select! {
        // Said before anything ends.
        biased;
        never = stopping => match never {},
        served = Box::pin(web::run(listener, state)) => served.context("serving failed"),
    }
}

/// Starts the hub and a collector per node; they run until `polling` is cancelled, requests are taken until `shutdown` is.
///
/// # Errors
/// When passwords can't be hashed.
pub fn start(
    config: &Config,
    database: Database,
    polling: &CancellationToken,
    shutdown: CancellationToken,
) -> Result<AppState, PasswordError> {
    let metrics = Arc::new(Metrics::new());
    let build: Arc<str> = assets::build().into();
    // These tasks end by the token at once and hold nothing that must be saved: nobody waits for them.
    let tracker = TaskTracker::new();
    let nodes = config.nodes.iter().map(|node| unpolled_node(node, unix_ms())).collect();
    let hub = Hub::spawn(nodes, build.clone(), metrics.clone(), &tracker, polling.clone());
    let collectors: BTreeMap<String, Collector> = config
        .nodes
        .iter()
        .enumerate()
        .map(|(place, node)| {
            let collector = Collector::spawn(place, node, hub.clone(), metrics.clone(), &tracker, polling.clone());
            (node.name.clone(), collector)
        })
        .collect();
    let audit = AuditLog::new(database.clone()).counted(&metrics);
    audit.maintain(config.audit.clone(), config.parts(), metrics.clone(), polling.clone());
    let auth = Auth::start_with_providers(
        audit,
        AuthConfig {
            rules: config.rules.clone(),
            sessions: config.sessions,
            may_be_open: config.is_local() && !config.identity.is_any(),
            cost: Cost::USUAL,
        },
        IdentityProviders::new(&config.identity, metrics.headers_ignored.clone()),
    )?;
    let operations = Operations::new(hub.clone(), collectors, auth.clone(), metrics.clone());
    let operations = operations.with_reasons(config.audit.needs_reason).with_max_size(config.audit.keep.size);
    Ok(AppState::new(hub, operations, database, auth, metrics, build, shutdown))
}
