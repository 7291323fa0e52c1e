//! Authorization: what whoever is asking may see and do.

pub mod policy;
pub mod roles;
pub mod rules;
