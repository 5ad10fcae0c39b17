"""A market's candles of every interval, growing with each commit."""

from typing import Any

import msgspec

from markets.candles import Candle, Kind, bucket_ms, flat
from markets.gateway import Message
from markets.parameters import MarketParameters
from trading import representations
from trading.broadcast.channel import Channel


def candle_body(candle: Candle, market: MarketParameters) -> dict[str, Any]:
    """Return the JSON shape of a candle, the same as in REST."""
    return {
        "opened_ms": candle.opened_ms,
        "open": representations.price_text(candle.open_ticks, market),
        "high": representations.price_text(candle.high_ticks, market),
        "low": representations.price_text(candle.low_ticks, market),
        "close": representations.price_text(candle.close_ticks, market),
        "volume": representations.size_text(candle.volume_lots, market),
        "quote_volume": representations.atoms_text(candle.volume_quote_atoms),
        "trades": candle.trades,
    }


class CandleFeed:
    """One interval of one market, of trades or of the mark. A candle that another follows inside one tick is sent in its final
    state first; when a bucket begins and nothing has happened in it yet, its candle is flat.
    """

    def __init__(
        self, *, market: MarketParameters, interval: str, interval_ms: int, current: Candle | None, seq: int, kind: Kind = "trade"
    ) -> None:
        self.market = market
        self.interval_ms = interval_ms
        head = {"channel": "candles", "market": market.symbol, "interval": interval}
        topic = f"candles:{market.market_id}:{interval}"
        if kind != "trade":
            head, topic = head | {"kind": kind}, f"{topic}:{kind}"
        self.channel = Channel(topic=topic, head=head, seq=seq)
        self.current = current
        self.changed: list[tuple[Candle, int]] = []  # since the last messages
        self._sent = current and msgspec.structs.replace(current)
        self._is_flat = False
        self._unsaid = False  # what changed while nobody watched is `_sent` all the same

    def add(self, minute: Candle, seq: int) -> None:
        """Count the trades or marks of one commit: a candle of the latest minute."""
        opened_ms = bucket_ms(minute.opened_ms, self.interval_ms)
        if self.current is not None and self.current.opened_ms == opened_ms and not self._is_flat:
            self.current.extend(minute)
        else:
            self._begin(msgspec.structs.replace(minute, opened_ms=opened_ms))
        self._change(seq)

    def roll(self, stamp_ms: int, seq: int) -> None:
        """Begin the bucket of a time with a flat candle, if it is a later one and a price is known."""
        opened_ms = bucket_ms(stamp_ms, self.interval_ms)
        if self.current is not None and self.current.opened_ms < opened_ms:
            self._begin(flat(opened_ms=opened_ms, price_ticks=self.current.close_ticks))
            self._is_flat = True
            self._change(seq)

    def messages(self, *, watched: bool = True) -> list[Message]:
        """Return the candles that changed since the last call, each numbered by the commit that changed it last; none are made
        of a feed that nobody watches.
        """
        if not self.changed:
            return []
        changed, self.changed = self.changed, []
        self._unsaid = not watched
        if not watched:
            self.channel.sent_seq = changed[-1][1]
            return []
        self._sent = msgspec.structs.replace(changed[-1][0])
        return [self.channel.following("update", seq, {"candle": candle_body(candle, self.market)}) for candle, seq in changed]

    def snapshot(self, stamp_ms: int) -> Message:
        """Return the candle of a time as it was last sent."""
        if self._unsaid and self.current is not None:
            self._sent, self._unsaid = msgspec.structs.replace(self.current), False
        candle = self._sent
        if candle is not None and candle.opened_ms < (opened_ms := bucket_ms(stamp_ms, self.interval_ms)):
            candle = flat(opened_ms=opened_ms, price_ticks=candle.close_ticks)
        return self.channel.snapshot({"candle": candle and candle_body(candle, self.market)})

    def _begin(self, candle: Candle) -> None:
        self.current, self._is_flat = candle, False

    def _change(self, seq: int) -> None:
        current = self.current
        if current is None:
            raise AssertionError("no candle")
        if self.changed and self.changed[-1][0].opened_ms == current.opened_ms:
            self.changed.pop()
        self.changed.append((current, seq))
