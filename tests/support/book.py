"""A client's copy of a book, kept from the messages of the socket alone."""

import zlib
from typing import Any


class Book:
    """Applies a snapshot and its deltas; a gap, a repeat or a wrong checksum fails the test."""

    def __init__(self, snapshot: dict[str, Any]) -> None:
        assert snapshot["type"] == "snapshot", snapshot
        self.bids: dict[int, int] = dict(snapshot["bids"])
        self.asks: dict[int, int] = dict(snapshot["asks"])
        self.seq: int = snapshot["seq"]
        assert self.checksum() == snapshot["checksum"]

    def apply(self, delta: dict[str, Any]) -> None:
        assert delta["type"] == "delta", delta
        assert delta["prev_seq"] == self.seq, (delta, self.seq)
        assert delta["seq"] > self.seq
        for side, changes in ((self.bids, delta["bids"]), (self.asks, delta["asks"])):
            for price_ticks, size_lots in changes:
                side[price_ticks] = size_lots
                if not size_lots:
                    del side[price_ticks]
        self.seq = delta["seq"]
        assert self.checksum() == delta["checksum"]

    def checksum(self) -> int:
        asks = sorted(self.asks.items())[:10]
        bids = sorted(self.bids.items(), reverse=True)[:10]
        return zlib.crc32(":".join(f"{price}:{size}" for price, size in asks + bids).encode())
