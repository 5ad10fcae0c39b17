"""What traded in the last 24 hours, kept as candles of a minute."""

from collections import deque
from collections.abc import Iterable

from markets.candles import Candle

DAY_MS = 86_400_000


class Day:
    """A rolling window: whole minutes leave it 24 hours after they began."""

    def __init__(self, minutes: Iterable[Candle] = ()) -> None:
        self._minutes: deque[Candle] = deque()
        self.volume_lots = 0
        self.volume_quote_atoms = 0
        for minute in minutes:
            self.add(minute)

    def add(self, minute: Candle) -> None:
        """Count more trades: a candle of the latest minute or of a new one. The candle is kept, not copied."""
        self.volume_lots += minute.volume_lots
        self.volume_quote_atoms += minute.volume_quote_atoms
        if self._minutes and self._minutes[-1].opened_ms == minute.opened_ms:
            self._minutes[-1].extend(minute)
        else:
            self._minutes.append(minute)

    def expire(self, now_ms: int) -> None:
        while self._minutes and self._minutes[0].opened_ms <= now_ms - DAY_MS:
            gone = self._minutes.popleft()
            self.volume_lots -= gone.volume_lots
            self.volume_quote_atoms -= gone.volume_quote_atoms

    def open_high_low(self) -> tuple[int, int, int]:
        """Return the first, highest and lowest price in ticks, zeros when nothing traded."""
        if not self._minutes:
            return 0, 0, 0
        return (
            self._minutes[0].open_ticks,
            max(minute.high_ticks for minute in self._minutes),
            min(minute.low_ticks for minute in self._minutes),
        )
