//! The pages.

#[cfg(feature = "ssr")]
pub mod account;
#[cfg(feature = "ssr")]
pub mod account_pages;
#[cfg(feature = "ssr")]
pub mod admin;
pub mod answer;
#[cfg(feature = "ssr")]
pub mod audit;
pub(crate) mod events;
pub(crate) mod lazy;
#[cfg(feature = "ssr")]
pub mod login;
pub(crate) mod missing;
pub(crate) mod stats;
pub(crate) mod wall;
