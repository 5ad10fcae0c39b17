//! Print tests/vectors/orders.json: `cargo run -p order --example order_vectors`.
use ed25519_dalek::{Signer, SigningKey};
use order::{Domain, Fill, Order, Side};
use serde_json::{json, Value};

const TICK_LOT_ATOMS: u64 = 100;

fn domain() -> Domain {
    Domain { program: [7; 32], genesis_hash: [9; 32] }
}

fn base(key: &SigningKey) -> Order {
    Order {
        domain: domain(),
        market_id: 1,
        owner: key.verifying_key().to_bytes(),
        sub_account: 0,
        side: Side::Buy,
        size_lots: 1_000,
        limit_ticks: 1_000_000,
        fee_cap_ppm: 500,
        reduce_only: false,
        expiry_ms: 1_800_000_000_000,
        nonce: 1,
    }
}

fn describe(name: &str, order: &Order, seed: [u8; 32]) -> Value {
    let key = SigningKey::from_bytes(&seed);
    let bytes = order.encode();
    json!({
        "name": name,
        "program": hex::encode(order.domain.program),
        "genesis_hash": hex::encode(order.domain.genesis_hash),
        "market_id": order.market_id,
        "owner": hex::encode(order.owner),
        "sub_account": order.sub_account,
        "side": if order.side == Side::Buy { "buy" } else { "sell" },
        "size_lots": order.size_lots.to_string(),
        "limit_ticks": order.limit_ticks.to_string(),
        "fee_cap_ppm": order.fee_cap_ppm,
        "reduce_only": order.reduce_only,
        "expiry_ms": order.expiry_ms.to_string(),
        "nonce": order.nonce.to_string(),
        "bytes": hex::encode(bytes),
        "signer_seed": hex::encode(seed),
        "public_key": hex::encode(key.verifying_key().to_bytes()),
        "signature": hex::encode(key.sign(&bytes).to_bytes()),
    })
}

fn malformed(order: &Order) -> Vec<Value> {
    let edit = |name: &str, place: usize, with: &[u8]| {
        let mut bytes = order.encode().to_vec();
        bytes[place..place + with.len()].copy_from_slice(with);
        (name.to_owned(), bytes)
    };
    let mut cases = vec![
        ("empty".to_owned(), Vec::new()),
        ("one byte short".to_owned(), order.encode()[..147].to_vec()),
        ("one byte long".to_owned(), [order.encode().as_slice(), &[0]].concat()),
        edit("another version's tag", 7, b"2"),
        edit("a third side", 110, &[2]),
        edit("no size", 111, &[0; 8]),
        edit("a size beyond 63 bits", 111, &[255; 8]),
        edit("no limit", 119, &[0; 8]),
        edit("an unknown flag", 131, &[2]),
    ];
    cases.drain(..).map(|(name, bytes)| json!({"name": name, "bytes": hex::encode(&bytes), "error": format!("{:?}", Order::decode(&bytes).unwrap_err())})).collect()
}

fn fill_cases(buy: &Order) -> Vec<Value> {
    let sell = Order { side: Side::Sell, ..*buy };
    let reducing = Order { reduce_only: true, ..*buy };
    let fill = Fill {
        domain: buy.domain,
        market_id: 1,
        size_lots: 400,
        price_ticks: 999_999,
        fee_atoms: 19_999_980,
        time_ms: 1_799_999_999_999,
        filled_lots: 600,
        position_lots: 0,
    };
    let cases = [
        ("all that is left, at the cap", buy, fill),
        ("another cluster", buy, Fill { domain: Domain { genesis_hash: [8; 32], ..buy.domain }, ..fill }),
        ("another program", buy, Fill { domain: Domain { program: [8; 32], ..buy.domain }, ..fill }),
        ("another market", buy, Fill { market_id: 2, ..fill }),
        ("at its expiry", buy, Fill { time_ms: 1_800_000_000_000, ..fill }),
        ("nothing", buy, Fill { size_lots: 0, ..fill }),
        ("one lot too many", buy, Fill { size_lots: 401, ..fill }),
        ("filled lots that overflow", buy, Fill { filled_lots: u64::MAX, ..fill }),
        ("a buy above its limit", buy, Fill { price_ticks: 1_000_001, fee_atoms: 0, ..fill }),
        ("a buy at its limit", buy, Fill { price_ticks: 1_000_000, ..fill }),
        ("a sell below its limit", &sell, Fill { price_ticks: 999_999, ..fill }),
        ("a sell at its limit", &sell, Fill { price_ticks: 1_000_000, ..fill }),
        ("one atom of fee too many", buy, Fill { fee_atoms: 19_999_981, ..fill }),
        ("a rebate", buy, Fill { fee_atoms: -1_000, ..fill }),
        ("reducing a short to zero", &reducing, Fill { position_lots: -400, ..fill }),
        ("reducing beyond zero", &reducing, Fill { position_lots: -399, ..fill }),
        ("reducing a long by buying", &reducing, Fill { position_lots: 400, ..fill }),
    ];
    cases
        .into_iter()
        .map(|(name, order, fill)| {
            json!({
                "name": name,
                "order": hex::encode(order.encode()),
                "tick_lot_atoms": TICK_LOT_ATOMS,
                "program": hex::encode(fill.domain.program),
                "genesis_hash": hex::encode(fill.domain.genesis_hash),
                "market_id": fill.market_id,
                "size_lots": fill.size_lots.to_string(),
                "price_ticks": fill.price_ticks.to_string(),
                "fee_atoms": fill.fee_atoms.to_string(),
                "time_ms": fill.time_ms.to_string(),
                "filled_lots": fill.filled_lots.to_string(),
                "position_lots": fill.position_lots.to_string(),
                "error": order.allow(&fill, TICK_LOT_ATOMS).err().map(|error| format!("{error:?}")),
            })
        })
        .collect()
}

fn main() {
    let seed = [1; 32];
    let key = SigningKey::from_bytes(&seed);
    let buy = base(&key);
    let other = SigningKey::from_bytes(&[2; 32]).verifying_key().to_bytes();
    let sell = Order {
        owner: other,
        market_id: u32::MAX,
        sub_account: 513,
        side: Side::Sell,
        size_lots: i64::MAX as u64,
        limit_ticks: u64::MAX,
        fee_cap_ppm: u32::MAX,
        reduce_only: true,
        expiry_ms: u64::MAX,
        nonce: 0x0102_0304_0506_0708,
        ..buy
    };
    let all = json!({
        "note": "Printed by `cargo run -p order --example order_vectors` in programs/; integers of 64 bits are strings, bytes are hexadecimal. A trading key of another owner signs the second order.",
        "orders": [describe("a buy", &buy, seed), describe("a reducing sell, everything at its largest", &sell, seed)],
        "malformed": malformed(&buy),
        "fills": fill_cases(&buy),
    });
    println!("{}", serde_json::to_string_pretty(&all).unwrap());
}
