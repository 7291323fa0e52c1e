//! What a program can call under `/api/v1`; the design's page fixes it, [`openapi`] describes it.

use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::problem::Problem;
use crate::{clock::unix_ms, hub::World};

/// Longest name out of a query that a refusal repeats, in characters.
pub(super) const QUOTED: usize = 80;

/// Whose.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct WhoseQuery {
    /// The account of this name, `*` for everybody's: for admins alone. Without it one's own.
    pub(super) user: Option<String>,
}

/// Which one.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhichQuery {
    /// Its public name, as the list has it.
    pub(super) id: String,
}

/// Which node.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct NodeFilter {
    /// Only the node of this name.
    pub(super) node: Option<String>,
}

/// Which rows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct StatsFilter {
    /// Only the node of this name.
    pub(super) node: Option<String>,
    /// Only the rows of the proxy of this name.
    pub(super) proxy: Option<String>,
}

/// Which events.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsFilter {
    /// Only those of the node of this name.
    pub(super) node: String,
    /// Only those of this cluster.
    pub(super) cluster: String,
    /// Only those of this proxy.
    pub(super) proxy: String,
    /// Only those of this server.
    pub(super) server: String,
    /// Only this kind: `state`, `operation`, `reload` or `link`.
    pub(super) kind: String,
    /// Only those at or after this instant, in Unix milliseconds.
    pub(super) since: Option<u64>,
    /// How many at most: 100 where nothing is said, and never more than are kept.
    pub(super) limit: Option<usize>,
}

/// How far a log-out goes.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct LogOutQuery {
    /// Whether every session of the account ends.
    pub(super) everywhere: bool,
}

/// The places in the configuration of the nodes that are asked for.
///
/// # Errors
/// 404 when there is none of that name.
pub(super) fn selected(world: &World, node: Option<&str>) -> Result<Vec<usize>, Problem> {
    let nodes = world.fleet.nodes.iter().enumerate();
    let Some(name) = wanted(node) else { return Ok(nodes.map(|(place, _)| place).collect()) };
    let found: Vec<usize> = nodes.filter(|(_, node)| node.name == name).map(|(place, _)| place).collect();
    if found.is_empty() { Err(unknown("node", name)) } else { Ok(found) }
}

/// A filter's value; an empty one filters nothing.
pub(super) fn wanted(filter: Option<&str>) -> Option<&str> {
    filter.filter(|name| !name.is_empty())
}

/// Refuses a name out of a query that nothing has.
pub(super) fn unknown(what: &str, name: &str) -> Problem {
    let short: String = name.chars().take(QUOTED).collect();
    Problem::new(StatusCode::NOT_FOUND, format!("There is no {what} {short:?}"))
}

/// How long ago a node answered last, in milliseconds; nothing when it never did.
pub(super) fn age_ms(polled: u64) -> Option<u64> {
    (polled > 0).then(|| unix_ms().saturating_sub(polled))
}
