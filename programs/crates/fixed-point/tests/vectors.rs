//! The same file that pytest reads with markets/units.py.
use fixed_point::*;
use serde_json::Value;

fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/vectors/fixed_point.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn number<T: std::str::FromStr>(value: &Value, key: &str) -> T {
    let text = value[key].as_str().map_or_else(|| value[key].to_string(), str::to_owned);
    text.parse().ok().unwrap_or_else(|| panic!("{key}: {text}"))
}

fn check(group: &str, compute: impl Fn(&Value) -> Result<i128, MathError>) {
    let all = vectors();
    let cases = all[group].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let expected = if case["result"].is_null() { None } else { Some(number::<i128>(case, "result")) };
        assert_eq!(compute(case).ok(), expected, "{group}: {case}");
    }
}

#[test]
fn it_divides_rounding_down_and_up() {
    check("floor_div", |case| floor_div(number(case, "numerator"), number(case, "denominator")));
    check("ceil_div", |case| ceil_div(number(case, "numerator"), number(case, "denominator")));
}

#[test]
fn it_multiplies_tick_and_lot() {
    check("tick_lot_atoms", |case| tick_lot_atoms(number(case, "tick_e8"), number(case, "lot_e8")).map(i128::from));
}

#[test]
fn it_values_sizes() {
    check("value_at_price_e8", |case| {
        value_at_price_e8(SizeLots(number(case, "size_lots")), PriceE8(number(case, "price_e8")), number(case, "lot_e8"))
            .map(|value| value.0)
    });
}

#[test]
fn it_charges_rounding_against_the_user() {
    check("charge", |case| charge(QuoteAtoms(number(case, "amount_atoms")), number(case, "rate_ppm")).map(|value| value.0));
}

#[test]
fn it_rounds_prices_to_ticks() {
    check("ticks_from_e8", |case| {
        ticks_from_e8(PriceE8(number(case, "price_e8")), number(case, "tick_e8")).map(|ticks| i128::from(ticks.0))
    });
}
