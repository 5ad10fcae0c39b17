use crate::{join, MerkleError, Node, Sha256};

/// A leaf's place and its siblings from the leaf up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    pub index: u32,
    pub leaves: u32,
    pub siblings: Vec<Node>,
}

impl Proof {
    /// Make the proof of one leaf, from all leaves.
    pub fn of<H: Sha256>(leaves: &[Node], index: u32) -> Result<Self, MerkleError> {
        let count = u32::try_from(leaves.len()).map_err(|_| MerkleError::Overflow)?;
        let mut siblings = Vec::new();
        let (mut place, mut level) = (usize::try_from(index).map_err(|_| MerkleError::Overflow)?, leaves.to_vec());
        if place >= level.len() {
            return Err(MerkleError::Shape);
        }
        while level.len() > 1 {
            if let Some(sibling) = level.get(place ^ 1) {
                siblings.push(sibling.clone());
            }
            level = raise::<H>(&level)?;
            place >>= 1;
        }
        Ok(Self { index, leaves: count, siblings })
    }
}

/// Join a level's pairs; an odd last node rises as it is, which gives the shape of RFC 6962.
fn raise<H: Sha256>(level: &[Node]) -> Result<Vec<Node>, MerkleError> {
    level
        .chunks(2)
        .map(|pair| match pair {
            [left, right] => join::<H>(left, right),
            [single] => Ok(single.clone()),
            _ => Err(MerkleError::Shape),
        })
        .collect()
}

/// Return the root that a leaf and its proof lead to; the caller compares hash, sums and number of leaves with what was committed.
pub fn verify<H: Sha256>(leaf: &Node, proof: &Proof) -> Result<Node, MerkleError> {
    if proof.index >= proof.leaves {
        return Err(MerkleError::Shape);
    }
    let (mut place, mut width, mut node) = (proof.index, proof.leaves, leaf.clone());
    let mut siblings = proof.siblings.iter();
    while width > 1 {
        let alone = place & 1 == 0 && place.checked_add(1) == Some(width);
        if !alone {
            let sibling = siblings.next().ok_or(MerkleError::Shape)?;
            node = if place & 1 == 1 { join::<H>(sibling, &node)? } else { join::<H>(&node, sibling)? };
        }
        place >>= 1;
        width = width.div_ceil(2);
    }
    match siblings.next() {
        None => Ok(node),
        Some(_) => Err(MerkleError::Shape),
    }
}
