//! `/api/v1/tokens` and `/api/v1/sessions`: one's own, and for an admin anybody's. Not for tokens themselves.

use axum::{
    Extension, Json,
    extract::{
        Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::StatusCode,
};
use model::rights::Role;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::self_service::{MakeError, OwnAccount, end_session as end_session_of};
use crate::{
    auth::{
        AuthMethod, Principal, Session, UserName,
        authn::{
            sessions as kept, tokens as access_tokens,
            tokens::{Token, TokenError},
        },
    },
    clock::now,
    web::{
        AppState,
        openapi::ProblemDetails,
        problem::Problem,
        query::{WhichQuery, WhoseQuery},
    },
};

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
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct TokenRequest {
    /// `read` or `act`.
    scope: String,
    /// How long it lasts, as `30d`; `400d` at most.
    expires: String,
    /// What it is for.
    #[serde(default)]
    note: String,
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
}

/// The sessions of the caller's account; for an admin those of any.
#[utoipa::path(
    get,
    path = "/api/v1/sessions",
    params(WhoseQuery),
    responses(
        (status = 200, description = "The sessions", body = Sessions),
        (status = "4XX", description = "Not the caller's", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(in crate::web) async fn sessions(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    query: Result<Query<WhoseQuery>, QueryRejection>,
) -> Result<Json<Sessions>, Problem> {
    let Query(WhoseQuery { user }) = query?;
    let own = OwnAccount::of(&state, &principal).await.map_err(Problem::internal)?.key();
    let is_own = user.as_ref().is_none_or(|user| own.as_ref().is_some_and(|(_, name)| name == user));
    if !is_own && principal.rights.role < Role::Admin {
        return Err(not_yours());
    }
    let limits = state.auth.limits();
    let listed = state.database.call(move |connection| {
        let of = own.as_ref().filter(|_| is_own).map(|(origin, user)| (*origin, user.as_str()));
        kept::list(connection, of, limits, now())
    });
    let all = listed.await.map_err(Problem::internal)?;
    let is_wanted = |session: &Session| match &user {
        Some(user) => user == "*" || *user == session.user,
        // Who has no sessions, as behind a reverse proxy, has none of others' either.
        None => matches!(principal.means, AuthMethod::Session(_)),
    };
    let view = |session: Session| {
        let is_this = principal.means == AuthMethod::Session(session.id.clone());
        let Session { id, user, origin, address, agent, created, seen, .. } = session;
        SessionView { id, user, origin: origin.word().to_owned(), address, agent, created, seen, is_this }
    };
    Ok(Json(Sessions { sessions: all.into_iter().filter(is_wanted).map(view).collect() }))
}

/// Ends a session of the caller's account; for an admin anybody's.
#[utoipa::path(
    delete,
    path = "/api/v1/sessions",
    params(WhichQuery),
    responses(
        (status = 200, description = "It has ended", body = Ended),
        (status = "4XX", description = "There is none", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(in crate::web) async fn end_session(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    query: Result<Query<WhichQuery>, QueryRejection>,
) -> Result<Json<Ended>, Problem> {
    let Query(WhichQuery { id }) = query?;
    let ended = if principal.rights.role == Role::Admin {
        end_session_of(&state, &principal, id.clone(), None).await
    } else {
        OwnAccount::of(&state, &principal).await.map_err(Problem::internal)?.end_session(&state, id.clone()).await
    };
    if ended.map_err(Problem::internal)? { Ok(Json(Ended { id })) } else { Err(missing("session")) }
}

/// The tokens of the caller's account; for an admin those of any.
#[utoipa::path(
    get,
    path = "/api/v1/tokens",
    params(WhoseQuery),
    responses(
        (status = 200, description = "The tokens", body = Tokens),
        (status = "4XX", description = "Not the caller's", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(in crate::web) async fn tokens(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    query: Result<Query<WhoseQuery>, QueryRejection>,
) -> Result<Json<Tokens>, Problem> {
    let Query(WhoseQuery { user }) = query?;
    let own = OwnAccount::of(&state, &principal).await.map_err(Problem::internal)?.local();
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
    let listed = state.database.call(move |connection| access_tokens::list(connection, of.as_ref()));
    let view = |token: Token| {
        let Token { id, user, scope, note, created, expires, used } = token;
        TokenView { id, user: user.to_string(), scope: scope.to_string(), note, created, expires, used }
    };
    Ok(Json(Tokens { tokens: listed.await.map_err(Problem::internal)?.into_iter().map(view).collect() }))
}

/// Makes a token of the caller's local account. The answer holds it this once.
#[utoipa::path(
    post,
    path = "/api/v1/tokens",
    request_body = TokenRequest,
    responses(
        (status = 200, description = "The token", body = TokenResponse),
        (status = "4XX", description = "None was made", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(in crate::web) async fn make_token(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    body: Result<Json<TokenRequest>, JsonRejection>,
) -> Result<Json<TokenResponse>, Problem> {
    let Json(TokenRequest { scope, expires, note }) = body?;
    let own = OwnAccount::of(&state, &principal).await.map_err(Problem::internal)?;
    match own.make_token(&state, &scope, &expires, &note).await {
        Ok((token, secret)) => Ok(Json(TokenResponse { id: token.id, token: secret, expires: token.expires })),
        Err(MakeError::Told(status, text)) => Err(Problem::new(status, text.trim_end_matches('.'))),
        Err(MakeError::Failed(error)) => Err(Problem::internal(error)),
    }
}

/// Ends a token of the caller's account; for an admin anybody's.
#[utoipa::path(
    delete,
    path = "/api/v1/tokens",
    params(WhichQuery),
    responses(
        (status = 200, description = "It has ended", body = Ended),
        (status = "4XX", description = "There is none", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(in crate::web) async fn end_token(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    query: Result<Query<WhichQuery>, QueryRejection>,
) -> Result<Json<Ended>, Problem> {
    let Query(WhichQuery { id }) = query?;
    let of = OwnAccount::of(&state, &principal).await.map_err(Problem::internal)?.local();
    if of.is_none() && principal.rights.role < Role::Admin {
        return Err(missing("token"));
    }
    let of = of.filter(|_| principal.rights.role < Role::Admin);
    let wanted = id.clone();
    let ended =
        state.database.call(move |connection| Ok(access_tokens::remove(connection, &wanted, of.as_ref(), &principal)));
    match ended.await.map_err(Problem::internal)? {
        Ok(_) => Ok(Json(Ended { id })),
        Err(TokenError::Missing(_)) => Err(missing("token")),
        Err(error) => Err(Problem::internal(error)),
    }
}

fn not_yours() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "This is another account's").with_detail("Only an admin sees those of others.")
}

/// The name is not repeated: people paste the token itself there, and what is answered is recorded.
fn missing(what: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("There is no such {what}"))
}
