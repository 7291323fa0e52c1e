//! What whoever asks may do: what each route needs, and what rules grant.

pub mod policy;
pub mod rules;
