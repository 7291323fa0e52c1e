//! What is known of a route without its handler: its method and path, and what it needs of whoever asks.
//!
//! The list itself is in [`super::router`]; [`RouteTable`] is what policy and middleware read of it.

use std::sync::Arc;

use axum::http::Method;

use crate::auth::authz::policy::Permission;

/// For whom a route is, and so what a denial looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// A person: a page or a form.
    Browser,
    /// A program.
    Api,
    /// Any browser before it is known who uses it: a file of the site, the same for everybody.
    Asset,
}

/// One method of one path.
#[derive(Clone, Debug)]
pub(super) struct Route {
    /// Its method; `GET` stands for `HEAD` too.
    pub(super) method: Method,
    /// Its path as axum writes it, `/w/{token}`.
    pub(super) path: String,
    /// What it needs of whoever asks.
    pub(super) permission: Permission,
    /// For whom it is.
    pub(super) audience: Audience,
}

/// Every route. What is not in it can't be reached; an empty table lets nothing through. A clone is cheap.
#[derive(Clone, Debug, Default)]
pub struct RouteTable(Arc<[Route]>);

impl RouteTable {
    /// The route of a method at a path, as axum writes it.
    pub(super) fn find<'t>(&'t self, method: &Method, path: &str) -> Option<&'t Route> {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        self.at(path).find(|route| route.method == *method)
    }

    /// The methods of a path, as `Allow` names them; nothing where there is no route.
    pub(super) fn allowed<'t>(&'t self, path: &str) -> Vec<&'t str> {
        let methods = self.at(path).map(|route| route.method.as_str());
        methods.flat_map(|method| [Some(method), (method == "GET").then_some("HEAD")]).flatten().collect()
    }

    /// Whether a page that somebody has to log in for has exactly this path.
    pub(super) fn is_page(&self, path: &str) -> bool {
        self.find(&Method::GET, path)
            .is_some_and(|route| route.audience == Audience::Browser && route.permission != Permission::Public)
    }

    /// Whether a file of the site has exactly this path.
    pub(super) fn is_asset(&self, path: &str) -> bool {
        self.find(&Method::GET, path).is_some_and(|route| route.audience == Audience::Asset)
    }

    /// Every route, in the order of the list.
    #[cfg(test)]
    pub(super) fn iter(&self) -> std::slice::Iter<'_, Route> {
        self.0.iter()
    }

    fn at<'t, 'p>(&'t self, path: &'p str) -> impl Iterator<Item = &'t Route> + use<'t, 'p> {
        self.0.iter().filter(move |route| route.path == path)
    }
}

impl FromIterator<Route> for RouteTable {
    fn from_iter<I: IntoIterator<Item = Route>>(routes: I) -> Self {
        Self(routes.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_found_by_method_and_path_and_what_is_not_there_is_not() {
        let route =
            |method, path: &str, permission, audience| Route { method, path: path.into(), permission, audience };
        let table: RouteTable = [
            route(Method::GET, "/login", Permission::Public, Audience::Browser),
            route(Method::POST, "/login", Permission::Public, Audience::Browser),
            route(Method::GET, "/stats", Permission::View, Audience::Browser),
            route(Method::GET, "/api/v1/stats", Permission::View, Audience::Api),
            route(Method::POST, "/admin/walls/add", Permission::ManageAccounts, Audience::Browser),
        ]
        .into_iter()
        .collect();
        assert_eq!(table.find(&Method::HEAD, "/stats").map(|route| route.permission), Some(Permission::View));
        assert!(table.find(&Method::POST, "/stats").is_none() && table.find(&Method::GET, "/stats/").is_none());
        assert_eq!(table.allowed("/login"), ["GET", "HEAD", "POST"]);
        assert!(table.allowed("/nothing").is_empty() && RouteTable::default().allowed("/login").is_empty());
        for (path, expected) in
            [("/stats", true), ("/login", false), ("/api/v1/stats", false), ("/admin/walls/add", false)]
        {
            assert_eq!(table.is_page(path), expected, "{path}");
        }
    }
}
