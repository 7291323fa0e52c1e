//! The Account page and its forms: one's own sessions, tokens and password.

use std::sync::Arc;

use app::pages::{
    account::{Account, account as draw},
    account_pages::RevealedSecret,
};
use axum::{
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};

use super::self_service::{self, Ending, MakeTokenError, OwnAccount, password_denial};
use crate::{
    auth::{
        AuthMethod, LogInError, Password, PasswordChange, PasswordChangeError,
        authn::{
            credentials::{self, DEVICE_COOKIE},
            sessions, tokens,
        },
    },
    clock::now,
    web::{
        account_pages::{
            FormOutcome, FormResult, PageError, PageRequest, PageState, ServerPage, own_address, session_line,
            token_line,
        },
        confirmation::OWN_PASSWORD,
        form_fields::{sentence, user_agent},
        lately,
        login::cookies,
        render,
    },
};

/// The page.
pub(in crate::web) struct AccountPage;

impl ServerPage for AccountPage {
    const PATH: &'static str = "/account";

    fn done(word: &str) -> Option<&'static str> {
        Some(match word {
            "session" => "The session has ended.",
            "token" => "The token has ended.",
            "password" => "You have another password. What ended with the old one is listed below, under Lately.",
            _ => return None,
        })
    }

    async fn draw(
        request: &PageRequest,
        PageState { status, notice, revealed }: PageState,
    ) -> Result<Response, PageError> {
        let PageRequest { state, principal, headers, .. } = request;
        let own = OwnAccount::of(state, principal).await?;
        let (key, local, limits) = (own.key(), own.local(), state.auth.session_limits());
        let name = principal.name.clone();
        let read = state.database.read(move |connection| {
            let of = key.as_ref().map(|(origin, user)| (*origin, user.as_str()));
            let sessions = of.map(|of| sessions::list(connection, Some(of), limits, now())).transpose()?;
            let tokens = local.map(|name| tokens::list(connection, Some(&name))).transpose()?;
            Ok((sessions, tokens, lately::of_account(connection, &name)?))
        });
        let (sessions, tokens, lately) = read.await?;
        let this = own.session.as_ref().map(|session| session.id.as_str());
        let page = Account {
            name: principal.name.clone(),
            method: own.method(state),
            rights: (*principal.rights).clone(),
            groups: own.session.as_ref().map(|session| session.groups.clone()).unwrap_or_default(),
            notice,
            revealed,
            lately,
            sessions: sessions.map(|all| all.into_iter().map(|s| session_line(s, this)).collect()),
            tokens: tokens.map(|all| all.into_iter().map(token_line).collect()),
        };
        Ok(render::plain(headers, principal.who(), status, "Account", &|| draw(page.clone())))
    }
}

pub(in crate::web) async fn end_session(request: Arc<PageRequest>) -> FormResult {
    let id = request.fields.get("id").to_owned();
    let is_this = request.principal.method == AuthMethod::Session(id.clone());
    Ok(match OwnAccount::of(&request.state, &request.principal).await?.end_session(&request.state, id).await? {
        Ending::Written | Ending::Remembered if is_this => {
            FormOutcome::Other((cookies::clear_session(), Redirect::to("/login")).into_response())
        }
        Ending::Written => FormOutcome::Done("session"),
        Ending::Remembered => FormOutcome::Remembered,
        Ending::Missing => {
            FormOutcome::Denied(StatusCode::NOT_FOUND, "There is no such session of yours any more.".to_owned())
        }
    })
}

pub(in crate::web) async fn add_token(request: Arc<PageRequest>) -> FormResult {
    let PageRequest { state, principal, headers, fields, .. } = &*request;
    let own = OwnAccount::of(state, principal).await?;
    let confirmation =
        (Password::new(fields.get(OWN_PASSWORD).to_owned()), credentials::secret(headers, DEVICE_COOKIE));
    match own.make_token(state, fields.get("scope"), fields.get("expires"), fields.get("note"), confirmation).await {
        Ok((token, secret)) => {
            let what = format!("The token {} was made", token.id);
            let usage = format!("curl -H \"Authorization: Bearer {secret}\" {}/api/v1/nodes", own_address(headers));
            Ok(FormOutcome::RevealedSecret(RevealedSecret { what, secret, usage }))
        }
        Err(MakeTokenError::Denied(status, text)) => Ok(FormOutcome::Denied(status, text)),
        Err(MakeTokenError::Password(error)) => {
            let (status, text) = password_denial(&error);
            Ok(FormOutcome::DeniedAndAudited(status, text))
        }
        Err(MakeTokenError::NotTried(error)) => Err(error.into()),
        Err(MakeTokenError::Failed(error)) => Err(error),
    }
}

pub(in crate::web) async fn end_token(request: Arc<PageRequest>) -> FormResult {
    let (by, id) = (request.principal.clone(), request.fields.get("id").to_owned());
    let own = OwnAccount::of(&request.state, &by).await?;
    let Some(name) = own.local() else {
        return Ok(FormOutcome::Other(Redirect::to(AccountPage::PATH).into_response()));
    };
    Ok(match self_service::end_token(&request.state, &by, id, Some(name)).await? {
        Ending::Written => FormOutcome::Done("token"),
        Ending::Remembered => FormOutcome::Remembered,
        Ending::Missing => {
            FormOutcome::Denied(StatusCode::NOT_FOUND, "There is no such token of yours any more.".to_owned())
        }
    })
}

pub(in crate::web) async fn password(request: Arc<PageRequest>) -> FormResult {
    let PageRequest { state, principal, peer, headers, fields } = &*request;
    let own = OwnAccount::of(state, principal).await?;
    let Some(name) = own.local() else {
        return Ok(FormOutcome::Other(Redirect::to(AccountPage::PATH).into_response()));
    };
    if fields.get("new") != fields.get("again") {
        return Ok(FormOutcome::Denied(StatusCode::BAD_REQUEST, "The new password was typed in two ways.".to_owned()));
    }
    let typed = |name| Password::new(fields.get(name).to_owned());
    let change = PasswordChange {
        present: typed("current"),
        new: typed("new"),
        device: credentials::secret(headers, DEVICE_COOKIE),
        keeps_tokens: fields.get("keep_tokens") == "true",
        address: peer.address,
        agent: user_agent(headers),
    };
    let (status, text) = match state.auth.change_password(&name, principal, change).await {
        Ok((secret, _)) => {
            let to = Redirect::to("/account?done=password");
            return Ok(FormOutcome::Other((cookies::session(&state.auth, &secret), to).into_response()));
        }
        Err(PasswordChangeError::New(error)) => {
            return Ok(FormOutcome::Denied(StatusCode::BAD_REQUEST, sentence(&error)));
        }
        Err(PasswordChangeError::Present(error @ (LogInError::Wrong | LogInError::Wait(_) | LogInError::Busy(_)))) => {
            password_denial(&error)
        }
        Err(error) => return Err(error.into()),
    };
    Ok(FormOutcome::DeniedAndAudited(status, text))
}

#[cfg(test)]
pub(in crate::web) mod tests;
