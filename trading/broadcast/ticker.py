"""A market's ticker: prices, 24-hour statistics, open interest and funding in one object."""

from decimal import Decimal
from typing import Any, Literal

from markets.candles import Candle
from markets.events import MarkChanged
from markets.gateway import Message
from markets.parameters import MarketParameters, MarketStatus
from markets.views import MarketView
from trading import representations
from trading.broadcast.channel import Channel
from trading.broadcast.day import Day

HOUR_MS = 3_600_000
STRICTNESS: tuple[MarketStatus, ...] = ("normal", "post_only", "cancel_only", "halted", "delisted")
CHANGE_PLACES = Decimal("0.000001")


def price_source(sources: tuple[str, ...]) -> Literal["live", "simulated", "replay"]:
    """Tell what a price is made of by the names of its sources; one that is not live taints it."""
    if any(source.startswith("simulation") for source in sources):
        return "simulated"
    return "replay" if "replay" in sources else "live"


class Ticker:
    """Follows the market's events; `message` is None while it reads as it did in the last one."""

    def __init__(self, *, view: MarketView, day: Day, seq: int) -> None:
        self.market: MarketParameters = view.parameters
        topic = f"ticker:{self.market.market_id}"
        self.channel = Channel(topic=topic, head={"channel": "ticker", "market": self.market.symbol}, seq=seq)
        self.day = day
        self.status = view.status
        self.mark_ticks = view.mark_ticks
        self.index_e8 = view.index_e8
        self.oracle_state = view.oracle_state
        self.sources = tuple(source for source, _, _ in view.oracle_sources)
        self.last_ticks = view.last_ticks
        self.best_bid_ticks = view.best_bid_ticks
        self.best_ask_ticks = view.best_ask_ticks
        self.open_interest_lots = view.open_interest_lots
        self.funding_ppb = view.predicted_funding_ppb
        self.next_funding_ms = view.next_funding_ms
        self._sent: dict[str, Any] = {}

    def mark(self, event: MarkChanged) -> None:
        self.mark_ticks = event.mark_ticks
        self.index_e8 = event.index_e8
        self.oracle_state = event.state
        self.sources = event.sources or self.sources  # a stale price is still that of its last sources
        self.funding_ppb = event.predicted_funding_ppb

    def trade(self, minute: Candle) -> None:
        self.last_ticks = minute.close_ticks
        self.day.add(minute)

    def message(self, *, seq: int, stamp_ms: int, watched: bool = True) -> Message | None:
        """Return the ticker at a time, None when it reads as before or nobody watches this one."""
        ticker = self._ticker(stamp_ms)
        if ticker == self._sent:
            return None
        self._sent = ticker
        if not watched:
            self.channel.sent_seq = seq
            return None
        return self.channel.following("update", seq, {"ticker": ticker})

    def pass_over(self, seq: int) -> None:
        """Let what changed go unsaid: nobody watches any ticker."""
        self._sent = {}
        self.channel.sent_seq = seq

    @property
    def shown(self) -> dict[str, Any]:
        """The ticker as it was last sent, empty when that is too long ago."""
        return self._sent

    def current(self, stamp_ms: int) -> dict[str, Any]:
        """Return the ticker as it was last sent."""
        self._sent = self._sent or self._ticker(stamp_ms)
        return self._sent

    def snapshot(self, stamp_ms: int) -> Message:
        return self.channel.snapshot({"ticker": self.current(stamp_ms)})

    def _ticker(self, stamp_ms: int) -> dict[str, Any]:
        market = self.market
        self.day.expire(stamp_ms)
        self.next_funding_ms = max(self.next_funding_ms, stamp_ms - stamp_ms % HOUR_MS + HOUR_MS)
        opened, high, low = self.day.open_high_low()
        return {
            "market": market.symbol,
            "status": self.status,
            "mark_price": representations.price_text(self.mark_ticks, market),
            "index_price": representations.e8_text(self.index_e8),
            "oracle_state": self.oracle_state,
            "price_source": price_source(self.sources),
            "last_price": representations.price_text(self.last_ticks, market),
            "best_bid": representations.price_text(self.best_bid_ticks, market),
            "best_ask": representations.price_text(self.best_ask_ticks, market),
            "open_24h": representations.price_text(opened, market),
            "high_24h": representations.price_text(high, market),
            "low_24h": representations.price_text(low, market),
            "volume_24h": representations.size_text(self.day.volume_lots, market),
            "quote_volume_24h": representations.atoms_text(self.day.volume_quote_atoms),
            "change_24h": _change(opened, self.last_ticks),
            "open_interest": representations.size_text(self.open_interest_lots, market),
            "funding_rate": representations.rate_text(self.funding_ppb),
            "next_funding_ms": self.next_funding_ms,
        }


def _change(opened: int, last: int) -> str:
    change = Decimal(last - opened) / opened if opened else Decimal(0)
    return representations.decimal_text(change.quantize(CHANGE_PLACES))
