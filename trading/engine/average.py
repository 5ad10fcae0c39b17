"""The time-weighted average of a price over the recent past, in minutes, so that what is kept stays small."""

from collections import deque
from typing import Final

BUCKET_MS: Final = 60_000
LONGEST_WINDOW_MS: Final = 86_400_000
MAX_BUCKETS: Final = LONGEST_WINDOW_MS // BUCKET_MS + 1  # and the minute that runs
LONGEST_HOLD_MS: Final = 60_000  # a price counts no longer than this without another


class TimeAverage:
    """Buckets are (start, price x ms, ms). The price holds from `since_ms` on until the next sample, 0 before the first."""

    __slots__ = ("buckets", "price_e8", "since_ms")

    def __init__(self) -> None:
        self.buckets: deque[tuple[int, int, int]] = deque()
        self.price_e8: int = 0
        self.since_ms: int = 0

    def sample(self, price_e8: int, stamp_ms: int) -> None:
        """Let the price so far count until now, and take the next one."""
        self.extend(stamp_ms)
        self.price_e8 = price_e8
        self.since_ms = stamp_ms

    def extend(self, stamp_ms: int) -> None:
        """Count the price until now, but no longer than it may hold."""
        if self.since_ms == 0:
            return
        start = self.since_ms
        end = min(stamp_ms, start + LONGEST_HOLD_MS)
        while start < end:
            bucket_ms = start - start % BUCKET_MS
            until = min(end, bucket_ms + BUCKET_MS)
            self.add(bucket_ms, until - start)
            start = until
        self.since_ms = max(self.since_ms, stamp_ms)

    def add(self, bucket_ms: int, held_ms: int) -> None:
        weighted = self.price_e8 * held_ms
        buckets = self.buckets
        if buckets and buckets[-1][0] == bucket_ms:
            last = buckets[-1]
            buckets[-1] = (bucket_ms, last[1] + weighted, last[2] + held_ms)
            return
        buckets.append((bucket_ms, weighted, held_ms))
        if len(buckets) > MAX_BUCKETS:
            buckets.popleft()

    def over(self, window_ms: int, stamp_ms: int) -> tuple[int, int]:
        """Return the average price of the minutes that end within the window, and for how much of it there was a price; (0, 0) for none."""
        weighted = 0
        covered = 0
        for start, value, held in self.buckets:
            if start + BUCKET_MS > stamp_ms - window_ms:
                weighted += value
                covered += held
        return (weighted // covered, covered) if covered else (0, 0)
