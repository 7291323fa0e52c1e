//! The pages.

pub mod answer;
#[cfg(feature = "ssr")]
pub mod audit;
pub(crate) mod events;
#[cfg(feature = "ssr")]
pub mod login;
pub(crate) mod missing;
pub(crate) mod stats;
pub(crate) mod wall;
