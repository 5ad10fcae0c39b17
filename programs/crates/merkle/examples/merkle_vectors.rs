//! Print tests/vectors/merkle.json: `cargo run -p merkle --example merkle_vectors`.
use merkle::{account_leaf, change_leaf, position_slot, verify, AccountLeaf, Change, Frontier, Node, Proof, Sha256, Sums};
use serde_json::{json, Value};
use sha2::Digest;

struct Native;

impl Sha256 for Native {
    fn digest(parts: &[&[u8]]) -> [u8; 32] {
        parts.iter().fold(sha2::Sha256::new(), |hasher, part| hasher.chain_update(part)).finalize().into()
    }
}

fn sums(changes: &[(u32, i64)]) -> Sums {
    Sums::new(changes.iter().map(|(slot, amount)| Change { slot: *slot, amount: *amount }).collect()).unwrap()
}

fn show_sums(sums: &Sums) -> Value {
    sums.changes().iter().map(|change| json!([change.slot, change.amount.to_string()])).collect()
}

fn show(node: &Node) -> Value {
    json!({"hash": hex::encode(node.hash), "sums": show_sums(&node.sums)})
}

fn root(leaves: &[Node]) -> Node {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.push::<Native>(leaf.clone()).unwrap();
    }
    frontier.root::<Native>().unwrap()
}

fn tree(count: u32) -> Value {
    let market = position_slot(1);
    let changes: Vec<(Vec<u8>, Sums)> = (0..count)
        .map(|place| {
            let amount = i64::from(place) * 3 - 5;
            let mut total = sums(&[]);
            total.add(Change { slot: 0, amount: amount * 1_000_000_000_000 }).unwrap();
            total.add(Change { slot: market + place % 2, amount: -amount }).unwrap();
            (vec![place as u8; place as usize], total)
        })
        .collect();
    let leaves: Vec<Node> = changes.iter().map(|(bytes, sums)| change_leaf::<Native>(bytes, sums.clone()).unwrap()).collect();
    let root = root(&leaves);
    let proofs: Vec<Value> = (0..count)
        .map(|index| {
            let proof = Proof::of::<Native>(&leaves, index).unwrap();
            assert_eq!(verify::<Native>(&leaves[index as usize], &proof).unwrap(), root);
            json!({"index": index, "siblings": proof.siblings.iter().map(show).collect::<Vec<_>>()})
        })
        .collect();
    let shown: Vec<Value> = changes
        .iter()
        .zip(&leaves)
        .map(|((bytes, sums), leaf)| json!({"bytes": hex::encode(bytes), "sums": show_sums(sums), "hash": hex::encode(leaf.hash)}))
        .collect();
    json!({"leaves": shown, "root": show(&root), "proofs": proofs})
}

fn accounts() -> Vec<Value> {
    let fill = change_leaf::<Native>(b"fill", sums(&[(0, -250), (position_slot(1), 5)])).unwrap();
    [sums(&[]), sums(&[(0, 1_000), (1, -7), (position_slot(2), i64::MIN)])]
        .into_iter()
        .map(|before| {
            let leaf = AccountLeaf { account: [3; 32], before, changes: 1, root: fill.clone() };
            json!({
                "account": hex::encode(leaf.account), "before": show_sums(&leaf.before), "changes": leaf.changes,
                "root": show(&leaf.root), "leaf": show(&account_leaf::<Native>(&leaf)),
            })
        })
        .collect()
}

fn main() {
    let trees = [1, 2, 3, 4, 5, 8, 13].map(tree);
    let all = json!({
        "note": "Printed by `cargo run -p merkle --example merkle_vectors` in programs/. Sums are [slot, amount]: slots from 2147483648 on are positions by market id, below are assets by index; ascending, none zero. Encoded: count u8, then slot u32 and amount i64 each, little-endian. Hashes (SHA-256): change 00 | length u16 | bytes | sums; joined 01 | left hash | left sums | right hash | right sums; account 02 | account | sums before | changes u32 | root hash | root sums. Siblings run from the leaf up; the shape is that of RFC 6962.",
        "trees": trees,
        "accounts": accounts(),
    });
    println!("{}", serde_json::to_string_pretty(&all).unwrap());
}
