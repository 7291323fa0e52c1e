//! What several pages draw alike.

pub(crate) mod account;
pub(crate) mod brand;
pub(crate) mod events;
pub(crate) mod link;
pub(crate) mod modal;
pub(crate) mod nav;
pub(crate) mod segments;
pub(crate) mod spark;
pub(crate) mod status;
pub mod theme;
