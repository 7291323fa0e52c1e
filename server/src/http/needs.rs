//! What each route needs: one table, applied in one place.
//!
//! What has no row can't be reached. A test compares the table with the routes that there are.

use app::{
    model::{access::Role, topic::TopicId},
    pages::answer,
};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};

use super::{AppState, assets, guard::is_safe, next::Next as NextPage, plain, problem::Problem, refusals::Refused};
use crate::access::{Caller, Means, Peer};

/// What a route needs of whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing.
    Nothing,
    /// That they may look: a viewer and more, or a wall link.
    Display,
    /// That they may look at everything that their rights show: a viewer and more.
    Look,
    /// That there is nothing that their rights hide: the figures name every node.
    LookAtAll,
    /// That they may act: an operator and more.
    Act,
    /// That they are an admin.
    Admin,
    /// That they are a person, who manages what is their own: no token, and no wall link.
    Own,
    /// That they are a person and an admin, where there are accounts.
    Manage,
}

/// What a refusal looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kindred {
    /// A page or a form, for a person.
    Page,
    /// Anything else, for a program.
    Call,
}

/// One method of one route.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) need: Need,
    pub(super) kind: Kindred,
}

const fn page(method: &'static str, path: &'static str, need: Need) -> Row {
    Row { method, path, need, kind: Kindred::Page }
}

const fn call(method: &'static str, path: &'static str, need: Need) -> Row {
    Row { method, path, need, kind: Kindred::Call }
}

/// The table. `GET` stands for `HEAD` too.
pub(super) const ROWS: &[Row] = &[
    page("GET", "/", Need::Look),
    page("GET", "/stats", Need::Look),
    page("POST", "/stats", Need::Act),
    page("GET", "/events", Need::Look),
    page("GET", "/wall", Need::Display),
    page("GET", "/login", Need::Nothing),
    page("POST", "/login", Need::Nothing),
    // It ends what the request itself shows, and nothing else.
    page("POST", "/logout", Need::Nothing),
    call("POST", "/api/v1/login", Need::Nothing),
    call("POST", "/api/v1/logout", Need::Nothing),
    call("GET", "/api/v1/me", Need::Display),
    call("GET", "/api/v1/nodes", Need::Look),
    call("GET", "/api/v1/stats", Need::Look),
    call("GET", "/api/v1/info", Need::Look),
    call("GET", "/api/v1/events", Need::Look),
    call("POST", "/api/v1/actions", Need::Act),
    call("GET", "/api/v1/openapi.json", Need::Nothing),
    call("GET", "/ws", Need::Display),
    call("GET", "/healthz", Need::Nothing),
    call("GET", "/metrics", Need::LookAtAll),
    call("GET", "/pkg/{*path}", Need::Nothing),
    page("GET", "/login/oidc", Need::Nothing),
    page("GET", "/login/oidc/callback", Need::Nothing),
    page("GET", "/w/{token}", Need::Nothing),
    page("GET", "/account", Need::Own),
    page("POST", "/account/password", Need::Own),
    page("POST", "/account/sessions/end", Need::Own),
    page("POST", "/account/tokens/add", Need::Own),
    page("POST", "/account/tokens/end", Need::Own),
    page("GET", "/admin", Need::Manage),
    page("POST", "/admin/users/add", Need::Manage),
    page("POST", "/admin/users/role", Need::Manage),
    page("POST", "/admin/users/groups", Need::Manage),
    page("POST", "/admin/users/remove", Need::Manage),
    page("POST", "/admin/sessions/end", Need::Manage),
    page("POST", "/admin/sessions/end-all", Need::Manage),
    page("POST", "/admin/tokens/end", Need::Manage),
    page("POST", "/admin/walls/add", Need::Manage),
    page("POST", "/admin/walls/end", Need::Manage),
    call("GET", "/api/v1/sessions", Need::Own),
    call("DELETE", "/api/v1/sessions", Need::Own),
    call("GET", "/api/v1/tokens", Need::Own),
    call("POST", "/api/v1/tokens", Need::Own),
    call("DELETE", "/api/v1/tokens", Need::Own),
    page("GET", "/audit", Need::Admin),
    call("GET", "/api/v1/audit", Need::Admin),
];

/// The row of a route, by the path that it was made with.
fn row(method: &Method, path: &str) -> Option<Row> {
    let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
    let found = ROWS.iter().find(|row| row.method == method && row.path == path).copied();
    // Files of the site have the paths that the site gives them.
    found.or_else(|| (method == "GET" && assets::is_file(path)).then(|| call("GET", "", Need::Nothing)))
}

/// Whether nothing but an answer that there is nothing stands at the path.
fn is_empty(path: &str) -> bool {
    matches!(path, "/api" | "/api/{*path}")
}

impl Need {
    /// Whether a caller has what it takes.
    pub(super) fn is_met(self, caller: Option<&Caller>) -> bool {
        let Some(caller) = caller else { return self == Self::Nothing };
        let is_wall = matches!(caller.means, Means::Wall(_));
        match self {
            Self::Nothing => true,
            Self::Display => caller.means != Means::Nothing,
            Self::Look => !is_wall && caller.means != Means::Nothing,
            Self::LookAtAll => Self::Look.is_met(Some(caller)) && caller.rights.sees_all(),
            Self::Act => !is_wall && caller.rights.role >= Role::Operator,
            Self::Admin => !is_wall && caller.rights.role >= Role::Admin,
            // A token that could make tokens would never end. Without accounts the first is made on the machine.
            Self::Own => matches!(caller.means, Means::Session(_) | Means::Header | Means::Open),
            Self::Manage => {
                matches!(caller.means, Means::Session(_) | Means::Header) && caller.rights.role >= Role::Admin
            }
        }
    }

    /// What a caller is missing, for a person.
    fn missing(self, caller: &Caller) -> &'static str {
        match self {
            Self::Nothing | Self::Display | Self::Look => "This needs an account: a wall link shows the wall alone.",
            Self::LookAtAll => "This names every node, and a rule hides some from you.",
            Self::Act => "This needs the role operator; yours is another. An admin can change that.",
            Self::Admin => "This needs the role admin; yours is another.",
            Self::Own => "This is for people who are logged in, not for tokens and wall links.",
            Self::Manage if caller.means == Means::Open => {
                "This needs an account with the role admin. The first one is made on the machine: \
                 sluice user add NAME --role admin --password-stdin"
            }
            Self::Manage => "This needs somebody who is logged in with the role admin.",
        }
    }
}

/// Whether a caller may subscribe to topics of that kind; which of them show anything is a matter of their rights. A wall
/// shows what is wrong, and no rows.
pub(super) fn may_follow(caller: &Caller, topic: &TopicId) -> bool {
    match topic {
        TopicId::Fleet => true,
        TopicId::Events | TopicId::Proxy { .. } | TopicId::Node { .. } => !matches!(caller.means, Means::Wall(_)),
    }
}

/// Finds out who asks, and passes a request on that has what its route needs. The [`Caller`] is among its extensions;
/// without one they are nobody.
pub(super) async fn admit(
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
    let caller = match state.access.identify(headers, peer).await {
        Ok(caller) => caller,
        Err(error) => return Problem::internal(error).into_response(),
    };
    match row {
        Some(row) if !row.need.is_met(caller.as_ref()) => {
            let mut response = refusal(row, caller.as_ref(), request.uri(), headers);
            // A page that leads to the log-in page is an invitation; a form that does was not carried out.
            if !is_safe(method) {
                response.extensions_mut().insert(Refused);
            }
            by(response, caller)
        }
        _ => {
            if let Some(caller) = &caller {
                request.extensions_mut().insert(caller.clone());
            }
            by(next.run(request).await, caller)
        }
    }
}

/// The answer with who asked, for the record.
fn by(mut response: Response, caller: Option<Caller>) -> Response {
    if let Some(caller) = caller {
        response.extensions_mut().insert(caller);
    }
    response
}

/// For a method that a route does not have, and for a route that was forgotten in the table.
async fn unlisted(path: &str, request: Request) -> Response {
    let mut methods: Vec<&str> = ROWS.iter().filter(|row| row.path == path).map(|row| row.method).collect();
    if assets::is_file(path) {
        methods.push("GET");
    }
    if methods.is_empty() {
        tracing::error!(path, "a route has no row in the table of needs, and can't be reached");
        return super::problem::unknown_path(request).await.into_response();
    }
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    let mut response = super::problem::wrong_method(request).await.into_response();
    if let Ok(value) = HeaderValue::from_str(&methods.join(",")) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

/// The refusal that fits who asks and what for.
fn refusal(row: Row, caller: Option<&Caller>, uri: &Uri, headers: &HeaderMap) -> Response {
    match (caller, row.kind) {
        (None, Kindred::Page) => Redirect::to(&NextPage::of(uri).log_in()).into_response(),
        (None, Kindred::Call) => {
            let problem = Problem::new(StatusCode::UNAUTHORIZED, "You are not logged in")
                .with_detail("Log in, or send an API token as `Authorization: Bearer TOKEN`.");
            ([(header::WWW_AUTHENTICATE, "Bearer")], problem).into_response()
        }
        (Some(caller), Kindred::Page) => {
            let body = || answer::forbidden(row.need.missing(caller));
            plain::plain(headers, caller.who(), StatusCode::FORBIDDEN, "Not allowed", &body)
        }
        (Some(caller), Kindred::Call) => {
            let problem = Problem::new(StatusCode::FORBIDDEN, "You may not do this");
            problem.with_detail(row.need.missing(caller)).into_response()
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
