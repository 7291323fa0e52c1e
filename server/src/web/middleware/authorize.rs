//! The policy check: a request reaches its handler when whoever asks has what its route needs.
//!
//! Routes and what they need are in the one list of [`crate::web::router`]. What is not in it can't be reached.

use app::pages::answer;
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};

use super::method::is_safe;
use crate::{
    auth::{ChangeError, Peer, Principal, Revoked, authz::policy::Permission},
    web::{
        AppState,
        denial::Denied,
        problem::{ProblemResponse, not_allowed, not_logged_in, unknown_path, wrong_method},
        render,
        return_to::ReturnTo,
        route::Audience,
    },
};

/// Turns a request away whose path has a route, but not for its method: 405, with the methods that it has. Nobody has to
/// be logged in for that, and it says nothing that the API's description does not.
pub(in crate::web) async fn check_method(
    State(AppState { routes, .. }): State<AppState>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let allowed = path.as_ref().map(|path| routes.allowed(path.as_str())).unwrap_or_default();
    if allowed.is_empty() || path.is_some_and(|path| routes.find(request.method(), path.as_str()).is_some()) {
        return next.run(request).await;
    }
    let allowed = HeaderValue::try_from(allowed.join(","));
    let mut response = wrong_method(request).await.into_response();
    if let Ok(allowed) = allowed {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

/// Finds out who asks, and passes a request on that has what its route needs. The [`Principal`] is among its extensions;
/// a request without one comes from nobody.
pub(in crate::web) async fn authorize(
    State(state): State<AppState>,
    path: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let (method, headers) = (request.method(), request.headers());
    let route = match &path {
        // No route: 404 for everybody, as a page or as a problem.
        None => None,
        Some(path) => match state.routes.find(method, path.as_str()) {
            Some(route) => Some(route),
            None => {
                tracing::error!(path = path.as_str(), "a route is not in the list, and can't be reached");
                return unknown_path(request).await.into_response();
            }
        },
    };
    if route.is_some_and(|route| route.audience == Audience::Asset) {
        return next.run(request).await;
    }
    let peer = Peer::of_request(&request);
    let principal = match state.auth.identify(headers, peer).await {
        Ok(principal) => principal,
        Err(error) => return ProblemResponse::from(error).into_response(),
    };
    if let Some(route) = route.filter(|route| !route.permission.is_granted_to(principal.as_ref())) {
        let response =
            denial(&state, method, route.audience, route.permission, principal.as_ref(), request.uri(), headers);
        return asked_by(response, principal);
    }
    if let Some(principal) = &principal {
        request.extensions_mut().insert(principal.clone());
    }
    asked_by(next.run(request).await, principal)
}

/// Looks again at who asks, once the body of what changes something is there: it may take ten seconds to come, and what let
/// them in may have ended. The [`Principal`] among the request's extensions is the newer one from here on.
pub(in crate::web) async fn reauthorize(
    State(state): State<AppState>,
    path: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let method = request.method();
    let Some(before) = request.extensions().get::<Principal>().filter(|_| !is_safe(method)).cloned() else {
        return next.run(request).await;
    };
    let route = path.as_ref().and_then(|path| state.routes.find(method, path.as_str()));
    let (audience, permission) =
        route.map_or((Audience::Api, Permission::Public), |route| (route.audience, route.permission));
    let principal = match state.auth.check_authority(&before, permission).await {
        Ok(principal) => Some(principal),
        // Whoever logs out and is out already has what they asked for.
        Err(ChangeError::Revoked(Revoked { now: None, .. })) if permission == Permission::Public => None,
        Err(ChangeError::Revoked(Revoked { now, .. })) => {
            return denial(&state, method, audience, permission, now.as_ref(), request.uri(), request.headers());
        }
        Err(ChangeError::Database(error)) => return ProblemResponse::from(error).into_response(),
    };
    match principal {
        Some(principal) => request.extensions_mut().insert(principal),
        None => request.extensions_mut().remove::<Principal>(),
    };
    next.run(request).await
}

/// The answer with who asked, for the audit log.
fn asked_by(mut response: Response, principal: Option<Principal>) -> Response {
    if let Some(principal) = principal {
        response.extensions_mut().insert(principal);
    }
    response
}

/// The denial that fits who asks and what for.
pub(in crate::web) fn denial(
    state: &AppState,
    method: &Method,
    audience: Audience,
    permission: Permission,
    principal: Option<&Principal>,
    uri: &Uri,
    headers: &HeaderMap,
) -> Response {
    let mut response = match (principal, audience) {
        (None, Audience::Browser) => Redirect::to(&ReturnTo::of(uri, &state.routes).log_in()).into_response(),
        (None, Audience::Api | Audience::Asset) => not_logged_in().into_response(),
        (Some(principal), Audience::Browser) => {
            let body = || answer::not_allowed(permission.denial_reason(principal));
            render::plain(headers, principal.who(), StatusCode::FORBIDDEN, "Not allowed", &body)
        }
        (Some(principal), Audience::Api | Audience::Asset) => not_allowed(permission, principal).into_response(),
    };
    // A page that leads to the log-in page is an invitation; a form that does was not carried out.
    if !is_safe(method) {
        response.extensions_mut().insert(Denied);
    }
    response
}

#[cfg(test)]
pub(in crate::web) mod tests;
