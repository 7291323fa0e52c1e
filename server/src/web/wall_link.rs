//! `GET /w/TOKEN`: a display opens its wall link, and shows the wall from then on.

use app::pages::answer;
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::{AppendHeaders, IntoResponse as _, Redirect, Response},
};
use model::rights::Who;

use super::{AppState, form_fields::moment, login::cookies, problem::ProblemResponse, render};
use crate::{
    auth::authn::{
        credentials::WALL_COOKIE,
        wall_links::{self, WallLinkLookup},
    },
    clock::now,
};

/// Opens a link.
pub(super) async fn open(State(state): State<AppState>, Path(token): Path<String>, headers: HeaderMap) -> Response {
    let text = token.clone();
    let found = state.database.run(move |connection| {
        let found = wall_links::find(connection, &text, now())?;
        if let WallLinkLookup::Valid(link) = &found
            && let Err(error) = wall_links::note_opened(connection, link, now())
        {
            // A display may show the wall while the disk is full.
            tracing::debug!(%error, "cannot note that a wall link was opened");
        }
        Ok(found)
    });
    match found.await {
        Ok(WallLinkLookup::Valid(link)) => {
            let seconds = link.expires.saturating_sub(now()) / 1_000;
            let cookie = [(SET_COOKIE, cookies::of_text(WALL_COOKIE, &token, seconds))];
            (AppendHeaders(cookie), Redirect::to("/login?next=/wall&kept=")).into_response()
        }
        Ok(WallLinkLookup::Expired(at)) => {
            let text = format!("This wall link lasted until {}. An admin can make another.", moment(at));
            no_wall(&headers, StatusCode::GONE, &text)
        }
        Ok(WallLinkLookup::Unknown) => no_wall(
            &headers,
            StatusCode::NOT_FOUND,
            "There is no such wall link, or not any more. An admin can make another.",
        ),
        Err(error) => ProblemResponse::internal(error).into_response(),
    }
}

fn no_wall(headers: &HeaderMap, status: StatusCode, text: &str) -> Response {
    render::plain(headers, Who::default(), status, "No wall", &|| answer::no_wall(text))
}

#[cfg(test)]
mod tests;
