//! `GET /api/v1/audit`: the record, a page of it as JSON, or all that fits as CSV or lines of JSON.
//!
//! An export is read from the database as the caller takes it, and never held whole.

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Query, State, rejection::QueryRejection},
    http::{
        StatusCode,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    audit::{AuditLog, EntryView, Filter, Format, Kind, query::read_time},
    db::DatabaseError,
    web::{AppState, openapi::ProblemDetails, problem::Problem, query::QUOTED},
};

/// Entries that are given where nobody says how many.
const USUAL: usize = 100;

/// The most that are given at once.
const MOST: usize = 1_000;

/// Which entries, and how they are written. An empty value filters nothing.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(in crate::web) struct AuditQuery {
    /// Only those written at or after this: `2026-11-21`, `2026-11-21T13:05`, `2026-11-21T13:05:07Z`; always UTC.
    pub(in crate::web) from: String,
    /// Only those written before this.
    pub(in crate::web) to: String,
    /// Only those by this account.
    pub(in crate::web) who: String,
    /// Only this kind: `login`, `operation`, `outcome`, `refusal`, `account`, `configuration` or `retention`.
    pub(in crate::web) kind: String,
    /// Only those about this action.
    pub(in crate::web) action: String,
    /// Only those of this operation.
    pub(in crate::web) operation: String,
    /// Only those with this in the name of a target.
    pub(in crate::web) target: String,
    /// Only those from this address.
    pub(in crate::web) address: String,
    /// Only those with this outcome, of the entry or of one of its targets.
    pub(in crate::web) outcome: String,
    /// Only those before the entry of this number, as `next` told it; for JSON.
    pub(in crate::web) before: Option<i64>,
    /// How many at most: 100 where nothing is said, 1,000 at most; for JSON.
    pub(in crate::web) limit: Option<usize>,
    /// `json`, or `csv` or `jsonl` for an export of all that fit, oldest first.
    pub(in crate::web) format: String,
}

/// A part of the record.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct Audit {
    /// Newest first.
    entries: Vec<EntryView>,
    /// What to give as `before` for those that follow; null when these are the last.
    next: Option<i64>,
}

impl AuditQuery {
    /// The filter that it says.
    ///
    /// # Errors
    /// When a time or a kind can't be read.
    pub(in crate::web) fn filter(&self) -> Result<Filter, Problem> {
        let time = |name: &str, text: &str| match text {
            "" => Ok(None),
            text => read_time(text)
                .map(Some)
                .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, format!("`{name}` is no time: {error}"))),
        };
        if !self.kind.is_empty() && Kind::from_word(&self.kind).is_none() {
            let short: String = self.kind.chars().take(QUOTED).collect();
            let kinds = Kind::ALL.map(Kind::word).join(", ");
            return Err(Problem::new(StatusCode::BAD_REQUEST, format!("There is no kind of entry {short:?}"))
                .with_detail(format!("A kind is one of {kinds}.")));
        }
        Ok(Filter {
            from: time("from", &self.from)?,
            to: time("to", &self.to)?,
            who: self.who.clone(),
            kind: self.kind.clone(),
            action: self.action.clone(),
            operation: self.operation.clone(),
            target: self.target.clone(),
            address: self.address.clone(),
            outcome: self.outcome.clone(),
        })
    }
}

/// The record: who did what, from where, when, why, on which targets, and what became of it; and what was refused.
///
/// For admins. `format=csv` and `format=jsonl` give everything that fits as a file, oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    params(AuditQuery),
    responses(
        (status = 200, description = "The entries asked for", body = Audit, content_type = "application/json"),
        (status = "4XX", description = "Not an admin, or no such filter", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(in crate::web) async fn audit(
    State(AppState { record, .. }): State<AppState>,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query?;
    let filter = query.filter()?;
    match query.format.as_str() {
        "" | "json" => {
            let most = query.limit.unwrap_or(USUAL).min(MOST);
            let look = record.page(&filter, query.before, most).await?;
            let entries = look.entries.iter().map(crate::audit::StoredEntry::view).collect();
            Ok(Json(Audit { entries, next: look.next }).into_response())
        }
        word => {
            let format = word.parse::<Format>().map_err(|error| {
                Problem::new(StatusCode::BAD_REQUEST, format!("`format` is not what this call takes: {error}"))
            })?;
            Ok(export(&record, filter, format))
        }
    }
}

fn export(record: &AuditLog, filter: Filter, format: Format) -> Response {
    let head = stream::iter([Ok::<_, DatabaseError>(Bytes::from(format.head()))]);
    let lines = record.all(filter).map_ok(move |entries| Bytes::from(format.lines(&entries)));
    let body = Body::from_stream(head.chain(lines).try_filter(|part| std::future::ready(!part.is_empty())));
    let headers = [
        (CONTENT_TYPE, format.content_type().to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"sluice-audit.{format}\"")),
    ];
    (headers, body).into_response()
}
