//! The audit log: the page `/audit`, and `/api/v1/audit`.

pub(super) mod api;
pub(super) mod page;
pub(super) mod query;
