"""Proofs, Merkle-sum trees and encodings in a real browser, by the vectors that Python and Rust read, too."""

import base64
import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain.merkle import position_slot, prove
from chain.settlement.leaves import Leaf, credit, house, trade
from chain.settlement.trees import AccountTree, batch_root
from markets.signed_orders import Domain, SignedOrder, encode

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


PROGRAM, GENESIS = bytes([7] * 32), bytes([8] * 32)
OWNER = Pubkey(bytes([9] * 32))
ACCOUNT = Pubkey.find_program_address([b"user", bytes(OWNER), bytes(2)], Pubkey(PROGRAM))[0]
MARKET_ID, TICK_LOT_ATOMS = 2, 100
TRADE = {"size_lots": 40, "price_ticks": 30_000, "fee_atoms": 60_000, "time_ms": 1_760_000_005_000}
STATE = {
    "trade_id": "77",
    "market_id": MARKET_ID,
    "tick_lot_atoms": str(TICK_LOT_ATOMS),
    "side": "buy",
    "program": PROGRAM.hex(),
    "genesis_hash": GENESIS.hex(),
} | {name: str(value) for name, value in TRADE.items()}
CHECKS = [
    "The trade is in the batch", "It moves what it says", "It names the order", "The order is signed",
    "Your wallet registered the key", "The order allows it",
    "The account is in the root", "The batch adds up", "The batch has its hash", "The chain has the batch", "The batch is final",
]  # fmt: skip


def signed_order(key: Keypair, **changes: Any) -> bytes:
    domain = Domain(program=PROGRAM, genesis_hash=GENESIS)
    terms: dict[str, Any] = {
        "domain": domain, "market_id": MARKET_ID, "owner": bytes(OWNER), "sub_account": 0, "side": "buy", "size_lots": 100,
        "limit_ticks": 30_010, "fee_cap_ppm": 500, "reduce_only": False, "expiry_ms": 1_760_000_100_000, "nonce": 1,
    }  # fmt: skip
    order = encode(SignedOrder(**terms | changes))
    return order + bytes(key.pubkey()) + bytes(key.sign_message(order))


def registered(signed: bytes, **changes: Any) -> dict[str, Any]:
    """Return the key's account on chain as the API sends it."""
    key = signed[148:180]
    facts = {"market_id": 2**32 - 1, "cap": 10**15, "created_ms": 1_750_000_000_000, "expires_ms": 2**60, "revoked_ms": 0} | changes
    kind = hashlib.sha256(b"account:TradingKey").digest()[:8]
    numbers = struct.pack("<IQQQQ?", *[facts[name] for name in ("market_id", "cap", "created_ms", "expires_ms", "revoked_ms")], False)
    data = kind + changes.get("user", bytes(ACCOUNT)) + changes.get("key", key) + b"\xff" + numbers
    address = Pubkey.find_program_address([b"key", bytes(ACCOUNT), key], Pubkey(PROGRAM))[0]
    return {"address": str(address), "data": base64.b64encode(data).decode(), "signature": ""}


def tree(user: Pubkey, *leaves_of: Leaf, before: Any = ()) -> AccountTree:
    return AccountTree(user=user, leaves=leaves_of, before=before)


def sent_proof(signed: bytes | None, **fill: Any) -> dict[str, Any]:
    """Return a proof as the API sends it: a batch of three accounts whose changes sum to zero, ours in the middle."""
    facts = TRADE | fill
    value = facts["size_lots"] * facts["price_ticks"] * TICK_LOT_ATOMS
    position = position_slot(MARKET_ID)
    if signed:
        digest = hashlib.sha256(signed[:148]).digest()
        lots = facts.pop("size_lots")
        own_leaves = [
            trade(order=digest, market_id=MARKET_ID, lots=lots, tick_lot_atoms=TICK_LOT_ATOMS, filled_lots=10, trade_id=77, **facts)
        ]
        own_leaves.append(credit(5, reference=1))
    else:
        lots = facts["size_lots"]
        own_leaves = [house(0, -value - facts["fee_atoms"] + 5), house(position, lots)]
    other = tree(Pubkey(bytes([3] * 32)), house(0, value - 5), house(position, -lots))
    own = tree(ACCOUNT, *own_leaves, before=((0, 10**12), (position, 3)))
    trees = [other, own, tree(Pubkey(bytes([6] * 32)), house(0, facts["fee_atoms"]))]
    path, root = prove([one.node for one in trees], 1), batch_root(trees)
    header = [bytes([1] * 32), (12).to_bytes(8, "little"), root.hash, (3).to_bytes(4, "little")]
    times = [1_760_000_000_000, 1_760_000_010_000]
    header += [number.to_bytes(8, "little") for number in (*times, 4)]
    digest = hashlib.sha256(b"QDBATCH1" + b"".join(header)).digest()
    on_chain = bytes(8) + header[1] + bytes(9) + header[0] + digest + root.hash + b"".join(header[4:]) + b"\1" + bytes(8) + header[3]
    return {
        "signed": base64.b64encode(signed).decode() if signed else None,
        "key": registered(signed) if signed else None,
        "account": {
            "address": str(ACCOUNT),
            "owner": str(OWNER),
            "sub_account": 0,
            "custodied": signed is None,
            "index": 1,
            "before": texts(own.before),
            "leaves": [
                {"kind": one.kind, "data": one.data.hex(), "sums": texts(one.sums), "trade_id": str(one.trade_id or ""), "fills": []}
                for one in own.leaves
            ],
            "siblings": [{"hash": node.hash.hex(), "sums": texts(node.sums)} for node in path.siblings],
        },
        "batch": {
            "seq": 12,
            "address": str(ACCOUNT),
            "prev_hash": header[0].hex(),
            "hash": digest.hex(),
            "root": root.hash.hex(),
            "accounts": 3,
            "begin_ms": times[0],
            "end_ms": times[1],
            "chain_events": 4,
            "final": True,
            "data": base64.b64encode(on_chain).decode(),
        },
        "transactions": [],
    }


def texts(sums: Any) -> list[list[Any]]:
    return [[slot, str(amount)] for slot, amount in sums]


def failed(page: Page, proof: dict[str, Any], state: dict[str, Any] = STATE) -> list[str]:
    """Return the checks that did not pass; a proof of another shape fails the check that meets it."""
    code = """
      const { readProof } = await import("/static/app/chain/proofshape.js");
      const { verify } = await import("/static/app/chain/proof.js");
      return (await verify(readProof(given[0], given[1]))).map(({ name, passed }) => [name, passed]);
    """
    checks = run(page, code, [proof, state])
    assert [name for name, _ in checks] == (CHECKS if proof["signed"] else CHECKS[6:])
    return [name for name, passed in checks if passed is not True]


def test_it_verifies_a_signed_trade_down_to_the_batch_on_chain(blank: Page) -> None:
    assert failed(blank, sent_proof(signed_order(Keypair()))) == []


def test_it_verifies_a_custodied_accounts_batch_without_signatures(blank: Page) -> None:
    assert failed(blank, sent_proof(None)) == []


OTHER_ORDERS = [
    {"market_id": 3}, {"side": "sell"}, {"owner": bytes([1] * 32)}, {"sub_account": 1}, {"limit_ticks": 29_999}, {"size_lots": 49},
    {"fee_cap_ppm": 499}, {"expiry_ms": TRADE["time_ms"]}, {"domain": Domain(program=GENESIS, genesis_hash=PROGRAM)},
]  # fmt: skip


@pytest.mark.parametrize("changes", OTHER_ORDERS, ids=lambda changes: next(iter(changes)))
def test_it_finds_a_fill_that_the_order_does_not_allow(blank: Page, changes: dict[str, Any]) -> None:
    assert failed(blank, sent_proof(signed_order(Keypair(), **changes))) == ["The order allows it"]


def test_it_finds_whatever_was_changed(blank: Page) -> None:
    key = Keypair()
    good = sent_proof(signed_order(key))
    signed = base64.b64decode(good["signed"])
    account, batch = good["account"], good["batch"]
    other_data = base64.b64encode(bytes(200)).decode()
    forged = base64.b64encode(signed[:-1] + bytes([signed[-1] ^ 1])).decode()
    leaf = account["leaves"][0]
    cases: list[tuple[dict[str, Any], list[str]]] = [
        (good | {"signed": forged}, ["The order is signed"]),
        (good | {"signed": base64.b64encode(signed_order(key, nonce=2)).decode()}, ["It names the order"]),
        (
            good | {"batch": batch | {"root": "00" * 32}},
            ["The account is in the root", "The batch has its hash", "The chain has the batch"],
        ),
        (good | {"batch": batch | {"hash": "00" * 32}}, ["The batch has its hash", "The chain has the batch"]),
        (good | {"batch": batch | {"data": other_data}}, ["The chain has the batch"]),
        (good | {"batch": batch | {"data": None}}, ["The chain has the batch"]),
        (good | {"batch": batch | {"final": False}}, ["The batch is final"]),
        (good | {"account": account | {"before": []}}, ["The account is in the root"]),
        (good | {"account": account | {"leaves": [leaf]}}, ["The account is in the root", "The batch adds up"]),
        (good | {"account": account | {"siblings": account["siblings"][1:]}}, ["The account is in the root", "The batch adds up"]),
    ]

    assert [failed(blank, proof) for proof, _ in cases] == [expected for _, expected in cases]


def test_it_finds_that_the_exchange_shows_another_trade_than_it_settled(blank: Page) -> None:
    proof = sent_proof(signed_order(Keypair()))

    assert failed(blank, proof, STATE | {"fee_atoms": "59999"}) == ["The trade is in the batch"]
    assert failed(blank, proof, STATE | {"size_lots": "41"}) == ["The trade is in the batch"]


def test_it_verifies_a_trade_among_fills_that_are_said_together(blank: Page) -> None:
    """The whole leaf is 40 lots: 25 and then the 15 of this trade."""
    proof = sent_proof(signed_order(Keypair()))
    fills = [("76", 25, 37_500, -5), ("77", 15, 22_500, 0)]
    sent = [
        {"trade_id": trade_id, "size_lots": str(size), "fee_atoms": str(fee), "time_ms": TRADE["time_ms"] + later}
        for trade_id, size, fee, later in fills
    ]
    proof["account"]["leaves"][0]["fills"] = sent
    first = STATE | {"trade_id": "76", "size_lots": "25", "fee_atoms": "37500", "time_ms": str(TRADE["time_ms"] - 5)}
    second = STATE | {"size_lots": "15", "fee_atoms": "22500"}

    assert failed(blank, proof, first) == failed(blank, proof, second) == []
    assert failed(blank, proof, second | {"size_lots": "16"}) == ["The trade is in the batch"]
    sent[0]["fee_atoms"] = "37499"
    assert failed(blank, proof, second) == ["The trade is in the batch"]


OTHER_KEYS: list[dict[str, Any]] = [
    {"market_id": 3}, {"cap": 100 * 30_010 * TICK_LOT_ATOMS - 1}, {"created_ms": TRADE["time_ms"] + 1}, {"expires_ms": TRADE["time_ms"]},
    {"revoked_ms": TRADE["time_ms"] - 120_000}, {"user": bytes(32)}, {"key": bytes(32)},
]  # fmt: skip


def test_it_finds_a_key_that_the_wallet_did_not_register_for_it(blank: Page) -> None:
    signed = signed_order(Keypair())
    proof, key = sent_proof(signed), registered(signed)
    other_place = {"address": registered(signed_order(Keypair()))["address"]}
    cases = [registered(signed, **changes) for changes in OTHER_KEYS]
    cases += [key | other_place, key | {"data": base64.b64encode(bytes(110)).decode()}, key | {"data": None}]

    assert [failed(blank, proof | {"key": one}) for one in cases] == [["Your wallet registered the key"]] * len(cases)
    edges = [{"market_id": MARKET_ID}, {"cap": 100 * 30_010 * TICK_LOT_ATOMS}, {"revoked_ms": TRADE["time_ms"] - 119_999}]
    assert [failed(blank, proof | {"key": registered(signed, **one)}) for one in edges] == [[]] * 3
