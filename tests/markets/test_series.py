"""Histories as they are read: without gaps, in whole buckets, never beyond now."""

from typing import Any

import pytest

from markets import series
from markets.candles import Candle as Bar
from markets.candles import Kind, bucket_ms
from markets.models import Candle, MarkCandle, Market
from markets.stamps import at

pytestmark = pytest.mark.django_db

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
NOON_MS = 1_795_435_200_000  # 23 November 2026


@pytest.fixture
def market() -> Market:
    return Market.objects.create(id=1, symbol="BTC-PERP", base_asset="BTC", tick_e8=10**7, lot_e8=10**4, status="normal", parameters={})


def add(market: Market, minute: int, ticks: int, *, interval: str = "1m") -> None:
    Candle.objects.create(
        market=market, interval=interval, opened_at=at(NOON_MS + minute * MINUTE_MS), open_ticks=ticks, high_ticks=ticks + 2,
        low_ticks=ticks - 2, close_ticks=ticks + 1, volume_lots=3, volume_quote_atoms=7, trades=2,
    )  # fmt: skip


def add_mark(market: Market, opened_ms: int, ticks: int, *, interval: str = "1m", lots: int = 0, opened: int = 0) -> None:
    MarkCandle.objects.create(
        market=market, interval=interval, opened_at=at(opened_ms), open_ticks=opened or ticks, high_ticks=ticks, low_ticks=ticks,
        close_ticks=ticks, open_interest_lots=lots, sampled_at=at(opened_ms),
    )  # fmt: skip


def page(**asked: Any) -> list[Bar]:
    """Return candles, and see that columns say the same."""
    found = series.candles(series.Asked(**asked))
    columns = series.columns(series.Asked(**asked))
    assert list(zip(*columns, strict=True)) == [tuple(getattr(candle, name) for name in series.Columns._fields) for candle in found]
    return found


def read(
    *, kind: Kind = "trade", interval: str = "1m", limit: int = 100, now: int = 60, since: int | None = None, until: int | None = None
) -> list[tuple[int, int, int]]:
    """Return (minute, close, trades) of what is found between minutes."""
    found = page(
        market_id=1, kind=kind, interval=interval, limit=limit, now_ms=NOON_MS + now * MINUTE_MS + 30_000,
        from_ms=None if since is None else NOON_MS + since * MINUTE_MS, to_ms=None if until is None else NOON_MS + until * MINUTE_MS,
    )  # fmt: skip
    return [((candle.opened_ms - NOON_MS) // MINUTE_MS, candle.close_ticks, candle.trades) for candle in found]


def test_it_fills_gaps_flat_up_to_now(market: Market) -> None:
    add(market, 10, 500)
    add(market, 13, 600)
    assert read(now=15) == [(10, 501, 2), (11, 501, 0), (12, 501, 0), (13, 601, 2), (14, 601, 0), (15, 601, 0)]
    assert read(now=15, limit=2) == [(14, 601, 0), (15, 601, 0)]
    assert read(now=15, until=12) == [(10, 501, 2), (11, 501, 0)]


def test_it_begins_with_the_close_before_the_window(market: Market) -> None:
    add(market, -50, 400)
    add(market, 13, 600)
    assert read(since=11, limit=4) == [(11, 401, 0), (12, 401, 0), (13, 601, 2), (14, 601, 0)]


def test_it_knows_nothing_before_the_first_price_nor_after_now(market: Market) -> None:
    assert read() == read(since=0) == read(until=5) == []
    add(market, 30, 500)
    assert read(since=-100_000, limit=2) == [(30, 501, 2), (31, 501, 0)], "the first `limit` from the first candle on"
    assert read(until=30) == []
    assert read(since=61) == read(since=100, until=200) == []
    assert read(since=40, until=30) == []


def test_it_takes_whole_buckets_only(market: Market) -> None:
    add(market, 10, 500)
    found = page(
        market_id=1, kind="trade", interval="1m", limit=9, now_ms=NOON_MS + HOUR_MS, from_ms=NOON_MS + 10 * MINUTE_MS + 1,
        to_ms=NOON_MS + 12 * MINUTE_MS + 1,
    )  # fmt: skip
    assert [(candle.opened_ms - NOON_MS) // MINUTE_MS for candle in found] == [11, 12], (
        "that opened at or after 10:00.001, before 12:00.001"
    )


@pytest.mark.parametrize(("interval", "made_of"), sorted(series.MADE_OF.items()))
def test_it_makes_other_intervals_of_those_that_are_stored(market: Market, interval: str, made_of: str) -> None:
    smaller_ms, length_ms = series.LENGTHS_MS[made_of], series.LENGTHS_MS[interval]
    opened_ms = bucket_ms(NOON_MS, length_ms)
    parts = length_ms // smaller_ms
    for part in range(parts):
        add(market, (opened_ms - NOON_MS + part * smaller_ms) // MINUTE_MS, 500 + part, interval=made_of)
    (candle,) = page(market_id=1, kind="trade", interval=interval, limit=5, now_ms=opened_ms + length_ms - 1)
    assert (candle.opened_ms, candle.open_ticks, candle.close_ticks) == (opened_ms, 500, 500 + parts)
    assert (candle.volume_lots, candle.trades) == (3 * parts, 2 * parts)


def test_it_reads_candles_of_the_mark(market: Market) -> None:
    add(market, 10, 900)
    add_mark(market, NOON_MS + 10 * MINUTE_MS, 500)
    assert read(kind="mark", now=11) == [(10, 500, 0), (11, 500, 0)]


def test_it_reads_open_interest_from_either_end(market: Market) -> None:
    for hour in range(5):
        add_mark(market, NOON_MS + hour * HOUR_MS, 500, interval="1h", lots=hour)

    def lots(limit: int, since: int | None, until: int | None) -> list[int]:
        at = [None if hour is None else NOON_MS + hour * HOUR_MS for hour in (since, until)]
        return [one.lots for one in series.open_interest(market_id=1, interval="1h", limit=limit, from_ms=at[0], to_ms=at[1])]

    assert lots(2, None, None) == [3, 4]
    assert lots(2, 1, None) == [1, 2]
    assert lots(9, 1, 3) == [1, 2]
    assert lots(2, None, 2) == [0, 1]


def test_it_draws_the_day_in_even_steps(market: Market) -> None:
    now_ms = NOON_MS + 10 * MINUTE_MS
    quarter_ms = 15 * MINUTE_MS
    add_mark(market, NOON_MS - 20 * HOUR_MS, 500, interval="15m")
    add_mark(market, NOON_MS - 2 * HOUR_MS, 600, interval="15m")
    add_mark(market, NOON_MS - 2 * HOUR_MS + quarter_ms, 700, interval="15m")
    add_mark(market, NOON_MS, 800, interval="15m")
    add_mark(market, NOON_MS - 25 * HOUR_MS, 100, interval="15m")
    curve = series.sparklines(now_ms=now_ms)[1]
    assert len(curve) == series.SPARK_POINTS
    assert curve == [500] * 43 + [700] * 4 + [800], "the first mark stands for what came before it"


def test_it_draws_the_day_from_its_open(market: Market) -> None:
    """A rise from 500 to 540 by way of 560 goes up, whether the exchange is minutes old or the day is whole."""
    add_mark(market, NOON_MS - 30 * MINUTE_MS, 560, interval="15m", opened=500)
    add_mark(market, NOON_MS, 540, interval="15m")
    assert series.sparklines(now_ms=NOON_MS)[1] == [500] * 46 + [560, 540]
    add_mark(market, NOON_MS - 47 * 30 * MINUTE_MS, 580, interval="15m", opened=530)
    assert series.sparklines(now_ms=NOON_MS)[1] == [530] + [580] * 45 + [560, 540]
