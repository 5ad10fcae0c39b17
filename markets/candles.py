"""Candles: prices of one market folded into buckets of time, and small candles rolled up into larger ones."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal, TypeVar

import msgspec

Kind = Literal["trade", "mark"]
MONDAY_MS = 345_600_000  # 5 January 1970: weeks begin on Mondays; a whole number of days from the epoch, so all else is as from there


class Bucket(msgspec.Struct, kw_only=True):
    """A candle of any kind."""

    opened_ms: int

    def extend(self, later: Any) -> None:
        """Take in a candle of the same kind that came after this one."""
        raise NotImplementedError


C = TypeVar("C", bound=Bucket)


class Candle(Bucket, kw_only=True):
    """What traded in one bucket, or how the mark moved in it (then without volume and trades). opened_ms is the bucket's start.

    Grows by `add` and `extend`.
    """

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
    """Return the start of the bucket that a time falls in: in UTC, weeks from Monday."""
    return stamp_ms - (stamp_ms - MONDAY_MS) % interval_ms


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


def flat(*, opened_ms: int, price_ticks: int) -> Candle:
    """Return the candle of a bucket in which a price stood still and nothing traded."""
    return Candle(
        opened_ms=opened_ms,
        open_ticks=price_ticks,
        high_ticks=price_ticks,
        low_ticks=price_ticks,
        close_ticks=price_ticks,
        volume_lots=0,
        volume_quote_atoms=0,
        trades=0,
    )


def filled(candles: Iterable[Candle], *, from_ms: int, until_ms: int, interval_ms: int, close_ticks: int = 0) -> Iterator[Candle]:
    """Yield a candle for every bucket from `from_ms` on and before `until_ms`, flat ones where there is none.

    `close_ticks` is the last close before `from_ms`; without one (0) it begins with the first candle.
    """
    due_ms = from_ms
    for candle in candles:
        if close_ticks and due_ms < candle.opened_ms:
            yield from (flat(opened_ms=gap_ms, price_ticks=close_ticks) for gap_ms in range(due_ms, candle.opened_ms, interval_ms))
        yield candle
        close_ticks, due_ms = candle.close_ticks, candle.opened_ms + interval_ms
    if close_ticks:
        yield from (flat(opened_ms=gap_ms, price_ticks=close_ticks) for gap_ms in range(due_ms, until_ms, interval_ms))


def rolled_up(candles: Iterable[C], interval_ms: int) -> list[C]:
    """Return the candles of a larger interval from those of a smaller one, given in order of time."""
    larger: list[C] = []
    for candle in candles:
        opened_ms = bucket_ms(candle.opened_ms, interval_ms)
        if larger and larger[-1].opened_ms == opened_ms:
            larger[-1].extend(candle)
        else:
            larger.append(msgspec.structs.replace(candle, opened_ms=opened_ms))
    return larger
