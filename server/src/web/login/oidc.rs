//! Log-in at an OpenID Connect provider: the route that redirects there, and the one that the provider redirects back to.

use app::pages::login::{LogIn, LogInFailure};
use axum::{
    Extension,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::{AppendHeaders, IntoResponse as _, Redirect, Response},
};
use model::text::is_hidden;

use super::{cookies, page};
use crate::{
    audit::{Entry, Kind},
    auth::{
        AccountOrigin, ExternalIdentity, ExternalIdentityError, NewSession, Peer, Principal, ProviderKind, Secret,
        authn::{
            credentials::{self, OIDC_COOKIE, SESSION_COOKIE},
            oidc::{AuthorizationRequest, Callback, ConfirmedLogIn, Oidc, OidcError},
        },
    },
    web::{
        AppState,
        denial::AlreadyAudited,
        form_fields::{sentence, user_agent},
        return_to::ReturnTo,
    },
};

/// How long a browser keeps the cookie, seconds: as long as a log-in may take.
const COOKIE_LIFETIME: i64 = 600;

/// Why nobody was logged in.
#[derive(Debug, thiserror::Error)]
enum OidcLogInError {
    #[error(transparent)]
    Provider(#[from] OidcError),
    #[error(transparent)]
    ExternalIdentity(#[from] ExternalIdentityError),
    #[error("the session could not begin; the log of Sluice says why")]
    Session,
}

/// Redirects to the provider.
pub(in crate::web) async fn begin(
    State(state): State<AppState>,
    peer: Peer,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let return_to = ReturnTo::of_query(&query, &state.routes);
    let Some(oidc) = state.auth.identity_providers().oidc.clone() else {
        return Redirect::to(&return_to.log_in()).into_response();
    };
    match oidc.begin(return_to.as_str(), credentials::cookie(&headers, OIDC_COOKIE), peer.address).await {
        Ok(AuthorizationRequest { address, browser }) => {
            let cookie = Secret::parse(&browser)
                .map(|browser| (SET_COOKIE, cookies::of_secret(OIDC_COOKIE, &browser, COOKIE_LIFETIME)));
            (AppendHeaders(cookie), Redirect::to(&address)).into_response()
        }
        Err(error) => deny(&state, &headers, peer, &return_to, error.into()).await,
    }
}

/// Begins the session of somebody who comes back from the provider, or says why not.
pub(in crate::web) async fn finish(
    State(state): State<AppState>,
    peer: Peer,
    headers: HeaderMap,
    query: Result<Query<Callback>, QueryRejection>,
) -> Response {
    let Some(oidc) = state.auth.identity_providers().oidc.clone() else {
        return Redirect::to("/login").into_response();
    };
    // A parameter that is there twice makes the query unreadable: another program might read the other one of the two.
    let callback = query.map(|Query(callback)| callback).unwrap_or_default();
    match begin_session(&state, &oidc, &headers, peer, callback).await {
        Ok((secret, return_to)) => {
            (cookies::session(&state.auth, &secret), Redirect::to(&return_to.after_log_in())).into_response()
        }
        Err(error) => deny(&state, &headers, peer, &ReturnTo::default(), error).await,
    }
}

async fn begin_session(
    state: &AppState,
    oidc: &Oidc,
    headers: &HeaderMap,
    peer: Peer,
    callback: Callback,
) -> Result<(Secret, ReturnTo), OidcLogInError> {
    let browser = credentials::cookie(headers, OIDC_COOKIE);
    let ConfirmedLogIn { person, return_to } = oidc.finish(callback, browser, peer.address).await?;
    let roles = &state.auth.identity_providers().roles;
    let ExternalIdentity { name, groups, role } =
        ExternalIdentity::admit(ProviderKind::Oidc, &person.name, person.groups, roles)?;
    let (origin, agent) = (AccountOrigin::Oidc, user_agent(headers));
    let new = NewSession { user: name, origin, role, groups, address: peer.address, agent };
    // A name may pass to somebody else at the provider; the subject does not.
    let subject: String = person.subject.chars().filter(|c| !is_hidden(*c)).take(200).collect();
    let old = credentials::secret(headers, SESSION_COOKIE);
    let begun = state.auth.begin_session(new, old, &format!("OpenID Connect, subject {subject:?}")).await;
    let (secret, _) = begun.map_err(|error| {
        tracing::error!(%error, "a session could not begin");
        OidcLogInError::Session
    })?;
    Ok((secret, ReturnTo::parse(&return_to, &state.routes).unwrap_or_default()))
}

/// The log-in page with what went wrong, which is logged and audited.
async fn deny(
    state: &AppState,
    headers: &HeaderMap,
    peer: Peer,
    return_to: &ReturnTo,
    error: OidcLogInError,
) -> Response {
    let status = match &error {
        OidcLogInError::Provider(OidcError::Unavailable { .. }) => StatusCode::BAD_GATEWAY,
        OidcLogInError::Provider(OidcError::Busy) => StatusCode::SERVICE_UNAVAILABLE,
        OidcLogInError::Provider(OidcError::Wait(_)) => StatusCode::TOO_MANY_REQUESTS,
        OidcLogInError::Provider(OidcError::UnknownState) => StatusCode::BAD_REQUEST,
        OidcLogInError::Provider(_) | OidcLogInError::ExternalIdentity(_) => StatusCode::FORBIDDEN,
        OidcLogInError::Session => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let who = match &error {
        OidcLogInError::ExternalIdentity(ExternalIdentityError::NoRole(name)) => name.as_str(),
        _ => "unknown account",
    };
    tracing::warn!(address = %peer.address, who, why = %error, "a log-in by OpenID Connect failed");
    let entry = Principal::anonymous(who, peer.address).entry(Kind::Login, "log-in");
    let entry = Entry { outcome: "refused".to_owned(), detail: format!("OpenID Connect: {error}"), ..entry };
    state.auth.audit_denial(entry).await;
    let fault = Some(LogInFailure::Other(sentence(&error)));
    let page = LogIn { next: return_to.as_str().to_owned(), fault, ..LogIn::default() };
    (Extension(AlreadyAudited), page::respond(state, headers, status, page).await).into_response()
}

#[cfg(test)]
mod tests;
