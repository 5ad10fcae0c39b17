//! The same files that pytest reads with risk/liquidation.py, risk/deleveraging.py and risk/collateral.py.
use fixed_point::{PriceE8, PriceTicks, QuoteAtoms, SizeLots};
use margin::*;
use serde_json::Value;

fn cases(file: &str, name: &str) -> Vec<Value> {
    let path = format!("{}/../../../tests/vectors/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let all: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    all[name].as_array().unwrap().clone()
}

fn number<T: std::str::FromStr>(value: &Value) -> T {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.parse().ok().unwrap_or_else(|| panic!("{text}"))
}

fn numbers(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(number).collect()
}

#[test]
fn it_closes_as_little_as_helps() {
    for case in cases("liquidation", "partial_lots") {
        let freed = Freed { lot_atoms: number(&case["lot_atoms"]), rate_ppm: number(&case["rate_ppm"]), fee_ppm: number(&case["fee_ppm"]) };
        let lots = partial_lots(QuoteAtoms(number(&case["shortage_atoms"])), freed, number(&case["position_lots"])).unwrap();
        assert_eq!(lots, number::<u64>(&case["lots"]), "{case}");
    }
}

#[test]
fn it_names_the_bankruptcy_price() {
    for case in cases("liquidation", "bankruptcy_ticks") {
        let position = Marked {
            size: SizeLots(number(&case["size_lots"])),
            mark: PriceTicks(number(&case["mark_ticks"])),
            tick_lot_atoms: number(&case["tick_lot_atoms"]),
        };
        let ticks = bankruptcy_ticks(&position, QuoteAtoms(number(&case["equity_atoms"]))).unwrap();
        assert_eq!(ticks.0, number::<u64>(&case["ticks"]), "{case}");
    }
}

#[test]
fn it_limits_the_price_of_a_slice_and_of_the_backstop() {
    type Limit = fn(SizeLots, PriceTicks, u32, PriceTicks) -> Result<PriceTicks, fixed_point::MathError>;
    for (name, rate, limit) in
        [("limit_ticks", "slippage_ppm", limit_ticks as Limit), ("discounted_ticks", "discount_ppm", discounted_ticks as Limit)]
    {
        for case in cases("liquidation", name) {
            let (size, mark) = (SizeLots(number(&case["size_lots"])), PriceTicks(number(&case["mark_ticks"])));
            let ticks = limit(size, mark, number(&case[rate]), PriceTicks(number(&case["bankrupt_ticks"]))).unwrap();
            assert_eq!(ticks.0, number::<u64>(&case["ticks"]), "{case}");
        }
    }
}

#[test]
fn it_shares_lots_by_profit() {
    for case in cases("liquidation", "shares") {
        let parts = shares(number(&case["lots"]), &numbers(&case["capacities"]), &numbers(&case["weights"])).unwrap();
        assert_eq!(parts, numbers(&case["shares"]), "{case}");
    }
}

#[test]
fn it_says_how_much_of_the_next_deleveraging_falls_to_a_position() {
    for case in cases("liquidation", "queue_ppm") {
        let share = queue_ppm(QuoteAtoms(number(&case["profit_atoms"])), QuoteAtoms(number(&case["side_profit_atoms"]))).unwrap();
        assert_eq!(share, number::<u32>(&case["ppm"]), "{case}");
    }
}

#[test]
fn it_counts_collateral() {
    for case in cases("collateral", "counted") {
        let tier =
            |item: &Value| Haircut { value_from_atoms: number(&item[0]), initial_ppm: number(&item[1]), maintenance_ppm: number(&item[2]) };
        let haircuts: Vec<Haircut> = case["tiers"].as_array().unwrap().iter().map(tier).collect();
        let (amount, price) = (number(&case["amount_atoms"]), PriceE8(number(&case["price_e8"])));
        let value = asset_value(amount, price, number(&case["decimals"])).unwrap();
        for (weight, atoms) in [(Weight::Initial, "initial_atoms"), (Weight::Maintenance, "maintenance_atoms")] {
            assert_eq!(weighted_value(value, &haircuts, weight).unwrap().0, number::<i128>(&case[atoms]), "{case}");
        }
    }
}

#[test]
fn it_takes_the_price_that_is_worse_for_the_owner() {
    for case in cases("collateral", "prices") {
        let owned = number::<i64>(&case["amount_atoms"]) >= 0;
        let cautious = cautious_price(PriceE8(number(&case["price_e8"])), PriceE8(number(&case["confidence_e8"])), owned);
        assert_eq!(cautious.0, number::<u64>(&case["cautious_e8"]), "{case}");
        let initial = initial_price(cautious, PriceE8(number(&case["stable_e8"])), owned);
        assert_eq!(initial.0, number::<u64>(&case["initial_e8"]), "{case}");
    }
}
