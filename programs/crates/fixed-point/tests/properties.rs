use fixed_point::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn it_brackets_the_exact_quotient(numerator in -(1i128 << 100)..(1i128 << 100), denominator in 1i128..(1 << 60)) {
        let (floor, ceil) = (floor_div(numerator, denominator).unwrap(), ceil_div(numerator, denominator).unwrap());
        prop_assert!(floor * denominator <= numerator && numerator <= ceil * denominator);
        prop_assert_eq!(ceil - floor, i128::from(numerator % denominator != 0));
    }

    #[test]
    fn it_never_gives_away_by_rounding(a in 0u128..(1 << 60), b in 0u128..(1 << 60), c in 1u128..(1 << 60)) {
        let (floor, ceil) = (mul_div_floor(a, b, c).unwrap(), mul_div_ceil(a, b, c).unwrap());
        prop_assert!(floor * c <= a * b && a * b <= ceil * c && ceil - floor <= 1);
    }

    #[test]
    fn it_values_opposite_sizes_at_a_loss_of_at_most_one(size in 1i64..(1 << 50), price in 1u64..(1 << 46), lot in 1u64..100_000_000) {
        let long = value_at_price_e8(SizeLots(size), PriceE8(price), lot).unwrap().0;
        let short = value_at_price_e8(SizeLots(-size), PriceE8(price), lot).unwrap().0;
        prop_assert!(long + short == 0 || long + short == -1);
    }

    #[test]
    fn it_refuses_to_overflow(a in any::<u128>(), b in any::<u128>(), c in any::<u128>()) {
        match a.checked_mul(b) {
            None => prop_assert_eq!(mul_div_floor(a, b, c), Err(MathError::Overflow)),
            Some(_) if c == 0 => prop_assert_eq!(mul_div_floor(a, b, c), Err(MathError::DivisionByZero)),
            Some(product) => prop_assert_eq!(mul_div_floor(a, b, c), Ok(product / c)),
        }
    }
}
