//! The same vectors that pytest reads.

use auction::{Path, Range, Side};
use fixed_point::{PriceE8, PriceTicks};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../../tests/vectors/jit.json")).unwrap()
}

fn number(case: &Value, name: &str) -> u64 {
    case[name].as_u64().unwrap_or_else(|| panic!("{name} in {case}"))
}

fn side(case: &Value) -> Side {
    match case["side"].as_str().unwrap() {
        "buy" => Side::Buy,
        "sell" => Side::Sell,
        other => panic!("{other}"),
    }
}

#[test]
fn it_moves_as_the_vectors_say() {
    for case in vectors()["price"].as_array().unwrap() {
        let path = Path {
            side: side(case),
            start: PriceTicks(number(case, "start_ticks")),
            end: PriceTicks(number(case, "end_ticks")),
            slots: number(case, "slots"),
        };
        assert_eq!(path.price(number(case, "elapsed_slots")).unwrap().0, number(case, "price_ticks"), "{case}");
    }
}

#[test]
fn it_is_laid_as_the_vectors_say() {
    for case in vectors()["path"].as_array().unwrap() {
        let rate = |name| u32::try_from(number(case, name)).unwrap();
        let range = Range { start_ppm: rate("start_ppm"), end_ppm: rate("end_ppm"), percent_slots: rate("percent_slots") };
        let limit = PriceTicks(number(case, "limit_ticks"));
        let path = Path::around(side(case), PriceE8(number(case, "price_e8")), number(case, "tick_e8"), limit, &range).unwrap();
        let expected = ["start_ticks", "end_ticks", "slots"].map(|name| number(case, name));
        assert_eq!([path.start.0, path.end.0, path.slots], expected, "{case}");
    }
}
