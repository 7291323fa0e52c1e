//! The pages.

pub mod answer;
pub(crate) mod events;
pub(crate) mod missing;
pub(crate) mod stats;
pub(crate) mod wall;
