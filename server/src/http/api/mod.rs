//! What a program can call under `/api/v1`; the design's page fixes it, [`openapi`] describes it.

mod actions;
mod audit;
mod cell;
mod events;
mod info;
mod login;
mod nodes;
mod openapi;
mod stats;
mod tokens;

pub(super) use actions::act;
pub(super) use audit::{AuditQuery, audit};
pub(super) use events::events;
pub(super) use info::info;
pub(super) use login::{log_in, log_out, me};
pub(super) use nodes::nodes;
pub(super) use openapi::{ProblemDetails, openapi};
pub(super) use stats::stats;
pub(super) use tokens::{end_session, end_token, make_token, sessions, tokens};

#[cfg(test)]
pub(super) use openapi::document;

use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::problem::Problem;
use crate::{clock::unix_ms, hub::World};

/// Longest name out of a query that a refusal repeats, in characters.
const QUOTED: usize = 80;

/// Whose.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct WhoseQuery {
    /// The account of this name, `*` for everybody's: for admins alone. Without it one's own.
    user: Option<String>,
}

/// Which one.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhichQuery {
    /// Its public name, as the list has it.
    id: String,
}

/// Which node.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct NodeFilter {
    /// Only the node of this name.
    node: Option<String>,
}

/// Which rows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct StatsFilter {
    /// Only the node of this name.
    node: Option<String>,
    /// Only the rows of the proxy of this name.
    proxy: Option<String>,
}

/// Which events.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsFilter {
    /// Only those of the node of this name.
    node: String,
    /// Only those of this cluster.
    cluster: String,
    /// Only those of this proxy.
    proxy: String,
    /// Only those of this server.
    server: String,
    /// Only this kind: `state`, `operation`, `reload` or `link`.
    kind: String,
    /// Only those at or after this instant, in Unix milliseconds.
    since: Option<u64>,
    /// How many at most: 100 where nothing is said, and never more than are kept.
    limit: Option<usize>,
}

/// How far a log-out goes.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct LogOutQuery {
    /// Whether every session of the account ends.
    everywhere: bool,
}

/// The places in the configuration of the nodes that are asked for.
///
/// # Errors
/// 404 when there is none of that name.
fn selected(world: &World, node: Option<&str>) -> Result<Vec<usize>, Problem> {
    let nodes = world.fleet.nodes.iter().enumerate();
    let Some(name) = wanted(node) else { return Ok(nodes.map(|(place, _)| place).collect()) };
    let found: Vec<usize> = nodes.filter(|(_, node)| node.name == name).map(|(place, _)| place).collect();
    if found.is_empty() { Err(unknown("node", name)) } else { Ok(found) }
}

/// A filter's value; an empty one filters nothing.
fn wanted(filter: Option<&str>) -> Option<&str> {
    filter.filter(|name| !name.is_empty())
}

/// Refuses a name out of a query that nothing has.
fn unknown(what: &str, name: &str) -> Problem {
    let short: String = name.chars().take(QUOTED).collect();
    Problem::new(StatusCode::NOT_FOUND, format!("There is no {what} {short:?}"))
}

/// How long ago a node answered last, in milliseconds; nothing when it never did.
fn age_ms(polled: u64) -> Option<u64> {
    (polled > 0).then(|| unix_ms().saturating_sub(polled))
}
