//! `POST /api/v1/actions`: acts, and says what became of each target.

use axum::{
    Extension, Json,
    extract::{State, rejection::JsonRejection},
};
use model::outcome::{ActionRequest, ActionResponse};

use crate::{
    auth::Principal,
    web::{AppState, problem::ProblemResponse},
};

/// Does an action on servers, and says what became of each.
pub(in crate::web) async fn act(
    State(AppState { operations, tracker, .. }): State<AppState>,
    Extension(principal): Extension<Principal>,
    body: Result<Json<ActionRequest>, JsonRejection>,
) -> Result<Json<ActionResponse>, ProblemResponse> {
    let Json(request) = body?;
    // A task of its own: what was begun is finished, verified and logged when the caller hangs up.
    let work = tracker.spawn(async move { operations.run(request, &principal).await });
    Ok(Json(work.await.map_err(ProblemResponse::internal)??))
}
