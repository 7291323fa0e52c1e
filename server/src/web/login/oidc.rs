//! Log-in at an OpenID Connect provider: the way there, and the way back.

use app::pages::login::{Fault, LogIn};
use axum::{
    Extension, Router,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::{AppendHeaders, IntoResponse as _, Redirect, Response},
    routing::get,
};

use super::page;
use crate::{
    audit::{Entry, Kind},
    auth::{
        ExternalIdentityError, NewSession, Origin, Peer, Principal, ProviderKind, Secret,
        authn::{
            credentials::{self, OIDC_COOKIE, SESSION_COOKIE},
            oidc::{Finished, Oidc, OidcError, Returned},
        },
    },
    web::{
        AppState,
        form_fields::{agent, sentence},
        middleware::audit::AlreadyAudited,
        return_to::ReturnTo,
    },
};

/// How long a browser keeps the cookie, seconds: as long as a log-in may take.
const LASTS: i64 = 600;

/// Why nobody was logged in.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Provider(#[from] OidcError),
    #[error(transparent)]
    ExternalIdentity(#[from] ExternalIdentityError),
    #[error("the session could not begin; the log of Sluice says why")]
    Session,
}

/// The routes.
pub(in crate::web) fn routes() -> Router<AppState> {
    Router::new().route("/login/oidc", get(begin)).route("/login/oidc/callback", get(finish))
}

/// The address that begins a log-in which leads to `next`.
pub(in crate::web) fn address(next: &ReturnTo) -> String {
    next.log_in().replacen("/login", "/login/oidc", 1)
}

/// Leads to the provider.
async fn begin(
    State(state): State<AppState>,
    peer: Peer,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let next =
        query.iter().find(|(name, _)| name == "next").and_then(|(_, next)| ReturnTo::parse(next)).unwrap_or_default();
    let Some(oidc) = state.auth.outside().oidc.clone() else { return Redirect::to(&next.log_in()).into_response() };
    match oidc.begin(next.as_str(), credentials::cookie(&headers, OIDC_COOKIE), peer.address).await {
        Ok(begun) => {
            let cookie =
                Secret::parse(&begun.browser).map(|browser| (SET_COOKIE, page::set(OIDC_COOKIE, &browser, LASTS)));
            (AppendHeaders(cookie), Redirect::to(&begun.address)).into_response()
        }
        Err(error) => refuse(&state, &headers, peer, &next, error.into()).await,
    }
}

/// Takes who comes back from the provider in, or says why not.
async fn finish(
    State(state): State<AppState>,
    peer: Peer,
    headers: HeaderMap,
    query: Result<Query<Returned>, QueryRejection>,
) -> Response {
    let Some(oidc) = state.auth.outside().oidc.clone() else { return Redirect::to("/login").into_response() };
    // Something twice is nothing: of two, another program might believe the other one.
    let returned = query.map(|Query(returned)| returned).unwrap_or_default();
    match enter(&state, &oidc, &headers, peer, returned).await {
        Ok((token, next)) => (page::session_cookie(&state.auth, &token), Redirect::to(next.as_str())).into_response(),
        Err(failure) => refuse(&state, &headers, peer, &ReturnTo::default(), failure).await,
    }
}

async fn enter(
    state: &AppState,
    oidc: &Oidc,
    headers: &HeaderMap,
    peer: Peer,
    returned: Returned,
) -> Result<(Secret, ReturnTo), Failure> {
    let browser = credentials::cookie(headers, OIDC_COOKIE);
    let Finished { person, next } = oidc.finish(returned, browser).await?;
    let outsider = state.auth.outside().roles.admit(ProviderKind::Oidc, &person.name, person.groups)?;
    let new = NewSession {
        user: outsider.name,
        origin: Origin::Oidc,
        role: outsider.role,
        groups: outsider.groups,
        address: peer.address,
        agent: agent(headers),
    };
    // A name may change hands at the provider; the subject does not.
    let subject: String = person.subject.chars().filter(|c| !c.is_control()).take(200).collect();
    let old = credentials::secret(headers, SESSION_COOKIE);
    let began = state.auth.begin(new, old, &format!("OpenID Connect, subject {subject:?}")).await;
    let (token, _) = began.map_err(|error| {
        tracing::error!(%error, "a session could not begin");
        Failure::Session
    })?;
    Ok((token, ReturnTo::parse(&next).unwrap_or_default()))
}

/// The log-in page with what went wrong; tells log and record.
async fn refuse(state: &AppState, headers: &HeaderMap, peer: Peer, next: &ReturnTo, failure: Failure) -> Response {
    let status = match &failure {
        Failure::Provider(OidcError::Down { .. }) => StatusCode::BAD_GATEWAY,
        Failure::Provider(OidcError::Busy) => StatusCode::SERVICE_UNAVAILABLE,
        Failure::Provider(OidcError::Unknown) => StatusCode::BAD_REQUEST,
        Failure::Provider(_) | Failure::ExternalIdentity(_) => StatusCode::FORBIDDEN,
        Failure::Session => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let who = match &failure {
        Failure::ExternalIdentity(ExternalIdentityError::NoRole(name)) => name.as_str(),
        _ => "unknown account",
    };
    tracing::warn!(address = %peer.address, who, why = %failure, "a log-in by OpenID Connect failed");
    let entry = Principal::nobody(who, peer.address).entry(Kind::Login, "log-in");
    let entry = Entry { outcome: "refused".to_owned(), detail: format!("OpenID Connect: {failure}"), ..entry };
    state.auth.tell_refusal(entry).await;
    let fault = Some(Fault::Other(sentence(&failure)));
    let page = LogIn { next: next.as_str().to_owned(), fault, ..LogIn::default() };
    (Extension(AlreadyAudited), page::answer(state, headers, status, page).await).into_response()
}

#[cfg(test)]
mod tests;
