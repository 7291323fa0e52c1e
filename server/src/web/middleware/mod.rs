//! What each request passes through before its handler, and each answer afterwards; [`super::router`] has their order.

pub(super) mod audit;
pub(super) mod authorize;
pub(super) mod client_address;
pub(super) mod headers;
pub(super) mod limits;
pub(super) mod origin;
