"""A market's tape: every match as it is committed, and the last fifty for who comes later."""

from collections import deque
from collections.abc import Sequence

from markets.gateway import Message
from markets.parameters import MarketParameters
from trading import representations
from trading.broadcast.channel import Channel
from trading.representations import Match

TAPE_LENGTH = 50


class Tape:
    """Matches are kept as events and put into words only when somebody reads them."""

    def __init__(self, *, market: MarketParameters, seq: int) -> None:
        self.market = market
        self.channel = Channel(topic=f"trades:{market.market_id}", head={"channel": "trades", "market": market.symbol}, seq=seq)
        self._recent: deque[tuple[Match, int]] = deque(maxlen=TAPE_LENGTH)

    def restore(self, fills: Sequence[Match], stamp_ms: int) -> None:
        """Put older matches on the tape, without a message."""
        self._recent.extend((fill, stamp_ms) for fill in fills)

    def commit(self, *, fills: Sequence[Match], seq: int, stamp_ms: int, watched: bool) -> Message | None:
        """Put matches on the tape; return the message about them, unless nobody watches."""
        self.restore(fills, stamp_ms)
        if not watched:
            self.channel.sent_seq = seq
            return None
        trades = [representations.trade(fill, stamp_ms, self.market) for fill in fills]
        return self.channel.following("update", seq, {"trades": trades})

    def snapshot(self) -> Message:
        return self.channel.snapshot({"trades": [representations.trade(fill, ms, self.market) for fill, ms in self._recent]})
