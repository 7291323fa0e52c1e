//! `GET /api/v1/audit`: the audit log, a page of it as JSON, or all that fits as CSV or lines of JSON.
//!
//! An export is read from the database as the caller takes it, and never held whole.

use axum::{
    Extension, Json,
    body::{Body, Bytes},
    extract::{Query, State, rejection::QueryRejection},
    http::{
        StatusCode,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use utoipa::ToSchema;

use super::query::AuditQuery;
use crate::{
    audit::{AuditLog, EntryView, ExportFormat, Filter},
    auth::{Auth, ChangeError, Principal, authz::policy::Permission},
    web::{AppState, problem::ProblemResponse},
};

/// Entries that are given where nobody says how many.
const DEFAULT_LIMIT: usize = 100;

/// The most that are given at once.
const MAX_LIMIT: usize = 1_000;

/// A part of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct Audit {
    /// Newest first.
    entries: Vec<EntryView>,
    /// What to give as `before` for those that follow; null when these are the last.
    next: Option<i64>,
}

/// The audit log: who did what, from where, when, why, on which targets, and what became of it; and what was denied.
///
/// For admins. `format=csv` and `format=jsonl` give everything that fits as a file, oldest first.
pub(in crate::web) async fn audit(
    State(AppState { audit, auth, .. }): State<AppState>,
    Extension(principal): Extension<Principal>,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Result<Response, ProblemResponse> {
    let Query(query) = query?;
    let filter = query.filter()?;
    match query.format.as_str() {
        "" | "json" => {
            let most = query.limit.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT);
            let page = audit.page(&filter, query.before, most).await?;
            let entries = page.entries.into_iter().map(EntryView::from).collect();
            Ok(Json(Audit { entries, next: page.next }).into_response())
        }
        word => {
            let format = word.parse::<ExportFormat>().map_err(|error| {
                ProblemResponse::new(StatusCode::BAD_REQUEST, format!("`format` is not what this call takes: {error}"))
            })?;
            Ok(export(&audit, filter, format, auth, principal))
        }
    }
}

/// The entries as a file. It breaks off where whoever asked may not read on: a client sees that it is not whole.
fn export(audit: &AuditLog, filter: Filter, format: ExportFormat, auth: Auth, principal: Principal) -> Response {
    let head = stream::iter([Ok::<_, ChangeError>(Bytes::from(format.head()))]);
    let pages = audit.all(filter).map_err(ChangeError::from).and_then(move |entries| {
        let (auth, principal) = (auth.clone(), principal.clone());
        async move { auth.check_authority(&principal, Permission::Admin).await.map(|_| entries) }
    });
    let lines = pages.map_ok(move |entries| Bytes::from(format.lines(entries)));
    let body = Body::from_stream(head.chain(lines).try_filter(|part| std::future::ready(!part.is_empty())));
    let headers = [
        (CONTENT_TYPE, format.content_type().to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"sluice-audit.{format}\"")),
    ];
    (headers, body).into_response()
}
