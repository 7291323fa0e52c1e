//! How the list of routes is written down: an entry each, with what stands between its handler and an answer.

use axum::{
    handler::Handler,
    http::Method,
    routing::{MethodFilter, MethodRouter, on},
};
use tower_http::compression::CompressionLayer;

use super::{
    AppState,
    openapi::Description,
    route::{Audience, Route},
};
use crate::auth::authz::policy::Permission;

/// One entry of the list.
#[derive(Clone)]
pub(super) struct ListedRoute {
    /// What is known of it without its handler.
    pub(super) route: Route,
    /// Its handler.
    pub(super) handler: MethodRouter<AppState>,
    /// What `openapi.json` says of it; pages, forms and files are not in there.
    pub(super) description: Option<Description>,
}

/// The list of routes.
#[derive(Default)]
pub(super) struct RouteList(Vec<ListedRoute>);

impl RouteList {
    /// Every entry, in order.
    pub(super) fn iter(&self) -> std::slice::Iter<'_, ListedRoute> {
        self.0.iter()
    }

    /// A page for a person.
    pub(super) fn page<H, T>(self, path: &str, permission: Permission, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        self.made(Method::GET, path, permission, Audience::Browser, handler)
    }

    /// A form that a person posts.
    pub(super) fn form<H, T>(self, path: &str, permission: Permission, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        self.made(Method::POST, path, permission, Audience::Browser, handler)
    }

    /// What a program reads.
    pub(super) fn get<H, T>(self, path: &str, permission: Permission, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        self.made(Method::GET, path, permission, Audience::Api, handler)
    }

    /// What a program has done.
    pub(super) fn post<H, T>(self, path: &str, permission: Permission, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        self.made(Method::POST, path, permission, Audience::Api, handler)
    }

    /// What a program ends.
    pub(super) fn delete<H, T>(self, path: &str, permission: Permission, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        self.made(Method::DELETE, path, permission, Audience::Api, handler)
    }

    /// Describes the route that was added last.
    pub(super) fn described(mut self, description: Description) -> Self {
        if let Some(entry) = self.0.last_mut() {
            entry.description = Some(description);
        }
        self
    }

    /// Files, which the site has in every form in which they are sent.
    pub(super) fn assets<H, T>(self, paths: impl Iterator<Item = String>, handler: &H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        paths.fold(self, |list, path| {
            let (method, permission, audience) = (Method::GET, Permission::Public, Audience::Asset);
            list.entry(Route { method, path, permission, audience }, on(MethodFilter::GET, handler.clone()))
        })
    }

    /// An answer that is made when it is asked for, and compressed then.
    fn made<H, T>(self, method: Method, path: &str, permission: Permission, audience: Audience, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        let filter = match method {
            Method::POST => MethodFilter::POST,
            Method::DELETE => MethodFilter::DELETE,
            _ => MethodFilter::GET,
        };
        let route = Route { method, path: path.to_owned(), permission, audience };
        self.entry(route, on(filter, handler).layer(CompressionLayer::new()))
    }

    fn entry(mut self, route: Route, handler: MethodRouter<AppState>) -> Self {
        self.0.push(ListedRoute { route, handler, description: None });
        self
    }
}
