"""All markets in one channel, and candles of the mark; nothing is put into words that nobody watches."""

from typing import Any

import pytest

from markets.candles import flat
from markets.events import MarketCreated
from tests.trading.factories import BTC, ETH, NOON_MS, filled, mark
from tests.trading.test_broadcast import MINUTE_MS, Feed, body
from trading.broadcast.candles import CandleFeed
from trading.broadcast.market import History


@pytest.fixture
def feed() -> Feed:
    feed = Feed()
    feed.commit(MarketCreated(parameters=ETH))
    feed.due(after_ms=2_000)
    return feed


def said(messages: dict[str, list[dict[str, Any]]]) -> dict[str, str]:
    (message,) = messages["tickers"]
    return {ticker["market"]: ticker["mark_price"] for ticker in message["tickers"]}


def test_it_sends_the_tickers_that_changed_once_a_second(feed: Feed) -> None:
    assert said(feed.commit(mark(600_200), mark(300_000, market_id=2))) == {"BTC-PERP": "60020.0", "ETH-PERP": "3000.00"}
    feed.commit(mark(600_300), after_ms=500)
    assert "tickers" not in feed.due()
    later = feed.commit(mark(600_400), after_ms=600)
    assert said(later) == {"BTC-PERP": "60040.0"}
    first = later["tickers"][0]
    assert (first["prev_seq"], first["seq"]) == (feed.seq - 2, feed.seq)
    assert "tickers" not in feed.due(after_ms=5_000)


def test_it_answers_with_all_markets_and_goes_on_from_there(feed: Feed) -> None:
    feed.broadcaster.is_watched = lambda topic: False
    feed.commit(mark(600_200), after_ms=1_000)
    feed.commit(mark(600_900), after_ms=1_000)
    feed.broadcaster.is_watched = lambda topic: topic == "tickers"
    snapshot = feed.snapshot("tickers")
    assert {ticker["market"]: ticker["mark_price"] for ticker in snapshot["tickers"]} == {"BTC-PERP": "60090.0", "ETH-PERP": "0.00"}
    following = feed.commit(mark(601_000), after_ms=1_000)
    assert set(following) == {"tickers"}, "single tickers and candles are not made"
    assert following["tickers"][0]["prev_seq"] == snapshot["seq"]


def test_it_makes_no_candles_that_nobody_watches_and_loses_none(feed: Feed) -> None:
    feed.broadcaster.is_watched = lambda topic: False
    assert feed.commit(filled(1), mark(600_200), after_ms=1_000) == {}
    feed.broadcaster.is_watched = lambda topic: topic == "candles:1:1m"
    assert feed.snapshot("candles:1:1m")["candle"]["trades"] == 1
    (message,) = feed.commit(filled(2), after_ms=1_000)["candles:1:1m"]
    assert (message["candle"]["trades"], message["prev_seq"]) == (2, feed.seq - 1)


def test_it_draws_candles_of_the_mark(feed: Feed) -> None:
    feed.commit(mark(600_200), after_ms=1_000)
    feed.commit(mark(600_500), mark(600_100), after_ms=100)
    (message,) = feed.commit(mark(600_300), after_ms=1_000)["candles:1:1m:mark"]
    assert message["kind"] == "mark"
    candle = message["candle"]
    assert [candle[name] for name in ("open", "high", "low", "close")] == ["60020.0", "60050.0", "60010.0", "60030.0"]
    assert (candle["volume"], candle["trades"]) == ("0.0000", 0)


def test_it_begins_a_quiet_minute_flat(feed: Feed) -> None:
    feed.commit(filled(1), after_ms=600)
    messages = feed.commit(mark(600_200), after_ms=MINUTE_MS)
    flat_one = messages["candles:1:1m"][-1]["candle"]
    assert (flat_one["open"], flat_one["close"], flat_one["trades"]) == ("60000.0", "60000.0", 0)
    (traded,) = feed.commit(filled(2, price_ticks=600_070), after_ms=1_000)["candles:1:1m"]
    assert traded["candle"]["opened_ms"] == flat_one["opened_ms"]
    assert (traded["candle"]["open"], traded["candle"]["trades"]) == ("60007.0", 1), "the first trade opens it"


def test_it_shows_who_comes_late_the_present_bucket() -> None:
    feed = CandleFeed(
        market=BTC, interval="1m", interval_ms=MINUTE_MS, current=flat(opened_ms=NOON_MS, price_ticks=600_000), seq=1, kind="trade"
    )
    candle = body(feed.snapshot(NOON_MS + 5 * MINUTE_MS))["candle"]
    assert (candle["opened_ms"], candle["open"], candle["trades"]) == (NOON_MS + 5 * MINUTE_MS, "60000.0", 0)
    empty = CandleFeed(market=BTC, interval="1m", interval_ms=MINUTE_MS, current=None, seq=1)
    empty.roll(NOON_MS, 2)
    assert body(empty.snapshot(NOON_MS))["candle"] is None


@pytest.mark.parametrize("topic", ["candles:1:1m:index", "candles:1::mark", "book:1::mark", "tickers:1"])
def test_it_has_no_other_topics(topic: str) -> None:
    assert Feed(history=History()).broadcaster.snapshot(topic) is None
