"""Merkle-sum trees, by the vectors that Rust reads, too."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.merkle import MAX_AMOUNT, Node, NotATree, Proof, Sums, account_leaf, canonical, change_leaf, encode_sums, lead, prove, root

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "merkle.json").read_text())
SLOTS = st.tuples(st.integers(0, 2**32 - 1), st.integers(-(10**9), 10**9))
LEAVES = st.lists(st.tuples(st.binary(max_size=40), st.lists(SLOTS, max_size=4)), min_size=1, max_size=20)


def sums_of(written: list[list[Any]]) -> Sums:
    return tuple((slot, int(amount)) for slot, amount in written)


def node_of(written: dict[str, Any]) -> Node:
    return Node(bytes.fromhex(written["hash"]), sums_of(written["sums"]))


@pytest.mark.parametrize("tree", VECTORS["trees"], ids=lambda tree: f"{len(tree['leaves'])} leaves")
def test_it_makes_the_same_trees_and_proofs_as_rust(tree: dict[str, Any]) -> None:
    leaves = [change_leaf(bytes.fromhex(leaf["bytes"]), sums_of(leaf["sums"])) for leaf in tree["leaves"]]

    assert leaves == [node_of(leaf) for leaf in tree["leaves"]]
    assert root(leaves) == node_of(tree["root"])
    for written in tree["proofs"]:
        proof = prove(leaves, written["index"])
        assert proof.siblings == tuple(map(node_of, written["siblings"]))
        assert lead(leaves[written["index"]], proof) == node_of(tree["root"])


@pytest.mark.parametrize("vector", VECTORS["accounts"])
def test_it_makes_the_same_leaf_of_an_account_as_rust(vector: dict[str, Any]) -> None:
    leaf = account_leaf(
        account=bytes.fromhex(vector["account"]), before=sums_of(vector["before"]), changes=vector["changes"], root=node_of(vector["root"])
    )

    assert leaf == node_of(vector["leaf"])


@given(LEAVES, st.data())
def test_it_proves_each_leaf_and_adds_up_all(written: list[tuple[bytes, list[tuple[int, int]]]], data: st.DataObject) -> None:
    leaves = [change_leaf(content, canonical(changes)) for content, changes in written]
    index = data.draw(st.integers(0, len(leaves) - 1))

    top = root(leaves)

    assert top.sums == canonical(change for _, changes in written for change in changes)
    assert lead(leaves[index], prove(leaves, index)) == top


@given(LEAVES, st.data())
def test_it_leads_elsewhere_with_another_leaf_sum_or_sibling(
    written: list[tuple[bytes, list[tuple[int, int]]]], data: st.DataObject
) -> None:
    leaves = [change_leaf(content, canonical(changes)) for content, changes in written]
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof, top = prove(leaves, index), root(leaves)

    assert lead(change_leaf(written[index][0] + b"!", leaves[index].sums), proof) != top
    assert lead(Node(leaves[index].hash, canonical([*leaves[index].sums, (7, 1)])), proof) != top
    for place, sibling in enumerate(proof.siblings):
        forged = Node(sibling.hash, canonical([*sibling.sums, (7, 1)]))
        siblings = (*proof.siblings[:place], forged, *proof.siblings[place + 1 :])
        assert lead(leaves[index], Proof(index=index, leaves=proof.leaves, siblings=siblings)) != top


@given(st.integers(1, 20), st.data())
def test_it_refuses_proofs_of_another_shape(count: int, data: st.DataObject) -> None:
    leaves = [change_leaf(bytes([number]), ()) for number in range(count)]
    index = data.draw(st.integers(0, count - 1))
    siblings = prove(leaves, index).siblings
    shapes = [(index, (*siblings, leaves[0])), (count, siblings), (-1, siblings), *([(index, siblings[:-1])] if siblings else [])]

    for place, others in shapes:
        with pytest.raises(NotATree):
            lead(leaves[index], Proof(index=place, leaves=count, siblings=others))


@pytest.mark.parametrize("sums", [((2, 1), (1, 1)), ((1, 1), (1, 2)), ((1, 0),), ((1, MAX_AMOUNT + 1),), tuple((n, 1) for n in range(256))])
def test_it_refuses_sums_that_are_not_canonical(sums: Sums) -> None:
    with pytest.raises(NotATree):
        encode_sums(sums)


def test_it_has_no_tree_of_nothing_and_no_proof_of_a_leaf_that_is_not_there() -> None:
    with pytest.raises(NotATree):
        root([])
    with pytest.raises(NotATree):
        prove([change_leaf(b"", ())], 1)
