"""A batch as the program builds it: each account's tree of leaves, and the tree over the accounts. Pure."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from solders.pubkey import Pubkey

from chain import merkle
from chain.settlement.leaves import Leaf


def slots(sums: merkle.Sums) -> list[dict[str, int]]:
    """Return sums as instructions take them."""
    return [{"slot": slot, "amount": amount} for slot, amount in sums]


def nodes(siblings: tuple[merkle.Node, ...]) -> list[dict[str, Any]]:
    return [{"hash": list(node.hash), "sums": slots(node.sums)} for node in siblings]


@dataclass(frozen=True, kw_only=True)
class AccountTree:
    """One account of a batch; `before` is what it had on chain, with everything that was pending."""

    user: Pubkey
    leaves: tuple[Leaf, ...]
    before: merkle.Sums = ()

    @cached_property
    def nodes(self) -> list[merkle.Node]:
        return [leaf.node for leaf in self.leaves]

    @cached_property
    def root(self) -> merkle.Node:
        return merkle.root(self.nodes)

    @cached_property
    def node(self) -> merkle.Node:
        return merkle.account_leaf(account=bytes(self.user), before=self.before, changes=len(self.leaves), root=self.root)

    @property
    def change(self) -> dict[str, Any]:
        return {"changes": len(self.leaves), "root": list(self.root.hash), "sums": slots(self.root.sums)}

    def siblings(self, place: int) -> list[dict[str, Any]]:
        return nodes(merkle.prove(self.nodes, place).siblings)


def batch_root(trees: list[AccountTree]) -> merkle.Node:
    return merkle.root([tree.node for tree in trees])


def peaks(trees: list[AccountTree]) -> list[merkle.Node]:
    """Return the roots of the whole subtrees, largest first: what the program keeps of a batch that is open."""
    found, start = [], 0
    for bit in reversed(range(len(trees).bit_length())):
        if len(trees) >> bit & 1:
            found.append(merkle.root([tree.node for tree in trees[start : start + (1 << bit)]]))
            start += 1 << bit
    return found


def account_proof(trees: list[AccountTree], index: int) -> dict[str, Any]:
    """Return what a challenge of one account shows: its place in the batch, and what was posted of it."""
    path = merkle.prove([tree.node for tree in trees], index)
    return {"index": index, "siblings": nodes(path.siblings), "before": slots(trees[index].before)} | trees[index].change
