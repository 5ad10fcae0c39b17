"""Which of a market's marks enter its candles, and what a candle of marks holds."""

from markets.candles import Bucket

MINUTE_MS = 60_000
SECOND_MS = 1_000


class MarkCandle(Bucket, kw_only=True):
    """How the mark moved in one bucket, and the open interest at its last sample."""

    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    open_interest_lots: int
    sampled_ms: int

    def extend(self, later: "MarkCandle") -> None:
        """Take in samples that came after this candle's."""
        self.high_ticks = max(self.high_ticks, later.high_ticks)
        self.low_ticks = min(self.low_ticks, later.low_ticks)
        self.close_ticks = later.close_ticks
        self.open_interest_lots = later.open_interest_lots
        self.sampled_ms = later.sampled_ms


class MarkSampler:
    """Takes the first mark of each second, and each that is a new high or low of its minute.

    A mark may change a hundred times a second; so its candles cost at most about one write a second, their highs and lows are
    exact, and their closes are at most a second old. What is taken depends on the marks alone, not on when they are looked at.
    """

    __slots__ = ("high_ticks", "low_ticks", "minute", "second")

    def __init__(self, *, sampled_ms: int = 0, high_ticks: int = 0, low_ticks: int = 0) -> None:
        """Go on from the last sample and the extremes of its minute."""
        self.minute: int = sampled_ms // MINUTE_MS
        self.second: int = sampled_ms // SECOND_MS
        self.high_ticks: int = high_ticks
        self.low_ticks: int = low_ticks

    def takes(self, mark_ticks: int, stamp_ms: int) -> bool:
        """Tell whether this mark is a sample, and remember it if so."""
        if stamp_ms // MINUTE_MS != self.minute:
            self.minute = stamp_ms // MINUTE_MS
            self.high_ticks = self.low_ticks = mark_ticks
        elif self.low_ticks <= mark_ticks <= self.high_ticks and stamp_ms // SECOND_MS == self.second:
            return False
        self.second = stamp_ms // SECOND_MS
        self.high_ticks = max(self.high_ticks, mark_ticks)
        self.low_ticks = min(self.low_ticks, mark_ticks)
        return True


def sample(*, stamp_ms: int, mark_ticks: int, open_interest_lots: int) -> MarkCandle:
    """Return the minute's candle that holds one sample."""
    return MarkCandle(
        opened_ms=stamp_ms - stamp_ms % MINUTE_MS,
        open_ticks=mark_ticks,
        high_ticks=mark_ticks,
        low_ticks=mark_ticks,
        close_ticks=mark_ticks,
        open_interest_lots=open_interest_lots,
        sampled_ms=stamp_ms,
    )
