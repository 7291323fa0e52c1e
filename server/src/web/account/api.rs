//! `/api/v1/tokens` and `/api/v1/sessions`: one's own, and for an admin anybody's. Not for tokens themselves.

use axum::{
    Extension, Json,
    extract::{
        Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode},
};
use model::rights::Role;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::self_service::{
    Ending, MakeTokenError, OwnAccount, REMEMBERED, end_session as end_session_of, end_token as end_token_of,
    password_denial,
};
use crate::{
    auth::{
        AuthMethod, LogInError, Password, Principal, Session, UserName,
        authn::{
            credentials::{self, DEVICE_COOKIE},
            sessions as session_table,
            tokens::{self as token_table, Token},
        },
        retry_after,
    },
    clock::now,
    web::{AppState, problem::ProblemResponse},
};

/// Whose.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub(in crate::web) struct WhoseQuery {
    /// The account of this name, `*` for everybody's: for admins alone. Without it one's own.
    user: Option<String>,
}

/// Which one.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct WhichQuery {
    /// Its public name, as the list has it.
    id: String,
}

/// Sessions that last.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct Sessions {
    /// Newest first.
    sessions: Vec<SessionView>,
}

/// A session. Nothing in it opens anything.
#[derive(Debug, Serialize, ToSchema)]
struct SessionView {
    /// Its public name.
    id: String,
    /// The account's name.
    user: String,
    /// Who knows the account: `local` or `oidc`.
    origin: String,
    /// Where it was opened from.
    address: String,
    /// What the browser calls itself.
    agent: String,
    /// When it began, Unix milliseconds.
    created: i64,
    /// When it was used last, to the minute, Unix milliseconds.
    seen: i64,
    /// Whether this request shows it.
    is_this: bool,
}

/// API tokens.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct Tokens {
    /// Newest first.
    tokens: Vec<TokenView>,
}

/// An API token. Nothing in it opens anything.
#[derive(Debug, Serialize, ToSchema)]
struct TokenView {
    /// Its public name.
    id: String,
    /// The account's name.
    user: String,
    /// `read` or `act`.
    scope: String,
    /// What it is for.
    note: String,
    /// When it was made, Unix milliseconds.
    created: i64,
    /// When it ends, Unix milliseconds.
    expires: i64,
    /// When it was used last, to the minute, Unix milliseconds; null where it never was.
    used: Option<i64>,
}

/// What a token is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct TokenRequest {
    /// `read` or `act`.
    #[schema(pattern = "^(read|act)$")]
    scope: String,
    /// How long it lasts, as `30d`; `400d` at most.
    #[schema(pattern = "^([1-9]|[1-9][0-9]|[1-3][0-9][0-9]|400)d$")]
    expires: String,
    /// What it is for.
    #[serde(default)]
    note: String,
    /// The account's password, once more: a token outlasts the session that makes it.
    password: String,
}

/// A token that was made.
#[derive(Serialize, ToSchema)]
pub(in crate::web) struct TokenResponse {
    /// Its public name.
    id: String,
    /// The token itself, this once.
    token: String,
    /// When it ends, Unix milliseconds.
    expires: i64,
}

/// What was ended.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct Ended {
    /// Its public name.
    id: String,
    /// What else there is to know, as that it could not be written yet; mostly empty.
    warning: &'static str,
}

/// The sessions of the caller's account; for an admin those of any.
pub(in crate::web) async fn sessions(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    query: Result<Query<WhoseQuery>, QueryRejection>,
) -> Result<Json<Sessions>, ProblemResponse> {
    let Query(WhoseQuery { user }) = query?;
    let own = OwnAccount::of(&state, &principal).await.map_err(ProblemResponse::internal)?.key();
    let is_own = user.as_ref().is_none_or(|user| own.as_ref().is_some_and(|(_, name)| name == user));
    if !is_own && principal.rights.role < Role::Admin {
        return Err(not_yours());
    }
    let limits = state.auth.session_limits();
    let listed = state.database.read(move |connection| {
        let of = own.as_ref().filter(|_| is_own).map(|(origin, user)| (*origin, user.as_str()));
        session_table::list(connection, of, limits, now())
    });
    let all = listed.await.map_err(ProblemResponse::internal)?;
    let is_selected = |session: &Session| match &user {
        Some(user) => user == "*" || *user == session.user,
        // Whoever has no sessions, as behind a reverse proxy, gets an empty list, not everybody's.
        None => matches!(principal.method, AuthMethod::Session(_)),
    };
    let view = |session: Session| {
        let is_this = principal.method == AuthMethod::Session(session.id.clone());
        let Session { id, user, origin, address, agent, created, seen, .. } = session;
        SessionView { id, user, origin: origin.word().to_owned(), address, agent, created, seen, is_this }
    };
    Ok(Json(Sessions { sessions: all.into_iter().filter(is_selected).map(view).collect() }))
}

/// Ends a session of the caller's account; for an admin anybody's.
pub(in crate::web) async fn end_session(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    query: Result<Query<WhichQuery>, QueryRejection>,
) -> Result<Json<Ended>, ProblemResponse> {
    let Query(WhichQuery { id }) = query?;
    let ended = if principal.rights.role == Role::Admin {
        end_session_of(&state, &principal, id.clone(), None).await
    } else {
        let own = OwnAccount::of(&state, &principal).await.map_err(ProblemResponse::internal)?;
        own.end_session(&state, id.clone()).await
    };
    answer(ended?, "session", id)
}

/// The tokens of the caller's account; for an admin those of any.
pub(in crate::web) async fn tokens(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    query: Result<Query<WhoseQuery>, QueryRejection>,
) -> Result<Json<Tokens>, ProblemResponse> {
    let Query(WhoseQuery { user }) = query?;
    let own = OwnAccount::of(&state, &principal).await.map_err(ProblemResponse::internal)?.local();
    let of = match user.as_deref() {
        None => match own {
            Some(own) => Some(own),
            None => return Ok(Json(Tokens { tokens: Vec::new() })),
        },
        Some(user) if own.as_ref().is_some_and(|own| own.as_str() == user) => own,
        Some(_) if principal.rights.role < Role::Admin => return Err(not_yours()),
        Some("*") => None,
        Some(user) => Some(user.parse::<UserName>().map_err(|_| missing("account"))?),
    };
    let listed = state.database.read(move |connection| token_table::list(connection, of.as_ref()));
    let view = |token: Token| {
        let Token { id, user, scope, note, created, expires, used } = token;
        TokenView { id, user: user.to_string(), scope: scope.to_string(), note, created, expires, used }
    };
    Ok(Json(Tokens { tokens: listed.await.map_err(ProblemResponse::internal)?.into_iter().map(view).collect() }))
}

/// Makes a token of the caller's local account. The answer holds it this once.
pub(in crate::web) async fn make_token(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    body: Result<Json<TokenRequest>, JsonRejection>,
) -> Result<Json<TokenResponse>, ProblemResponse> {
    let Json(TokenRequest { scope, expires, note, password }) = body?;
    let confirmation = (Password::new(password), credentials::secret(&headers, DEVICE_COOKIE));
    let own = OwnAccount::of(&state, &principal).await.map_err(ProblemResponse::internal)?;
    match own.make_token(&state, &scope, &expires, &note, confirmation).await {
        Ok((token, secret)) => Ok(Json(TokenResponse { id: token.id, token: secret, expires: token.expires })),
        Err(MakeTokenError::Denied(status, text)) => Err(ProblemResponse::new(status, text.trim_end_matches('.'))),
        Err(MakeTokenError::Password(error)) => {
            let (status, text) = password_denial(&error);
            let problem = ProblemResponse::new(status, text.trim_end_matches('.')).audited();
            Err(match error {
                LogInError::Wait(wait) | LogInError::Busy(wait) => problem.with_wait(retry_after(wait)),
                _ => problem,
            })
        }
        Err(MakeTokenError::NotTried(error)) => Err(error.into()),
        Err(MakeTokenError::Failed(error)) => Err(ProblemResponse::internal(error)),
    }
}

/// Ends a token of the caller's account; for an admin anybody's.
pub(in crate::web) async fn end_token(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    query: Result<Query<WhichQuery>, QueryRejection>,
) -> Result<Json<Ended>, ProblemResponse> {
    let Query(WhichQuery { id }) = query?;
    let of = OwnAccount::of(&state, &principal).await.map_err(ProblemResponse::internal)?.local();
    if of.is_none() && principal.rights.role < Role::Admin {
        return Err(missing("token"));
    }
    let of = of.filter(|_| principal.rights.role < Role::Admin);
    answer(end_token_of(&state, &principal, id.clone(), of).await?, "token", id)
}

fn answer(ending: Ending, what: &str, id: String) -> Result<Json<Ended>, ProblemResponse> {
    match ending {
        Ending::Written => Ok(Json(Ended { id, warning: "" })),
        Ending::Remembered => Ok(Json(Ended { id, warning: REMEMBERED })),
        Ending::Missing => Err(missing(what)),
    }
}

fn not_yours() -> ProblemResponse {
    ProblemResponse::new(StatusCode::FORBIDDEN, "This is another account's")
        .with_detail("Only an admin sees those of others.")
}

/// The id is not repeated: people paste the token itself in its place, and the response is audited.
fn missing(what: &str) -> ProblemResponse {
    ProblemResponse::new(StatusCode::NOT_FOUND, format!("There is no such {what}"))
}
