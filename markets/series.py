"""Reads the histories of a market: candles of trades and of marks, open interest, and the day's curve of every market.

The tables have no rows where nothing traded: a row is a function of the journal alone, and a quiet market costs nothing.
Gaps are closed here, when they are read, with flat candles at the last close.
"""

from collections.abc import Iterator, Sequence
from typing import LiteralString, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from markets.candles import Candle, Kind, bucket_ms, filled, rolled_up
from markets.marks import MarkSampler
from markets.models import Candle as StoredCandle
from markets.models import MarkCandle
from markets.stamps import at, ms

# Kept by the projector; the others are made of these as they are read.
STORED_MS = StoredCandle.INTERVALS_MS
MADE_OF = {"3m": "1m", "30m": "15m", "2h": "1h", "6h": "1h", "8h": "4h", "12h": "4h"}
LENGTHS_MS = STORED_MS | {"3m": 180_000, "30m": 1_800_000, "2h": 7_200_000, "6h": 21_600_000, "8h": 28_800_000, "12h": 43_200_000}

SPARK_INTERVAL = "15m"
SPARK_STEP_MS = 1_800_000
SPARK_POINTS = 48

READ: dict[Kind, LiteralString] = {
    "trade": "select extract(epoch from opened_at)::bigint * 1000, open_ticks, high_ticks, low_ticks, close_ticks, volume_lots, "
    "volume_quote_atoms, trades from markets_candle "
    "where market_id = %s and interval = %s and opened_at >= %s and opened_at < %s order by opened_at",
    "mark": "select extract(epoch from opened_at)::bigint * 1000, open_ticks, high_ticks, low_ticks, close_ticks, 0, 0, 0 "
    "from markets_markcandle "
    "where market_id = %s and interval = %s and opened_at >= %s and opened_at < %s order by opened_at",
}
SPARKLINES: LiteralString = """
select m.id, s.opened, s.times_ms, s.closes
from markets_market m
cross join lateral (
    select (array_agg(open_ticks order by opened_at))[1] as opened,
           array_agg(extract(epoch from opened_at)::bigint * 1000 order by opened_at) as times_ms,
           array_agg(close_ticks order by opened_at) as closes
    from markets_markcandle c
    where c.market_id = m.id and c.interval = %s and c.opened_at >= %s
) s
where s.closes is not null
"""


class OpenInterest(NamedTuple):
    """What was open at the end of an interval, and the mark it was worth then."""

    opened_ms: int
    lots: int
    mark_ticks: int


class Window(NamedTuple):
    """Whole buckets from `start_ms` on and before `end_ms`."""

    start_ms: int
    end_ms: int


class Asked(NamedTuple):
    """Candles without gaps that opened from `from_ms` on and before `to_ms`, none later than now: the first `limit` when `from_ms`
    is given, else the last. A market has none before its first price.
    """

    market_id: int
    kind: Kind
    interval: str
    limit: int
    now_ms: int
    from_ms: int | None = None
    to_ms: int | None = None


class Columns(NamedTuple):
    """Candles, a column each of their figures."""

    opened_ms: Sequence[int]
    open_ticks: Sequence[int]
    high_ticks: Sequence[int]
    low_ticks: Sequence[int]
    close_ticks: Sequence[int]
    volume_lots: Sequence[int]
    volume_quote_atoms: Sequence[int]
    trades: Sequence[int]


def candles(asked: Asked) -> list[Candle]:
    window = _window(asked, asked.from_ms)
    return _without_gaps(asked, window, _candles(asked, _rows(asked, window)))


def columns(asked: Asked) -> Columns:
    """Return the same as `candles`. Rows that have no gaps go through as PostgreSQL gave them: pages of charts are large and many."""
    window = _window(asked, asked.from_ms)
    rows = _rows(asked, window)
    if rows and asked.interval in STORED_MS and len(rows) * LENGTHS_MS[asked.interval] == window.end_ms - window.start_ms:
        return Columns(*zip(*rows, strict=True))
    found = _without_gaps(asked, window, _candles(asked, rows))
    return Columns(*([getattr(candle, name) for candle in found] for name in Columns._fields))


def open_interest(*, market_id: int, interval: str, limit: int, from_ms: int | None, to_ms: int | None) -> list[OpenInterest]:
    """Return open interest by stored intervals, oldest first: the first `limit` when `from_ms` is given, else the last."""
    rows = MarkCandle.objects.filter(market_id=market_id, interval=interval)
    if to_ms is not None:
        rows = rows.filter(opened_at__lt=at(to_ms))
    if from_ms is not None:
        rows = rows.filter(opened_at__gte=at(from_ms))
    ordered = rows.order_by("opened_at" if from_ms is not None else "-opened_at")
    found = [
        OpenInterest(ms(opened_at), lots, mark_ticks)
        for opened_at, lots, mark_ticks in ordered.values_list("opened_at", "open_interest_lots", "close_ticks")[:limit]
    ]
    return found if from_ms is not None else found[::-1]


def sparklines(*, now_ms: int) -> dict[int, list[int]]:
    """Return each market's marks of the last 24 hours in ticks, at even steps from where the day opened up to now; one that has no
    mark is not in it.
    """
    first_ms = bucket_ms(now_ms, SPARK_STEP_MS) - (SPARK_POINTS - 1) * SPARK_STEP_MS
    with connection.cursor() as cursor:
        cursor.execute(SPARKLINES, [SPARK_INTERVAL, at(first_ms)])
        rows = cursor.fetchall()
    return {market_id: list(_stepped(opened, dict(zip(times, closes, strict=True)), first_ms)) for market_id, opened, times, closes in rows}


def stored_sampler(market_id: int) -> MarkSampler | None:
    """Return the sampler of a market's marks as the stored candles leave it."""
    row = MarkCandle.objects.filter(market_id=market_id, interval="1m").order_by("-opened_at").first()
    return MarkSampler(sampled_ms=ms(row.sampled_at), high_ticks=row.high_ticks, low_ticks=row.low_ticks) if row else None


def _stepped(opened: int, closes: dict[int, int], first_ms: int) -> Iterator[int]:
    """Yield where the day opened, then the last close of each step; steps without one repeat what was before, so that the curve
    runs the way of the day's change.
    """
    by_step = {bucket_ms(time_ms, SPARK_STEP_MS): close for time_ms, close in closes.items()}
    yield opened
    close = by_step.get(first_ms, opened)
    for step_ms in range(first_ms + SPARK_STEP_MS, first_ms + SPARK_POINTS * SPARK_STEP_MS, SPARK_STEP_MS):
        close = by_step.get(step_ms, close)
        yield close


def _window(asked: Asked, from_ms: int | None) -> Window:
    length_ms = LENGTHS_MS[asked.interval]
    end_ms = bucket_ms(asked.now_ms, length_ms) + length_ms
    if asked.to_ms is not None:
        end_ms = min(end_ms, _whole(asked.to_ms, length_ms))
    if from_ms is None:
        return Window(end_ms - asked.limit * length_ms, end_ms)
    start_ms = _whole(from_ms, length_ms)
    return Window(start_ms, min(end_ms, start_ms + asked.limit * length_ms))


def _without_gaps(asked: Asked, window: Window, found: list[Candle]) -> list[Candle]:
    """Fill the window; where it holds nothing because nothing is older, go on to the first candle there is."""
    length_ms = LENGTHS_MS[asked.interval]
    if found and found[0].opened_ms == window.start_ms:
        return list(filled(found, from_ms=window.start_ms, until_ms=window.end_ms, interval_ms=length_ms))
    close_ticks = _close_before(asked, window.start_ms)
    if asked.from_ms is not None and not found and not close_ticks:
        first_ms = _first_after(asked, window.start_ms)
        if first_ms is None:
            return []
        window = _window(asked, bucket_ms(first_ms, length_ms))
        found = _candles(asked, _rows(asked, window))
    return list(filled(found, from_ms=window.start_ms, until_ms=window.end_ms, interval_ms=length_ms, close_ticks=close_ticks))


def _whole(time_ms: int, length_ms: int) -> int:
    """Return the first bucket that opens at a time or after it."""
    return bucket_ms(time_ms + length_ms - 1, length_ms)


def _rows(asked: Asked, window: Window) -> list[tuple[int, ...]]:
    with connection.cursor() as cursor:
        interval = MADE_OF.get(asked.interval, asked.interval)
        cursor.execute(READ[asked.kind], [asked.market_id, interval, at(window.start_ms), at(window.end_ms)])
        rows: list[tuple[int, ...]] = cursor.fetchall()
    return rows


def _candles(asked: Asked, rows: list[tuple[int, ...]]) -> list[Candle]:
    found = [_candle(row) for row in rows]
    return rolled_up(found, LENGTHS_MS[asked.interval]) if asked.interval in MADE_OF else found


def _candle(row: tuple[int, ...]) -> Candle:
    opened_ms, open_ticks, high_ticks, low_ticks, close_ticks, volume_lots, volume_quote_atoms, trades = row
    return Candle(
        opened_ms=opened_ms,
        open_ticks=open_ticks,
        high_ticks=high_ticks,
        low_ticks=low_ticks,
        close_ticks=close_ticks,
        volume_lots=volume_lots,
        volume_quote_atoms=volume_quote_atoms,
        trades=trades,
    )


def _stored(asked: Asked) -> "QuerySet[StoredCandle] | QuerySet[MarkCandle]":
    rows = StoredCandle.objects if asked.kind == "trade" else MarkCandle.objects
    return rows.filter(market_id=asked.market_id, interval=MADE_OF.get(asked.interval, asked.interval))


def _close_before(asked: Asked, before_ms: int) -> int:
    rows = _stored(asked).filter(opened_at__lt=at(before_ms)).order_by("-opened_at")
    return rows.values_list("close_ticks", flat=True).first() or 0


def _first_after(asked: Asked, from_ms: int) -> int | None:
    rows = _stored(asked).filter(opened_at__gte=at(from_ms)).order_by("opened_at")
    opened_at = rows.values_list("opened_at", flat=True).first()
    return None if opened_at is None else ms(opened_at)
