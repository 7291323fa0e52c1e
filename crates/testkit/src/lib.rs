//! What the tests of several crates share. Nothing of it is in the program.

pub mod damage;
pub mod recordings;
