//! `POST /api/v1/actions`: acts, and says what became of each target.

use axum::{
    Extension, Json,
    extract::{State, rejection::JsonRejection},
};
use model::outcome::{ActionRequest, ActionResponse};

use crate::{
    auth::Principal,
    web::{
        AppState,
        openapi::{self, ProblemDetails},
        problem::Problem,
    },
};

/// Does an action on servers, and says what became of each, from HAProxy's own state read afterwards.
///
/// A target names a node, or a cluster and means each of its nodes that has the server. With neither it is taken where
/// only one cluster has that server. When one of the targets is unknown or unclear, nothing is sent to HAProxy.
#[utoipa::path(
    post,
    path = "/api/v1/actions",
    request_body = openapi::ActionRequest,
    responses(
        (status = 200, description = "What became of each target", body = openapi::ActionResponse),
        (status = "4XX", description = "Nothing was sent to HAProxy", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(in crate::web) async fn act(
    State(AppState { operations, tracker, .. }): State<AppState>,
    Extension(principal): Extension<Principal>,
    body: Result<Json<ActionRequest>, JsonRejection>,
) -> Result<Json<ActionResponse>, Problem> {
    let Json(request) = body?;
    // A task of its own: what was begun is finished, verified and logged when the caller hangs up.
    let work = tracker.spawn(async move { operations.run(request, &principal).await });
    Ok(Json(work.await.map_err(Problem::internal)??))
}
