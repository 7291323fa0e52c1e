//! The Account page and its forms: one's own sessions, tokens and password.

use std::sync::Arc;

use app::pages::{
    account::{Account, account as draw},
    managed::Made,
};
use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};

use super::{
    AppState,
    fields::{agent, sentence},
    login,
    managed::{Answered, Asked, Failure, Outcome, Page, Said, form, origin, page, session_line, token_line},
    own::{MakeError, Own},
    plain,
};
use crate::{
    access::{
        Change, ChangeError, LogInError, Means, Password, sessions,
        tokens::{self, TokenError},
    },
    clock::now,
};

/// The routes.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/account", page::<AccountPage>())
        .route("/account/password", form::<AccountPage, _>(password))
        .route("/account/sessions/end", form::<AccountPage, _>(end_session))
        .route("/account/tokens/add", form::<AccountPage, _>(add_token))
        .route("/account/tokens/end", form::<AccountPage, _>(end_token))
}

struct AccountPage;

impl Page for AccountPage {
    const PATH: &'static str = "/account";

    fn done(word: &str) -> Option<&'static str> {
        Some(match word {
            "session" => "The session has ended.",
            "token" => "The token has ended.",
            "password" => "You have another password. Your other sessions have ended.",
            _ => return None,
        })
    }

    async fn drawn(asked: &Asked, Said { status, notice, made }: Said) -> Result<Response, Failure> {
        let Asked { state, caller, headers, .. } = asked;
        let own = Own::of(state, caller).await?;
        let (key, local, limits) = (own.key(), own.local(), state.access.limits());
        let read = state.vault.call(move |connection| {
            let of = key.as_ref().map(|(origin, user)| (*origin, user.as_str()));
            let sessions = of.map(|of| sessions::list(connection, Some(of), limits, now())).transpose()?;
            Ok((sessions, local.map(|name| tokens::list(connection, Some(&name))).transpose()?))
        });
        let (sessions, tokens) = read.await?;
        let this = own.session.as_ref().map(|session| session.id.as_str());
        let page = Account {
            name: caller.name.clone(),
            means: own.means(state),
            rights: (*caller.rights).clone(),
            groups: own.session.as_ref().map(|session| session.groups.clone()).unwrap_or_default(),
            notice,
            made,
            sessions: sessions.map(|all| all.into_iter().map(|s| session_line(s, this)).collect()),
            tokens: tokens.map(|all| all.into_iter().map(token_line).collect()),
        };
        Ok(plain::plain(headers, caller.who(), status, "Account", &|| draw(page.clone())))
    }
}

async fn end_session(asked: Arc<Asked>) -> Answered {
    let id = asked.fields.get("id").to_owned();
    let is_this = asked.caller.means == Means::Session(id.clone());
    Ok(match Own::of(&asked.state, &asked.caller).await?.end_session(&asked.state, id).await? {
        true if is_this => Outcome::Other((login::no_cookie(), Redirect::to("/login")).into_response()),
        true => Outcome::Done("session"),
        false => Outcome::Refused(StatusCode::NOT_FOUND, "There is no such session of yours any more.".to_owned()),
    })
}

async fn add_token(asked: Arc<Asked>) -> Answered {
    let Asked { state, caller, headers, fields, .. } = &*asked;
    let own = Own::of(state, caller).await?;
    match own.make_token(state, fields.get("scope"), fields.get("expires"), fields.get("note")).await {
        Ok((token, secret)) => {
            let what = format!("The token {} was made", token.id);
            let usage = format!("curl -H \"Authorization: Bearer {secret}\" {}/api/v1/nodes", origin(headers));
            Ok(Outcome::Made(Made { what, secret, usage }))
        }
        Err(MakeError::Told(status, text)) => Ok(Outcome::Refused(status, text)),
        Err(MakeError::Failed(error)) => Err(error),
    }
}

async fn end_token(asked: Arc<Asked>) -> Answered {
    let (by, id) = (asked.caller.clone(), asked.fields.get("id").to_owned());
    let own = Own::of(&asked.state, &by).await?;
    let Some(name) = own.local() else { return Ok(Outcome::Other(Redirect::to(AccountPage::PATH).into_response())) };
    let ended = asked.state.vault.call(move |connection| Ok(tokens::remove(connection, &id, Some(&name), &by)));
    match ended.await? {
        Ok(_) => Ok(Outcome::Done("token")),
        Err(error @ TokenError::Missing(_)) => Ok(Outcome::Refused(StatusCode::NOT_FOUND, sentence(&error))),
        Err(error) => Err(error.into()),
    }
}

async fn password(asked: Arc<Asked>) -> Answered {
    let Asked { state, caller, peer, headers, fields } = &*asked;
    let own = Own::of(state, caller).await?;
    let Some(name) = own.local() else { return Ok(Outcome::Other(Redirect::to(AccountPage::PATH).into_response())) };
    if fields.get("new") != fields.get("again") {
        return Ok(Outcome::Refused(StatusCode::BAD_REQUEST, "The new password was typed in two ways.".to_owned()));
    }
    let typed = |name| Password::typed(fields.get(name).to_owned());
    let change = Change { present: typed("current"), new: typed("new"), address: peer.address, agent: agent(headers) };
    let (status, text) = match state.access.change_password(&name, caller, change).await {
        Ok((token, _)) => {
            let to = Redirect::to("/account?done=password");
            return Ok(Outcome::Other((login::session_cookie(&state.access, &token), to).into_response()));
        }
        Err(ChangeError::New(error)) => return Ok(Outcome::Refused(StatusCode::BAD_REQUEST, sentence(&error))),
        Err(ChangeError::Present(LogInError::Wrong)) => {
            (StatusCode::FORBIDDEN, "The present password is wrong.".to_owned())
        }
        Err(ChangeError::Present(error @ LogInError::Wait(_))) => (StatusCode::TOO_MANY_REQUESTS, sentence(&error)),
        Err(ChangeError::Present(error @ LogInError::Busy(_))) => (StatusCode::SERVICE_UNAVAILABLE, sentence(&error)),
        Err(error) => return Err(error.into()),
    };
    Ok(Outcome::RefusedAndRecorded(status, text))
}

#[cfg(test)]
pub(in crate::http) mod tests;
