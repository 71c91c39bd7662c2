//! The retry budget: what it allows, alone and from many threads.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use scaigrid_retry::RetryBudget;

#[test]
fn it_pays_for_its_capacity_and_then_for_a_tenth_of_the_successes() {
    let budget = RetryBudget::default();
    assert_eq!(budget.remaining(), Some(100));
    assert_eq!((0..1000).filter(|_| budget.try_withdraw()).count(), 100);
    let retries = (0..1000).filter(|_| {
        budget.deposit();
        budget.try_withdraw()
    });
    assert_eq!(retries.count(), 100);
}

#[test]
fn it_never_holds_more_than_its_capacity() {
    let budget = RetryBudget::new(2);
    (0..1000).for_each(|_| budget.deposit());
    assert_eq!(budget.remaining(), Some(2));
}

#[test]
fn a_retry_that_was_not_sent_is_given_back() {
    let budget = RetryBudget::new(2);
    assert!(budget.try_withdraw());
    budget.refund();
    budget.refund();
    assert_eq!(budget.remaining(), Some(2));
}

#[test]
fn clones_share_the_bucket() {
    let budget = RetryBudget::new(1);
    let clone = budget.clone();
    assert!(clone.try_withdraw());
    assert!(!budget.try_withdraw());
    budget.with_successes_per_retry(1).deposit();
    assert_eq!(clone.remaining(), Some(0), "a bucket of its own");
}

#[test]
fn it_can_be_none_and_all() {
    assert!(!RetryBudget::new(0).try_withdraw());
    let unlimited = RetryBudget::unlimited().with_successes_per_retry(1000);
    assert!((0..1000).all(|_| unlimited.try_withdraw()));
    assert_eq!(unlimited.remaining(), None);
    assert!(RetryBudget::new(u32::MAX).with_successes_per_retry(u32::MAX).try_withdraw());
    assert_eq!(RetryBudget::new(3).with_successes_per_retry(0).remaining(), Some(3));
}

#[test]
fn no_token_is_lost_or_made_between_threads() {
    let budget = RetryBudget::new(1000).with_successes_per_retry(1);
    let drained: usize = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| (0..1000).filter(|_| budget.try_withdraw()).count())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(drained, 1000);
}

proptest! {
    #[test]
    fn retries_stay_within_the_price(
        successes in proptest::collection::vec(any::<bool>(), 0..2000), capacity in 0u32..50, price in 0u32..20,
    ) {
        let budget = RetryBudget::new(capacity).with_successes_per_retry(price);
        let (mut retries, mut succeeded) = (0u32, 0u32);
        for success in successes {
            if success {
                budget.deposit();
                succeeded += 1;
            } else {
                retries += u32::from(budget.try_withdraw());
            }
            prop_assert!(retries <= capacity + succeeded / price.max(1));
            prop_assert!(budget.remaining().unwrap() <= capacity);
        }
    }
}
