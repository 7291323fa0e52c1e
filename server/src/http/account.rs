//! The Account page and its forms: one's own sessions, tokens and password.

use app::{
    model::access::Role,
    pages::{
        account::{Account, account as draw},
        managed::{Made, Notice, SessionLine, TokenLine},
    },
};
use axum::{
    Extension, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};

use super::{
    AppState, Peer,
    fields::{Fields, Posted, agent, ago, moment, sentence},
    login, plain,
    problem::Problem,
};
use crate::{
    access::{
        Caller, Change, ChangeError, LogInError, Means, Origin, Password, Session, UserName,
        columns::now,
        expiry, sessions,
        tokens::{self, NewToken, Scope, Token, TokenError},
    },
    record::{self, Entry, Kind},
    vault::VaultError,
};

/// The routes.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/account", get(page))
        .route("/account/password", post(password))
        .route("/account/sessions/end", post(end_session))
        .route("/account/tokens/add", post(add_token))
        .route("/account/tokens/end", post(end_token))
}

/// Somebody's own account.
pub(super) struct Own {
    caller: Caller,
    /// The session that they ask with, where they have one.
    session: Option<Session>,
}

impl Own {
    /// That of a caller.
    pub(super) async fn of(state: &AppState, caller: Caller) -> Result<Self, VaultError> {
        Ok(Self { session: state.access.session_of(&caller).await?, caller })
    }

    /// The local account; others have none that Sluice keeps.
    pub(super) fn local(&self) -> Option<UserName> {
        self.session.as_ref().filter(|s| s.origin == Origin::Local).and_then(|s| s.user.parse().ok())
    }

    /// Whose sessions theirs are.
    pub(super) fn key(&self) -> Option<(Origin, String)> {
        self.session.as_ref().map(|session| (session.origin, session.user.clone()))
    }

    fn means(&self, state: &AppState) -> String {
        match (&self.caller.means, &self.session) {
            (Means::Session(_), Some(session)) if session.origin == Origin::Oidc => {
                state.access.outside().oidc.as_ref().map_or("OpenID Connect", |oidc| oidc.name()).to_owned()
            }
            (Means::Session(_), _) => "name and password".to_owned(),
            (Means::Open, _) => {
                "nothing: there are no accounts, and whoever uses this machine may do everything".to_owned()
            }
            (means, _) => format!("{means}"),
        }
    }
}

/// What a page is answered with.
#[derive(Default)]
struct Said {
    status: StatusCode,
    notice: Option<Notice>,
    made: Option<Made>,
}

impl Said {
    fn refused(status: StatusCode, text: String) -> Self {
        Self { status, notice: Some(Notice::Refused(text)), made: None }
    }
}

async fn page(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let notice = query.iter().find(|(name, _)| name == "done").and_then(|(_, what)| done(what));
    answer(&state, caller, &headers, Said { notice, ..Said::default() }).await
}

/// What a form that was carried out leads to: a word in the address, and here what it says.
fn done(what: &str) -> Option<Notice> {
    let text = match what {
        "session" => "The session has ended.",
        "token" => "The token has ended.",
        "password" => "You have another password. Your other sessions have ended.",
        _ => return None,
    };
    Some(Notice::Done(text.to_owned()))
}

async fn answer(state: &AppState, caller: Caller, headers: &HeaderMap, said: Said) -> Response {
    match drawn(state, caller, said.notice, said.made).await {
        Ok((caller, page)) => plain::plain(headers, caller.who(), said.status, "Account", &|| draw(page.clone())),
        Err(error) => Problem::internal(error).into_response(),
    }
}

async fn drawn(
    state: &AppState,
    caller: Caller,
    notice: Option<Notice>,
    made: Option<Made>,
) -> Result<(Caller, Account), VaultError> {
    let own = Own::of(state, caller).await?;
    let (key, local, limits) = (own.key(), own.local(), state.access.limits());
    let read = state.vault.call(move |connection| {
        let now = now();
        let of = key.as_ref().map(|(origin, user)| (*origin, user.as_str()));
        let sessions = of.map(|of| sessions::list(connection, Some(of), limits, now)).transpose()?;
        Ok((sessions, local.map(|name| tokens::list(connection, Some(&name))).transpose()?))
    });
    let (sessions, tokens) = read.await?;
    let this = own.session.as_ref().map(|session| session.id.clone());
    let page = Account {
        name: own.caller.name.clone(),
        means: own.means(state),
        rights: (*own.caller.rights).clone(),
        groups: own.session.as_ref().map(|session| session.groups.clone()).unwrap_or_default(),
        notice,
        made,
        sessions: sessions.map(|all| all.into_iter().map(|s| session_line(s, this.as_deref())).collect()),
        tokens: tokens.map(|all| all.into_iter().map(token_line).collect()),
    };
    Ok((own.caller, page))
}

/// A session in words.
pub(super) fn session_line(session: Session, this: Option<&str>) -> SessionLine {
    let Session { id, user, created, seen, address, agent, .. } = session;
    let times = format!("since {}, used {}", moment(created), ago(seen, now()));
    SessionLine { is_this: this == Some(id.as_str()), id, user, address, agent, times }
}

/// A token in words.
pub(super) fn token_line(token: Token) -> TokenLine {
    let Token { id, user, scope, note, expires, used, .. } = token;
    let used = used.map_or_else(|| "never used".to_owned(), |used| format!("used {}", ago(used, now())));
    let times = format!("until {}, {used}", moment(expires));
    TokenLine { id, user: user.to_string(), scope: scope.to_string(), note, times, is_over: expires <= now() }
}

async fn end_session(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    posted: Posted,
) -> Response {
    let id = Fields::of(posted).get("id").to_owned();
    let is_this = caller.means == Means::Session(id.clone());
    let own = match Own::of(&state, caller.clone()).await {
        Ok(own) => own,
        Err(error) => return Problem::internal(error).into_response(),
    };
    match end_one(&state, &caller, id, own.key()).await {
        Ok(true) if is_this => (login::no_cookie(), Redirect::to("/login")).into_response(),
        Ok(true) => Redirect::to("/account?done=session").into_response(),
        Ok(false) => {
            let text = "There is no such session of yours any more.".to_owned();
            answer(&state, caller, &headers, Said::refused(StatusCode::NOT_FOUND, text)).await
        }
        Err(error) => Problem::internal(error).into_response(),
    }
}

/// Ends a session by its public name, and tells the record; whether there was one. With `of` only where it is that
/// account's; nothing at all for who has no sessions.
pub(super) async fn end_one(
    state: &AppState,
    caller: &Caller,
    id: String,
    of: Option<(Origin, String)>,
) -> Result<bool, VaultError> {
    let Some((origin, user)) = of else { return Ok(false) };
    end(state, caller, id, Some((origin, user))).await
}

/// The same for anybody's session: for admins.
pub(super) async fn end_any(state: &AppState, caller: &Caller, id: String) -> Result<bool, VaultError> {
    end(state, caller, id, None).await
}

async fn end(state: &AppState, caller: &Caller, id: String, of: Option<(Origin, String)>) -> Result<bool, VaultError> {
    let (limits, caller) = (state.access.limits(), caller.clone());
    let ended = state.vault.call(move |connection| {
        let transaction = tokens::begin(connection)?;
        let of = of.as_ref().map(|(origin, user)| (*origin, user.as_str()));
        let Some(session) = sessions::by_id(&transaction, &id, limits, now())? else { return Ok(false) };
        if !sessions::end(&transaction, &id, of)? {
            return Ok(false);
        }
        let entry = Entry::by(&caller, Kind::Account, "session.end");
        let targets = crate::access::columns::list(&[session.user]);
        let detail = format!("session {}", session.id);
        record::append(&transaction, &Entry { targets, detail, outcome: "done".to_owned(), ..entry })?;
        transaction.commit()?;
        Ok(true)
    });
    ended.await
}

async fn add_token(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    posted: Posted,
) -> Response {
    let fields = Fields::of(posted);
    let said = match make(&state, &caller, fields.get("scope"), fields.get("expires"), fields.get("note")).await {
        Ok((token, secret)) => {
            let what = format!("The token {} was made", token.id);
            let usage = format!("curl -H \"Authorization: Bearer {secret}\" {}/api/v1/nodes", origin(&headers));
            Said { made: Some(Made { what, secret, usage }), ..Said::default() }
        }
        Err(MakeError::Told(status, text)) => Said::refused(status, text),
        Err(MakeError::Failed(error)) => return Problem::internal(error).into_response(),
    };
    answer(&state, caller, &headers, said).await
}

/// Why a token was not made.
pub(super) enum MakeError {
    /// With what to tell.
    Told(StatusCode, String),
    /// Sluice failed.
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

/// Makes a token of the caller's own account.
pub(super) async fn make(
    state: &AppState,
    caller: &Caller,
    scope: &str,
    expires: &str,
    note: &str,
) -> Result<(Token, String), MakeError> {
    let bad = |text: String| MakeError::Told(StatusCode::BAD_REQUEST, text);
    let scope: Scope = scope.parse().map_err(|error| bad(sentence(&error)))?;
    let time = expiry::parse(expires).map_err(|error| bad(sentence(&error)))?;
    let own = Own::of(state, caller.clone()).await.map_err(|error| MakeError::Failed(error.into()))?;
    let Some(user) = own.local() else {
        let text = "Tokens are for local accounts: ask an admin for one, as for a script.".to_owned();
        return Err(MakeError::Told(StatusCode::FORBIDDEN, text));
    };
    if scope == Scope::Act && caller.rights.role < Role::Operator {
        let text = "A viewer's token can only look: take the scope read.".to_owned();
        return Err(MakeError::Told(StatusCode::FORBIDDEN, text));
    }
    let new = NewToken { user, scope, note: note.to_owned(), expires: expiry::after(now(), time) };
    let by = caller.clone();
    let made = state.vault.call(move |connection| Ok(tokens::add(connection, &new, &by, now()))).await;
    match made.map_err(|error| MakeError::Failed(error.into()))? {
        Ok(made) => Ok(made),
        Err(error @ (TokenError::Random(_) | TokenError::Database(_))) => Err(MakeError::Failed(error.into())),
        Err(error) => Err(MakeError::Told(StatusCode::CONFLICT, sentence(&error))),
    }
}

async fn end_token(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    posted: Posted,
) -> Response {
    let id = Fields::of(posted).get("id").to_owned();
    let own = match Own::of(&state, caller.clone()).await {
        Ok(own) => own,
        Err(error) => return Problem::internal(error).into_response(),
    };
    let Some(name) = own.local() else { return Redirect::to("/account").into_response() };
    let by = caller.clone();
    let ended = state.vault.call(move |connection| Ok(tokens::remove(connection, &id, Some(&name), &by)));
    match ended.await {
        Ok(Ok(_)) => Redirect::to("/account?done=token").into_response(),
        Ok(Err(error @ TokenError::Missing(_))) => {
            answer(&state, caller, &headers, Said::refused(StatusCode::NOT_FOUND, sentence(&error))).await
        }
        Ok(Err(error)) => Problem::internal(error).into_response(),
        Err(error) => Problem::internal(error).into_response(),
    }
}

async fn password(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    posted: Posted,
) -> Response {
    let fields = Fields::of(posted);
    let own = match Own::of(&state, caller.clone()).await {
        Ok(own) => own,
        Err(error) => return Problem::internal(error).into_response(),
    };
    let Some(name) = own.local() else { return Redirect::to("/account").into_response() };
    let refuse = |status, text: String| answer(&state, caller.clone(), &headers, Said::refused(status, text));
    if fields.get("new") != fields.get("again") {
        return refuse(StatusCode::BAD_REQUEST, "The new password was typed in two ways.".to_owned()).await;
    }
    let typed = |name| Password::typed(fields.get(name).to_owned());
    let address = peer.map_or(Peer::LOOPBACK, |Extension(peer)| peer).address;
    let change = Change { present: typed("current"), new: typed("new"), address, agent: agent(&headers) };
    match state.access.change_password(&name, &caller, change).await {
        Ok((token, _)) => {
            (login::session_cookie(&state.access, &token), Redirect::to("/account?done=password")).into_response()
        }
        Err(ChangeError::New(error)) => refuse(StatusCode::BAD_REQUEST, sentence(&error)).await,
        Err(ChangeError::Present(LogInError::Wrong)) => {
            refuse(StatusCode::FORBIDDEN, "The present password is wrong.".to_owned()).await
        }
        Err(ChangeError::Present(error @ LogInError::Wait(_))) => {
            refuse(StatusCode::TOO_MANY_REQUESTS, sentence(&error)).await
        }
        Err(ChangeError::Present(error @ LogInError::Busy(_))) => {
            refuse(StatusCode::SERVICE_UNAVAILABLE, sentence(&error)).await
        }
        Err(error) => Problem::internal(error).into_response(),
    }
}

/// The address that this browser has Sluice under; the guard has looked at its name.
pub(super) fn origin(headers: &HeaderMap) -> String {
    let host = headers.get(axum::http::header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    // A form says by which scheme its page came; every browser sends one of the two.
    let origin = headers.get(axum::http::header::ORIGIN).and_then(|origin| origin.to_str().ok());
    match origin.filter(|origin| origin.split_once("://").is_some_and(|(_, named)| named.eq_ignore_ascii_case(host))) {
        Some(origin) => origin.to_owned(),
        None => format!("https://{host}"),
    }
}

#[cfg(test)]
pub(in crate::http) mod tests;
