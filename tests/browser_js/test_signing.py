"""What the page signs: the terms of a ticket's, an exit's, an amendment's and a moved order, and the bytes that the server reads."""

import time
from base64 import b64decode
from typing import Any

import pytest
from playwright.sync_api import Page
from solders.keypair import Keypair

from markets.signed_orders import SignedOrder, decode, take_apart, verify
from tests.engine.desk import Desk as Exchange
from trading.engine.checks import worst_price

pytestmark = pytest.mark.browser

MODULES = """
const signing = await import("/static/app/signing.js");
const keys = await import("/static/app/chain/keys.js");
const { MarketUnits } = await import("/static/app/units.js");
const text = (value) => JSON.parse(JSON.stringify(value, (_, part) => (typeof part === "bigint" ? String(part) : part)));
const units = new MarketUnits({ symbol: "BTC-PERP", base_asset: "BTC", tick_size: "0.1", lot_size: "0.0001" });
const market = { market_id: 1, market_slippage_ppm: 50000, taker_fee_ppm: 500 };
"""


@pytest.fixture
def blank(page: Page) -> Page:
    page.goto("/blank.html")
    return page


def run(page: Page, code: str, argument: Any = None) -> Any:
    return page.evaluate(f"async (given) => {{ {MODULES} {code} }}", argument)


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_it_finds_the_worst_price_that_the_engine_does(blank: Page, side: str) -> None:
    market = Exchange(market_slippage_ppm=33_333).engine.state.markets[1]
    marks = [1, 2, 29, 30, 31, 9_999, 10_001, 600_101, 2**40 + 7]
    code = "return given.marks.map((mark) => String(signing.worstTicks(BigInt(mark), given.side, 33333)));"
    expected = []
    for mark in marks:
        market.mark_ticks = mark
        expected.append(str(worst_price(market, 1 if side == "buy" else -1)))
    assert run(blank, code, {"marks": marks, "side": side}) == expected


MOVED: list[tuple[dict[str, str], str, dict[str, Any]]] = [
    ({"type": "limit", "price": "59000.0"}, "price", {"limitTicks": "600000"}),
    ({"type": "stop_limit", "price": "59000.0", "trigger_price": "59500.0"}, "trigger_price", {"limitTicks": "590000"}),
    ({"type": "stop_market", "price": "0.0", "trigger_price": "59500.0"}, "trigger_price", {"limitTicks": "570000"}),
]


@pytest.mark.parametrize(("order", "field", "terms"), MOVED, ids=["limit", "stop limit", "stop"])
def test_it_signs_the_rest_of_a_moved_order(blank: Page, order: dict[str, str], field: str, terms: dict[str, Any]) -> None:
    moved = {"side": "sell", "size": "0.4000", "filled": "0.1000", "reduce_only": True} | order
    found = run(
        blank, "return text(signing.termsOfMove(given.moved, given.field, 600000, { units, market }));", {"moved": moved, "field": field}
    )
    assert found == {"marketId": 1, "side": "sell", "lots": "3000", "feePpm": 500, "reduceOnly": True} | terms


SIGN = """
const mine = await keys.findOrMakeKey(given.owner);
const hex = Array.from(mine.publicKey, (value) => value.toString(16).padStart(2, "0")).join("");
const entry = { owner: given.owner, owner_bytes: given.owner_bytes, key: hex, market_id: given.scope, expires_ms: given.expires_ms };
const state = { program: "07".repeat(32), genesis_hash: "09".repeat(32), keys: [entry] };
const signer = new signing.Signer({ state, nowMs: () => given.now_ms + 0.5 });
await signer.find();
const terms = { marketId: 1, side: "buy", lots: 3n, limitTicks: 590000n, feePpm: 500, reduceOnly: false };
try {
  return await Promise.all([signer.sign(terms), signer.sign(terms)]);
} catch (error) {
  if (error instanceof signing.CannotSign) return "cannot";
  throw error;
}
"""


def signer(owner: Keypair, **changes: Any) -> dict[str, Any]:
    now_ms = time.time_ns() // 1_000_000
    owned = {"owner": str(owner.pubkey()), "owner_bytes": bytes(owner.pubkey()).hex()}
    return owned | {"scope": None, "now_ms": now_ms, "expires_ms": now_ms + 60_000} | changes


def test_it_signs_what_the_server_reads(blank: Page) -> None:
    owner = Keypair()
    asked = signer(owner)
    first, second = (take_apart(b64decode(text)) for text in run(blank, SIGN, asked))
    assert verify(first.data, signature=first.signature, public_key=first.key)
    orders: list[SignedOrder] = [decode(first.data), decode(second.data)]
    assert [order.nonce for order in orders] == [asked["now_ms"], asked["now_ms"] + 1]
    order = orders[0]
    assert (order.owner, order.sub_account, order.size_lots, order.limit_ticks) == (bytes(owner.pubkey()), 0, 3, 590_000)
    assert order.expiry_ms == asked["expires_ms"], "it lasts no longer than its key"


@pytest.mark.parametrize("why", [{"scope": 2}, {"expires_ms": 1}], ids=["another market", "expired"])
def test_it_signs_nothing_that_its_key_may_not(blank: Page, why: dict[str, Any]) -> None:
    assert run(blank, SIGN, signer(Keypair(), **why)) == "cannot"
