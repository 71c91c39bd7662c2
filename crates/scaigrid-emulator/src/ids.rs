//! Ids that look random, never repeat within a process, and need no random source.

use crate::clock;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// One counter for all emulators of the process, so that ids of two emulators never meet.
static NEXT: AtomicU64 = AtomicU64::new(0);
static SEED: OnceLock<u64> = OnceLock::new();

/// The id of one request, such as `req_9f86d081884c7d65`.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

impl RequestId {
    pub(crate) fn next() -> Self {
        Self(with_prefix("req_"))
    }
}

/// `prefix` and 16 hex digits.
pub(crate) fn with_prefix(prefix: &str) -> String {
    let seed = *SEED.get_or_init(|| (clock::unix_millis() as u64) << 20);
    format!("{prefix}{:016x}", mix(seed.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed))))
}

/// `prefix` and 32 hex digits that cannot be guessed from other ids: hashes under random keys of the standard
/// library. Enough for a server on loopback; a real gateway needs a cryptographic generator.
pub(crate) fn secret(prefix: &str) -> String {
    let part = || RandomState::new().hash_one(NEXT.fetch_add(1, Ordering::Relaxed));
    format!("{prefix}{:016x}{:016x}", part(), part())
}

/// `prefix` and 16 hex digits that depend on the parts alone.
pub(crate) fn of_parts<'a>(prefix: &str, parts: impl IntoIterator<Item = &'a str>) -> String {
    format!("{prefix}{:016x}", hash(parts))
}

/// A number that looks random and depends on the parts alone.
pub(crate) fn hash<'a>(parts: impl IntoIterator<Item = &'a str>) -> u64 {
    // FNV-1a. 0xff is in no text, so it keeps the parts apart.
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let part = |hash: u64, part: &str| fold(part.as_bytes().iter().fold(hash, fold), &0xff);
    mix(parts.into_iter().fold(0xcbf2_9ce4_8422_2325, part))
}

/// The finaliser of splitmix64. It is a bijection, so different numbers stay different.
fn mix(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_do_not_repeat() {
        let ids: HashSet<String> = (0..10_000).map(|_| RequestId::next().0).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.starts_with("req_") && id.len() == 20));
    }

    #[test]
    fn secrets_are_long_and_differ() {
        let secrets = [secret("sgk_"), secret("sgk_")];
        assert_ne!(secrets[0], secrets[1]);
        assert!(secrets.iter().all(|secret| secret.starts_with("sgk_") && secret.len() == 36));
    }

    #[test]
    fn the_same_parts_give_the_same_id() {
        assert_eq!(of_parts("call_", ["ab", "c"]), of_parts("call_", ["ab", "c"]));
        assert_ne!(of_parts("call_", ["ab", "c"]), of_parts("call_", ["a", "bc"]));
    }
}
