//! `GET /w/TOKEN`: a display opens its wall link, and shows the wall from then on.

use app::{model::access::Who, pages::answer};
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::{AppendHeaders, IntoResponse as _, Redirect, Response},
    routing::get,
};

use super::{AppState, fields::moment, login, plain, problem::Problem};
use crate::{
    access::{
        credentials::WALL_COOKIE,
        walls::{self, Found},
    },
    clock::now,
};

/// The routes.
pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/w/{token}", get(open))
}

async fn open(State(state): State<AppState>, Path(token): Path<String>, headers: HeaderMap) -> Response {
    let text = token.clone();
    let found = state.vault.call(move |connection| {
        let found = walls::find(connection, &text, now())?;
        if let Found::Good(wall) = &found
            && let Err(error) = walls::opened(connection, wall, now())
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
    plain::plain(headers, Who::default(), status, "No wall", &|| answer::no_wall(text))
}

#[cfg(test)]
mod tests;
