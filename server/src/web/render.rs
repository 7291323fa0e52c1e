//! Pages that need no script: answers to the form, and to an address that there is no page for.

use app::{components::theme::Theme, document, pages::answer};
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use leptos::{
    prelude::{Owner, provide_context},
    tachys::view::any_view::AnyView,
};
use model::rights::Who;

use super::problem;
use crate::auth::Principal;

/// The policy of a page without script: only our own style.
const PLAIN_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'",
);

/// A page that needs no script; what it draws finds `who` in its context.
pub(super) fn plain(
    headers: &HeaderMap,
    who: Who,
    status: StatusCode,
    title: &str,
    body: &dyn Fn() -> AnyView,
) -> Response {
    let html = Owner::new().with(|| {
        provide_context(who);
        document(title, theme(headers), body())
    });
    (status, [(header::CONTENT_SECURITY_POLICY, PLAIN_POLICY)], Html(html)).into_response()
}

/// For a path that nothing is at: a page for a person, a problem for a program.
pub(super) async fn missing(request: Request) -> Response {
    let accepts = request.headers().get(header::ACCEPT).and_then(|a| a.to_str().ok()).unwrap_or_default();
    let is_api = request.uri().path().split('/').nth(1) == Some("api");
    if accepts.contains("text/html") && !is_api {
        let who = request.extensions().get().map(Principal::who).unwrap_or_default();
        plain(request.headers(), who, StatusCode::NOT_FOUND, "Not found", &answer::missing)
    } else {
        problem::unknown_path(request).await.into_response()
    }
}

/// Light or dark, where the browser chose.
pub(super) fn theme(headers: &HeaderMap) -> Option<Theme> {
    headers.get(header::COOKIE)?.to_str().ok().and_then(Theme::from_cookie)
}
