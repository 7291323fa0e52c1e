//! Sluice's pages, and the words that browser and server share.

pub mod model;
