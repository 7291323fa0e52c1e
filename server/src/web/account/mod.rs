//! One's own account: the page `/account`, and `/api/v1/sessions` and `/api/v1/tokens`.

pub(super) mod api;
pub(super) mod page;
pub(super) mod self_service;
