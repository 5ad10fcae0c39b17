"""A market's candles of every interval, growing with each commit."""

from typing import Any

import msgspec

from markets.candles import Candle, bucket_ms
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
    """One interval of one market. A candle that another follows inside one tick is sent in its final state first."""

    def __init__(self, *, market: MarketParameters, interval: str, interval_ms: int, current: Candle | None, seq: int) -> None:
        self.market = market
        self.interval_ms = interval_ms
        head = {"channel": "candles", "market": market.symbol, "interval": interval}
        self.channel = Channel(topic=f"candles:{market.market_id}:{interval}", head=head, seq=seq)
        self.current = current
        self._changed: list[tuple[Candle, int]] = []
        self._sent = current and msgspec.structs.replace(current)

    def add(self, minute: Candle, seq: int) -> None:
        """Count the trades of one commit: a candle of the latest minute."""
        opened_ms = bucket_ms(minute.opened_ms, self.interval_ms)
        if self.current is not None and self.current.opened_ms == opened_ms:
            self.current.extend(minute)
        else:
            self.current = msgspec.structs.replace(minute, opened_ms=opened_ms)
        if self._changed and self._changed[-1][0] is self.current:
            self._changed.pop()
        self._changed.append((self.current, seq))

    def messages(self) -> list[Message]:
        """Return the candles that changed since the last call, each numbered by the commit that changed it last."""
        if not self._changed:
            return []
        changed, self._changed = self._changed, []
        self._sent = msgspec.structs.replace(changed[-1][0])
        return [self.channel.following("update", seq, {"candle": candle_body(candle, self.market)}) for candle, seq in changed]

    def snapshot(self) -> Message:
        return self.channel.snapshot({"candle": self._sent and candle_body(self._sent, self.market)})
