use crate::{join, MerkleError, Node, Sha256};

/// A tree that grows leaf by leaf and keeps only the roots of its complete subtrees, largest first.
///
/// The shape is that of RFC 6962: the left side of a node holds the largest power of two of leaves that is less than all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    pub leaves: u32,
    pub peaks: Vec<Node>,
}

impl Frontier {
    pub fn push<H: Sha256>(&mut self, leaf: Node) -> Result<(), MerkleError> {
        let mut node = leaf;
        for _ in 0..self.leaves.trailing_ones() {
            let left = self.peaks.pop().ok_or(MerkleError::Shape)?;
            node = join::<H>(&left, &node)?;
        }
        self.peaks.push(node);
        self.leaves = self.leaves.checked_add(1).ok_or(MerkleError::Overflow)?;
        Ok(())
    }

    pub fn root<H: Sha256>(&self) -> Result<Node, MerkleError> {
        let (last, rest) = self.peaks.split_last().ok_or(MerkleError::Empty)?;
        rest.iter().rev().try_fold(last.clone(), |right, left| join::<H>(left, &right))
    }
}
