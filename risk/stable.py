"""The stable price: a follower of an index that no short pump can carry along. Prices are integers of 1e-8 USD.

Source: the stable price model of Mango v4, its constants as published; the integer arithmetic is ours. In a second the price
grows by at most GROWTH_PPM x (low / high)^2, where low and high are it and its delay price: the further the two are apart, the
slower it goes. The delay price is the hourly average of a day ago, and no hour's average is further than DELAY_PPM from the
one before.
"""

from typing import Final

from markets.units import PPM

GROWTH_PPM: Final = 300
DELAY_PPM: Final = 60_000
HOURS: Final = 24
HOUR_MS: Final = 3_600_000
SECOND_MS: Final = 1_000
MIN_STEP_MS: Final = 10_000
MAX_STEP_MS: Final = 600_000

# The fourth is text: an hour's sum is beyond 64 bits. Snapshots of earlier days have a number there.
StableRecord = tuple[int, int, int, str | int, int, tuple[int, ...]]


def clamped(target: int, around: int, limit_ppm: int) -> int:
    """Return the target, but no further from `around` than a part of it, rounded down."""
    most = around * limit_ppm // PPM
    return max(around - most, min(around + most, target))


class StablePrice:
    """`price_e8` is 0 before the first price; `delays_e8[hour % 24]` is the average of that hour, until a day later."""

    __slots__ = ("delays_e8", "hour", "price_e8", "span_ms", "sum_e8_ms", "updated_ms")

    def __init__(self) -> None:
        self.price_e8: int = 0
        self.updated_ms: int = 0
        self.hour: int = 0
        self.sum_e8_ms: int = 0
        self.span_ms: int = 0
        self.delays_e8: list[int] = []

    def follow(self, price_e8: int, stamp_ms: int) -> None:
        """Take a step towards a fresh price, at most one in MIN_STEP_MS; more than MAX_STEP_MS without one count as so much."""
        if self.price_e8 == 0:
            self.start(price_e8, stamp_ms)
            return
        elapsed = stamp_ms - self.updated_ms
        if elapsed < MIN_STEP_MS:
            return
        step = min(elapsed, MAX_STEP_MS)
        self.updated_ms = stamp_ms
        self.average(price_e8, step, stamp_ms // HOUR_MS)
        delay = self.delays_e8[self.hour % HOURS]
        low = min(delay, self.price_e8)
        high = max(delay, self.price_e8)
        most = self.price_e8 * GROWTH_PPM * step * low * low // (PPM * SECOND_MS * high * high)
        self.price_e8 = max(self.price_e8 - most, min(self.price_e8 + most, price_e8))

    def start(self, price_e8: int, stamp_ms: int) -> None:
        self.price_e8 = price_e8
        self.updated_ms = stamp_ms
        self.hour = stamp_ms // HOUR_MS
        self.delays_e8 = [price_e8] * HOURS

    def average(self, price_e8: int, step_ms: int, hour: int) -> None:
        """Count a price for the time since the last one; when an hour is over, keep its average."""
        if hour != self.hour:
            before = self.delays_e8[(self.hour - 1) % HOURS]
            kept = clamped(self.sum_e8_ms // self.span_ms, before, DELAY_PPM) if self.span_ms else before
            for passed in range(self.hour, min(hour, self.hour + HOURS)):
                self.delays_e8[passed % HOURS] = kept
            self.hour = hour
            self.sum_e8_ms = self.span_ms = 0
        self.sum_e8_ms += price_e8 * step_ms
        self.span_ms += step_ms

    def record(self) -> StableRecord:
        return (self.price_e8, self.updated_ms, self.hour, str(self.sum_e8_ms), self.span_ms, tuple(self.delays_e8))


def stable_from(record: StableRecord) -> StablePrice:
    stable = StablePrice()
    stable.price_e8, stable.updated_ms, stable.hour, weighted, stable.span_ms, delays = record
    stable.sum_e8_ms = int(weighted)
    stable.delays_e8 = list(delays)
    return stable
