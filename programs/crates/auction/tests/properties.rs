use auction::{Path, Range, Side, MOST_SLOTS};
use fixed_point::{PriceE8, PriceTicks};
use proptest::prelude::*;

proptest! {
    #[test]
    fn nobody_pays_more_than_he_signed(
        buys in any::<bool>(), price in 1u64..1 << 50, tick in 1u64..1 << 24, limit in 1u64..1 << 40,
        start in 0u32..100_000, end in 0u32..100_000, percent in 1u32..1_000, first in 0u64..400, later in 0u64..400,
    ) {
        let side = if buys { Side::Buy } else { Side::Sell };
        let range = Range { start_ppm: start, end_ppm: end, percent_slots: percent };
        let path = Path::around(side, PriceE8(price), tick, PriceTicks(limit), &range).unwrap();
        prop_assert!((1..=MOST_SLOTS).contains(&path.slots));
        let (early, late) = (path.price(first.min(later)).unwrap(), path.price(first.max(later)).unwrap());
        // The path gets worse with time and ends inside the limit.
        let (worst, ordered) = if buys { (late.0 <= limit, early <= late) } else { (late.0 >= limit, early >= late) };
        prop_assert!(worst && ordered);
        prop_assert!(path.accepts(early, late));
        prop_assert_eq!(path.price(path.slots).unwrap(), path.end);
        prop_assert_eq!(path.price(0).unwrap(), path.start);
    }
}
