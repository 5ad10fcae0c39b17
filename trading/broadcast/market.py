"""Everything public about one market: its book, tape, ticker and candles."""

from collections.abc import Callable, Sequence

import msgspec

from markets.candles import Candle, bucket_ms, flat, started
from markets.events import MarkChanged, OrderFilled
from markets.gateway import Message
from markets.marks import MarkSampler
from markets.parameters import MarketParameters, MarketStatus
from markets.units import tick_lot_atoms
from markets.views import MarketView
from trading.broadcast.book import BookChanges, BookFeed
from trading.broadcast.candles import CandleFeed
from trading.broadcast.day import Day
from trading.broadcast.oracle import OracleFeed
from trading.broadcast.tape import Tape
from trading.broadcast.ticker import STRICTNESS, Ticker
from trading.representations import Match

BOOK_EVERY_MS = 100
SUMMARY_EVERY_MS = 500  # tickers and candles
MINUTE_MS = 60_000


class History(msgspec.Struct, kw_only=True):
    """What a market's feeds cannot learn from the engine's state: what traded before, oldest first."""

    minutes: list[Candle] = []  # of the last 24 hours
    current: dict[str, Candle] = {}  # the latest candle of each interval
    current_marks: dict[str, Candle] = {}  # the same of the mark
    sampled_ms: int = 0  # when the mark was last sampled
    matches: list[tuple[Match, int]] = []  # the latest matches with their times


class MarketFeeds:
    """Takes what each commit did to the market, and says when there is something to send."""

    def __init__(self, *, view: MarketView, levels: BookChanges, history: History, intervals_ms: dict[str, int], seq: int) -> None:
        self.market: MarketParameters = view.parameters
        self.status: MarketStatus = view.status  # the market's own, whatever the exchange's
        self.exchange_status: MarketStatus = "normal"
        self.tick_lot_atoms = tick_lot_atoms(tick_e8=self.market.tick_e8, lot_e8=self.market.lot_e8)
        self.book = BookFeed(market_id=self.market.market_id, symbol=self.market.symbol, changes=levels, seq=seq)
        self.tape = Tape(market=self.market, seq=seq)
        for match, stamp_ms in history.matches:
            self.tape.restore([match], stamp_ms)
        self.ticker = Ticker(view=view, day=Day(history.minutes), seq=seq)
        self.oracle = OracleFeed(view=view, seq=seq)
        self.candles = {
            name: CandleFeed(market=self.market, interval=name, interval_ms=length, current=history.current.get(name), seq=seq)
            for name, length in intervals_ms.items()
        }
        self.mark_candles = {
            name: CandleFeed(
                market=self.market,
                interval=name,
                interval_ms=length,
                current=history.current_marks.get(name),
                seq=seq,
                kind="mark",
            )
            for name, length in intervals_ms.items()
        }
        self._candle_feeds = (*self.candles.values(), *self.mark_candles.values())
        self._rolled_minute = 0
        self._sampler = _sampler(history)
        self._touched = False
        self._book_due_ms = 0
        self._summary_due_ms = 0
        self._best_from_book()

    def book_changed(self, changes: BookChanges, stamp_ms: int) -> None:
        self.book.commit(changes=changes, stamp_ms=stamp_ms)
        self._best_from_book()
        self._touched = True

    def traded(self, fills: Sequence[OrderFilled], *, seq: int, stamp_ms: int, watched: bool) -> Message | None:
        """Count a commit's matches; return the tape's message when it is watched."""
        minute = self._minute(fills, stamp_ms)
        for feed in self.candles.values():
            feed.add(minute, seq)
        self.ticker.trade(minute)
        self._touched = True
        return self.tape.commit(fills=fills, seq=seq, stamp_ms=stamp_ms, watched=watched)

    def marked(self, event: MarkChanged, *, seq: int, stamp_ms: int) -> None:
        self.ticker.mark(event)
        self.oracle.mark(event)
        self._touched = True
        if event.mark_ticks and self._sampler.takes(event.mark_ticks, stamp_ms):
            minute = flat(opened_ms=bucket_ms(stamp_ms, MINUTE_MS), price_ticks=event.mark_ticks)
            for feed in self.mark_candles.values():
                feed.add(minute, seq)

    def touch(self) -> "MarketFeeds":
        """Say that the ticker may read differently from now on."""
        self._touched = True
        return self

    def set_status(self, *, own: MarketStatus | None = None, exchange: MarketStatus | None = None) -> None:
        self.status = own or self.status
        self.exchange_status = exchange or self.exchange_status
        self.ticker.status = max(self.status, self.exchange_status, key=STRICTNESS.index)
        self._touched = True

    def due(self, *, now_ms: int, seq: int, stamp_ms: int, is_watched: Callable[[str], bool], all_tickers: bool) -> list[Message]:
        """Return the book's delta, the ticker and the candles, each at most once in its own time. `all_tickers` says that somebody
        watches the tickers of all markets.
        """
        messages: list[Message] = []
        if now_ms >= self._book_due_ms and (delta := self.book.delta(seq)):
            self._book_due_ms = now_ms + BOOK_EVERY_MS
            messages.append(delta)
        if self._touched and now_ms >= self._summary_due_ms:
            self._touched = False
            self._summary_due_ms = now_ms + SUMMARY_EVERY_MS
            messages += self._ticker_messages(seq, stamp_ms, is_watched(self.ticker.channel.topic), all_tickers)
            messages += self._candle_messages(seq, stamp_ms, is_watched)
            prices = self.oracle.message(seq=seq, watched=is_watched(self.oracle.channel.topic))
            messages += [prices] if prices else []
        return messages

    def _ticker_messages(self, seq: int, stamp_ms: int, watched: bool, all_tickers: bool) -> list[Message]:
        if not watched and not all_tickers:
            self.ticker.pass_over(seq)
            return []
        message = self.ticker.message(seq=seq, stamp_ms=stamp_ms, watched=watched)
        return [message] if message else []

    def _candle_messages(self, seq: int, stamp_ms: int, is_watched: Callable[[str], bool]) -> list[Message]:
        messages: list[Message] = []
        rolls = stamp_ms // MINUTE_MS != self._rolled_minute  # no bucket begins within a minute
        self._rolled_minute = stamp_ms // MINUTE_MS
        for feed in self._candle_feeds:
            if rolls:
                feed.roll(stamp_ms, seq)
            if feed.changed:
                messages += feed.messages(watched=is_watched(feed.channel.topic))
        return messages

    def _minute(self, fills: Sequence[OrderFilled], stamp_ms: int) -> Candle:
        minute: Candle | None = None
        for fill in fills:
            trade = {
                "price_ticks": fill.price_ticks,
                "size_lots": fill.size_lots,
                "quote_atoms": fill.price_ticks * fill.size_lots * self.tick_lot_atoms,
            }
            if minute is None:
                minute = started(opened_ms=bucket_ms(stamp_ms, MINUTE_MS), **trade)
            else:
                minute.add(**trade)
        if minute is None:
            raise AssertionError("no fills")
        return minute

    def _best_from_book(self) -> None:
        self.ticker.best_bid_ticks = self.book.bids.best()
        self.ticker.best_ask_ticks = self.book.asks.best()


def _sampler(history: History) -> MarkSampler:
    """Go on where the stored candles of the mark end."""
    minute = history.current_marks.get("1m")
    if minute is None:
        return MarkSampler()
    return MarkSampler(sampled_ms=history.sampled_ms, high_ticks=minute.high_ticks, low_ticks=minute.low_ticks)
