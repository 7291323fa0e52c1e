//! `POST /api/v1/login` and `/api/v1/logout`, and `GET /api/v1/me`: sessions for programs.

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{cookies, log_out as end_session, try_log_in};
use crate::{
    auth::{LogInError, Password, Peer, Principal, retry_after},
    web::{AppState, problem::ProblemResponse},
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

/// How far a log-out goes.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub(in crate::web) struct LogOutQuery {
    /// Whether every session of the account ends.
    #[param(required = false)]
    everywhere: bool,
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
pub(in crate::web) async fn log_in(
    State(AppState { auth, .. }): State<AppState>,
    peer: Peer,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ProblemResponse> {
    let LogInRequest { user, password } = read(&headers, &body)?;
    match try_log_in(&auth, &headers, peer, &user, Password::new(password)).await {
        Ok(logged_in) => {
            let Principal { name, rights, .. } = &logged_in.principal;
            let expires_at = Some(auth.session_limits().end(&logged_in.session));
            let answer = LogInResponse { user: name.clone(), role: rights.role.to_string(), expires_at };
            Ok((cookies::logged_in(&auth, &logged_in), Json(answer)).into_response())
        }
        Err(LogInError::Wrong) => {
            Err(ProblemResponse::new(StatusCode::UNAUTHORIZED, "Name or password is wrong").audited())
        }
        Err(error @ LogInError::Wait(wait)) => Ok(later(StatusCode::TOO_MANY_REQUESTS, &error, wait)),
        Err(error @ LogInError::Busy(wait)) => Ok(later(StatusCode::SERVICE_UNAVAILABLE, &error, wait)),
        Err(LogInError::Database(error)) => Err(ProblemResponse::from(error)),
        Err(error) => Err(ProblemResponse::internal(error)),
    }
}

/// Reads the body. An error does not repeat its text, which may hold the password.
fn read(headers: &HeaderMap, body: &[u8]) -> Result<LogInRequest, ProblemResponse> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_json = kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    let how = "Send {\"user\": \"NAME\", \"password\": \"PASSWORD\"} as `Content-Type: application/json`.";
    if !is_json {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(
            ProblemResponse::new(status, "The body must be sent as `Content-Type: application/json`").with_detail(how)
        );
    }
    serde_json::from_slice(body).map_err(|_| {
        ProblemResponse::new(StatusCode::UNPROCESSABLE_ENTITY, "The body is not what this call takes").with_detail(how)
    })
}

fn later(status: StatusCode, error: &LogInError, wait: std::time::Duration) -> Response {
    let problem = ProblemResponse::new(status, "Try again later").with_detail(format!("{error}."));
    problem.with_wait(retry_after(wait)).audited().into_response()
}

/// Logs out: ends the session that the request shows, or every one of its account.
pub(in crate::web) async fn log_out(
    State(AppState { auth, .. }): State<AppState>,
    principal: Option<Extension<Principal>>,
    query: Result<Query<LogOutQuery>, QueryRejection>,
) -> Result<Response, ProblemResponse> {
    let Query(LogOutQuery { everywhere }) = query?;
    let ended = end_session(&auth, principal, everywhere).await?;
    Ok((cookies::clear_session(), Json(LogOutResponse { ended })).into_response())
}

/// Who asks, as Sluice knows them.
pub(in crate::web) async fn me(
    State(AppState { auth, .. }): State<AppState>,
    Extension(principal): Extension<Principal>,
) -> Result<Json<Me>, ProblemResponse> {
    let active = auth.active_principal(&principal).await.map_err(ProblemResponse::internal)?;
    let expires_at = active.and_then(|active| active.until);
    Ok(Json(Me {
        user: principal.name.clone(),
        role: principal.rights.role.to_string(),
        means: principal.method.to_string(),
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
                Ok(request) => {
                    let text = serde_json::json!({ "user": request.user, "password": request.password }).to_string();
                    let again = read(&headers, text.as_bytes()).expect("read back");
                    assert_eq!((again.user, again.password), (request.user, request.password));
                }
                // The error repeats nothing of the body.
                Err(problem) => assert!(!format!("{problem:?} {problem}").contains("horse")),
            }
        });
        assert!(read(&HeaderMap::new(), BODIES[0].as_bytes()).is_err(), "a page of another site can send text alone");
    }
}
