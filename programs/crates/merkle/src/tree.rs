use crate::{MerkleError, Sha256, Sums};

const CHANGE: &[u8] = &[0];
const JOINED: &[u8] = &[1];
const ACCOUNT: &[u8] = &[2];

/// A hash and the sum of everything below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub hash: [u8; 32],
    pub sums: Sums,
}

/// What a batch says of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountLeaf {
    pub account: [u8; 32],
    /// Balances and positions before the batch, as the program held them.
    pub before: Sums,
    /// How many changes the account's own tree has.
    pub changes: u32,
    /// Root of the account's own tree; its sums are the account's net change.
    pub root: Node,
}

/// Hash one change: its bytes, then its sums. The byte string's length precedes it, so that no two leaves share an encoding.
pub fn change_leaf<H: Sha256>(bytes: &[u8], sums: Sums) -> Result<Node, MerkleError> {
    let length = u16::try_from(bytes.len()).map_err(|_| MerkleError::Overflow)?;
    let hash = H::digest(&[CHANGE, &length.to_le_bytes(), bytes, &sums.encode()]);
    Ok(Node { hash, sums })
}

pub fn account_leaf<H: Sha256>(leaf: &AccountLeaf) -> Node {
    let hash =
        H::digest(&[ACCOUNT, &leaf.account, &leaf.before.encode(), &leaf.changes.to_le_bytes(), &leaf.root.hash, &leaf.root.sums.encode()]);
    Node { hash, sums: leaf.root.sums.clone() }
}

/// Join two nodes: the hash commits to both hashes and both sums.
pub fn join<H: Sha256>(left: &Node, right: &Node) -> Result<Node, MerkleError> {
    let hash = H::digest(&[JOINED, &left.hash, &left.sums.encode(), &right.hash, &right.sums.encode()]);
    let mut sums = left.sums.clone();
    sums.add_all(&right.sums)?;
    Ok(Node { hash, sums })
}
