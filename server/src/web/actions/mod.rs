//! Acting on servers: `POST /api/v1/actions`, and the form of the Stats page.

pub(super) mod api;
pub(super) mod form;
