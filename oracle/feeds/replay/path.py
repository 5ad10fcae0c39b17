"""A price's way through its bars: from each open over its extremes to its close, in integers, the same for the same seed."""

import random
from bisect import bisect_right
from collections.abc import Sequence

from oracle.feeds.replay.bars import Bar

TURN_PARTS = 1_000


class Path:
    """Straight lines between the corners open, one extreme, the other, close; which comes first, and when, is by the seed."""

    def __init__(self, bars: Sequence[Bar], *, seed: int) -> None:
        self._bars = bars
        self._seed = seed
        self._starts = [bar.opened_ms for bar in bars]
        self._known: tuple[int, list[tuple[int, int]]] = (-1, [])  # the corners of the bar that was looked at last
        self.start_ms = bars[0].opened_ms
        self.end_ms = bars[-1].opened_ms + self._length(len(bars) - 1)

    def at(self, time_ms: int) -> int:
        """Return the price at a time between start and end; in a gap between bars it stays at the last close."""
        place = max(0, bisect_right(self._starts, time_ms) - 1)
        if self._known[0] != place:
            self._known = (place, self._corners(place))
        corners = self._known[1]
        after = next((number for number, (corner_ms, _) in enumerate(corners) if corner_ms > time_ms), None)
        if after is None:
            return corners[-1][1]
        if after == 0:
            return corners[0][1]
        (from_ms, from_e8), (to_ms, to_e8) = corners[after - 1], corners[after]
        return from_e8 + (to_e8 - from_e8) * (time_ms - from_ms) // (to_ms - from_ms)

    def _corners(self, place: int) -> list[tuple[int, int]]:
        bar = self._bars[place]
        chance = random.Random(self._seed * 1_000_003 + place)  # noqa: S311 chance for a demo, not for secrets
        length = self._length(place)
        first, second = sorted(chance.sample(range(1, TURN_PARTS), 2))
        low_first = chance.randrange(2) == 0
        extremes = (bar.low_e8, bar.high_e8) if low_first else (bar.high_e8, bar.low_e8)
        turns = (length * first // TURN_PARTS, length * second // TURN_PARTS)
        corners = [(0, bar.open_e8), (turns[0], extremes[0]), (turns[1], extremes[1]), (length, bar.close_e8)]
        return [(bar.opened_ms + after_ms, price_e8) for after_ms, price_e8 in corners]

    def _length(self, place: int) -> int:
        """Return how long a bar lasts: until the next one, unless bars are missing between them."""
        usual = self._starts[1] - self._starts[0]
        return min(usual, self._starts[place + 1] - self._starts[place]) if place + 1 < len(self._starts) else usual
