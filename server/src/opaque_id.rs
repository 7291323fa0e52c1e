//! Numbers that do not show how many lie between two of them.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::LazyLock,
};

/// Bits of a number that every reader of JSON keeps whole.
const BITS: u32 = 53;

/// Each run of Sluice has a key of its own.
static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A number in place of a count, for those who may not know how much was counted. On one run it is always the same for the
/// same count of the same thing. Two of them are equal with a chance of one in 2^53.
#[must_use]
pub fn opaque_id(thing: &str, count: u64) -> u64 {
    KEY.hash_one((thing, count)) & ((1 << BITS) - 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_opaque_count_is_one_number_and_not_in_order() {
        let all: Vec<u64> = (0..1_000).map(|n| opaque_id("event", n)).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 1_000);
        assert!(!all.is_sorted() && all.iter().all(|n| *n < 1 << BITS));
        assert_eq!(all, (0..1_000).map(|n| opaque_id("event", n)).collect::<Vec<_>>());
        assert_ne!(opaque_id("event", 1), opaque_id("operation", 1));
    }
}
