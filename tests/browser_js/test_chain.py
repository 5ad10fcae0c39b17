"""Signed orders and trading keys in a real browser, by the vectors that Python and Rust read, too."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from solders.pubkey import Pubkey

from markets.signed_orders import decode, verify
from tests.browser_js.desk import Desk

pytestmark = pytest.mark.browser

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "orders.json").read_text())
ORDER = bytes.fromhex(VECTORS["orders"][0]["bytes"])
HELPERS = """
const bytes = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (array) => Array.from(array, (value) => value.toString(16).padStart(2, "0")).join("");
const orders = await import("/static/app/chain/orders.js");
const keys = await import("/static/app/chain/keys.js");
"""
READ = (
    HELPERS
    + """
const order = (vector) => ({
  program: bytes(vector.program), genesisHash: bytes(vector.genesis_hash), marketId: vector.market_id, owner: bytes(vector.owner),
  subAccount: vector.sub_account, side: vector.side, sizeLots: BigInt(vector.size_lots), limitTicks: BigInt(vector.limit_ticks),
  feeCapPpm: vector.fee_cap_ppm, reduceOnly: vector.reduce_only, expiryMs: BigInt(vector.expiry_ms), nonce: BigInt(vector.nonce),
});
"""
)


@pytest.fixture
def blank(page: Page) -> Page:
    page.goto("/blank.html")
    return page


def run(page: Page, code: str, argument: Any = None) -> Any:
    return page.evaluate(f"async (given) => {{ {READ} {code} }}", argument)


@pytest.mark.parametrize("vector", VECTORS["orders"], ids=lambda vector: vector["name"])
def test_it_writes_and_reads_the_same_bytes_as_rust(blank: Page, vector: dict[str, Any]) -> None:
    written = run(blank, "return hex(orders.encodeOrder(order(given)));", vector)
    again = run(blank, "return hex(orders.encodeOrder(orders.decodeOrder(bytes(given))));", vector["bytes"])
    offset = run(blank, "return hex(orders.encodeOrder(orders.decodeOrder(bytes('00' + given).subarray(1))));", vector["bytes"])

    assert written == again == offset == vector["bytes"]


def test_it_refuses_what_is_no_order(blank: Page) -> None:
    code = """return given.map((text) => {
      try { orders.decodeOrder(bytes(text)); return null; } catch (error) { return error.rule; }
    });"""

    rules = run(blank, code, [vector["bytes"] for vector in VECTORS["malformed"]])

    assert rules == [vector["error"] for vector in VECTORS["malformed"]]


UNWRITABLE = [
    ({"market_id": 2**32}, "Range"),
    ({"sub_account": -1}, "Range"),
    ({"fee_cap_ppm": 1.5}, "Range"),
    ({"nonce": str(2**64)}, "Range"),
    ({"expiry_ms": "-1"}, "Range"),
    ({"size_lots": "0"}, "Size"),
    ({"size_lots": str(2**63)}, "Size"),
    ({"limit_ticks": "0"}, "Limit"),
    ({"side": "long"}, "Side"),
    ({"owner": "00"}, "Length"),
]


def test_it_writes_nothing_that_would_be_read_as_something_else(blank: Page) -> None:
    code = """return given.map((vector) => {
      try { return hex(orders.encodeOrder(order(vector))); } catch (error) { return error.rule; }
    });"""

    rules = run(blank, code, [VECTORS["orders"][0] | change for change, _ in UNWRITABLE])

    assert rules == [rule for _, rule in UNWRITABLE]


@pytest.mark.parametrize("vector", VECTORS["orders"], ids=lambda vector: vector["name"])
def test_it_verifies_signatures(blank: Page, vector: dict[str, Any]) -> None:
    code = "return orders.verifySignature(bytes(given[0]), bytes(given[1]), bytes(given[2]));"
    other = vector["bytes"][:-2] + f"{int(vector['bytes'][-2:], 16) ^ 1:02x}"

    assert run(blank, code, [vector["bytes"], vector["signature"], vector["public_key"]])
    assert not run(blank, code, [other, vector["signature"], vector["public_key"]])
    assert not run(blank, code, [vector["bytes"], vector["signature"][2:], vector["public_key"]])


def test_it_signs_with_a_key_that_python_can_check(blank: Page) -> None:
    code = """
      const key = await keys.findOrMakeKey("wallet");
      return [hex(key.publicKey), hex(await keys.sign(key, bytes(given)))];
    """

    public_key, signature = run(blank, code, ORDER.hex())

    assert decode(ORDER).market_id == 1
    assert verify(ORDER, signature=bytes.fromhex(signature), public_key=bytes.fromhex(public_key))
    assert Pubkey(bytes.fromhex(public_key)).is_on_curve()


def test_it_keeps_a_wallets_key_over_a_reload_until_it_is_removed(blank: Page) -> None:
    made = run(blank, "return hex((await keys.findOrMakeKey('wallet')).publicKey);")
    other = run(blank, "return hex((await keys.findOrMakeKey('another wallet')).publicKey);")
    blank.reload()
    found = run(blank, "return hex((await keys.findOrMakeKey('wallet')).publicKey);")
    left = run(
        blank,
        "await keys.removeKey('wallet'); return [await keys.findKey('wallet') ?? null, (await keys.findKey('another wallet')).owner];",
    )

    assert made == found != other
    assert left == [None, "another wallet"]


def test_it_makes_one_key_when_two_tabs_ask_at_once(blank: Page) -> None:
    code = "return (await Promise.all([1, 2, 3].map(() => keys.findOrMakeKey('wallet')))).map((key) => hex(key.publicKey));"

    assert len(set(run(blank, code))) == 1


def test_it_never_gives_a_private_key_away(blank: Page) -> None:
    code = """
      const key = await keys.findOrMakeKey("wallet");
      const tries = ["pkcs8", "jwk", "raw"].map((form) =>
        crypto.subtle.exportKey(form, key.privateKey).then(() => "given away", () => "kept"));
      return [key.privateKey.extractable, ...(await Promise.all(tries))];
    """

    assert run(blank, code) == [False, "kept", "kept", "kept"]


def test_it_knows_when_a_browser_cannot_make_keys(browser: Browser, desk: Desk) -> None:
    context = browser.new_context(base_url=desk.url)
    page = context.new_page()
    page.goto("/blank.html")

    able = run(page, "return keys.canMakeKeys();")
    page.evaluate("() => { crypto.subtle.generateKey = async () => { throw new DOMException('no', 'NotSupportedError'); }; }")
    unable = run(page, "return keys.canMakeKeys();")
    context.close()

    assert (able, unable) == (True, False)
