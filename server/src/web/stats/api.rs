//! `GET /api/v1/stats`: every row and every column that HAProxy sent, by its own names.
//!
//! The rows come from the node's newest reply as it is. They are written node by node as the client reads, away from
//! the threads that serve everybody else: the answer for a large fleet may be a hundred megabytes, and is never held whole.

use std::{borrow::Cow, collections::BTreeMap, io::Write as _, sync::Arc};

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{Query, State, rejection::QueryRejection},
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use futures::{Stream, StreamExt as _, stream};
use haproxy::{StatRow, StatTable};
use serde::Deserialize;
use tokio::task::{JoinError, spawn_blocking};
use utoipa::{IntoParams, ToSchema};

use super::cell::{Cell, is_text, number};
use crate::{
    auth::Principal,
    hub::{HIDDEN, Replies, Visibility, World},
    web::{
        AppState,
        problem::ProblemResponse,
        query::{age_ms, selected, unknown, wanted},
    },
};

/// How much is passed on at once, in bytes: enough to compress well, too little to keep a thread busy for long.
const CHUNK: usize = 64 * 1024;

/// Which rows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub(in crate::web) struct StatsFilter {
    /// Only the node of this name.
    node: Option<String>,
    /// Only the rows of the proxy of this name.
    proxy: Option<String>,
}

/// The shape of the answer, for its description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the answer is written without it, cell by cell")]
pub(in crate::web) struct Stats {
    /// In the order of the configuration.
    nodes: Vec<NodeRows>,
}

/// The rows of one node.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the answer is written without it, cell by cell")]
struct NodeRows {
    /// The node's name.
    name: String,
    /// How old the rows are, in milliseconds; null when there are none yet.
    age_ms: Option<u64>,
    /// `show stat` in HAProxy's order: every column by its name, empty ones absent.
    rows: Vec<BTreeMap<String, Cell>>,
}

/// Every row of `show stat` that is asked for, with every column that HAProxy sent, by HAProxy's name.
pub(in crate::web) async fn stats(
    State(AppState { hub, .. }): State<AppState>,
    Extension(principal): Extension<Principal>,
    query: Result<Query<StatsFilter>, QueryRejection>,
) -> Result<Response, ProblemResponse> {
    let Query(filter) = query?;
    let parts = parts(&hub.world().seen_by(&principal.rights), &filter)?;
    let body = Body::from_stream(json_stream(parts));
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}

/// One node's part of the answer, not yet written.
#[derive(Clone, Debug)]
struct NodePart {
    name: String,
    replies: Option<Arc<Replies>>,
    proxy: Option<String>,
    /// What the principal may see, with the node's cluster; nothing where that is everything.
    visibility: Option<(Visibility, String)>,
}

fn parts(world: &World, filter: &StatsFilter) -> Result<Vec<NodePart>, ProblemResponse> {
    let places = selected(world, filter.node.as_deref())?;
    let nodes = &world.fleet.nodes;
    let proxy = wanted(filter.proxy.as_deref());
    if let Some(name) = proxy {
        let has = |node: &str| world.proxies.iter().any(|p| p.proxy == name && p.sections.section(node).is_some());
        if !places.iter().any(|place| has(&nodes[*place].name)) {
            return Err(unknown("proxy", name));
        }
    }
    let part = |place: usize| NodePart {
        name: nodes[place].name.clone(),
        replies: world.replies.get(place).cloned().flatten(),
        proxy: proxy.map(str::to_owned),
        visibility: world.visibility.clone().map(|visibility| (visibility, nodes[place].cluster.clone())),
    };
    Ok(places.into_iter().map(part).collect())
}

/// The answer in pieces: a node's is made when those before it have been read.
fn json_stream(parts: Vec<NodePart>) -> impl Stream<Item = Result<Bytes, JoinError>> + Send + 'static {
    let nodes = stream::iter(parts).enumerate().then(|(at, part)| async move {
        let text = spawn_blocking(move || {
            let mut out = if at == 0 { Vec::new() } else { vec![b','] };
            part.write(&mut out);
            Bytes::from(out)
        });
        text.await
    });
    let end = stream::iter([Ok(Bytes::from_static(b"]}"))]);
    stream::iter([Ok(Bytes::from_static(b"{\"nodes\":["))]).chain(nodes).chain(end).flat_map(chunks)
}

fn chunks(piece: Result<Bytes, JoinError>) -> impl Stream<Item = Result<Bytes, JoinError>> {
    let mut rest = Some(piece);
    stream::iter(std::iter::from_fn(move || match rest.take()? {
        Ok(mut bytes) if bytes.len() > CHUNK => {
            let first = bytes.split_to(CHUNK);
            rest = Some(Ok(bytes));
            Some(Ok(first))
        }
        last => Some(last),
    }))
}

impl NodePart {
    fn write(&self, out: &mut Vec<u8>) {
        let age = self.replies.as_ref().and_then(|replies| age_ms(replies.polled));
        out.extend_from_slice(b"{\"name\":");
        text(out, &self.name);
        out.extend_from_slice(b",\"age_ms\":");
        out.extend_from_slice(age.map_or_else(|| "null".to_owned(), |age| age.to_string()).as_bytes());
        out.extend_from_slice(b",\"rows\":[");
        if let Some(replies) = &self.replies {
            rows(out, &replies.stat, self.proxy.as_deref(), self.visibility.as_ref());
        }
        out.extend_from_slice(b"]}");
    }
}

/// A column as it is written.
struct JsonColumn {
    place: usize,
    /// Its name in quotes and a colon.
    key: Vec<u8>,
    is_text: bool,
    other_server: OtherServer,
}

/// Where a cell names a server of another proxy, which may be hidden from the principal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OtherServer {
    /// Nowhere.
    Never,
    /// In a part of the cell: `MAINT (via backend/server)`.
    Part,
    /// It is the whole cell: `backend/server`.
    Whole,
}

impl JsonColumn {
    /// A cell without the names that the principal may not see.
    fn redacted<'c>(&self, visibility: &Visibility, cluster: &str, cell: &'c str) -> Cow<'c, str> {
        match self.other_server {
            OtherServer::Never => cell.into(),
            OtherServer::Part => visibility.hidden(cluster, cell),
            OtherServer::Whole if visibility.names_seen(cluster, cell) => cell.into(),
            OtherServer::Whole => HIDDEN.into(),
        }
    }
}

/// Numbers that HAProxy gives to proxies and servers one after the other: gaps would tell of those that are hidden.
const NUMBERING: [&str; 2] = ["iid", "sid"];

/// The columns that hold something: all but `-`, which only divides them; of two with one name the first. For whoever does
/// not see every proxy without [`NUMBERING`].
fn columns(table: &StatTable, sees_all: bool) -> Vec<JsonColumn> {
    let names = table.columns();
    let is_first = |place: usize, name: &str| table.column(name) == Some(place);
    let wanted = names.iter().enumerate().filter(|(place, name)| *name != "-" && is_first(*place, name));
    let wanted = wanted.filter(|(_, name)| sees_all || !NUMBERING.contains(&name.as_str()));
    wanted
        .map(|(place, name)| {
            let mut key = Vec::new();
            text(&mut key, name);
            key.push(b':');
            let other_server = match name.as_str() {
                "status" => OtherServer::Part,
                "tracked" => OtherServer::Whole,
                _ => OtherServer::Never,
            };
            JsonColumn { place, key, is_text: is_text(name), other_server }
        })
        .collect()
}

fn rows(out: &mut Vec<u8>, table: &StatTable, proxy: Option<&str>, visibility: Option<&(Visibility, String)>) {
    let columns = columns(table, visibility.is_none_or(|(visibility, cluster)| visibility.sees_whole(cluster)));
    let pxname = table.column("pxname").unwrap_or_default();
    let mut is_first = true;
    table.for_each(|cells| {
        if proxy.is_some_and(|proxy| cells.bytes(pxname) != proxy.as_bytes()) {
            return;
        }
        if visibility.is_some_and(|(visibility, cluster)| !visibility.sees(cluster, &cells.text(pxname))) {
            return;
        }
        if !std::mem::take(&mut is_first) {
            out.push(b',');
        }
        row(out, &columns, cells, visibility);
    });
}

fn row(out: &mut Vec<u8>, columns: &[JsonColumn], cells: StatRow<'_>, visibility: Option<&(Visibility, String)>) {
    out.push(b'{');
    let mut is_first = true;
    for column in columns {
        let cell = cells.bytes(column.place);
        if cell.is_empty() {
            continue;
        }
        if !std::mem::take(&mut is_first) {
            out.push(b',');
        }
        out.extend_from_slice(&column.key);
        match number(cell) {
            // Writing into a Vec can't fail.
            Some(number) if !column.is_text => _ = write!(out, "{number}"),
            _ => {
                let cell = cells.text(column.place);
                let shown = visibility
                    .map_or_else(|| cell.clone(), |(visibility, cluster)| column.redacted(visibility, cluster, &cell));
                text(out, &shown);
            }
        }
    }
    out.push(b'}');
}

/// A text in JSON's quotes.
fn text(out: &mut Vec<u8>, text: &str) {
    // A text always is JSON, and writing into a Vec can't fail.
    let _: serde_json::Result<()> = serde_json::to_writer(out, text);
}

#[cfg(test)]
mod tests;
