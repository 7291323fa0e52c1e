//! `GET /api/v1/stats`.

pub(super) mod api;
pub(super) mod cell;
