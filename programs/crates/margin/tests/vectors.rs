//! The same files that pytest reads with risk/margin.py and risk/funding.py.
use fixed_point::{PriceE8, PriceTicks, QuoteAtoms, SizeLots};
use margin::*;
use serde_json::Value;

fn vectors(name: &str) -> Value {
    let path = format!("{}/../../../tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn number<T: std::str::FromStr>(value: &Value) -> T {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.parse().ok().unwrap_or_else(|| panic!("{text}"))
}

fn tiers(value: &Value) -> Vec<Tier> {
    let tier = |item: &Value| Tier {
        notional_from_atoms: number(&item[0]),
        maintenance_ppm: number(&item[1]),
        deduction_atoms: number(&item[2]),
        max_leverage: number(&item[3]),
    };
    value.as_array().unwrap().iter().map(tier).collect()
}

/// A case may bring tiers of its own.
fn tiers_of(all: &Value, case: &Value) -> Vec<Tier> {
    tiers(if case["tiers"].is_array() { &case["tiers"] } else { &all["tiers"] })
}

#[test]
fn it_computes_maintenance_margin() {
    let all = vectors("margin");
    for case in all["maintenance"].as_array().unwrap() {
        let atoms = maintenance_margin(QuoteAtoms(number(&case["notional_atoms"])), &tiers_of(&all, case)).unwrap();
        assert_eq!(atoms.0, number::<i128>(&case["atoms"]), "{case}");
    }
}

#[test]
fn it_computes_initial_margin() {
    let all = vectors("margin");
    for case in all["initial"].as_array().unwrap() {
        let notional = QuoteAtoms(number(&case["notional_atoms"]));
        let atoms = initial_margin(notional, number(&case["leverage"]), &tiers_of(&all, case)).unwrap();
        assert_eq!(atoms.0, number::<i128>(&case["atoms"]), "{case}");
    }
}

#[test]
fn it_computes_the_margins_of_published_tables() {
    let all = vectors("margin");
    for case in all["tiered"]["cases"].as_array().unwrap() {
        let table = tiers(&all["tables"]["rows"][case["table"].as_str().unwrap()]);
        let notional = QuoteAtoms(number(&case["notional_atoms"]));
        let initial = initial_margin(notional, number(&case["leverage"]), &table).unwrap();
        let maintenance = maintenance_margin(notional, &table).unwrap();
        assert_eq!(initial.0, number::<i128>(&case["initial_atoms"]), "{case}");
        assert_eq!(maintenance.0, number::<i128>(&case["maintenance_atoms"]), "{case}");
    }
}

#[test]
fn it_adds_to_the_margin_of_concentrated_positions() {
    for case in vectors("margin")["concentrated"]["cases"].as_array().unwrap() {
        let atoms = |name: &str| QuoteAtoms(number(&case[name]));
        let margin = concentrated_margin(atoms("initial_atoms"), atoms("notional_atoms"), atoms("from_atoms"), number(&case["rate_ppm"]));
        assert_eq!(margin.unwrap(), atoms("atoms"), "{case}");
    }
}

#[test]
fn it_finds_the_liquidation_price() {
    let all = vectors("margin");
    for case in all["liquidation"].as_array().unwrap() {
        let exposure = Exposure {
            size: SizeLots(number(&case["size_lots"])),
            mark: PriceTicks(number(&case["mark_ticks"])),
            tick_lot_atoms: number(&case["tick_lot_atoms"]),
            equity: QuoteAtoms(number(&case["equity_atoms"])),
            other_maintenance: QuoteAtoms(number(&case["other_maintenance_atoms"])),
        };
        assert_eq!(liquidation_ticks(&exposure, &tiers_of(&all, case)).unwrap().0, number::<u64>(&case["ticks"]), "{case}");
    }
}

#[test]
fn it_computes_rates() {
    let all = vectors("funding");
    for case in all["eight_hour_rate"].as_array().unwrap() {
        let interest = Interest {
            interest_ppb: number(&case["interest_ppb"]),
            clamp_ppb: number(&case["clamp_ppb"]),
            cap_ppb: number(&case["cap_ppb"]),
        };
        let rate = eight_hour_rate_ppb(number(&case["premium_ppb"]), interest).unwrap();
        assert_eq!(rate, number::<i64>(&case["rate_ppb"]), "{case}");
        assert_eq!(hourly_rate_ppb(rate), number::<i64>(&case["hourly_ppb"]), "{case}");
    }
    for case in all["premium"].as_array().unwrap() {
        let (bid, ask) = (PriceE8(number(&case["impact_bid_e8"])), PriceE8(number(&case["impact_ask_e8"])));
        let premium = premium_ppb(bid, ask, PriceE8(number(&case["index_e8"]))).unwrap();
        assert_eq!(premium, number::<i64>(&case["premium_ppb"]), "{case}");
    }
}

#[test]
fn it_computes_payments() {
    let all = vectors("funding");
    for case in all["payment"].as_array().unwrap() {
        let (size, index) = (SizeLots(number(&case["size_lots"])), PriceE8(number(&case["index_e8"])));
        let atoms = payment_atoms(size, index, number(&case["lot_e8"]), number(&case["rate_ppb"])).unwrap();
        assert_eq!(atoms.0, number::<i128>(&case["atoms"]), "{case}");
    }
}
