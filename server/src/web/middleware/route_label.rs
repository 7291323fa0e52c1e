//! What a request's route is called where many read it: in the audit log, the log and the figures.
//!
//! Never the path itself. Whoever pastes a secret into an address finds it nowhere, and a stranger who tries many paths
//! makes one figure.

use axum::extract::MatchedPath;

use crate::web::route::RouteTable;

/// For a path without a route.
pub(super) const UNMATCHED: &str = "elsewhere";

/// For each file of the site.
const ASSETS: &str = "assets";

/// The route's path as it was declared: `/w/{token}`.
pub(super) fn route_label<'p>(routes: &RouteTable, path: Option<&'p MatchedPath>) -> &'p str {
    match path.map(MatchedPath::as_str) {
        None => UNMATCHED,
        Some(path) if routes.is_asset(path) => ASSETS,
        Some(path) => path,
    }
}
