"""The tickers of all markets in one channel, for lists of markets: once a second those that changed."""

from collections.abc import Mapping
from typing import Any

from markets.gateway import Message
from trading.broadcast.channel import Channel
from trading.broadcast.market import MarketFeeds

EVERY_MS = 1_000


class Tickers:
    """Says what each market's own ticker says."""

    def __init__(self, *, seq: int) -> None:
        self.channel = Channel(topic="tickers", head={"channel": "tickers"}, seq=seq)
        self._said: dict[int, dict[str, Any]] = {}
        self._due_ms = 0

    def due(self, markets: Mapping[int, MarketFeeds], *, now_ms: int, seq: int) -> Message | None:
        """Return the tickers that changed since the last message, when it is time and something was committed."""
        if now_ms < self._due_ms or seq <= self.channel.sent_seq:
            return None
        changed = {id_: ticker for id_, feeds in markets.items() if (ticker := feeds.ticker.shown) and ticker is not self._said.get(id_)}
        if not changed:
            return None
        self._due_ms = now_ms + EVERY_MS
        self._said |= changed
        return self.channel.following("update", seq, {"tickers": list(changed.values())})

    def snapshot(self, markets: Mapping[int, MarketFeeds], stamp_ms: int) -> Message:
        return self.channel.snapshot({"tickers": [feeds.ticker.current(stamp_ms) for feeds in markets.values()]})
