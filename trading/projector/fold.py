"""From a run of journal rows to what the tables must hold after it. Pure; what is projected is a function of events alone."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from markets.candles import Candle, bucket_ms, rolled_up, started
from markets.events import (
    AccountLiquidated,
    Event,
    FundingPaid,
    LedgerPosted,
    LedgerTransfer,
    LiquidationStarted,
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
)
from markets.parameters import MarketParameters
from markets.units import tick_lot_atoms
from trading.engine.brackets import given_id
from trading.engine.identity import content_hash
from trading.postings import fill_transfers, funding_transfers
from trading.projector.changes import LiquidationChange, MarketChange, OrderChange, PositionChange
from trading.projector.text import NULL, copy_text, time_text

PLACES_A_ROW = 1 << 20  # ids of what has no number of its own: journal seq x this + place within the row
MINUTE_MS = 60_000
SECOND_MS = 1_000


class Fold:
    """The changes of a run. `lots_atoms` maps markets to the value of one tick times one lot; `priced` says for each market in
    which second its price was last kept (one a second is). Both are carried from run to run.
    """

    def __init__(self, *, lots_atoms: dict[int, int], priced: dict[int, int]) -> None:
        self.seq = 0
        self.stamp_ms = 0
        self.events = 0
        self.orders: dict[int, OrderChange] = {}
        self.positions: dict[tuple[int, int], PositionChange] = {}
        self.balances: dict[tuple[int, str], int] = {}
        self.markets: dict[int, MarketChange] = {}
        self.liquidations: dict[int, LiquidationChange] = {}
        self.minutes: dict[tuple[int, int], Candle] = {}
        self.used_ids: list[str] = []
        self.fills: list[str] = []
        self.trades: list[str] = []
        self.transfers: list[str] = []
        self.prices: list[str] = []
        self.funding_rates: list[str] = []
        self.funding_payments: list[str] = []
        self._lots_atoms = lots_atoms
        self._priced = priced
        self._time = ""
        self._next_transfer_id = 0
        self._next_price_id = 0

    def add(self, *, seq: int, stamp_ms: int, events: Iterable[Event]) -> None:
        """Take in the next row of the journal."""
        if stamp_ms != self.stamp_ms:
            self._time = time_text(stamp_ms)
        self.seq, self.stamp_ms = seq, stamp_ms
        self._next_transfer_id = self._next_price_id = seq * PLACES_A_ROW
        handlers = HANDLERS
        for event in events:
            self.events += 1
            handler = handlers.get(type(event))
            if handler:
                handler(self, event)

    def candles(self, intervals_ms: Mapping[str, int]) -> Iterable[tuple[int, str, Candle]]:
        """Yield the run's trades as candles of each interval: market, interval, candle."""
        for market_id in {market_id for market_id, _ in self.minutes}:
            minutes = [candle for (market, _), candle in self.minutes.items() if market == market_id]
            for name, length_ms in intervals_ms.items():
                for candle in rolled_up(minutes, length_ms):
                    yield market_id, name, candle

    def _order_accepted(self, event: OrderAccepted) -> None:
        order = event.order
        self.orders[event.order_id] = OrderChange(event, self._time)
        client_id = order.client_order_id
        if client_id != given_id(event.order_id):
            digest = content_hash(order).hex()
            self.used_ids.append(f"{order.account_id}\t{copy_text(client_id)}\t{event.order_id}\t\\\\x{digest}\n")

    def _order(self, order_id: int) -> OrderChange:
        change = self.orders.get(order_id)
        if change is None:
            change = self.orders[order_id] = OrderChange()
        change.updated = self._time
        return change

    def _order_amended(self, event: OrderAmended) -> None:
        change = self._order(event.order_id)
        change.price_ticks = event.price_ticks
        change.size_lots = event.size_lots
        change.trigger_ticks = event.trigger_ticks

    def _order_cancelled(self, event: OrderCancelled) -> None:
        change = self._order(event.order_id)
        change.status = "expired" if event.reason == "expired" else "cancelled"
        change.reason = event.reason

    def _order_triggered(self, event: OrderTriggered) -> None:
        change = self._order(event.order_id)
        change.status = "open"
        change.price_ticks = event.price_ticks
        change.size_lots = event.size_lots

    def _order_filled(self, event: OrderFilled) -> None:
        trade_id, market_id, price, size = event.trade_id, event.market_id, event.price_ticks, event.size_lots
        quote = price * size * self._lots_atoms[market_id]
        time, side, kind = self._time, event.taker_side, event.kind
        bought = size if side == "buy" else -size
        self.trades.append(f"{trade_id}\t{market_id}\t{price}\t{size}\t{side}\t{kind}\t{time}\n")
        self._candle(market_id, price, size, quote)
        self._side_filled(
            event.taker_order_id, event.taker_account_id, market_id, bought, quote,
            event.taker_fee_atoms, event.taker_pnl_atoms, event.taker_position_lots, event.taker_cost_atoms,
        )  # fmt: skip
        self._side_filled(
            event.maker_order_id, event.maker_account_id, market_id, -bought, quote,
            event.maker_fee_atoms, event.maker_pnl_atoms, event.maker_position_lots, event.maker_cost_atoms,
        )  # fmt: skip
        opposite = "sell" if side == "buy" else "buy"
        tail = f"{price}\t{size}\t{quote}"
        self.fills.append(
            f"{trade_id * 2}\t{trade_id}\t{event.maker_order_id}\t{event.maker_account_id}\t{market_id}\t{opposite}\tmaker\t{tail}"
            f"\t{event.maker_fee_atoms}\t{event.maker_pnl_atoms}\t{kind}\t{time}\n"
            f"{trade_id * 2 + 1}\t{trade_id}\t{event.taker_order_id}\t{event.taker_account_id}\t{market_id}\t{side}\ttaker\t{tail}"
            f"\t{event.taker_fee_atoms}\t{event.taker_pnl_atoms}\t{kind}\t{time}\n"
        )
        trade = str(trade_id)
        for transfer in fill_transfers(event):
            self._post(transfer, trade, "")

    def _side_filled(  # noqa: PLR0917 - called twice for each match
        self, order_id: int, account_id: int, market_id: int, signed_lots: int, quote: int, fee: int, pnl: int, after: int, cost: int
    ) -> None:
        order = self.orders.get(order_id)
        if order is None:
            order = self.orders[order_id] = OrderChange()
        order.filled_lots += abs(signed_lots)
        order.filled_quote_atoms += quote
        order.fee_atoms += fee
        order.updated = self._time
        self._resize(account_id, market_id, after - signed_lots, after, cost, pnl)

    def _resize(  # noqa: PLR0917 - called twice for each match
        self, account_id: int, market_id: int, before: int, after: int, cost: int, realised: int
    ) -> None:
        key = (account_id, market_id)
        position = self.positions.get(key)
        if position is None:
            position = self.positions[key] = PositionChange()
        position.resize(before_lots=before, size_lots=after, cost_atoms=cost, realised_atoms=realised, time=self._time)
        self._market(market_id).open_interest_lots += (after if after > 0 else 0) - (before if before > 0 else 0)

    def _position_changed(self, event: PositionChanged) -> None:
        self._resize(event.account_id, event.market_id, event.previous_lots, event.size_lots, event.cost_atoms, event.realised_atoms)

    def _candle(self, market_id: int, price: int, size: int, quote: int) -> None:
        opened_ms = bucket_ms(self.stamp_ms, MINUTE_MS)
        candle = self.minutes.get((market_id, opened_ms))
        if candle is None:
            self.minutes[market_id, opened_ms] = started(opened_ms=opened_ms, price_ticks=price, size_lots=size, quote_atoms=quote)
        else:
            candle.add(price_ticks=price, size_lots=size, quote_atoms=quote)
        self._market(market_id).last_ticks = price

    def _ledger_posted(self, event: LedgerPosted) -> None:
        reason = copy_text(event.reason)
        for transfer in event.transfers:
            self._post(transfer, NULL, reason)

    def _post(self, transfer: LedgerTransfer, trade: str, reason: str) -> None:
        debit, credit, asset, amount = transfer.debit_account_id, transfer.credit_account_id, transfer.asset, transfer.amount_atoms
        self.transfers.append(
            f"{self._next_transfer_id}\t{debit}\t{credit}\t{asset}\t{amount}\t{transfer.kind}\t{trade}\t{reason}\t{self._time}\n"
        )
        self._next_transfer_id += 1
        balances = self.balances
        balances[debit, asset] = balances.get((debit, asset), 0) - amount
        balances[credit, asset] = balances.get((credit, asset), 0) + amount

    def _market(self, market_id: int) -> MarketChange:
        change = self.markets.get(market_id)
        if change is None:
            change = self.markets[market_id] = MarketChange()
        change.updated = self._time
        return change

    def _market_defined(self, event: MarketCreated | MarketUpdated) -> None:
        parameters: MarketParameters = event.parameters
        self._lots_atoms[parameters.market_id] = tick_lot_atoms(tick_e8=parameters.tick_e8, lot_e8=parameters.lot_e8)
        self._market(parameters.market_id).parameters = parameters

    def _market_status_changed(self, event: MarketStatusChanged) -> None:
        # The exchange's own status (market 0) is the engine's to tell: a row says what was decided about its market.
        if event.market_id:
            change = self._market(event.market_id)
            change.status, change.status_reason = event.status, event.reason

    def _mark_changed(self, event: MarkChanged) -> None:
        change = self._market(event.market_id)
        change.mark_ticks, change.index_e8 = event.mark_ticks, event.index_e8
        change.oracle_state, change.predicted_funding_ppb = event.state, event.predicted_funding_ppb
        second = self.stamp_ms // SECOND_MS
        if self._priced.get(event.market_id) == second:
            return
        self._priced[event.market_id] = second
        line = f"{event.market_id}\t{event.mark_ticks}\t{event.index_e8}\t{event.state}\t{self._time}\n"
        self.prices.append(f"{self._next_price_id}\t{line}")
        self._next_price_id += 1

    def _funding_paid(self, event: FundingPaid) -> None:
        due = time_text(event.due_ms)
        self.funding_rates.append(f"{event.market_id}\t{due}\t{event.rate_ppb}\t{event.index_e8}\n")
        for account_id, amount_atoms in event.payments:
            self.funding_payments.append(f"{account_id}\t{event.market_id}\t{due}\t{amount_atoms}\n")
            key = (account_id, event.market_id)
            position = self.positions.get(key)
            if position is None:
                position = self.positions[key] = PositionChange()
            position.funding_atoms += amount_atoms
            position.updated = self._time
        for transfer in funding_transfers(event):
            self._post(transfer, NULL, "")

    def _liquidation_started(self, event: LiquidationStarted) -> None:
        self.liquidations[event.liquidation_id] = LiquidationChange(
            account_id=event.account_id, equity_atoms=event.equity_atoms, maintenance_atoms=event.maintenance_atoms, started=self._time
        )

    def _account_liquidated(self, event: AccountLiquidated) -> None:
        change = self.liquidations.setdefault(event.liquidation_id, LiquidationChange(account_id=event.account_id))
        change.closed_quote_atoms += event.closed_quote_atoms
        change.fee_atoms += event.fee_atoms
        change.insurance_paid_atoms += event.insurance_paid_atoms
        change.taken_over += event.taken_over
        change.equity_after_atoms = event.equity_atoms
        change.ended = self._time


HANDLERS: dict[type[Event], Callable[[Fold, Any], None]] = {
    OrderAccepted: Fold._order_accepted,
    OrderFilled: Fold._order_filled,
    OrderAmended: Fold._order_amended,
    OrderCancelled: Fold._order_cancelled,
    OrderTriggered: Fold._order_triggered,
    PositionChanged: Fold._position_changed,
    LedgerPosted: Fold._ledger_posted,
    FundingPaid: Fold._funding_paid,
    LiquidationStarted: Fold._liquidation_started,
    AccountLiquidated: Fold._account_liquidated,
    MarkChanged: Fold._mark_changed,
    MarketCreated: Fold._market_defined,
    MarketUpdated: Fold._market_defined,
    MarketStatusChanged: Fold._market_status_changed,
}
