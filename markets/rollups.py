"""Checks that larger candles are what the minutes in them add up to: both are written by the projector, in one transaction."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from markets import candles
from markets.models import Candle

INTERVALS_MS = Candle.INTERVALS_MS
SMALLEST = "1m"


class Mismatch(NamedTuple):
    """A stored candle that differs from its minutes, or is missing, or should not be there."""

    market_id: int
    interval: str
    opened_ms: int


def mismatches(*, market_id: int, now: datetime, days: int = 1) -> list[Mismatch]:
    """Compare the candles of the last whole days and of today so far."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    stored = _stored(market_id, midnight - timedelta(days=days))
    minutes = stored.get(SMALLEST, [])
    return [
        Mismatch(market_id, interval, opened_ms)
        for interval, length_ms in INTERVALS_MS.items()
        if interval != SMALLEST
        for opened_ms in _differences(stored.get(interval, []), candles.rolled_up(minutes, length_ms))
    ]


def _differences(stored: list[candles.Candle], expected: list[candles.Candle]) -> list[int]:
    found = {candle.opened_ms: candle for candle in stored}
    wanted = {candle.opened_ms: candle for candle in expected}
    return sorted(opened_ms for opened_ms in found.keys() | wanted.keys() if found.get(opened_ms) != wanted.get(opened_ms))


def _stored(market_id: int, since: datetime) -> dict[str, list[candles.Candle]]:
    """Read all intervals in one statement, so that no transaction comes between them."""
    by_interval: dict[str, list[candles.Candle]] = defaultdict(list)
    for row in Candle.objects.filter(market_id=market_id, opened_at__gte=since).order_by("opened_at").iterator():
        by_interval[row.interval].append(
            candles.Candle(
                opened_ms=int(row.opened_at.timestamp()) * 1000,
                open_ticks=row.open_ticks,
                high_ticks=row.high_ticks,
                low_ticks=row.low_ticks,
                close_ticks=row.close_ticks,
                volume_lots=row.volume_lots,
                volume_quote_atoms=row.volume_quote_atoms,
                trades=row.trades,
            )
        )
    return by_interval
