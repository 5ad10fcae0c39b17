"""A market's index: its state, its price, and each source with what it is worth."""

import msgspec

from markets.events import MarkChanged
from markets.gateway import Message
from markets.parameters import MarketParameters
from markets.views import IndexView, MarketView
from oracle import bodies
from trading.broadcast.channel import Channel


class OracleFeed:
    """Follows the market's events; a message is made when something changed, and only when somebody watches."""

    def __init__(self, *, view: MarketView, seq: int) -> None:
        self.market: MarketParameters = view.parameters
        topic = f"oracle:{self.market.market_id}"
        self.channel = Channel(topic=topic, head={"channel": "oracle", "market": self.market.symbol}, seq=seq)
        self.view = view.index or unknown(view)
        self._changed = False

    def mark(self, event: MarkChanged) -> None:
        self.view = msgspec.structs.replace(
            self.view,
            state=event.state,
            price_e8=event.index_e8,
            confidence_e8=event.confidence_e8,
            readings=event.readings,
            recovering=event.recovering,
            halt_reason=event.halt_reason,
            stable_e8=event.stable_e8,
        )
        self._changed = True

    def message(self, *, seq: int, watched: bool) -> Message | None:
        """Return what changed since the last message, None when nothing did or nobody watches."""
        if not self._changed:
            return None
        self._changed = False
        if not watched:
            self.channel.sent_seq = seq
            return None
        return self.channel.following("update", seq, {"index": bodies.index(self.view, self.market.symbol)})

    def snapshot(self) -> Message:
        return self.channel.snapshot({"index": bodies.index(self.view, self.market.symbol)})


def unknown(view: MarketView) -> IndexView:
    """Return the index of a market that is new: nothing is known of it yet."""
    return IndexView(
        index_id=view.parameters.market_id,
        asset=view.parameters.base_asset,
        state=view.oracle_state,
        price_e8=view.index_e8,
        confidence_e8=0,
        stable_e8=0,
        halt_reason="",
        recovering=False,
        max_age_ms=view.parameters.oracle_max_age_ms,
        readings=(),
    )
