//! `POST /api/v1/login` and `/api/v1/logout`, and `GET /api/v1/me`: sessions for programs.

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::page;
use crate::{
    auth::{LogInError, Password, Peer, Principal, seconds},
    web::{AppState, openapi::ProblemDetails, problem::Problem, query::LogOutQuery},
};

/// Name and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct LogInRequest {
    /// The account's name.
    user: String,
    /// Its password.
    password: String,
}

/// Who is logged in.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct LogInResponse {
    /// The account's name.
    user: String,
    /// `viewer`, `operator` or `admin`.
    role: String,
    /// When the session ends unless it is used, Unix milliseconds.
    expires_at: Option<i64>,
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct Me {
    /// The account's name; what stands in its place where there is none.
    user: String,
    /// `viewer`, `operator` or `admin`.
    role: String,
    /// How that is known: `session ID`, `token ID`, `reverse proxy`, `wall link ID`, or `no accounts`.
    means: String,
    /// When it ends unless it is used, Unix milliseconds; nothing where it does not.
    expires_at: Option<i64>,
}

/// What a log-out ended.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct LogOutResponse {
    /// How many sessions.
    ended: usize,
}

/// Logs in. The answer sets the session's cookie, `__Host-sluice`, which later requests show.
///
/// A script does better with an API token.
#[utoipa::path(
    post,
    path = "/api/v1/login",
    request_body = LogInRequest,
    responses(
        (status = 200, description = "The session's cookie is set", body = LogInResponse),
        (status = "4XX", description = "Nobody is logged in; 429 says in `Retry-After` when to try again", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(in crate::web) async fn log_in(
    State(AppState { auth, .. }): State<AppState>,
    peer: Peer,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let LogInRequest { user, password } = read(&headers, &body)?;
    match page::try_it(&auth, &headers, peer, &user, Password::typed(password)).await {
        Ok(logged_in) => {
            let Principal { name, rights, .. } = &logged_in.principal;
            let expires_at = Some(auth.limits().end(&logged_in.session));
            let answer = LogInResponse { user: name.clone(), role: rights.role.to_string(), expires_at };
            Ok((page::cookies(&auth, &logged_in), Json(answer)).into_response())
        }
        Err(LogInError::Wrong) => Err(Problem::new(StatusCode::UNAUTHORIZED, "Name or password is wrong").recorded()),
        Err(error @ LogInError::Wait(wait)) => Ok(later(StatusCode::TOO_MANY_REQUESTS, &error, wait)),
        Err(error @ LogInError::Busy(wait)) => Ok(later(StatusCode::SERVICE_UNAVAILABLE, &error, wait)),
        Err(LogInError::Database(error)) => Err(Problem::from(error)),
        Err(error) => Err(Problem::internal(error)),
    }
}

/// The body. What is wrong with it is told without its text: the password may be in there.
fn read(headers: &HeaderMap, body: &[u8]) -> Result<LogInRequest, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_json = kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    let how = "Send {\"user\": \"NAME\", \"password\": \"PASSWORD\"} as `Content-Type: application/json`.";
    if !is_json {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(status, "The body must be sent as `Content-Type: application/json`").with_detail(how));
    }
    serde_json::from_slice(body).map_err(|_| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "The body is not what this call takes").with_detail(how)
    })
}

fn later(status: StatusCode, error: &LogInError, wait: std::time::Duration) -> Response {
    let problem = Problem::new(status, "Try again later").with_detail(format!("{error}."));
    problem.with_wait(seconds(wait)).recorded().into_response()
}

/// Logs out: ends the session that the request shows, or every one of its account.
#[utoipa::path(
    post,
    path = "/api/v1/logout",
    params(LogOutQuery),
    responses(
        (status = 200, description = "The session's cookie is taken back", body = LogOutResponse),
        (status = "4XX", description = "Nothing was ended", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(in crate::web) async fn log_out(
    State(AppState { auth, .. }): State<AppState>,
    principal: Option<Extension<Principal>>,
    query: Result<Query<LogOutQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(LogOutQuery { everywhere }) = query?;
    let ended = page::end(&auth, principal, everywhere).await.map_err(Problem::internal)?;
    Ok((page::no_cookie(), Json(LogOutResponse { ended })).into_response())
}

/// Who asks, as Sluice knows them.
#[utoipa::path(
    get,
    path = "/api/v1/me",
    responses(
        (status = 200, description = "Who asks", body = Me),
        (status = "4XX", description = "Nobody that is known", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(in crate::web) async fn me(
    State(AppState { auth, .. }): State<AppState>,
    Extension(principal): Extension<Principal>,
) -> Result<Json<Me>, Problem> {
    let standing = auth.standing(&principal).await.map_err(Problem::internal)?;
    let expires_at = standing.and_then(|standing| standing.until);
    Ok(Json(Me {
        user: principal.name.clone(),
        role: principal.rights.role.to_string(),
        means: principal.means.to_string(),
        expires_at,
    }))
}

#[cfg(test)]
mod tests {
    use bolero::check;

    use super::*;
    use testkit::damage::{AT_MOST, Damage, INPUTS};

    const BODIES: [&str; 3] = [
        r#"{"user":"anna","password":"correct horse battery"}"#,
        r#"{"password":"\u00e9\ud83d\ude00 x","user":"a@b.c"}"#,
        r#"{"user":"anna","password":123456789012}"#,
    ];

    #[test]
    fn fuzz_damaged_log_in_bodies() {
        let seeds = BODIES.map(str::as_bytes);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "application/json; charset=utf-8".parse().expect("a value"));
        check!().with_iterations(INPUTS).with_test_time(AT_MOST).with_type::<Damage>().for_each(|damage| {
            let body = damage.to(&seeds);
            match read(&headers, &body) {
                Ok(said) => {
                    let text = serde_json::json!({ "user": said.user, "password": said.password }).to_string();
                    let again = read(&headers, text.as_bytes()).expect("read back");
                    assert_eq!((again.user, again.password), (said.user, said.password));
                }
                // Nothing of the body is repeated.
                Err(problem) => assert!(!format!("{problem:?} {problem}").contains("horse")),
            }
        });
        assert!(read(&HeaderMap::new(), BODIES[0].as_bytes()).is_err(), "a page of another site can send text alone");
    }
}
