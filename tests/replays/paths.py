"""From bars to prices over time, in units of 1e-8 USD. The same seed gives the same path."""

from collections.abc import Iterator
from itertools import pairwise
from random import Random

from markets.units import PPM
from tests.replays.bars import Bar

REBOUND = 20  # minutes from the low back to the close
WOBBLE_PPM = 1_500  # of the price: how far a path within a daily bar strays from the line between two of its prices


def within_minutes(bars: list[Bar]) -> Iterator[int]:
    """Yield two prices a bar: the extreme further from where the bar began, and its close."""
    for bar in bars:
        up, down = bar.high_e8 - bar.open_e8, bar.open_e8 - bar.low_e8
        yield bar.high_e8 if up > down else bar.low_e8
        yield bar.close_e8


def within_day(bar: Bar, *, high_at: int, fall: tuple[int, int], minutes: int, random: Random) -> list[int]:
    """Return a daily bar's path, minute by minute: open, high, down to the close, the fall to the low, back to the close.

    Between these it wobbles, and never leaves the bar.
    """
    begin, low_at = fall
    points = [
        (0, bar.open_e8), (high_at, bar.high_e8), (begin, bar.close_e8), (low_at, bar.low_e8), (low_at + REBOUND, bar.close_e8),
        (minutes - 1, bar.close_e8),
    ]  # fmt: skip
    path: list[int] = []
    for (start, before), (end, after) in pairwise(points):
        path += bridge(before, after, end - start, random)
    path.append(bar.close_e8)
    return [max(bar.low_e8, min(bar.high_e8, price)) for price in path]


def bridge(before: int, after: int, steps: int, random: Random) -> list[int]:
    """Return a walk that starts at one price and would reach the other after `steps` more."""
    drift, found = 0, []
    for step in range(steps):
        line = before + (after - before) * step // steps
        span = line * WOBBLE_PPM // PPM
        drift = drift * 9 // 10 + random.randint(-span, span)
        fade = min(step, steps - step)  # no wobble at either end
        found.append(line + drift * min(fade, 10) // 10)
    return found
