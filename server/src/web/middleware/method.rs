//! What middleware needs to know of a request's method.

use axum::http::Method;

/// Whether it changes nothing. `TRACE` is safe by RFC 9110, too; no route takes it, so that whoever sends it is noticed.
pub(in crate::web) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Its name in figures. Clients make up names of their own, which must not become figures of their own.
pub(super) fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::TRACE => "TRACE",
        Method::CONNECT => "CONNECT",
        _ => "other",
    }
}
