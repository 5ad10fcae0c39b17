"""Candles: trades of one market folded into buckets of time, and small candles rolled up into larger ones."""

from collections.abc import Iterable

import msgspec


class Candle(msgspec.Struct, kw_only=True):
    """What traded in one bucket. Grows by `add` and `extend`; opened_ms is the bucket's start."""

    opened_ms: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int
    volume_quote_atoms: int
    trades: int

    def add(self, *, price_ticks: int, size_lots: int, quote_atoms: int) -> None:
        """Count one more trade, the latest."""
        self.high_ticks = max(self.high_ticks, price_ticks)
        self.low_ticks = min(self.low_ticks, price_ticks)
        self.close_ticks = price_ticks
        self.volume_lots += size_lots
        self.volume_quote_atoms += quote_atoms
        self.trades += 1

    def extend(self, later: "Candle") -> None:
        """Take in a candle whose trades came after this one's."""
        self.high_ticks = max(self.high_ticks, later.high_ticks)
        self.low_ticks = min(self.low_ticks, later.low_ticks)
        self.close_ticks = later.close_ticks
        self.volume_lots += later.volume_lots
        self.volume_quote_atoms += later.volume_quote_atoms
        self.trades += later.trades


def bucket_ms(stamp_ms: int, interval_ms: int) -> int:
    """Return the start of the bucket that a time falls in; buckets are aligned to the epoch (UTC)."""
    return stamp_ms - stamp_ms % interval_ms


def started(*, opened_ms: int, price_ticks: int, size_lots: int, quote_atoms: int) -> Candle:
    """Return the candle of a bucket's first trade."""
    return Candle(
        opened_ms=opened_ms,
        open_ticks=price_ticks,
        high_ticks=price_ticks,
        low_ticks=price_ticks,
        close_ticks=price_ticks,
        volume_lots=size_lots,
        volume_quote_atoms=quote_atoms,
        trades=1,
    )


def rolled_up(candles: Iterable[Candle], interval_ms: int) -> list[Candle]:
    """Return the candles of a larger interval from those of a smaller one, given in order of time."""
    larger: list[Candle] = []
    for candle in candles:
        opened_ms = bucket_ms(candle.opened_ms, interval_ms)
        if larger and larger[-1].opened_ms == opened_ms:
            larger[-1].extend(candle)
        else:
            larger.append(msgspec.structs.replace(candle, opened_ms=opened_ms))
    return larger
