//! All tables of `sluice.db`, from the rooms that own them, for `db` to make and to bring up to date.
//!
//! A change of the tables is a migration at the end of this list. Those before it never change: files were made by them.

use crate::{audit, auth, db::Migration};

/// Every version of the tables, oldest first.
pub const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, sql: &[auth::SCHEMA, audit::SCHEMA] }, Migration { version: 2, sql: &[audit::ONE_HEAD] }];

#[cfg(test)]
mod tests;
