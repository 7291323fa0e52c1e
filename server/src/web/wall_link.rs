//! `GET /w/TOKEN`: a display opens its wall link, and shows the wall from then on.

use app::pages::answer;
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::{AppendHeaders, IntoResponse as _, Redirect, Response},
    routing::get,
};
use model::rights::Who;

use super::{AppState, form_fields::moment, login::page as login, problem::Problem, render};
use crate::{
    auth::authn::{
        credentials::WALL_COOKIE,
        wall_links::{self, Found},
    },
    clock::now,
};

/// The routes.
pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/w/{token}", get(open))
}

async fn open(State(state): State<AppState>, Path(token): Path<String>, headers: HeaderMap) -> Response {
    let text = token.clone();
    let found = state.database.call(move |connection| {
        let found = wall_links::find(connection, &text, now())?;
        if let Found::Good(wall) = &found
            && let Err(error) = wall_links::opened(connection, wall, now())
        {
            // A display may show the wall while the disk is full.
            tracing::debug!(%error, "cannot note that a wall link was opened");
        }
        Ok(found)
    });
    match found.await {
        Ok(Found::Good(wall)) => {
            let lasts = wall.expires.saturating_sub(now()) / 1_000;
            let cookie = [(SET_COOKIE, login::set_text(WALL_COOKIE, &token, lasts))];
            (AppendHeaders(cookie), Redirect::to("/wall")).into_response()
        }
        Ok(Found::Expired(at)) => {
            let text = format!("This wall link lasted until {}. An admin can make another.", moment(at));
            tell(&headers, StatusCode::GONE, &text)
        }
        Ok(Found::Unknown) => tell(
            &headers,
            StatusCode::NOT_FOUND,
            "There is no such wall link, or not any more. An admin can make another.",
        ),
        Err(error) => Problem::internal(error).into_response(),
    }
}

fn tell(headers: &HeaderMap, status: StatusCode, text: &str) -> Response {
    render::plain(headers, Who::default(), status, "No wall", &|| answer::no_wall(text))
}

#[cfg(test)]
mod tests;
