//! Numbers that tell nothing of the numbers between them.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::LazyLock,
};

/// Bits of a number that every reader of JSON keeps whole.
const BITS: u32 = 53;

/// Another key for each run of Sluice.
static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// What stands in the place of a count for somebody who may not know how much was counted: always the same for the same
/// count of the same thing, on this run. Two differ but for one chance in millions of millions.
#[must_use]
pub fn opaque_id(thing: &str, count: u64) -> u64 {
    KEY.hash_one((thing, count)) & ((1 << BITS) - 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_sealed_count_is_one_number_and_not_in_order() {
        let all: Vec<u64> = (0..1_000).map(|n| opaque_id("event", n)).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 1_000);
        assert!(!all.is_sorted() && all.iter().all(|n| *n < 1 << BITS));
        assert_eq!(all, (0..1_000).map(|n| opaque_id("event", n)).collect::<Vec<_>>());
        assert_ne!(opaque_id("event", 1), opaque_id("operation", 1));
    }
}
