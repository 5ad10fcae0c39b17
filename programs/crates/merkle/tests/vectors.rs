//! The same file that Python and JS read, and what must hold of every tree.
use merkle::*;
use proptest::prelude::*;
use serde_json::Value;
use sha2::Digest;

struct Native;

impl Sha256 for Native {
    fn digest(parts: &[&[u8]]) -> [u8; 32] {
        parts.iter().fold(sha2::Sha256::new(), |hasher, part| hasher.chain_update(part)).finalize().into()
    }
}

fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/vectors/merkle.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn sums(value: &Value) -> Sums {
    let change = |item: &Value| Change { slot: item[0].as_u64().unwrap() as u32, amount: item[1].as_str().unwrap().parse().unwrap() };
    Sums::new(value.as_array().unwrap().iter().map(change).collect()).unwrap()
}

fn node(value: &Value) -> Node {
    Node { hash: bytes(&value["hash"]).try_into().unwrap(), sums: sums(&value["sums"]) }
}

#[test]
fn it_builds_and_proves_trees() {
    for tree in vectors()["trees"].as_array().unwrap() {
        let root = node(&tree["root"]);
        let mut frontier = Frontier::default();
        let leaves = tree["leaves"].as_array().unwrap();
        for (leaf, proof) in leaves.iter().zip(tree["proofs"].as_array().unwrap()) {
            let made = change_leaf::<Native>(&bytes(&leaf["bytes"]), sums(&leaf["sums"])).unwrap();
            assert_eq!(made.hash.to_vec(), bytes(&leaf["hash"]));
            frontier.push::<Native>(made.clone()).unwrap();
            let proof = Proof {
                index: proof["index"].as_u64().unwrap() as u32,
                leaves: leaves.len() as u32,
                siblings: proof["siblings"].as_array().unwrap().iter().map(node).collect(),
            };
            assert_eq!(verify::<Native>(&made, &proof).unwrap(), root);
        }
        assert_eq!(frontier.root::<Native>().unwrap(), root);
    }
}

#[test]
fn it_hashes_accounts() {
    for case in vectors()["accounts"].as_array().unwrap() {
        let leaf = AccountLeaf {
            account: bytes(&case["account"]).try_into().unwrap(),
            before: sums(&case["before"]),
            changes: case["changes"].as_u64().unwrap() as u32,
            root: node(&case["root"]),
        };
        assert_eq!(account_leaf::<Native>(&leaf), node(&case["leaf"]));
    }
}

#[test]
fn it_refuses_sums_that_are_not_canonical() {
    let change = |slot, amount| Change { slot, amount };
    assert_eq!(Sums::new(vec![change(1, 1), change(0, 1)]), Err(MerkleError::NotCanonical));
    assert_eq!(Sums::new(vec![change(1, 1), change(1, 1)]), Err(MerkleError::NotCanonical));
    assert_eq!(Sums::new(vec![change(1, 0)]), Err(MerkleError::NotCanonical));
    assert_eq!(Frontier::default().root::<Native>(), Err(MerkleError::Empty));
}

fn leaves() -> impl Strategy<Value = Vec<Node>> {
    let leaf = (prop::collection::vec(any::<u8>(), 0..40), prop::collection::vec((0u32..6, -1_000_000i64..1_000_000), 0..4));
    prop::collection::vec(leaf, 1..40).prop_map(|all| {
        all.into_iter()
            .map(|(bytes, changes)| {
                let mut sums = Sums::default();
                for (slot, amount) in changes {
                    sums.add(Change { slot, amount }).unwrap();
                }
                change_leaf::<Native>(&bytes, sums).unwrap()
            })
            .collect()
    })
}

fn root(leaves: &[Node]) -> Node {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.push::<Native>(leaf.clone()).unwrap();
    }
    frontier.root::<Native>().unwrap()
}

proptest! {
    #[test]
    fn it_sums_what_is_below(leaves in leaves()) {
        let mut total = Sums::default();
        for leaf in &leaves {
            total.add_all(&leaf.sums).unwrap();
        }
        prop_assert_eq!(root(&leaves).sums, total);
    }

    #[test]
    fn it_proves_each_leaf_at_its_place_only(leaves in leaves(), at in any::<prop::sample::Index>(), other in any::<prop::sample::Index>()) {
        let (at, other) = (at.index(leaves.len()), other.index(leaves.len()));
        let proof = Proof::of::<Native>(&leaves, at as u32).unwrap();
        prop_assert_eq!(verify::<Native>(&leaves[at], &proof).unwrap(), root(&leaves));
        if leaves[at] != leaves[other] {
            prop_assert_ne!(verify::<Native>(&leaves[other], &proof).ok(), Some(root(&leaves)));
        }
    }

    #[test]
    fn it_notices_a_changed_sibling_sum(leaves in leaves(), at in any::<prop::sample::Index>()) {
        let at = at.index(leaves.len());
        let mut proof = Proof::of::<Native>(&leaves, at as u32).unwrap();
        if let Some(sibling) = proof.siblings.first_mut() {
            sibling.sums.add(Change { slot: 0, amount: 2_000_000_000 }).unwrap();
            prop_assert_ne!(verify::<Native>(&leaves[at], &proof).unwrap().hash, root(&leaves).hash);
        }
    }

    #[test]
    fn it_refuses_proofs_of_another_length(leaves in leaves(), at in any::<prop::sample::Index>()) {
        let at = at.index(leaves.len());
        let mut proof = Proof::of::<Native>(&leaves, at as u32).unwrap();
        proof.siblings.push(leaves[at].clone());
        prop_assert_eq!(verify::<Native>(&leaves[at], &proof), Err(MerkleError::Shape));
    }
}
