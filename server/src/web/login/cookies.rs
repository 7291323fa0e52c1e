//! The cookies that responses set. All hold a secret, and have the same attributes.

use axum::{
    http::{HeaderValue, header::SET_COOKIE},
    response::{AppendHeaders, IntoResponseParts},
};
use cookie::{Cookie, SameSite};

use crate::auth::{
    Auth, LoggedIn, Secret,
    authn::{
        credentials::{DEVICE_COOKIE, SESSION_COOKIE},
        devices,
    },
};

/// The cookies of somebody who logged in with a password.
pub(super) fn logged_in(auth: &Auth, logged_in: &LoggedIn) -> impl IntoResponseParts + use<> {
    AppendHeaders([
        (SET_COOKIE, of_secret(SESSION_COOKIE, &logged_in.session_secret, session_lifetime(auth))),
        (SET_COOKIE, of_secret(DEVICE_COOKIE, &logged_in.device, devices::LASTS / 1_000)),
    ])
}

/// The cookie of a session that began without a password.
pub(in crate::web) fn session(auth: &Auth, secret: &Secret) -> impl IntoResponseParts + use<> {
    AppendHeaders([(SET_COOKIE, of_secret(SESSION_COOKIE, secret, session_lifetime(auth)))])
}

/// Removes the session's cookie. The device's stays: it doesn't say whether somebody is logged in.
pub(in crate::web) fn clear_session() -> impl IntoResponseParts + use<> {
    AppendHeaders([(SET_COOKIE, of_text(SESSION_COOKIE, "", 0))])
}

/// A cookie that holds a secret, for so many seconds.
pub(super) fn of_secret(name: &'static str, secret: &Secret, seconds: i64) -> HeaderValue {
    of_text(name, &secret.reveal(), seconds)
}

/// A cookie that holds a secret with its prefix, for so many seconds.
pub(in crate::web) fn of_text(name: &'static str, text: &str, seconds: i64) -> HeaderValue {
    let mut cookie = Cookie::new(name, text.to_owned());
    cookie.set_path("/");
    cookie.set_secure(true);
    cookie.set_http_only(true);
    // Not `Strict`: whoever follows a link to Sluice from a chat should be logged in. Requests that act are checked by
    // where they come from.
    cookie.set_same_site(SameSite::Lax);
    cookie.set_max_age(cookie::time::Duration::seconds(seconds));
    let mut value = HeaderValue::try_from(cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// How long a browser keeps the session's cookie, seconds.
fn session_lifetime(auth: &Auth) -> i64 {
    i64::try_from(auth.session_limits().absolute.as_secs()).unwrap_or(i64::MAX)
}
