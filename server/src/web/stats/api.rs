//! `GET /api/v1/stats`: every row and every column that HAProxy sent, by its own names.
//!
//! The rows come from the node's newest reply as it is. They are written node by node as the caller reads, away from
//! the threads that serve everybody else: a fleet's answer may be a hundred megabytes, and is never held whole.

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
use tokio::task::{JoinError, spawn_blocking};
use utoipa::ToSchema;

use super::cell::{Cell, is_text, number};
use crate::{
    auth::Principal,
    hub::{HIDDEN, Replies, Visibility, World},
    web::{
        AppState,
        openapi::ProblemDetails,
        problem::Problem,
        query::{StatsFilter, age_ms, selected, unknown, wanted},
    },
};

/// How much is passed on at once, in bytes: enough to compress well, too little to keep a thread busy.
const CHUNK: usize = 64 * 1024;

/// The shape of the answer, for its description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the answer is written without it, cell by cell")]
pub(crate) struct Stats {
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

/// Every row of `show stat`, with every column that HAProxy sent, by HAProxy's name.
///
/// A numeric column is a number, an empty one is absent. A column that Sluice does not know is a number where it reads
/// as a whole number, otherwise text.
#[utoipa::path(
    get,
    path = "/api/v1/stats",
    params(StatsFilter),
    responses(
        (status = 200, description = "The rows asked for", body = Stats),
        (status = 404, description = "No such node or proxy", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(in crate::web) async fn stats(
    State(AppState { hub, .. }): State<AppState>,
    Extension(principal): Extension<Principal>,
    query: Result<Query<StatsFilter>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(filter) = query?;
    let parts = parts(&hub.world().seen_by(&principal.rights), &filter)?;
    let body = Body::from_stream(written(parts));
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}

/// One node's part of the answer, not yet written.
#[derive(Clone, Debug)]
struct Part {
    name: String,
    replies: Option<Arc<Replies>>,
    proxy: Option<String>,
    /// What is seen of a cluster by who asks; nothing where that is everything.
    sight: Option<(Visibility, String)>,
}

fn parts(world: &World, filter: &StatsFilter) -> Result<Vec<Part>, Problem> {
    let places = selected(world, filter.node.as_deref())?;
    let nodes = &world.fleet.nodes;
    let proxy = wanted(filter.proxy.as_deref());
    if let Some(name) = proxy {
        let has = |node: &str| world.proxies.iter().any(|p| p.proxy == name && p.sections.section(node).is_some());
        if !places.iter().any(|place| has(&nodes[*place].name)) {
            return Err(unknown("proxy", name));
        }
    }
    let part = |place: usize| Part {
        name: nodes[place].name.clone(),
        replies: world.replies.get(place).cloned().flatten(),
        proxy: proxy.map(str::to_owned),
        sight: world.sight.clone().map(|sight| (sight, nodes[place].cluster.clone())),
    };
    Ok(places.into_iter().map(part).collect())
}

/// The answer in pieces, each node's made when the ones before it have been read.
fn written(parts: Vec<Part>) -> impl Stream<Item = Result<Bytes, JoinError>> + Send + 'static {
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

impl Part {
    fn write(&self, out: &mut Vec<u8>) {
        let age = self.replies.as_ref().and_then(|replies| age_ms(replies.polled));
        out.extend_from_slice(b"{\"name\":");
        text(out, &self.name);
        out.extend_from_slice(b",\"age_ms\":");
        out.extend_from_slice(age.map_or_else(|| "null".to_owned(), |age| age.to_string()).as_bytes());
        out.extend_from_slice(b",\"rows\":[");
        if let Some(replies) = &self.replies {
            rows(out, &replies.stat, self.proxy.as_deref(), self.sight.as_ref());
        }
        out.extend_from_slice(b"]}");
    }
}

/// A column as it is written.
struct Column {
    place: usize,
    /// Its name in quotes and a colon.
    key: Vec<u8>,
    is_text: bool,
    may_name: MayName,
}

/// How a cell may name a server of another proxy.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MayName {
    /// It does not.
    Nobody,
    /// `MAINT (via backend/server)`.
    Inside,
    /// `backend/server`.
    Whole,
}

impl Column {
    /// A cell without the names that may not be seen.
    fn seen<'c>(&self, sight: &Visibility, cluster: &str, cell: &'c str) -> Cow<'c, str> {
        match self.may_name {
            MayName::Nobody => cell.into(),
            MayName::Inside => sight.hidden(cluster, cell),
            MayName::Whole if sight.names_seen(cluster, cell) => cell.into(),
            MayName::Whole => HIDDEN.into(),
        }
    }
}

/// The columns that hold something: all but `-`, which only divides them; of two with one name the first.
fn columns(table: &StatTable) -> Vec<Column> {
    let names = table.columns();
    let is_first = |place: usize, name: &str| table.column(name) == Some(place);
    let wanted = names.iter().enumerate().filter(|(place, name)| *name != "-" && is_first(*place, name));
    wanted
        .map(|(place, name)| {
            let mut key = Vec::new();
            text(&mut key, name);
            key.push(b':');
            let may_name = match name.as_str() {
                "status" => MayName::Inside,
                "tracked" => MayName::Whole,
                _ => MayName::Nobody,
            };
            Column { place, key, is_text: is_text(name), may_name }
        })
        .collect()
}

fn rows(out: &mut Vec<u8>, table: &StatTable, proxy: Option<&str>, sight: Option<&(Visibility, String)>) {
    let columns = columns(table);
    let pxname = table.column("pxname").unwrap_or_default();
    let mut is_first = true;
    table.for_each(|cells| {
        if proxy.is_some_and(|proxy| cells.bytes(pxname) != proxy.as_bytes()) {
            return;
        }
        if sight.is_some_and(|(sight, cluster)| !sight.sees(cluster, &cells.text(pxname))) {
            return;
        }
        if !std::mem::take(&mut is_first) {
            out.push(b',');
        }
        row(out, &columns, cells, sight);
    });
}

fn row(out: &mut Vec<u8>, columns: &[Column], cells: StatRow<'_>, sight: Option<&(Visibility, String)>) {
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
            _ => match sight {
                None => text(out, &cells.text(column.place)),
                Some((sight, cluster)) => text(out, &column.seen(sight, cluster, &cells.text(column.place))),
            },
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
