//! What each route needs: one table, applied in one place.
//!
//! What has no row can't be reached. A test compares the table with the routes that there are.

use app::pages::answer;
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};

use super::{audit::Denied, origin::is_safe};
use crate::{
    auth::authz::policy::Permission,
    auth::{Peer, Principal},
    web::{AppState, assets, problem::Problem, render, return_to::ReturnTo},
};

/// What a refusal looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::web) enum Audience {
    /// A page or a form, for a person.
    Browser,
    /// Anything else, for a program.
    Api,
}

/// One method of one route.
#[derive(Clone, Copy, Debug)]
pub(in crate::web) struct Row {
    pub(in crate::web) method: &'static str,
    pub(in crate::web) path: &'static str,
    pub(in crate::web) need: Permission,
    pub(in crate::web) kind: Audience,
}

const fn page(method: &'static str, path: &'static str, need: Permission) -> Row {
    Row { method, path, need, kind: Audience::Browser }
}

const fn call(method: &'static str, path: &'static str, need: Permission) -> Row {
    Row { method, path, need, kind: Audience::Api }
}

/// The table. `GET` stands for `HEAD` too.
pub(in crate::web) const ROUTES: &[Row] = &[
    page("GET", "/", Permission::Look),
    page("GET", "/stats", Permission::Look),
    page("POST", "/stats", Permission::Act),
    page("GET", "/events", Permission::Look),
    page("GET", "/wall", Permission::Display),
    page("GET", "/login", Permission::Nothing),
    page("POST", "/login", Permission::Nothing),
    // It ends what the request itself shows, and nothing else.
    page("POST", "/logout", Permission::Nothing),
    call("POST", "/api/v1/login", Permission::Nothing),
    call("POST", "/api/v1/logout", Permission::Nothing),
    call("GET", "/api/v1/me", Permission::Display),
    call("GET", "/api/v1/nodes", Permission::Look),
    call("GET", "/api/v1/stats", Permission::Look),
    call("GET", "/api/v1/info", Permission::Look),
    call("GET", "/api/v1/events", Permission::Look),
    call("POST", "/api/v1/actions", Permission::Act),
    call("GET", "/api/v1/openapi.json", Permission::Nothing),
    call("GET", "/ws", Permission::Display),
    call("GET", "/healthz", Permission::Nothing),
    call("GET", "/metrics", Permission::LookAtAll),
    call("GET", "/pkg/{*path}", Permission::Nothing),
    page("GET", "/login/oidc", Permission::Nothing),
    page("GET", "/login/oidc/callback", Permission::Nothing),
    page("GET", "/w/{token}", Permission::Nothing),
    page("GET", "/account", Permission::OwnAccount),
    page("POST", "/account/password", Permission::OwnAccount),
    page("POST", "/account/sessions/end", Permission::OwnAccount),
    page("POST", "/account/tokens/add", Permission::OwnAccount),
    page("POST", "/account/tokens/end", Permission::OwnAccount),
    page("GET", "/admin", Permission::Manage),
    page("POST", "/admin/users/add", Permission::Manage),
    page("POST", "/admin/users/role", Permission::Manage),
    page("POST", "/admin/users/groups", Permission::Manage),
    page("POST", "/admin/users/remove", Permission::Manage),
    page("POST", "/admin/sessions/end", Permission::Manage),
    page("POST", "/admin/sessions/end-all", Permission::Manage),
    page("POST", "/admin/tokens/end", Permission::Manage),
    page("POST", "/admin/walls/add", Permission::Manage),
    page("POST", "/admin/walls/end", Permission::Manage),
    call("GET", "/api/v1/sessions", Permission::OwnAccount),
    call("DELETE", "/api/v1/sessions", Permission::OwnAccount),
    call("GET", "/api/v1/tokens", Permission::OwnAccount),
    call("POST", "/api/v1/tokens", Permission::OwnAccount),
    call("DELETE", "/api/v1/tokens", Permission::OwnAccount),
    page("GET", "/audit", Permission::Admin),
    call("GET", "/api/v1/audit", Permission::Admin),
];

/// The row of a route, by the path that it was made with.
fn row(method: &Method, path: &str) -> Option<Row> {
    let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
    let found = ROUTES.iter().find(|row| row.method == method && row.path == path).copied();
    // Files of the site have the paths that the site gives them.
    found.or_else(|| (method == "GET" && assets::is_file(path)).then(|| call("GET", "", Permission::Nothing)))
}

/// Whether nothing but an answer that there is nothing stands at the path.
fn is_empty(path: &str) -> bool {
    matches!(path, "/api" | "/api/{*path}")
}

/// Finds out who asks, and passes a request on that has what its route needs. The [`Principal`] is among its extensions;
/// without one they are nobody.
pub(in crate::web) async fn authorize(
    State(state): State<AppState>,
    path: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = path.as_ref().map(MatchedPath::as_str);
    let (method, headers) = (request.method(), request.headers());
    let row = match path {
        // There is no route: the answer is that there is nothing, for everybody.
        None => None,
        Some(path) if is_empty(path) => None,
        Some(path) => match row(method, path) {
            Some(row) => Some(row),
            None => return unlisted(path, request).await,
        },
    };
    if row.is_some_and(|row| row.path.is_empty() || row.path.starts_with("/pkg/")) {
        return next.run(request).await;
    }
    let peer = Peer::of_request(&request);
    let principal = match state.auth.identify(headers, peer).await {
        Ok(principal) => principal,
        Err(error) => return Problem::internal(error).into_response(),
    };
    match row {
        Some(row) if !row.need.is_met(principal.as_ref()) => {
            let mut response = refusal(row, principal.as_ref(), request.uri(), headers);
            // A page that leads to the log-in page is an invitation; a form that does was not carried out.
            if !is_safe(method) {
                response.extensions_mut().insert(Denied);
            }
            by(response, principal)
        }
        _ => {
            if let Some(principal) = &principal {
                request.extensions_mut().insert(principal.clone());
            }
            by(next.run(request).await, principal)
        }
    }
}

/// The answer with who asked, for the record.
fn by(mut response: Response, principal: Option<Principal>) -> Response {
    if let Some(principal) = principal {
        response.extensions_mut().insert(principal);
    }
    response
}

/// For a method that a route does not have, and for a route that was forgotten in the table.
async fn unlisted(path: &str, request: Request) -> Response {
    let mut methods: Vec<&str> = ROUTES.iter().filter(|row| row.path == path).map(|row| row.method).collect();
    if assets::is_file(path) {
        methods.push("GET");
    }
    if methods.is_empty() {
        tracing::error!(path, "a route has no row in the table of needs, and can't be reached");
        return crate::web::problem::unknown_path(request).await.into_response();
    }
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    let mut response = crate::web::problem::wrong_method(request).await.into_response();
    if let Ok(value) = HeaderValue::from_str(&methods.join(",")) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

/// The refusal that fits who asks and what for.
fn refusal(row: Row, principal: Option<&Principal>, uri: &Uri, headers: &HeaderMap) -> Response {
    match (principal, row.kind) {
        (None, Audience::Browser) => Redirect::to(&ReturnTo::of(uri).log_in()).into_response(),
        (None, Audience::Api) => {
            let problem = Problem::new(StatusCode::UNAUTHORIZED, "You are not logged in")
                .with_detail("Log in, or send an API token as `Authorization: Bearer TOKEN`.");
            ([(header::WWW_AUTHENTICATE, "Bearer")], problem).into_response()
        }
        (Some(principal), Audience::Browser) => {
            let body = || answer::forbidden(row.need.missing(principal));
            render::plain(headers, principal.who(), StatusCode::FORBIDDEN, "Not allowed", &body)
        }
        (Some(principal), Audience::Api) => {
            let problem = Problem::new(StatusCode::FORBIDDEN, "You may not do this");
            problem.with_detail(row.need.missing(principal)).into_response()
        }
    }
}

#[cfg(test)]
pub(in crate::web) mod tests;
