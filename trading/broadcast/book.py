"""A market's committed book and its channel: a snapshot of the top levels, then what changed among them."""

from collections.abc import Mapping
from zlib import crc32

from markets.commands import Side
from markets.gateway import Message
from markets.views import BookView
from trading.broadcast.channel import Channel
from trading.broadcast.levels import Levels

DEPTH = 50
CHECKSUM_DEPTH = 10

BookChanges = Mapping[tuple[Side, int], int]


def checksum(bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> int:
    """Return the CRC32 of the ten best asks, then the ten best bids, as `price:size` joined by colons."""
    levels = asks[:CHECKSUM_DEPTH] + bids[:CHECKSUM_DEPTH]
    return crc32(":".join(f"{price}:{size}" for price, size in levels).encode())


def changed(before: list[tuple[int, int]], now: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the levels that turn `before` into `now`: size 0 for one that is no longer there."""
    old, new = dict(before), dict(now)
    return [(price, 0) for price in old if price not in new] + [level for level in now if old.get(level[0]) != level[1]]


class BookFeed:
    """Followers always hold exactly the top levels as of the last message: deltas are taken between two such tops.

    A level that a deeper one replaces is announced as gone, and the deeper one as new.
    """

    def __init__(self, *, market_id: int, symbol: str, changes: BookChanges, seq: int) -> None:
        self.market_id = market_id
        self.channel = Channel(topic=f"book:{market_id}", head={"channel": "book", "market": symbol}, seq=seq)
        self.bids = Levels(1)
        self.asks = Levels(-1)
        self.stamp_ms = 0
        self._changed = False
        self._apply(changes)
        self._sent_bids = self.bids.top(DEPTH)
        self._sent_asks = self.asks.top(DEPTH)
        self._sent_ms = 0

    def commit(self, *, changes: BookChanges, stamp_ms: int) -> None:
        self._apply(changes)
        self.stamp_ms = stamp_ms
        self._changed = True

    def delta(self, seq: int) -> Message | None:
        """Return what changed among the top levels since the last message, None when nothing did."""
        if not self._changed:
            return None
        self._changed = False
        bids, asks = self.bids.top(DEPTH), self.asks.top(DEPTH)
        changed_bids, changed_asks = changed(self._sent_bids, bids), changed(self._sent_asks, asks)
        if not changed_bids and not changed_asks:
            return None
        self._sent_bids, self._sent_asks, self._sent_ms = bids, asks, self.stamp_ms
        body = {"time_ms": self.stamp_ms, "bids": changed_bids, "asks": changed_asks, "checksum": checksum(bids, asks)}
        return self.channel.following("delta", seq, body)

    def snapshot(self) -> Message:
        bids, asks = self._sent_bids, self._sent_asks
        return self.channel.snapshot({"time_ms": self._sent_ms, "bids": bids, "asks": asks, "checksum": checksum(bids, asks)})

    def view(self, *, depth: int, seq: int) -> BookView:
        """Return the book as of the last commit, whatever was sent of it."""
        return BookView(market_id=self.market_id, seq=seq, bids=tuple(self.bids.top(depth)), asks=tuple(self.asks.top(depth)))

    def _apply(self, changes: BookChanges) -> None:
        for (side, price_ticks), size_lots in changes.items():
            (self.bids if side == "buy" else self.asks).set(price_ticks, size_lots)
