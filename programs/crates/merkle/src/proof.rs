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

/// A proof on its way up: it may be given in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Climb {
    pub node: Node,
    pub place: u32,
    pub width: u32,
}

impl Climb {
    pub fn begin(leaf: Node, index: u32, leaves: u32) -> Result<Self, MerkleError> {
        if index >= leaves {
            return Err(MerkleError::Shape);
        }
        let mut climb = Self { node: leaf, place: index, width: leaves };
        climb.rise_alone();
        Ok(climb)
    }

    pub fn is_at_root(&self) -> bool {
        self.width == 1
    }

    /// Join with the next sibling, then rise while there is none.
    pub fn step<H: Sha256>(&mut self, sibling: &Node) -> Result<(), MerkleError> {
        if self.is_at_root() {
            return Err(MerkleError::Shape);
        }
        self.node = if self.place & 1 == 1 { join::<H>(sibling, &self.node)? } else { join::<H>(&self.node, sibling)? };
        self.rise();
        self.rise_alone();
        Ok(())
    }

    fn rise(&mut self) {
        self.place >>= 1;
        self.width = self.width.div_ceil(2);
    }

    fn rise_alone(&mut self) {
        while self.width > 1 && self.place & 1 == 0 && self.place.checked_add(1) == Some(self.width) {
            self.rise();
        }
    }
}

/// Return the root that a leaf and its proof lead to; the caller compares hash and sums with what was committed.
pub fn verify<H: Sha256>(leaf: &Node, proof: &Proof) -> Result<Node, MerkleError> {
    let mut climb = Climb::begin(leaf.clone(), proof.index, proof.leaves)?;
    for sibling in &proof.siblings {
        climb.step::<H>(sibling)?;
    }
    if climb.is_at_root() {
        Ok(climb.node)
    } else {
        Err(MerkleError::Shape)
    }
}
