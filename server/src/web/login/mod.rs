//! Logging in and out: the page and its form, the API, and OpenID Connect.

pub(super) mod api;
pub(super) mod cookies;
pub(super) mod oidc;
pub(super) mod page;

use axum::{Extension, http::HeaderMap};

use super::form_fields::user_agent;
use crate::auth::{
    Auth, ChangeError, LogInAttempt, LogInError, LoggedIn, Password, Peer, Principal,
    authn::credentials::{self, DEVICE_COOKIE, SESSION_COOKIE},
};

/// Tries to log in with name and password, and with the cookies that came with the request.
async fn try_log_in(
    auth: &Auth,
    headers: &HeaderMap,
    peer: Peer,
    user: &str,
    password: Password,
) -> Result<LoggedIn, LogInError> {
    let attempt = LogInAttempt {
        // The keyboards of telephones add a space after a word.
        user: user.trim().to_owned(),
        password,
        device: credentials::secret(headers, DEVICE_COOKIE),
        session: credentials::secret(headers, SESSION_COOKIE),
        address: peer.address,
        agent: user_agent(headers),
    };
    auth.log_in(attempt).await
}

/// Ends the session of a request, or every session of its account; returns how many ended.
async fn log_out(auth: &Auth, principal: Option<Extension<Principal>>, everywhere: bool) -> Result<usize, ChangeError> {
    match principal {
        Some(Extension(principal)) => auth.log_out(&principal, everywhere).await,
        None => Ok(0),
    }
}
