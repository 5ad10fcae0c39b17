"""Trades in buckets of time; small candles add up to large ones."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from markets.candles import Candle, bucket_ms, rolled_up, started

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000

trades = st.lists(
    st.tuples(st.integers(0, 3 * HOUR_MS), st.integers(1, 10**6), st.integers(1, 10**4)), min_size=1, max_size=60
).map(sorted)  # fmt: skip


def folded(found: list[tuple[int, int, int]], interval_ms: int) -> list[Candle]:
    """Fold trades one by one."""
    candles: list[Candle] = []
    for stamp_ms, price, size in found:
        opened_ms = bucket_ms(stamp_ms, interval_ms)
        if candles and candles[-1].opened_ms == opened_ms:
            candles[-1].add(price_ticks=price, size_lots=size, quote_atoms=price * size)
        else:
            candles.append(started(opened_ms=opened_ms, price_ticks=price, size_lots=size, quote_atoms=price * size))
    return candles


def test_it_starts_buckets_at_whole_intervals_of_utc() -> None:
    at = 1_795_435_261_234  # 12:01:01.234 on 23 November 2026
    assert bucket_ms(at, MINUTE_MS) == 1_795_435_260_000
    assert bucket_ms(at, DAY_MS) == 1_795_392_000_000
    assert bucket_ms(MINUTE_MS, MINUTE_MS) == MINUTE_MS
    assert bucket_ms(MINUTE_MS - 1, MINUTE_MS) == 0


def test_it_knows_first_last_highest_and_lowest() -> None:
    (candle,) = folded([(0, 10, 1), (1, 30, 2), (2, 5, 3), (3, 20, 4)], MINUTE_MS)
    assert candle == Candle(
        opened_ms=0, open_ticks=10, high_ticks=30, low_ticks=5, close_ticks=20, volume_lots=10, volume_quote_atoms=165, trades=4
    )


@given(found=trades)
def test_it_rolls_minutes_up_to_what_trades_alone_would_give(found: list[tuple[int, int, int]]) -> None:
    minutes = folded(found, MINUTE_MS)
    before = [msgspec.structs.replace(minute) for minute in minutes]
    assert rolled_up(minutes, HOUR_MS) == folded(found, HOUR_MS)
    assert rolled_up(rolled_up(minutes, 5 * MINUTE_MS), HOUR_MS) == folded(found, HOUR_MS)
    assert minutes == before


@given(found=trades, cut=st.integers(0, 60))
def test_it_extends_a_candle_as_if_its_trades_had_been_seen_at_once(found: list[tuple[int, int, int]], cut: int) -> None:
    whole = folded(found, DAY_MS)
    first, second = folded(found[:cut], DAY_MS), folded(found[cut:], DAY_MS)
    if first and second:
        first[0].extend(second[0])
    assert (first or second) == whole
