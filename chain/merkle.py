"""Merkle-sum trees: each node carries the sum of the changes below it. Defined by the Rust crate `merkle`, same vectors.

A batch's tree has one leaf an account, an account's tree one leaf a change. The shape is that of RFC 6962: an odd last node of a level
rises as it is. Hashes are SHA-256 and begin with a byte for their kind, so that no leaf can be taken for a node.
"""

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass

CHANGE, JOINED, ACCOUNT = b"\0", b"\1", b"\2"
POSITION = 0x8000_0000  # slots from here on are positions, by market id; those below are assets, by index
MAX_SLOTS = 255
MAX_CHANGE_BYTES = 0xFFFF
MAX_AMOUNT = 2**63 - 1

Sums = tuple[tuple[int, int], ...]  # (slot, amount): ascending, each slot once, none zero


class NotATree(ValueError):
    """Sums that are not canonical or do not fit, or a proof that has another shape than its tree."""


@dataclass(frozen=True, slots=True)
class Node:
    hash: bytes
    sums: Sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A leaf's place among so many, and its siblings from the leaf up."""

    index: int
    leaves: int
    siblings: tuple[Node, ...]


def position_slot(market_id: int) -> int:
    return market_id | POSITION


def canonical(changes: Iterable[tuple[int, int]]) -> Sums:
    """Add up changes by slot."""
    totals: dict[int, int] = {}
    for slot, amount in changes:
        totals[slot] = totals.get(slot, 0) + amount
    sums = tuple((slot, totals[slot]) for slot in sorted(totals) if totals[slot])
    if len(sums) > MAX_SLOTS or any(not -MAX_AMOUNT - 1 <= amount <= MAX_AMOUNT for _, amount in sums):
        raise NotATree("a sum does not fit")
    return sums


def encode_sums(sums: Sums) -> bytes:
    """Return count u8, then slot u32 and amount i64 each, little-endian; NotATree unless they are canonical."""
    if sums != canonical(sums):
        raise NotATree("sums must be ascending, each slot once, none zero")
    return bytes([len(sums)]) + b"".join(struct.pack("<Iq", slot, amount) for slot, amount in sums)


def change_leaf(data: bytes, sums: Sums) -> Node:
    if len(data) > MAX_CHANGE_BYTES:
        raise NotATree("a change is too long")
    return Node(_sha256(CHANGE, struct.pack("<H", len(data)), data, encode_sums(sums)), sums)


def account_leaf(*, account: bytes, before: Sums, changes: int, root: Node) -> Node:
    """Return the batch's leaf of one account: what it had, and the root of its own tree, whose sums are its net change."""
    parts = (account, encode_sums(before), struct.pack("<I", changes), root.hash, encode_sums(root.sums))
    return Node(_sha256(ACCOUNT, *parts), root.sums)


def join(left: Node, right: Node) -> Node:
    digest = _sha256(JOINED, left.hash, encode_sums(left.sums), right.hash, encode_sums(right.sums))
    return Node(digest, canonical(left.sums + right.sums))


def root(leaves: list[Node]) -> Node:
    if not leaves:
        raise NotATree("a tree has at least one leaf")
    level = leaves
    while len(level) > 1:
        level = _raise(level)
    return level[0]


def prove(leaves: list[Node], index: int) -> Proof:
    if not 0 <= index < len(leaves):
        raise NotATree("no such leaf")
    siblings, place, level = [], index, leaves
    while len(level) > 1:
        if place ^ 1 < len(level):
            siblings.append(level[place ^ 1])
        level, place = _raise(level), place >> 1
    return Proof(index=index, leaves=len(leaves), siblings=tuple(siblings))


def lead(leaf: Node, proof: Proof) -> Node:
    """Return the root that leaf and proof lead to, to be compared with the committed one; NotATree for another shape."""
    if not 0 <= proof.index < proof.leaves:
        raise NotATree("no such leaf")
    place, width, node, used = proof.index, proof.leaves, leaf, 0
    while width > 1:
        if place & 1 or place + 1 < width:
            if used == len(proof.siblings):
                raise NotATree("a sibling is missing")
            sibling = proof.siblings[used]
            node = join(sibling, node) if place & 1 else join(node, sibling)
            used += 1
        place, width = place >> 1, (width + 1) // 2
    if used < len(proof.siblings):
        raise NotATree("there is a sibling too many")
    return node


def _raise(level: list[Node]) -> list[Node]:
    joined = [join(level[place], level[place + 1]) for place in range(0, len(level) - 1, 2)]
    return joined + level[len(level) - len(level) % 2 :]


def _sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()
