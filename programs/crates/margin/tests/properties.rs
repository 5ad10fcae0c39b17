use fixed_point::{PriceE8, PriceTicks, QuoteAtoms, SizeLots};
use margin::*;
use proptest::prelude::*;

/// Tiers as an exchange lists them: rates rise, each deduction makes the sum continuous.
fn tiers() -> impl Strategy<Value = Vec<Tier>> {
    prop::collection::vec((1i128..1_000_000, 1u32..40_000), 1..6).prop_map(|steps| {
        let (mut from, mut rate, mut deduction) = (0i128, 0u32, 0i128);
        let mut tiers = Vec::new();
        for (place, (width, more)) in steps.into_iter().enumerate() {
            if place > 0 {
                from += width * 1_000_000;
                deduction += from * i128::from(more) / 1_000_000;
            }
            rate += more;
            tiers.push(Tier {
                notional_from_atoms: from,
                maintenance_ppm: rate,
                deduction_atoms: deduction,
                max_leverage: (500_000 / rate).max(1),
            });
        }
        tiers
    })
}

proptest! {
    #[test]
    fn it_never_asks_less_for_more(tiers in tiers(), first in 0i128..1_000_000_000_000_000, more in 0i128..1_000_000_000_000, leverage in 1u32..100) {
        let (small, large) = (QuoteAtoms(first), QuoteAtoms(first + more));
        prop_assert!(maintenance_margin(small, &tiers).unwrap() <= maintenance_margin(large, &tiers).unwrap());
        prop_assert!(initial_margin(small, leverage, &tiers).unwrap() <= initial_margin(large, leverage, &tiers).unwrap());
    }

    #[test]
    fn it_is_continuous_at_the_edges(tiers in tiers()) {
        for tier in &tiers[1..] {
            let before = maintenance_margin(QuoteAtoms(tier.notional_from_atoms - 1), &tiers).unwrap().0;
            let at = maintenance_margin(QuoteAtoms(tier.notional_from_atoms), &tiers).unwrap().0;
            prop_assert!((0..=1).contains(&(at - before)));
        }
    }

    #[test]
    fn it_liquidates_at_the_price_and_not_one_tick_before(
        tiers in tiers(), size in prop_oneof![-1_000_000i64..0, 1i64..1_000_000], mark in 1u64..10_000_000, equity in 1i128..10_000_000_000_000,
    ) {
        let exposure = |ticks: u64| {
            let moved = i128::from(size) * (i128::from(ticks) - i128::from(mark)) * 100;
            Exposure { size: SizeLots(size), mark: PriceTicks(ticks), tick_lot_atoms: 100, equity: QuoteAtoms(equity + moved), other_maintenance: QuoteAtoms(0) }
        };
        let short = |ticks: u64| liquidation_ticks(&exposure(ticks), &tiers).unwrap().0 == ticks;
        let found = liquidation_ticks(&exposure(mark), &tiers).unwrap().0;
        if found > 0 {
            prop_assert!(short(found));
            let before = if size > 0 { found + 1 } else { found - 1 };
            prop_assert!(found == mark || !short(before));
        }
    }

    #[test]
    fn it_pays_no_more_than_it_takes(size in 1i64..1_000_000_000, index in 1u64..10_000_000_000_000, lot in 1u64..1_000_000, rate in -5_000_000i64..5_000_000) {
        let long = payment_atoms(SizeLots(size), PriceE8(index), lot, rate).unwrap().0;
        let short = payment_atoms(SizeLots(-size), PriceE8(index), lot, rate).unwrap().0;
        prop_assert!(long + short == 0 || long + short == -1);
        prop_assert!(rate == 0 || long.signum() * i128::from(rate.signum()) <= 0);
    }

    #[test]
    fn it_keeps_the_rate_inside_its_cap(premium in -1_000_000_000i64..1_000_000_000, cap in 0i64..40_000_000) {
        let rate = eight_hour_rate_ppb(premium, Interest { interest_ppb: 100_000, clamp_ppb: 500_000, cap_ppb: cap }).unwrap();
        prop_assert!(rate.abs() <= cap);
        prop_assert!((hourly_rate_ppb(rate) * 8 - rate).abs() < 8);
    }
}

#[test]
fn it_values_a_mark_that_is_short_already() {
    let tiers = [Tier { notional_from_atoms: 0, maintenance_ppm: 12_500, deduction_atoms: 0, max_leverage: 40 }];
    let exposure = Exposure {
        size: SizeLots(1),
        mark: PriceTicks(1_000),
        tick_lot_atoms: 100,
        equity: QuoteAtoms(0),
        other_maintenance: QuoteAtoms(0),
    };
    assert_eq!(liquidation_ticks(&exposure, &tiers), Ok(PriceTicks(1_000)));
}
