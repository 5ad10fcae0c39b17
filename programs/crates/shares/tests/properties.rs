use proptest::prelude::*;
use shares::{Pool, PoolError, CAP_ATOMS, PAR_SHARES};

/// What may happen to a pool: somebody joins, leaves with a share of his shares, all earn, all lose.
#[derive(Clone, Debug)]
enum Step {
    Join(usize, u64),
    Leave(usize, u8),
    Earn(u64),
    Lose(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0usize..3, 1u64..1 << 45).prop_map(|(who, amount)| Step::Join(who, amount)),
        (0usize..3, 1u8..=100).prop_map(|(who, percent)| Step::Leave(who, percent)),
        (1u64..1 << 40).prop_map(Step::Earn),
        (1u8..=100).prop_map(Step::Lose),
    ];
    prop::collection::vec(step, 1..60)
}

fn percent(amount: u128, of: u8) -> u128 {
    amount * u128::from(of) / 100
}

proptest! {
    #[test]
    fn shares_are_never_worth_more_than_the_assets(steps in steps()) {
        let (mut pool, mut held) = (Pool::default(), [0u128; 3]);
        for step in steps {
            let before = pool;
            let done = match step {
                Step::Join(who, amount) => pool.join(amount).map(|shares| held[who] += shares),
                Step::Leave(who, part) => {
                    let shares = percent(held[who], part);
                    pool.leave(shares, u64::MAX, 0).map(|_| held[who] -= shares)
                }
                Step::Earn(amount) => pool.earn(amount),
                Step::Lose(part) => pool.lose(percent(u128::from(pool.assets_atoms), part) as u64),
            };
            if done.is_err() {
                pool = before;
            }
            if pool.is_used_up().unwrap() {
                (pool.shares, held) = (0, [0; 3]);
            }
            prop_assert_eq!(held.iter().sum::<u128>(), pool.shares);
            let worth: u128 = held.iter().map(|shares| u128::from(pool.value_of(*shares).unwrap())).sum();
            prop_assert!(worth <= u128::from(pool.assets_atoms));
            // Nothing that may come overflows.
            prop_assert!(pool.shares_for(CAP_ATOMS).is_ok());
        }
    }

    #[test]
    fn nobody_gains_by_joining_and_leaving(assets in 0u64..1 << 46, shares in 0u128..1 << 80, amount in 1u64..1 << 45) {
        let mut pool = Pool { assets_atoms: assets, shares };
        prop_assume!(!pool.is_used_up().unwrap());
        if let Ok(bought) = pool.join(amount) {
            prop_assert!(pool.value_of(bought).unwrap() <= amount);
        }
    }

    #[test]
    fn nobody_gains_by_making_the_first_share_dear(first in 1u64..1 << 30, given in 1u64..1 << 40, victim in 1_000_000u64..1 << 40) {
        let mut pool = Pool::default();
        let attacker = pool.join(first).unwrap();
        pool.earn(given).unwrap();
        let bought = pool.join(victim);
        prop_assert!(pool.value_of(attacker).unwrap() <= first + given);
        if let Ok(shares) = bought {
            // Robbing somebody of an atom costs a million.
            let lost = victim - pool.value_of(shares).unwrap();
            prop_assert!(u128::from(lost) <= 2 + u128::from(first + given) / PAR_SHARES);
        }
    }
}

#[test]
fn it_refuses_what_buys_nothing_and_what_there_is_not() {
    let mut pool = Pool { assets_atoms: CAP_ATOMS - 1, shares: 0 };
    assert_eq!(pool.join(1), Err(PoolError::Nothing));
    assert_eq!(pool.join(CAP_ATOMS), Err(PoolError::Full));
    assert_eq!(pool.lose(CAP_ATOMS), Err(PoolError::TooMuch));
    assert_eq!(pool.burn(1), Err(PoolError::TooMuch));
    assert_eq!(Pool::default().leave(1, u64::MAX, 0), Err(PoolError::Nothing));
}

#[test]
fn what_is_withheld_is_not_paid_out() {
    let mut pool = Pool::default();
    let shares = pool.join(1_000_000).unwrap();
    assert_eq!(pool.leave(shares / 2, u64::MAX, 400_000), Ok(300_000));
    assert_eq!(pool.leave(shares / 4, 100, 0), Ok(100));
    assert_eq!(pool.assets_atoms, 699_900);
}
