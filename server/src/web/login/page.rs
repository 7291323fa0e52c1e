//! The log-in page and its form, and the way out.

use app::pages::login::{Fault, LogIn, log_in as draw};
use axum::{
    Extension, Form, Router,
    extract::{Query, State, rejection::FormRejection},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{RETRY_AFTER, SET_COOKIE},
    },
    response::{AppendHeaders, IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use cookie::{Cookie, SameSite};

use super::oidc;
use crate::{
    auth::{
        Access, Attempt, AuthMethod, HeaderIdentity, LogInError, LoggedIn, Password, Peer, Principal, Secret,
        authn::{
            credentials::{self, DEVICE_COOKIE, SESSION_COOKIE},
            devices,
        },
        seconds,
    },
    db::DatabaseError,
    web::{
        AppState,
        form_fields::{agent, sentence},
        middleware::audit::AlreadyAudited,
        problem::Problem,
        render,
        return_to::ReturnTo,
    },
};

/// The routes of log-in and log-out for people.
pub(in crate::web) fn routes() -> Router<AppState> {
    Router::new().route("/login", get(page).post(post_form)).route("/logout", post(log_out))
}

/// The page. Who is known already is led on.
async fn page(
    State(state): State<AppState>,
    principal: Option<Extension<Principal>>,
    peer: Peer,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let next =
        query.iter().find(|(name, _)| name == "next").and_then(|(_, next)| ReturnTo::parse(next)).unwrap_or_default();
    // A display that shows a wall link may be logged in at.
    if principal.is_some_and(|Extension(principal)| !matches!(principal.means, AuthMethod::Wall(_))) {
        return Redirect::to(next.as_str()).into_response();
    }
    let fault = match state.auth.outside().said(&headers, peer) {
        HeaderIdentity::Refused(why) => Some(Fault::Other(sentence(&why))),
        HeaderIdentity::Nothing | HeaderIdentity::Ignored | HeaderIdentity::Somebody(_) => None,
    };
    answer(&state, &headers, StatusCode::OK, LogIn { next: next.as_str().to_owned(), fault, ..LogIn::default() }).await
}

/// Draws the page.
pub(in crate::web) async fn answer(state: &AppState, headers: &HeaderMap, status: StatusCode, page: LogIn) -> Response {
    let has_accounts = match state.auth.has_accounts().await {
        Ok(has) => has,
        Err(error) => return Problem::internal(error).into_response(),
    };
    let elsewhere = state.auth.outside().oidc.as_ref().map(|oidc| {
        let next = ReturnTo::parse(&page.next).unwrap_or_default();
        (format!("Log in with {}", oidc.name()), oidc::address(&next))
    });
    let page = LogIn { has_accounts, elsewhere, ..page };
    render::plain(headers, Default::default(), status, "Log in", &|| draw(page.clone()))
}

/// The form.
async fn post_form(
    State(state): State<AppState>,
    peer: Peer,
    headers: HeaderMap,
    fields: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let Ok(Form(fields)) = fields else {
        // What it says in full may hold the password.
        let fault = Some(Fault::Other("The form can't be read.".to_owned()));
        return answer(&state, &headers, StatusCode::BAD_REQUEST, LogIn { fault, ..LogIn::default() }).await;
    };
    let Posted { user, password, next } = Posted::from_fields(fields);
    let (status, wait, fault) = match try_it(&state.auth, &headers, peer, &user, password).await {
        Ok(logged_in) => return (cookies(&state.auth, &logged_in), Redirect::to(next.as_str())).into_response(),
        Err(LogInError::Wrong) => (StatusCode::UNAUTHORIZED, None, Fault::Wrong),
        Err(LogInError::Wait(wait)) => (StatusCode::TOO_MANY_REQUESTS, Some(wait), Fault::Wait(seconds(wait))),
        Err(LogInError::Busy(wait)) => (StatusCode::SERVICE_UNAVAILABLE, Some(wait), Fault::Busy(seconds(wait))),
        Err(error) => {
            tracing::error!(%error, "a log-in failed");
            (StatusCode::INTERNAL_SERVER_ERROR, None, Fault::Failed)
        }
    };
    let page = LogIn { next: next.as_str().to_owned(), user, fault: Some(fault), ..LogIn::default() };
    let mut response = answer(&state, &headers, status, page).await;
    response.extensions_mut().insert(AlreadyAudited);
    if let Some(wait) = wait {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds(wait)));
    }
    response
}

/// What the form says. Of a field that is there twice the last one counts.
struct Posted {
    user: String,
    password: Password,
    next: ReturnTo,
}

impl Posted {
    fn from_fields(fields: Vec<(String, String)>) -> Self {
        let mut out = Self { user: String::new(), password: Password::typed(String::new()), next: ReturnTo::default() };
        for (name, value) in fields {
            match name.as_str() {
                "user" => out.user = value,
                "password" => out.password = Password::typed(value),
                "next" => out.next = ReturnTo::parse(&value).unwrap_or_default(),
                _ => {}
            }
        }
        out
    }
}

/// Tries to log in with what a request shows.
pub(in crate::web) async fn try_it(
    auth: &Access,
    headers: &HeaderMap,
    peer: Peer,
    user: &str,
    password: Password,
) -> Result<LoggedIn, LogInError> {
    let attempt = Attempt {
        // What a telephone's keyboard adds.
        user: user.trim().to_owned(),
        password,
        device: credentials::secret(headers, DEVICE_COOKIE),
        session: credentials::secret(headers, SESSION_COOKIE),
        address: peer.address,
        agent: agent(headers),
    };
    auth.log_in(attempt).await
}

/// The cookies of somebody who is in.
pub(in crate::web) fn cookies(auth: &Access, logged_in: &LoggedIn) -> impl axum::response::IntoResponseParts + use<> {
    let lasts = i64::try_from(auth.limits().absolute.as_secs()).unwrap_or(i64::MAX);
    AppendHeaders([
        (SET_COOKIE, set(SESSION_COOKIE, &logged_in.token, lasts)),
        (SET_COOKIE, set(DEVICE_COOKIE, &logged_in.device, devices::LASTS / 1_000)),
    ])
}

/// The cookie of a session that began without a password.
pub(in crate::web) fn session_cookie(auth: &Access, token: &Secret) -> impl axum::response::IntoResponseParts + use<> {
    let lasts = i64::try_from(auth.limits().absolute.as_secs()).unwrap_or(i64::MAX);
    AppendHeaders([(SET_COOKIE, set(SESSION_COOKIE, token, lasts))])
}

/// Takes the session's cookie back. The other one says nothing about whether somebody is logged in, and stays.
pub(in crate::web) fn no_cookie() -> impl axum::response::IntoResponseParts + use<> {
    AppendHeaders([(SET_COOKIE, written(Cookie::new(SESSION_COOKIE, ""), 0))])
}

/// A cookie that holds a secret, for so many seconds.
pub(in crate::web) fn set(name: &'static str, secret: &Secret, lasts: i64) -> HeaderValue {
    set_text(name, &secret.reveal(), lasts)
}

/// A cookie that holds a secret with what stands before it, for so many seconds.
pub(in crate::web) fn set_text(name: &'static str, text: &str, lasts: i64) -> HeaderValue {
    written(Cookie::new(name, text.to_owned()), lasts)
}

fn written(mut cookie: Cookie<'static>, lasts: i64) -> HeaderValue {
    cookie.set_path("/");
    cookie.set_secure(true);
    cookie.set_http_only(true);
    // Not `Strict`: who follows a link to Sluice out of a chat is logged in. What acts asks where it comes from.
    cookie.set_same_site(SameSite::Lax);
    cookie.set_max_age(cookie::time::Duration::seconds(lasts));
    let mut value = HeaderValue::try_from(cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// Logs out by the form, here or everywhere.
async fn log_out(
    State(state): State<AppState>,
    principal: Option<Extension<Principal>>,
    fields: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let everywhere = fields.is_ok_and(|Form(fields)| fields.iter().any(|(n, v)| n == "everywhere" && v == "true"));
    match end(&state.auth, principal, everywhere).await {
        Ok(_) => (no_cookie(), Redirect::to("/login")).into_response(),
        Err(error) => Problem::internal(error).into_response(),
    }
}

/// Ends what a caller is logged in with; how many sessions that were.
pub(in crate::web) async fn end(
    auth: &Access,
    principal: Option<Extension<Principal>>,
    everywhere: bool,
) -> Result<usize, DatabaseError> {
    match principal {
        Some(Extension(principal)) => auth.end(&principal, everywhere).await,
        None => Ok(0),
    }
}

#[cfg(test)]
mod tests;
