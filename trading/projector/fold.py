"""From a run of journal rows to what the tables must hold after it. Pure; what is projected is a function of events alone.

This is half of the projector's work (the other half is PostgreSQL's): rows are formatted where their event is seen, and
mypyc compiles the file as it is.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from markets.candles import C, Candle, bucket_ms, rolled_up, started
from markets.events import (
    AccountLiquidated,
    ChainTradeBooked,
    Event,
    FundingPaid,
    LedgerPosted,
    LiquidationStarted,
    LiquidationStepped,
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
from markets.marks import MarkCandle, MarkSampler, sample
from markets.parameters import MarketParameters
from markets.units import tick_lot_atoms
from trading.engine.brackets import given_id
from trading.engine.identity import content_hash
from trading.postings import ASSET, chain_postings, funding_postings, match_postings
from trading.projector.changes import LiquidationChange, MarketChange, OrderChange, PositionChange
from trading.projector.text import NULL, copy_text, time_text
from trading.projector.waterfall import FUNDS, deleveraging_line, movement_line, step_line

PLACES_A_ROW = 1 << 20  # ids of what has no number of its own: journal seq x this + place within the row
MINUTE_MS = 60_000
SECOND_MS = 1_000


class Fold:
    """The changes of a run. `lots_atoms` maps markets to the value of one tick times one lot; `priced` says for each market in
    which second its price was last kept (one a second is); `samplers` say which marks enter its candles, `open_interest_lots`
    what is open. All are carried from run to run.
    """

    def __init__(
        self,
        *,
        lots_atoms: dict[int, int],
        priced: dict[int, int],
        samplers: dict[int, MarkSampler],
        open_interest_lots: dict[int, int],
    ) -> None:
        self.seq: int = 0
        self.stamp_ms: int = 0
        self.rows: int = 0
        self.events: int = 0
        self.orders: dict[int, OrderChange] = {}
        self.positions: dict[tuple[int, int], PositionChange] = {}
        self.balances: dict[str, dict[int, int]] = {}
        self.markets: dict[int, MarketChange] = {}
        self.liquidations: dict[int, LiquidationChange] = {}
        self.minutes: dict[tuple[int, int], Candle] = {}
        self.mark_minutes: dict[tuple[int, int], MarkCandle] = {}
        self.used_ids: list[str] = []
        self.fills: list[str] = []
        self.trades: list[str] = []
        self.transfers: list[str] = []
        self.prices: list[str] = []
        self.funding_rates: list[str] = []
        self.funding_payments: list[str] = []
        self.liquidation_steps: list[str] = []
        self.deleveragings: list[str] = []
        self.fund_movements: list[str] = []
        self._lots_atoms: dict[int, int] = lots_atoms
        self._priced: dict[int, int] = priced
        self._samplers: dict[int, MarkSampler] = samplers
        self._open_interest_lots: dict[int, int] = open_interest_lots
        self._time: str = ""
        self._next_transfer_id: int = 0
        self._next_price_id: int = 0
        self._next_deleveraging_id: int = 0

    def add(self, *, seq: int, stamp_ms: int, events: Iterable[Event]) -> None:
        """Take in the next row of the journal."""
        if stamp_ms != self.stamp_ms:
            self._time = time_text(stamp_ms)
        self.rows += 1
        self.seq = seq
        self.stamp_ms = stamp_ms
        self._next_transfer_id = self._next_price_id = self._next_deleveraging_id = seq * PLACES_A_ROW
        for event in events:
            self.events += 1
            if type(event) is OrderAccepted:
                self._order_accepted(event)
            elif type(event) is OrderFilled:
                self._order_filled(event)
            elif type(event) is OrderCancelled:
                self._order_cancelled(event)
            else:
                handler = HANDLERS.get(type(event))
                if handler is not None:
                    handler(self, event)

    def candles(self, intervals_ms: Mapping[str, int]) -> list[tuple[int, str, Candle]]:
        """Return the run's trades as candles of each interval: market, interval, candle."""
        return _of_each_interval(self.minutes, intervals_ms)

    def mark_candles(self, intervals_ms: Mapping[str, int]) -> list[tuple[int, str, MarkCandle]]:
        """Return the run's samples of marks as candles of each interval."""
        return _of_each_interval(self.mark_minutes, intervals_ms)

    def _order_accepted(self, event: OrderAccepted) -> None:
        order_id = event.order_id
        self.orders[order_id] = OrderChange(event, self._time)
        order = event.order
        client_id = order.client_order_id
        if client_id != given_id(order_id):
            digest = content_hash(order).hex()
            self.used_ids.append(f"{order.account_id}\t{copy_text(client_id)}\t{order_id}\t\\\\x{digest}\n")

    def _order(self, order_id: int) -> OrderChange:
        change = self.orders.get(order_id)
        if change is None:
            change = self.orders[order_id] = OrderChange(None, "")
        change.updated = self._time
        return change

    def order_amended(self, event: OrderAmended) -> None:
        change = self._order(event.order_id)
        change.price_ticks = event.price_ticks
        change.size_lots = event.size_lots
        change.trigger_ticks = event.trigger_ticks

    def _order_cancelled(self, event: OrderCancelled) -> None:
        change = self._order(event.order_id)
        change.status = "expired" if event.reason == "expired" else "cancelled"
        change.reason = event.reason

    def order_triggered(self, event: OrderTriggered) -> None:
        change = self._order(event.order_id)
        change.status = "open"
        change.price_ticks = event.price_ticks
        change.size_lots = event.size_lots

    def _order_filled(self, event: OrderFilled) -> None:
        trade_id = event.trade_id
        market_id = event.market_id
        price = event.price_ticks
        size = event.size_lots
        side = event.taker_side
        kind = event.kind
        taker, maker = event.taker_account_id, event.maker_account_id
        taker_order, maker_order = event.taker_order_id, event.maker_order_id
        taker_fee, maker_fee = event.taker_fee_atoms, event.maker_fee_atoms
        taker_pnl, maker_pnl = event.taker_pnl_atoms, event.maker_pnl_atoms
        quote = price * size * self._lots_atoms[market_id]
        opposite = "sell" if side == "buy" else "buy"
        head = f"{trade_id}\t{market_id}\t"
        middle = f"{price}\t{size}\t"
        tail = f"{kind}\t{self._time}\n"
        self.trades.append(f"{head}{middle}{side}\t{tail}")
        self.fills.append(
            f"{trade_id * 2}\t{head}{maker_order}\t{maker}\t{opposite}\tmaker\t{middle}{quote}\t{maker_fee}\t{maker_pnl}\t{tail}"
            f"{trade_id * 2 + 1}\t{head}{taker_order}\t{taker}\t{side}\ttaker\t{middle}{quote}\t{taker_fee}\t{taker_pnl}\t{tail}"
        )
        self._fill_order(taker_order, size, quote, taker_fee)
        self._fill_order(maker_order, size, quote, maker_fee)
        bought = size if side == "buy" else -size
        after = event.taker_position_lots
        self._resize(taker, market_id, after - bought, after, event.taker_cost_atoms, taker_pnl)
        after = event.maker_position_lots
        self._resize(maker, market_id, after + bought, after, event.maker_cost_atoms, maker_pnl)
        self._candle(market_id, price, size, quote)
        end = f"\t{trade_id}\t\t{self._time}\n"
        for debit, credit, amount, posted in match_postings(event):
            self._post(debit, credit, ASSET, amount, posted, end)

    def _fill_order(self, order_id: int, lots: int, quote_atoms: int, fee_atoms: int) -> None:
        order = self._order(order_id)
        order.filled_lots += lots
        order.filled_quote_atoms += quote_atoms
        order.fee_atoms += fee_atoms

    def _resize(  # noqa: PLR0917 - called twice for each match
        self, account_id: int, market_id: int, before: int, after: int, cost: int, realised: int
    ) -> None:
        key = (account_id, market_id)
        position = self.positions.get(key)
        if position is None:
            position = self.positions[key] = PositionChange()
        position.resize(before, after, cost, realised, self._time)
        grown = (after if after > 0 else 0) - (before if before > 0 else 0)
        self._market(market_id).open_interest_lots += grown
        self._open_interest_lots[market_id] = self._open_interest_lots.get(market_id, 0) + grown

    def chain_trade_booked(self, event: ChainTradeBooked) -> None:
        """A fill for each side. It was nobody's order on the book: tape and candles know nothing of it."""
        trade_id, market_id, lots = event.trade_id, event.market_id, event.size_lots
        head = f"{trade_id}\t{market_id}\t0\t"
        middle = f"{event.price_ticks}\t{lots}\t{event.quote_atoms}\t0"
        buyer, seller = event.buyer_account_id, event.seller_account_id
        self.fills.append(
            f"{trade_id * 2}\t{head}{seller}\tsell\tmaker\t{middle}\t{event.seller_pnl_atoms}\tchain\t{self._time}\n"
            f"{trade_id * 2 + 1}\t{head}{buyer}\tbuy\tmaker\t{middle}\t{event.buyer_pnl_atoms}\tchain\t{self._time}\n"
        )
        after = event.buyer_position_lots
        self._resize(buyer, market_id, after - lots, after, event.buyer_cost_atoms, event.buyer_pnl_atoms)
        after = event.seller_position_lots
        self._resize(seller, market_id, after + lots, after, event.seller_cost_atoms, event.seller_pnl_atoms)
        end = f"\t{trade_id}\t\t{self._time}\n"
        for debit, credit, amount, posted in chain_postings(event):
            self._post(debit, credit, ASSET, amount, posted, end)

    def position_changed(self, event: PositionChanged) -> None:
        self._resize(event.account_id, event.market_id, event.previous_lots, event.size_lots, event.cost_atoms, event.realised_atoms)

    def _candle(self, market_id: int, price: int, size: int, quote: int) -> None:
        opened_ms = bucket_ms(self.stamp_ms, MINUTE_MS)
        candle = self.minutes.get((market_id, opened_ms))
        if candle is None:
            self.minutes[market_id, opened_ms] = started(opened_ms=opened_ms, price_ticks=price, size_lots=size, quote_atoms=quote)
        else:
            candle.add(price_ticks=price, size_lots=size, quote_atoms=quote)
        self._market(market_id).last_ticks = price

    def ledger_posted(self, event: LedgerPosted) -> None:
        end = f"\t{NULL}\t{copy_text(event.reason)}\t{self._time}\n"
        for line in event.transfers:
            self._post(line.debit_account_id, line.credit_account_id, line.asset, line.amount_atoms, line.kind, end)

    def _post(self, debit: int, credit: int, asset: str, amount: int, kind: str, end: str) -> None:  # noqa: PLR0917 - for each transfer
        transfer_id = self._next_transfer_id
        self._next_transfer_id = transfer_id + 1
        self.transfers.append(f"{transfer_id}\t{debit}\t{credit}\t{asset}\t{amount}\t{kind}{end}")
        if debit in FUNDS or credit in FUNDS:
            self.fund_movements.append(movement_line(transfer_id, debit, credit, asset, amount, kind, end))
        balances = self.balances.get(asset)
        if balances is None:
            balances = self.balances[asset] = {}
        balances[debit] = balances.get(debit, 0) - amount
        balances[credit] = balances.get(credit, 0) + amount

    def _market(self, market_id: int) -> MarketChange:
        change = self.markets.get(market_id)
        if change is None:
            change = self.markets[market_id] = MarketChange()
        change.updated = self._time
        return change

    def market_defined(self, event: MarketCreated | MarketUpdated) -> None:
        parameters: MarketParameters = event.parameters
        self._lots_atoms[parameters.market_id] = tick_lot_atoms(tick_e8=parameters.tick_e8, lot_e8=parameters.lot_e8)
        self._market(parameters.market_id).parameters = parameters

    def market_status_changed(self, event: MarketStatusChanged) -> None:
        # The exchange's own status (market 0) is the engine's to tell: a row says what was decided about its market.
        if event.market_id:
            change = self._market(event.market_id)
            change.status = event.status
            change.status_reason = event.reason

    def mark_changed(self, event: MarkChanged) -> None:
        market_id = event.market_id
        change = self._market(market_id)
        change.mark_ticks = event.mark_ticks
        change.index_e8 = event.index_e8
        change.oracle_state = event.state
        change.predicted_funding_ppb = event.predicted_funding_ppb
        if event.mark_ticks:
            self._sample(market_id, event.mark_ticks)
        second = self.stamp_ms // SECOND_MS
        if self._priced.get(market_id) == second:
            return
        self._priced[market_id] = second
        price = f"{event.mark_ticks}\t{event.index_e8}\t{event.confidence_e8}\t{event.state}"
        self.prices.append(f"{self._next_price_id}\t{market_id}\t{price}\t{self._time}\n")
        self._next_price_id += 1

    def _sample(self, market_id: int, mark_ticks: int) -> None:
        sampler = self._samplers.get(market_id)
        if sampler is None:
            sampler = self._samplers[market_id] = MarkSampler()
        if not sampler.takes(mark_ticks, self.stamp_ms):
            return
        open_lots = self._open_interest_lots.get(market_id, 0)
        candle = sample(stamp_ms=self.stamp_ms, mark_ticks=mark_ticks, open_interest_lots=open_lots)
        minute = self.mark_minutes.get((market_id, candle.opened_ms))
        if minute is None:
            self.mark_minutes[market_id, candle.opened_ms] = candle
        else:
            minute.extend(candle)

    def funding_paid(self, event: FundingPaid) -> None:
        due = time_text(event.due_ms)
        market_id = event.market_id
        self.funding_rates.append(f"{market_id}\t{due}\t{event.rate_ppb}\t{event.index_e8}\t{event.cumulative}\n")
        for account_id, amount_atoms in event.payments:
            self.funding_payments.append(f"{account_id}\t{market_id}\t{due}\t{amount_atoms}\n")
            position = self.positions.get((account_id, market_id))
            if position is None:
                position = self.positions[account_id, market_id] = PositionChange()
            position.funding_atoms += amount_atoms
            position.updated = self._time
        end = f"\t{NULL}\t\t{self._time}\n"
        for debit, credit, amount, kind in funding_postings(event):
            self._post(debit, credit, ASSET, amount, kind, end)

    def liquidation_started(self, event: LiquidationStarted) -> None:
        change = self.liquidations[event.liquidation_id] = LiquidationChange(event.account_id)
        change.equity_atoms = event.equity_atoms
        change.maintenance_atoms = event.maintenance_atoms
        change.started = self._time
        change.pool_market_id = event.market_id

    def account_liquidated(self, event: AccountLiquidated) -> None:
        change = self.liquidations.get(event.liquidation_id)
        if change is None:
            change = self.liquidations[event.liquidation_id] = LiquidationChange(event.account_id)
        change.closed_quote_atoms += event.closed_quote_atoms
        change.fee_atoms += event.fee_atoms
        change.insurance_paid_atoms += event.insurance_paid_atoms
        change.taken_over += event.taken_over
        change.equity_after_atoms = event.equity_atoms
        change.ended = self._time
        change.deleveraged += event.deleveraged
        change.steps = event.steps

    def liquidation_stepped(self, event: LiquidationStepped) -> None:
        self.liquidation_steps.append(step_line(event, self._time))

    def position_deleveraged(self, event: PositionDeleveraged) -> None:
        self.deleveragings.append(deleveraging_line(self._next_deleveraging_id, event, self._time))
        self._next_deleveraging_id += 1


HANDLERS: dict[type[Event], Callable[[Fold, Any], None]] = {
    OrderAmended: Fold.order_amended,
    OrderTriggered: Fold.order_triggered,
    ChainTradeBooked: Fold.chain_trade_booked,
    PositionChanged: Fold.position_changed,
    LedgerPosted: Fold.ledger_posted,
    FundingPaid: Fold.funding_paid,
    LiquidationStarted: Fold.liquidation_started,
    AccountLiquidated: Fold.account_liquidated,
    LiquidationStepped: Fold.liquidation_stepped,
    PositionDeleveraged: Fold.position_deleveraged,
    MarkChanged: Fold.mark_changed,
    MarketCreated: Fold.market_defined,
    MarketUpdated: Fold.market_defined,
    MarketStatusChanged: Fold.market_status_changed,
}


def _of_each_interval(minutes: Mapping[tuple[int, int], C], intervals_ms: Mapping[str, int]) -> list[tuple[int, str, C]]:
    by_market: dict[int, list[C]] = {}
    for (market_id, _), candle in minutes.items():
        by_market.setdefault(market_id, []).append(candle)
    return [
        (market_id, name, candle)
        for market_id, candles in by_market.items()
        for name, length_ms in intervals_ms.items()
        for candle in rolled_up(candles, length_ms)
    ]


def order_line(order_id: int, change: OrderChange) -> str:
    """Return the row of an order that is new in this run."""
    accepted = change.accepted
    if accepted is None:
        raise AssertionError("not a new order")
    order = accepted.order
    status = "filled" if change.status == "open" and change.filled_lots == change.size_lots else change.status
    return (
        f"{order_id}\t{order.account_id}\t{order.market_id}\t{copy_text(order.client_order_id)}\t{order.side}\t{order.type}"
        f"\t{order.time_in_force}\t{order.post_only}\t{order.reduce_only}\t{order.close_position}\t{order.self_trade_prevention}"
        f"\t{change.price_ticks}\t{change.size_lots}\t{change.filled_lots}\t{change.filled_quote_atoms}\t{change.fee_atoms}"
        f"\t{change.trigger_ticks}\t{order.trigger_by}\t{order.good_till_ms}\t{accepted.parent_order_id}\t{order.link_id}"
        f"\t{status}\t{change.reason or NULL}\t{change.created}\t{change.updated}\n"
    )
