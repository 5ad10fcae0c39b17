"""From commits to messages: each is built once, whatever the number of its readers.

Pure of sockets, clocks and tasks: the engine's runner tells what was committed and what time it is, and sends what it
gets. Nothing here is ahead of the journal.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, KeysView, Mapping, Sequence
from typing import Protocol

import msgspec

from markets.events import (
    AccountLiquidated,
    ChainTradeBooked,
    CollateralConverted,
    DeadMansSwitchSet,
    Event,
    FundingPaid,
    IsolatedMarginMoved,
    LeverageSet,
    LiquidationStarted,
    LiquidationStepped,
    MarginCalled,
    MarginModeSet,
    MarkChanged,
    MarketCreated,
    MarketStatusChanged,
    MarketUpdated,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderFilled,
    OrderTriggered,
    PositionChanged,
    PositionDeleveraged,
)
from markets.gateway import Message
from markets.parameters import MarketParameters, MarketStatus
from markets.views import AccountView, BookView, MarketView
from trading.broadcast.account import AccountFeed
from trading.broadcast.book import BookChanges
from trading.broadcast.market import History, MarketFeeds
from trading.broadcast.tickers import Tickers

JOURNAL = "journal"
TICKERS = "tickers"
OrderEvent = OrderAmended | OrderTriggered | OrderCancelled
AccountEvent = (
    LeverageSet | DeadMansSwitchSet | MarginCalled | LiquidationStarted | LiquidationStepped | AccountLiquidated | PositionDeleveraged
    | MarginModeSet | IsolatedMarginMoved | CollateralConverted
)  # fmt: skip


class Committed(Protocol):
    """What a batch did; the engine's Outcome."""

    @property
    def events(self) -> Sequence[Event]: ...
    @property
    def book_changes(self) -> Mapping[int, BookChanges]: ...
    @property
    def accounts(self) -> set[int]: ...


class Broadcaster:
    """`levels` are the books as changes from empty, `histories` what traded before, `statuses` each market's own status and, as
    market 0, the exchange's; all as of journal row `seq`.
    """

    def __init__(
        self,
        *,
        markets: Sequence[MarketView],
        levels: Mapping[int, BookChanges],
        histories: Mapping[int, History],
        intervals_ms: dict[str, int],
        seq: int,
        stamp_ms: int,
        statuses: Mapping[int, MarketStatus],
    ) -> None:
        self.seq = seq
        self.stamp_ms = stamp_ms
        self.is_watched: Callable[[str], bool] = _always  # messages that are not conflated are made only for topics of which this is true
        self._intervals_ms = intervals_ms
        self._exchange_status: MarketStatus = statuses.get(0, "normal")
        self._parameters: dict[int, MarketParameters] = {}
        self._markets: dict[int, MarketFeeds] = {}
        self._accounts: dict[int, AccountFeed] = {}
        self._ready: list[Message] = []
        self._tickers = Tickers(seq=seq)
        for view in markets:
            market_id = view.parameters.market_id
            feeds = self._open(view, levels.get(market_id, {}), histories.get(market_id, History()))
            feeds.set_status(own=statuses.get(market_id, view.status))

    def recall(self, commits: Iterable[tuple[int, int, Sequence[Event]]]) -> None:
        """Put matches and marks of earlier commits, given as (seq, stamp_ms, events), on tape and candles, without a message."""
        for seq, stamp_ms, events in commits:
            for event in events:
                if isinstance(event, MarkChanged):
                    self._markets[event.market_id].marked(event, seq=seq, stamp_ms=stamp_ms)
            for market_id, matches in _matches(events).items():
                self._markets[market_id].traded(matches, seq=seq, stamp_ms=stamp_ms, watched=False)
        self.due(0)

    @property
    def watched_accounts(self) -> KeysView[int]:
        """The accounts whose views `committed` will ask for, when a commit touched them."""
        return self._accounts.keys()

    def committed(self, *, seq: int, stamp_ms: int, outcome: Committed, account: Callable[[int], AccountView]) -> None:
        """Take in one commit. `account` returns a watched account as it was right after this commit.

        The views' orders are not read and may be left out.
        """
        self.seq, self.stamp_ms = seq, stamp_ms
        for event in outcome.events:
            self._see(event)
        for market_id, changes in outcome.book_changes.items():
            self._markets[market_id].book_changed(changes, stamp_ms)
        for market_id, matches in _matches(outcome.events).items():
            feeds = self._markets[market_id]
            tape = feeds.traded(matches, seq=seq, stamp_ms=stamp_ms, watched=self.is_watched(feeds.tape.channel.topic))
            self._ready += [tape] if tape else []
        for account_id in sorted(outcome.accounts & self._accounts.keys()):
            self._ready.append(self._accounts[account_id].message(view=account(account_id), stamp_ms=stamp_ms))
        if self.is_watched(JOURNAL):
            self._ready.append(self._journal())

    def due(self, now_ms: int) -> list[Message]:
        """Return what is to be sent now: trades and private messages of every commit so far, and what is conflated when it is due."""
        messages, self._ready = self._ready, []
        is_watched, all_tickers = self.is_watched, self.is_watched(TICKERS)
        for feeds in self._markets.values():
            messages += feeds.due(now_ms=now_ms, seq=self.seq, stamp_ms=self.stamp_ms, is_watched=is_watched, all_tickers=all_tickers)
        if all_tickers and (message := self._tickers.due(self._markets, now_ms=now_ms, seq=self.seq)):
            messages.append(message)
        return messages

    def snapshot(self, topic: str, account: AccountView | None = None) -> Message | None:
        """Return a topic's first message, as of the last one that was sent; None when there is no such topic.

        An account's topic needs its view as of the last commit that was taken in, orders included; from then on it is watched.
        """
        channel, _, name = topic.partition(":")
        if topic == JOURNAL:
            return self._journal()
        if topic == TICKERS:
            return self._tickers.snapshot(self._markets, self.stamp_ms)
        if channel == "account":
            return self._watch(account) if account else None
        market, _, interval = name.partition(":")
        interval, _, kind = interval.partition(":")
        feeds = self._markets.get(int(market)) if market.isdecimal() else None
        if feeds is None or bool(interval) != (channel == "candles") or (kind and not interval):
            return None
        if channel == "candles":
            candles = {"": feeds.candles, "mark": feeds.mark_candles}.get(kind, {})
            return candles[interval].snapshot(self.stamp_ms) if interval in candles else None
        if channel == "ticker":
            return feeds.ticker.snapshot(self.stamp_ms)
        if channel == "oracle":
            return feeds.oracle.snapshot()
        if channel == "trades":
            return feeds.tape.snapshot()
        return feeds.book.snapshot() if channel == "book" else None

    def forget(self, account_id: int) -> None:
        """Stop following an account that nobody watches any more."""
        self._accounts.pop(account_id, None)

    def book(self, market_id: int, depth: int) -> BookView | None:
        feeds = self._markets.get(market_id)
        return feeds.book.view(depth=depth, seq=self.seq) if feeds else None

    def _see(self, event: Event) -> None:
        if isinstance(event, OrderFilled):
            self._filled(event)
        elif isinstance(event, OrderAccepted):
            if feed := self._accounts.get(event.order.account_id):
                feed.order(event, self.stamp_ms)
        elif isinstance(event, OrderEvent):
            if feed := self._accounts.get(event.account_id):
                feed.order(event, self.stamp_ms)
        elif isinstance(event, MarkChanged):
            self._markets[event.market_id].marked(event, seq=self.seq, stamp_ms=self.stamp_ms)
        else:
            self._see_rare(event)

    def _filled(self, event: OrderFilled) -> None:
        ticker = self._markets[event.market_id].ticker
        sign = 1 if event.taker_side == "buy" else -1
        ticker.open_interest_lots += _long_growth(event.taker_position_lots, sign * event.size_lots)
        ticker.open_interest_lots += _long_growth(event.maker_position_lots, -sign * event.size_lots)
        if not self._accounts:
            return
        if feed := self._accounts.get(event.taker_account_id):
            feed.filled(event, self.stamp_ms, taker=True)
        if feed := self._accounts.get(event.maker_account_id):
            feed.filled(event, self.stamp_ms, taker=False)

    def _see_rare(self, event: Event) -> None:
        if isinstance(event, PositionChanged):
            ticker = self._markets[event.market_id].touch().ticker
            ticker.open_interest_lots += _long_growth(event.size_lots, event.size_lots - event.previous_lots)
            if feed := self._accounts.get(event.account_id):
                feed.position(event)
        elif isinstance(event, ChainTradeBooked):
            self._traded_on_chain(event)
        elif isinstance(event, FundingPaid):
            for account_id, amount_atoms in event.payments:
                if feed := self._accounts.get(account_id):
                    feed.funding(event, amount_atoms)
        elif isinstance(event, MarketCreated):
            self._open(new_market(event.parameters), {}, History())
        elif isinstance(event, MarketUpdated):
            self._update(event.parameters)
        elif isinstance(event, MarketStatusChanged):
            self._set_status(event)
        else:
            self._see_account(event)

    def _traded_on_chain(self, event: ChainTradeBooked) -> None:
        ticker = self._markets[event.market_id].touch().ticker
        ticker.open_interest_lots += _long_growth(event.buyer_position_lots, event.size_lots)
        ticker.open_interest_lots += _long_growth(event.seller_position_lots, -event.size_lots)
        for account_id in (event.buyer_account_id, event.seller_account_id):
            if feed := self._accounts.get(account_id):
                feed.traded_on_chain(event, self.stamp_ms)

    def _see_account(self, event: Event) -> None:
        if not isinstance(event, AccountEvent):
            return
        feed = self._accounts.get(event.account_id)
        if feed is None:
            return
        if isinstance(event, LeverageSet):
            feed.leverage(event)
        elif isinstance(event, DeadMansSwitchSet):
            feed.dead_mans_switch(event)
        elif isinstance(event, LiquidationStarted):
            feed.liquidation_started(event)
        elif isinstance(event, MarginCalled):
            feed.margin_called(event)
        elif isinstance(event, LiquidationStepped):
            feed.liquidation_stepped(event)
        elif isinstance(event, PositionDeleveraged):
            feed.deleveraged(event)
        elif isinstance(event, MarginModeSet):
            feed.margin_mode(event)
        elif isinstance(event, IsolatedMarginMoved):
            feed.isolated_margin(event)
        elif isinstance(event, CollateralConverted):
            feed.converted(event)
        else:
            feed.liquidated(event)

    def _open(self, view: MarketView, levels: BookChanges, history: History) -> MarketFeeds:
        market_id = view.parameters.market_id
        self._parameters[market_id] = view.parameters
        feeds = MarketFeeds(view=view, levels=levels, history=history, intervals_ms=self._intervals_ms, seq=self.seq)
        feeds.set_status(exchange=self._exchange_status)
        self._markets[market_id] = feeds
        return feeds

    def _update(self, parameters: MarketParameters) -> None:
        self._parameters[parameters.market_id] = parameters
        self._markets[parameters.market_id].touch().market = parameters

    def _set_status(self, event: MarketStatusChanged) -> None:
        if event.market_id:
            self._markets[event.market_id].set_status(own=event.status)
            return
        self._exchange_status = event.status
        for feeds in self._markets.values():
            feeds.set_status(exchange=event.status)

    def _watch(self, view: AccountView) -> Message:
        feed = self._accounts.setdefault(view.account_id, AccountFeed(view=view, markets=self._parameters))
        return feed.snapshot(view)

    def _journal(self) -> Message:
        return Message(JOURNAL, self.seq, msgspec.json.encode({"seq": self.seq}))


def _always(topic: str) -> bool:
    return True


def _matches(events: Sequence[Event]) -> dict[int, list[OrderFilled]]:
    matches: defaultdict[int, list[OrderFilled]] = defaultdict(list)
    for event in events:
        if isinstance(event, OrderFilled):
            matches[event.market_id].append(event)
    return matches


def _long_growth(size_lots: int, change_lots: int) -> int:
    """Return by how much a position's long side grew: open interest is the sum of all longs."""
    return max(size_lots, 0) - max(size_lots - change_lots, 0)


def new_market(parameters: MarketParameters) -> MarketView:
    return MarketView(
        parameters=parameters,
        status="normal",
        mark_ticks=0,
        index_e8=0,
        oracle_state="stale",
        oracle_sources=(),
        last_ticks=0,
        best_bid_ticks=0,
        best_ask_ticks=0,
        open_interest_lots=0,
        predicted_funding_ppb=0,
        next_funding_ms=0,
    )
