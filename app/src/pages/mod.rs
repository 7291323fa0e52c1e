//! The pages.

#[cfg(feature = "ssr")]
pub mod account;
#[cfg(feature = "ssr")]
pub mod admin;
pub mod answer;
#[cfg(feature = "ssr")]
pub mod audit;
pub(crate) mod events;
#[cfg(feature = "ssr")]
pub mod login;
#[cfg(feature = "ssr")]
pub mod managed;
pub(crate) mod missing;
pub(crate) mod stats;
pub(crate) mod wall;
