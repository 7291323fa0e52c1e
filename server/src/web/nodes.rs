//! `GET /api/v1/nodes`: the nodes, and how well each answers.

use axum::{Extension, Json, extract::State};
use model::fleet::{Level, Link, Node};
use serde::Serialize;
use utoipa::ToSchema;

use super::{AppState, query::age_ms};
use crate::{auth::Principal, clock::unix_ms, hub::World};

/// Every node.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Nodes {
    /// In the order of the configuration.
    nodes: Vec<NodeView>,
}

/// One HAProxy process.
#[derive(Debug, Serialize, ToSchema)]
struct NodeView {
    /// Its name in Sluice's configuration.
    name: String,
    /// The cluster that it belongs to.
    cluster: String,
    /// Where its stats socket is.
    address: String,
    /// `live`, `stale` (the last poll failed) or `down`.
    link: Link,
    /// Why it does not answer; null while it does.
    error: Option<String>,
    /// How old the newest answer is, in milliseconds; null when there was none yet.
    age_ms: Option<u64>,
    /// `show info`: the version of HAProxy; null until it has answered, as for the next two.
    version: Option<String>,
    /// `show info`: the process id.
    pid: Option<u64>,
    /// `show info`: seconds since the process started.
    uptime_sec: Option<u64>,
    /// What the socket permits; null until it is known.
    level: Option<Level>,
}

/// The nodes, and how well each answers.
pub(super) async fn nodes(
    State(AppState { hub, .. }): State<AppState>,
    Extension(principal): Extension<Principal>,
) -> Json<Nodes> {
    Json(Nodes { nodes: views(&hub.world().seen_by(&principal.rights)) })
}

fn views(world: &World) -> Vec<NodeView> {
    let now = unix_ms();
    world.fleet.nodes.iter().map(|node| view(node, now)).collect()
}

/// A node at `now`, Unix milliseconds.
fn view(node: &Node, now: u64) -> NodeView {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let has_answered = node.stats.polled > 0;
    NodeView {
        name: node.name.clone(),
        cluster: node.cluster.clone(),
        address: node.address.clone(),
        link: node.link,
        error: text(&node.error),
        age_ms: age_ms(node.stats.polled),
        version: text(&node.version),
        pid: has_answered.then_some(node.pid),
        uptime_sec: has_answered.then(|| (now / 1_000).saturating_sub(node.started)),
        level: Some(node.level).filter(|level| *level != Level::Unknown),
    }
}
