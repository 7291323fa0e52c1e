//! The Account page and its forms: one's own sessions, tokens and password.

use std::sync::Arc;

use app::pages::{
    account::{Account, account as draw},
    managed::RevealedSecret,
};
use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};

use super::self_service::{MakeError, OwnAccount};
use crate::{
    auth::{
        AuthMethod, LogInError, Password, PasswordChange, PasswordChangeError,
        authn::{
            sessions,
            tokens::{self, TokenError},
        },
    },
    clock::now,
    web::{
        AppState,
        account_pages::{
            Answered, Failure, FormOutcome, PageRequest, PageState, ServerPage, form, origin, page, session_line,
            token_line,
        },
        form_fields::{agent, sentence},
        login::page as login,
        render,
    },
};

/// The routes.
pub(in crate::web) fn routes() -> Router<AppState> {
    Router::new()
        .route("/account", page::<AccountPage>())
        .route("/account/password", form::<AccountPage, _>(password))
        .route("/account/sessions/end", form::<AccountPage, _>(end_session))
        .route("/account/tokens/add", form::<AccountPage, _>(add_token))
        .route("/account/tokens/end", form::<AccountPage, _>(end_token))
}

struct AccountPage;

impl ServerPage for AccountPage {
    const PATH: &'static str = "/account";

    fn done(word: &str) -> Option<&'static str> {
        Some(match word {
            "session" => "The session has ended.",
            "token" => "The token has ended.",
            "password" => "You have another password. Your other sessions have ended.",
            _ => return None,
        })
    }

    async fn drawn(asked: &PageRequest, PageState { status, notice, made }: PageState) -> Result<Response, Failure> {
        let PageRequest { state, principal, headers, .. } = asked;
        let own = OwnAccount::of(state, principal).await?;
        let (key, local, limits) = (own.key(), own.local(), state.auth.limits());
        let read = state.database.call(move |connection| {
            let of = key.as_ref().map(|(origin, user)| (*origin, user.as_str()));
            let sessions = of.map(|of| sessions::list(connection, Some(of), limits, now())).transpose()?;
            Ok((sessions, local.map(|name| tokens::list(connection, Some(&name))).transpose()?))
        });
        let (sessions, tokens) = read.await?;
        let this = own.session.as_ref().map(|session| session.id.as_str());
        let page = Account {
            name: principal.name.clone(),
            means: own.means(state),
            rights: (*principal.rights).clone(),
            groups: own.session.as_ref().map(|session| session.groups.clone()).unwrap_or_default(),
            notice,
            made,
            sessions: sessions.map(|all| all.into_iter().map(|s| session_line(s, this)).collect()),
            tokens: tokens.map(|all| all.into_iter().map(token_line).collect()),
        };
        Ok(render::plain(headers, principal.who(), status, "Account", &|| draw(page.clone())))
    }
}

async fn end_session(asked: Arc<PageRequest>) -> Answered {
    let id = asked.fields.get("id").to_owned();
    let is_this = asked.principal.means == AuthMethod::Session(id.clone());
    Ok(match OwnAccount::of(&asked.state, &asked.principal).await?.end_session(&asked.state, id).await? {
        true if is_this => FormOutcome::Other((login::no_cookie(), Redirect::to("/login")).into_response()),
        true => FormOutcome::Done("session"),
        false => FormOutcome::Refused(StatusCode::NOT_FOUND, "There is no such session of yours any more.".to_owned()),
    })
}

async fn add_token(asked: Arc<PageRequest>) -> Answered {
    let PageRequest { state, principal, headers, fields, .. } = &*asked;
    let own = OwnAccount::of(state, principal).await?;
    match own.make_token(state, fields.get("scope"), fields.get("expires"), fields.get("note")).await {
        Ok((token, secret)) => {
            let what = format!("The token {} was made", token.id);
            let usage = format!("curl -H \"Authorization: Bearer {secret}\" {}/api/v1/nodes", origin(headers));
            Ok(FormOutcome::RevealedSecret(RevealedSecret { what, secret, usage }))
        }
        Err(MakeError::Told(status, text)) => Ok(FormOutcome::Refused(status, text)),
        Err(MakeError::Failed(error)) => Err(error),
    }
}

async fn end_token(asked: Arc<PageRequest>) -> Answered {
    let (by, id) = (asked.principal.clone(), asked.fields.get("id").to_owned());
    let own = OwnAccount::of(&asked.state, &by).await?;
    let Some(name) = own.local() else {
        return Ok(FormOutcome::Other(Redirect::to(AccountPage::PATH).into_response()));
    };
    let ended = asked.state.database.call(move |connection| Ok(tokens::remove(connection, &id, Some(&name), &by)));
    match ended.await? {
        Ok(_) => Ok(FormOutcome::Done("token")),
        Err(error @ TokenError::Missing(_)) => Ok(FormOutcome::Refused(StatusCode::NOT_FOUND, sentence(&error))),
        Err(error) => Err(error.into()),
    }
}

async fn password(asked: Arc<PageRequest>) -> Answered {
    let PageRequest { state, principal, peer, headers, fields } = &*asked;
    let own = OwnAccount::of(state, principal).await?;
    let Some(name) = own.local() else {
        return Ok(FormOutcome::Other(Redirect::to(AccountPage::PATH).into_response()));
    };
    if fields.get("new") != fields.get("again") {
        return Ok(FormOutcome::Refused(StatusCode::BAD_REQUEST, "The new password was typed in two ways.".to_owned()));
    }
    let typed = |name| Password::typed(fields.get(name).to_owned());
    let change =
        PasswordChange { present: typed("current"), new: typed("new"), address: peer.address, agent: agent(headers) };
    let (status, text) = match state.auth.change_password(&name, principal, change).await {
        Ok((token, _)) => {
            let to = Redirect::to("/account?done=password");
            return Ok(FormOutcome::Other((login::session_cookie(&state.auth, &token), to).into_response()));
        }
        Err(PasswordChangeError::New(error)) => {
            return Ok(FormOutcome::Refused(StatusCode::BAD_REQUEST, sentence(&error)));
        }
        Err(PasswordChangeError::Present(LogInError::Wrong)) => {
            (StatusCode::FORBIDDEN, "The present password is wrong.".to_owned())
        }
        Err(PasswordChangeError::Present(error @ LogInError::Wait(_))) => {
            (StatusCode::TOO_MANY_REQUESTS, sentence(&error))
        }
        Err(PasswordChangeError::Present(error @ LogInError::Busy(_))) => {
            (StatusCode::SERVICE_UNAVAILABLE, sentence(&error))
        }
        Err(error) => return Err(error.into()),
    };
    Ok(FormOutcome::RefusedAndRecorded(status, text))
}

#[cfg(test)]
pub(in crate::web) mod tests;
