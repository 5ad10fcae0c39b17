//! The same file that Python and JS read.
use ed25519_dalek::{Signer, SigningKey};
use order::{Domain, Fill, Order, Side};
use serde_json::Value;

fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/vectors/orders.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn bytes(value: &Value, key: &str) -> Vec<u8> {
    hex::decode(value[key].as_str().unwrap()).unwrap()
}

fn array<const N: usize>(value: &Value, key: &str) -> [u8; N] {
    bytes(value, key).try_into().unwrap()
}

fn number<T: std::str::FromStr>(value: &Value, key: &str) -> T {
    let text = value[key].as_str().map_or_else(|| value[key].to_string(), str::to_owned);
    text.parse().ok().unwrap_or_else(|| panic!("{key}: {text}"))
}

fn domain(value: &Value) -> Domain {
    Domain { program: array(value, "program"), genesis_hash: array(value, "genesis_hash") }
}

#[test]
fn it_encodes_and_signs_canonically() {
    for case in vectors()["orders"].as_array().unwrap() {
        let order = Order {
            domain: domain(case),
            market_id: number(case, "market_id"),
            owner: array(case, "owner"),
            sub_account: number(case, "sub_account"),
            side: if case["side"] == "buy" { Side::Buy } else { Side::Sell },
            size_lots: number(case, "size_lots"),
            limit_ticks: number(case, "limit_ticks"),
            fee_cap_ppm: number(case, "fee_cap_ppm"),
            reduce_only: case["reduce_only"].as_bool().unwrap(),
            expiry_ms: number(case, "expiry_ms"),
            nonce: number(case, "nonce"),
        };
        assert_eq!(order.encode().to_vec(), bytes(case, "bytes"));
        assert_eq!(Order::decode(&bytes(case, "bytes")), Ok(order));
        let key = SigningKey::from_bytes(&array(case, "signer_seed"));
        assert_eq!(key.sign(&order.encode()).to_bytes().to_vec(), bytes(case, "signature"));
    }
}

#[test]
fn it_refuses_what_is_not_canonical() {
    for case in vectors()["malformed"].as_array().unwrap() {
        assert_eq!(format!("{:?}", Order::decode(&bytes(case, "bytes")).unwrap_err()), case["error"], "{case}");
    }
}

#[test]
fn it_allows_only_what_was_signed() {
    for case in vectors()["fills"].as_array().unwrap() {
        let order = Order::decode(&bytes(case, "order")).unwrap();
        let fill = Fill {
            domain: domain(case),
            market_id: number(case, "market_id"),
            size_lots: number(case, "size_lots"),
            price_ticks: number(case, "price_ticks"),
            fee_atoms: number(case, "fee_atoms"),
            time_ms: number(case, "time_ms"),
            filled_lots: number(case, "filled_lots"),
            position_lots: number(case, "position_lots"),
        };
        let error = order.allow(&fill, number(case, "tick_lot_atoms")).err().map(|error| format!("{error:?}"));
        assert_eq!(error.as_deref(), case["error"].as_str(), "{case}");
    }
}
