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
    #[schema(inline)]
    link: LinkWord,
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
    /// `admin`, `operator` or `user`: what the socket permits; null until it is known.
    #[schema(inline)]
    level: Option<LevelWord>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum LinkWord {
    Live,
    Stale,
    Down,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum LevelWord {
    Admin,
    Operator,
    User,
}

/// The nodes, and how well each answers.
#[utoipa::path(get, path = "/api/v1/nodes", responses((status = 200, description = "Every node", body = Nodes)))]
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
    let has_answered = node.pulse.polled > 0;
    NodeView {
        name: node.name.clone(),
        cluster: node.cluster.clone(),
        address: node.address.clone(),
        link: match node.link {
            Link::Live => LinkWord::Live,
            Link::Stale => LinkWord::Stale,
            Link::Down => LinkWord::Down,
        },
        error: text(&node.error),
        age_ms: age_ms(node.pulse.polled),
        version: text(&node.version),
        pid: has_answered.then_some(node.pid),
        uptime_sec: has_answered.then(|| (now / 1_000).saturating_sub(node.started)),
        level: match node.level {
            Level::Admin => Some(LevelWord::Admin),
            Level::Operator => Some(LevelWord::Operator),
            Level::User => Some(LevelWord::User),
            Level::Unknown => None,
        },
    }
}
