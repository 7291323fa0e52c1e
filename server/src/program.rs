//! The program put together: `Config` in, tasks out, one token that ends them all.

use std::{collections::BTreeMap, convert::Infallible, future::pending, sync::Arc};

use anyhow::Context;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    collector::{Collector, unheard},
    config::Config,
    http::{self, AppState, Door, assets, pages},
    hub::{Hub, unix_ms},
    metrics::Metrics,
    operations::Operations,
    record::Record,
    supervisor,
    tls::{self, Certificates},
    vault::Vault,
};

/// Binds, polls and serves until `shutdown` is cancelled; reads the certificate anew whenever `reload` changes. `ready`
/// is told the address first.
///
/// # Errors
/// When other machines would be served without TLS or accounts, the certificate can't be used, the address can't be
/// bound, or serving fails.
pub async fn serve(
    config: Config,
    shutdown: CancellationToken,
    reload: watch::Receiver<u64>,
    ready: impl FnOnce(&str),
) -> anyhow::Result<()> {
    config.refuse_clear_text()?;
    // There are none before they are built.
    config.refuse_strangers(false)?;
    let certificates = config.tls.clone().map(Certificates::load).transpose()?;
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!("cannot listen on {}: is another program there? Choose another with --listen", config.listen)
    })?;
    let address = listener.local_addr()?;
    // Nodes are polled to the last: an operation that runs when the program is to end still reads its outcome.
    let polling = CancellationToken::new();
    let _polling = polling.clone().drop_guard();
    let vault = Vault::open(&config.data)?;
    let door = Arc::new(Door::new(&config, certificates.clone()));
    let state = AppState { door, ..start(&config, vault, &polling, shutdown.clone()) };
    let routes = pages::routes(&state);
    if let Some(certificates) = certificates {
        certificates.tell();
        tokio::spawn(certificates.keep(tls::LOOK, reload, shutdown.clone()));
    }
    let url = config.url_at(address);
    anyhow::ensure!(supervisor::has_started(&state.hub, &state.vault).await, "a part of Sluice does not answer");
    tokio::spawn(supervisor::watch(state.hub.clone(), state.vault.clone(), shutdown.clone()));
    let stopping = async {
        shutdown.cancelled().await;
        supervisor::stopping();
        pending::<Infallible>().await
    };
    ready(&url);
    supervisor::ready(&url);
    tokio::select! {
        // Said before anything ends.
        biased;
        never = stopping => match never {},
        served = Box::pin(http::run(listener, state, routes)) => served.context("serving failed"),
    }
}

/// Starts the hub and a collector per node; they run until `polling` is cancelled, requests are taken until `shutdown` is.
#[must_use]
pub fn start(config: &Config, vault: Vault, polling: &CancellationToken, shutdown: CancellationToken) -> AppState {
    let metrics = Arc::new(Metrics::new());
    let build: Arc<str> = assets::build().into();
    // These tasks end by the token at once and hold nothing that must be saved: nobody waits for them.
    let tracker = TaskTracker::new();
    let nodes = config.nodes.iter().map(|node| unheard(node, unix_ms())).collect();
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
    let operations = Operations::new(hub.clone(), collectors, Record::new(vault.clone()), metrics.clone());
    AppState::new(hub, operations, vault, metrics, build, shutdown)
}
