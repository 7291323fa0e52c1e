//! Whether it really is the person who asks for what outlasts their session, or gives somebody more: a session may be stolen.

use axum::http::StatusCode;

use super::{
    account::self_service::password_denial,
    account_pages::{FormOutcome, PageError, PageRequest},
};
use crate::{
    auth::{
        AccountOrigin, LogInError, Password,
        authn::credentials::{self, DEVICE_COOKIE},
    },
    clock::now,
};

/// The form's field for the password of whoever posts it.
pub(super) const OWN_PASSWORD: &str = "own_password";

/// How long a log-in at a provider stands for it, milliseconds.
const FRESH_MS: i64 = 10 * 60_000;

/// Asks for the password of a local account, or for a log-in of the last ten minutes where a provider has the password; a
/// reverse proxy vouches for each request. Gives the answer where it is not confirmed. `action` is what the audit log
/// calls the attempt.
pub(super) async fn unconfirmed(request: &PageRequest, action: &str) -> Result<Option<FormOutcome>, PageError> {
    let PageRequest { state, principal, headers, fields, .. } = request;
    let Some(session) = state.auth.session_of(principal).await? else { return Ok(None) };
    if session.origin == AccountOrigin::Oidc {
        let is_fresh = now() - session.created <= FRESH_MS;
        let text = "This outlasts your login: log out and in again, and do it within ten minutes.";
        return Ok((!is_fresh).then(|| FormOutcome::Denied(StatusCode::FORBIDDEN, text.to_owned())));
    }
    let (password, device) =
        (Password::new(fields.get(OWN_PASSWORD).to_owned()), credentials::secret(headers, DEVICE_COOKIE));
    let name = session.user.parse()?;
    match state.auth.confirm_own_password(&name, principal, password, device, action).await {
        Ok(()) => Ok(None),
        Err(error @ (LogInError::Wrong | LogInError::Wait(_) | LogInError::Busy(_))) => {
            let (status, text) = password_denial(&error);
            Ok(Some(FormOutcome::DeniedAndAudited(status, text)))
        }
        Err(error) => Err(error.into()),
    }
}
