//! The policy check: a request reaches its handler when whoever asks has what its route needs.
//!
//! Routes and what they need are in the one list of [`crate::web::router`]. What is not in it can't be reached.

use app::pages::answer;
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};

use super::method::is_safe;
use crate::{
    auth::{Peer, Principal},
    web::{
        AppState,
        denial::Denied,
        problem::{ProblemResponse, unknown_path, wrong_method},
        render,
        return_to::ReturnTo,
        route::{Audience, Route},
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
        Err(error) => return ProblemResponse::internal(error).into_response(),
    };
    match route {
        Some(route) if !route.permission.is_granted_to(principal.as_ref()) => {
            let mut response = denial(&state, route, principal.as_ref(), request.uri(), headers);
            // A page that leads to the log-in page is an invitation; a form that does was not carried out.
            if !is_safe(method) {
                response.extensions_mut().insert(Denied);
            }
            asked_by(response, principal)
        }
        _ => {
            if let Some(principal) = &principal {
                request.extensions_mut().insert(principal.clone());
            }
            asked_by(next.run(request).await, principal)
        }
    }
}

/// The answer with who asked, for the audit log.
fn asked_by(mut response: Response, principal: Option<Principal>) -> Response {
    if let Some(principal) = principal {
        response.extensions_mut().insert(principal);
    }
    response
}

/// The denial that fits who asks and what for.
fn denial(state: &AppState, route: &Route, principal: Option<&Principal>, uri: &Uri, headers: &HeaderMap) -> Response {
    match (principal, route.audience) {
        (None, Audience::Browser) => Redirect::to(&ReturnTo::of(uri, &state.routes).log_in()).into_response(),
        (None, Audience::Api | Audience::Asset) => {
            let problem = ProblemResponse::new(StatusCode::UNAUTHORIZED, "You are not logged in")
                .with_detail("Log in, or send an API token as `Authorization: Bearer TOKEN`.");
            ([(header::WWW_AUTHENTICATE, "Bearer")], problem).into_response()
        }
        (Some(principal), Audience::Browser) => {
            let body = || answer::not_allowed(route.permission.denial_reason(principal));
            render::plain(headers, principal.who(), StatusCode::FORBIDDEN, "Not allowed", &body)
        }
        (Some(principal), Audience::Api | Audience::Asset) => {
            let problem = ProblemResponse::new(StatusCode::FORBIDDEN, "You may not do this");
            problem.with_detail(route.permission.denial_reason(principal)).into_response()
        }
    }
}

#[cfg(test)]
pub(in crate::web) mod tests;
