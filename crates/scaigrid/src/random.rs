//! Numbers that differ, for jitter and for names of files. Nothing here needs to be unpredictable, so the keys of the standard
//! library's hash maps are enough, and no crate is needed.

use std::hash::{BuildHasher, RandomState};

/// Any number.
pub(crate) fn number() -> u64 {
    // Each state has another key.
    RandomState::new().hash_one(())
}

/// From 0 to just below 1, evenly.
pub(crate) fn fraction() -> f64 {
    // 53 bits are what a float holds.
    (number() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_differ_and_fractions_are_spread_evenly() {
        assert_eq!((0..10_000).map(|_| number()).collect::<HashSet<_>>().len(), 10_000);
        let mut tenths = [0; 10];
        for _ in 0..100_000 {
            tenths[(fraction() * 10.0) as usize] += 1;
        }
        // Ten standard deviations.
        assert!(tenths.iter().all(|&count: &i32| (count - 10_000).abs() < 1_000), "{tenths:?}");
    }
}
