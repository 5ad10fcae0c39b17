"""Merkle-sum trees and encodings in a real browser, by the vectors that Python and Rust read, too."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from solders.pubkey import Pubkey

pytestmark = pytest.mark.browser

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "merkle.json").read_text())
READ = """
const { fromHex, toHex, ...encoding } = await import("/static/app/chain/encoding.js");
const merkle = await import("/static/app/chain/merkle.js");
const sums = (written) => written.map(([slot, amount]) => [slot, BigInt(amount)]);
const node = (written) => ({ hash: fromHex(written.hash), sums: sums(written.sums) });
const said = (made) => ({ hash: toHex(made.hash), sums: made.sums.map(([slot, amount]) => [slot, String(amount)]) });
"""


@pytest.fixture
def blank(page: Page) -> Page:
    page.goto("/blank.html")
    return page


def run(page: Page, code: str, argument: Any = None) -> Any:
    return page.evaluate(f"async (given) => {{ {READ} {code} }}", argument)


def as_text(written: Any) -> Any:
    """Return a vector with amounts as texts: a number of JavaScript has 53 bits."""
    if isinstance(written, dict):
        return {
            name: ([[slot, str(amount)] for slot, amount in value] if name in ("sums", "before") else as_text(value))
            for name, value in written.items()
        }
    return [as_text(item) for item in written] if isinstance(written, list) else written


@pytest.mark.parametrize("tree", VECTORS["trees"], ids=lambda tree: f"{len(tree['leaves'])} leaves")
def test_it_makes_and_follows_the_same_trees_as_rust(blank: Page, tree: dict[str, Any]) -> None:
    code = """
      const leaves = await Promise.all(given.leaves.map((leaf) => merkle.changeLeaf(fromHex(leaf.bytes), sums(leaf.sums))));
      const led = given.proofs.map(({ index, siblings }) =>
        merkle.lead(leaves[index], { index, leaves: leaves.length, siblings: siblings.map(node) }));
      return { leaves: leaves.map(said), root: said(await merkle.root(leaves)), led: (await Promise.all(led)).map(said) };
    """
    written = as_text(tree)

    made = run(blank, code, written)

    assert made["leaves"] == [{"hash": leaf["hash"], "sums": leaf["sums"]} for leaf in written["leaves"]]
    assert made["root"] == written["root"]
    assert made["led"] == [written["root"]] * len(written["proofs"])


@pytest.mark.parametrize("vector", VECTORS["accounts"])
def test_it_makes_the_same_leaf_of_an_account_as_rust(blank: Page, vector: dict[str, Any]) -> None:
    code = """return said(await merkle.accountLeaf({
      account: fromHex(given.account), before: sums(given.before), changes: given.changes, root: node(given.root),
    }));"""

    assert run(blank, code, as_text(vector)) == as_text(vector)["leaf"]


def test_it_refuses_proofs_of_another_shape_and_sums_that_are_not_canonical(blank: Page) -> None:
    tree = next(tree for tree in VECTORS["trees"] if len(tree["leaves"]) >= 3)
    code = """
      const leaves = given.leaves.map(node);
      const { index, siblings } = given.proofs[0];
      const path = siblings.map(node);
      const tries = [
        () => merkle.lead(leaves[index], { index, leaves: leaves.length, siblings: path.slice(1) }),
        () => merkle.lead(leaves[index], { index, leaves: leaves.length, siblings: [...path, path[0]] }),
        () => merkle.lead(leaves[index], { index: leaves.length, leaves: leaves.length, siblings: path }),
        () => merkle.changeLeaf(new Uint8Array(), [[2, 1n], [1, 1n]]),
        () => merkle.changeLeaf(new Uint8Array(), [[1, 0n]]),
        () => merkle.changeLeaf(new Uint8Array(), [[1, 1n << 63n]]),
      ];
      return Promise.all(tries.map((attempt) => Promise.resolve().then(attempt).then(() => "taken", (error) => error.name)));
    """

    assert run(blank, code, as_text(tree)) == ["NotATree"] * 6


def test_it_writes_keys_as_solana_does(blank: Page) -> None:
    keys = [Pubkey(bytes(32)), Pubkey(bytes([0, 0, 1, *range(29)])), Pubkey(bytes([255] * 32)), Pubkey(bytes(range(32)))]
    code = "return given.map((text) => [encoding.toBase58(fromHex(text)), toHex(encoding.fromBase58(encoding.toBase58(fromHex(text))))]);"

    assert run(blank, code, [bytes(key).hex() for key in keys]) == [[str(key), bytes(key).hex()] for key in keys]
