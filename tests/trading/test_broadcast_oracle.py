"""What the oracle channel says, and when."""

from typing import Any

import msgspec

from markets.events import MarkChanged, SourceReading
from markets.views import IndexView
from tests.trading.factories import BTC, NOON_MS, mark, market_view
from trading.broadcast.oracle import OracleFeed

E8 = 10**8


def readings(pyth: int, verdict: str = "counted") -> tuple[SourceReading, ...]:
    return (SourceReading("pyth", pyth * E8, E8, NOON_MS, verdict), SourceReading("coingecko", 0, 0, 0, "jump_unconfirmed"))


def event(price: int, **fields: Any) -> MarkChanged:
    return mark(index_e8=price * E8, confidence_e8=2 * E8, readings=readings(price), stable_e8=59_000 * E8, **fields)


def feed(index: IndexView | None = None) -> OracleFeed:
    return OracleFeed(view=market_view(index=index), seq=10)


def test_it_begins_with_what_the_engine_knows() -> None:
    view = IndexView(
        index_id=1, asset="BTC", state="single", price_e8=60_000 * E8, confidence_e8=E8, stable_e8=0, halt_reason="",
        recovering=True, max_age_ms=60_000, readings=readings(60_000),
    )  # fmt: skip
    message = msgspec.json.decode(feed(view).snapshot().payload)
    assert (message["channel"], message["market"], message["type"], message["seq"]) == ("oracle", "BTC-PERP", "snapshot", 10)
    index = message["index"]
    assert (index["state"], index["price"], index["confidence"], index["recovering"]) == ("single", "60000.00000000", "1.00000000", True)
    assert index["stable_price"] is None
    assert index["sources"][1] == {
        "source": "coingecko", "price": None, "confidence": None, "published_ms": None, "verdict": "jump_unconfirmed",
    }  # fmt: skip


def test_it_knows_little_of_a_new_market() -> None:
    index = msgspec.json.decode(feed().snapshot().payload)["index"]
    assert (index["asset"], index["sources"], index["max_age_ms"]) == ("BTC", [], BTC.oracle_max_age_ms)


def test_it_says_what_changed_once_and_in_a_chain() -> None:
    oracle = feed()
    assert oracle.message(seq=11, watched=True) is None
    oracle.mark(event(60_100))
    oracle.mark(event(60_200, state="disputed", recovering=True, halt_reason=""))
    sent = oracle.message(seq=12, watched=True)
    assert sent is not None
    message = msgspec.json.decode(sent.payload)
    assert (message["type"], message["seq"], message["prev_seq"]) == ("update", 12, 10)
    index = message["index"]
    assert (index["price"], index["state"], index["recovering"]) == ("60200.00000000", "disputed", True)
    assert (index["confidence"], index["stable_price"]) == ("2.00000000", "59000.00000000")
    assert oracle.message(seq=13, watched=True) is None


def test_it_is_silent_while_nobody_watches() -> None:
    oracle = feed()
    oracle.mark(event(60_100))
    assert oracle.message(seq=11, watched=False) is None
    snapshot = msgspec.json.decode(oracle.snapshot().payload)
    assert (snapshot["seq"], snapshot["index"]["price"]) == (11, "60100.00000000")
