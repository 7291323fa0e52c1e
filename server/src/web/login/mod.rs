//! Logging in and out: the page and its form, the API, and OpenID Connect.

pub(super) mod api;
pub(super) mod oidc;
pub(super) mod page;
