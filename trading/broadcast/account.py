"""One watched account's private channel: its orders, fills, positions and money as each commit changes them."""

from collections.abc import Mapping
from typing import Any

from markets.events import (
    AccountLiquidated,
    ChainTradeBooked,
    CollateralConverted,
    DeadMansSwitchSet,
    FundingPaid,
    IsolatedMarginMoved,
    LeverageSet,
    LiquidationStarted,
    LiquidationStepped,
    MarginCalled,
    MarginModeSet,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderFilled,
    OrderTriggered,
    PositionChanged,
    PositionDeleveraged,
)
from markets.gateway import Message
from markets.parameters import MarketParameters
from markets.views import AccountView, PositionView
from trading import representations
from trading.broadcast.channel import Channel
from trading.broadcast.orders import OrderMirror

Markets = Mapping[int, MarketParameters]


class AccountFeed:
    """Starts at a view of the account, then follows its events; `message` wraps up what one commit did."""

    def __init__(self, *, view: AccountView, markets: Markets) -> None:
        self.account_id = view.account_id
        self.markets = markets
        head = {"channel": "account", "account_id": view.account_id}
        self.channel = Channel(topic=f"account:{view.account_id}", head=head, seq=view.seq)
        self._orders = OrderMirror(view.orders)
        self._fills: list[dict[str, Any]] = []
        self._positions: set[int] = set()
        self._margins: set[int] = set()  # markets whose isolated pool has changed
        self._notices: list[dict[str, Any]] = []

    def snapshot(self, view: AccountView) -> Message:
        """Return the whole account; what follows is numbered from it."""
        self.channel.sent_seq = view.seq
        self._orders = OrderMirror(view.orders)
        return self.channel.snapshot(representations.account(view, dict(self.markets)))

    def order(self, event: OrderAccepted | OrderAmended | OrderTriggered | OrderCancelled, stamp_ms: int) -> None:
        if isinstance(event, OrderAccepted):
            self._orders.accepted(event, stamp_ms)
        elif isinstance(event, OrderAmended):
            self._orders.amended(event, stamp_ms)
        elif isinstance(event, OrderTriggered):
            self._orders.triggered(event, stamp_ms)
        else:
            self._orders.cancelled(event, stamp_ms)

    def filled(self, event: OrderFilled, stamp_ms: int, *, taker: bool) -> None:
        market = self.markets[event.market_id]
        if not taker or event.kind != "liquidation":  # the engine's own closing order is nobody's
            self._orders.filled(event, stamp_ms, taker=taker, market=market)
        self._fills.append(representations.fill(event, self.account_id, taker=taker, stamp_ms=stamp_ms, market=market))
        self._positions.add(event.market_id)

    def traded_on_chain(self, event: ChainTradeBooked, stamp_ms: int) -> None:
        market = self.markets[event.market_id]
        self._fills.append(representations.chain_fill(event, self.account_id, stamp_ms=stamp_ms, market=market))
        self._positions.add(event.market_id)

    def position(self, event: PositionChanged) -> None:
        self._positions.add(event.market_id)

    def funding(self, event: FundingPaid, amount_atoms: int) -> None:
        self._positions.add(event.market_id)
        self._notice("funding", market=self.markets[event.market_id].symbol, due_ms=event.due_ms, **_amount(amount_atoms))

    def liquidation_started(self, event: LiquidationStarted) -> None:
        self._notice("liquidation_started", **_equity(event))

    def liquidated(self, event: AccountLiquidated) -> None:
        taken_over = [
            {
                "market": self.markets[market_id].symbol,
                "size": representations.size_text(size_lots, self.markets[market_id]),
                "price": representations.price_text(price_ticks, self.markets[market_id]),
            }
            for market_id, size_lots, price_ticks in event.taken_over
        ]
        fee, closed = representations.atoms_text(event.fee_atoms), representations.atoms_text(event.closed_quote_atoms)
        deleveraged = [self.markets[market_id].symbol for market_id, _, _ in event.deleveraged]
        self._notice("liquidation", fee=fee, closed_quote=closed, taken_over=taken_over, deleveraged=deleveraged, **_equity(event))

    def margin_called(self, event: MarginCalled) -> None:
        self._notice("margin_call", level=event.level, margin=self._margin(event.market_id), **_figures(event))

    def liquidation_stepped(self, event: LiquidationStepped) -> None:
        market = self.markets[event.market_id]
        self._notice(
            "liquidation_step",
            liquidation_id=str(event.liquidation_id),
            step=event.step,
            stage=event.stage,
            market=market.symbol,
            closed=representations.size_text(abs(event.closed_lots), market),
            quote=representations.atoms_text(event.quote_atoms),
            limit_price=representations.price_text(event.limit_ticks, market),
            equity=representations.atoms_text(event.equity_after_atoms),
            maintenance_margin=representations.atoms_text(event.maintenance_after_atoms),
        )

    def deleveraged(self, event: PositionDeleveraged) -> None:
        market = self.markets[event.market_id]
        self._positions.add(event.market_id)
        self._notice(
            "deleveraged",
            market=market.symbol,
            side="buy" if event.position_lots > 0 else "sell",
            closed=representations.size_text(abs(event.closed_lots), market),
            quote=representations.atoms_text(event.quote_atoms),
            realised_pnl=representations.atoms_text(event.realised_atoms),
        )

    def _margin(self, market_id: int) -> str:
        return self.markets[market_id].symbol if market_id else "cross"

    def leverage(self, event: LeverageSet) -> None:
        self._notice("leverage", market=self.markets[event.market_id].symbol, leverage=event.leverage)

    def margin_mode(self, event: MarginModeSet) -> None:
        self._notice("margin_mode", market=self.markets[event.market_id].symbol, mode=event.mode)

    def isolated_margin(self, event: IsolatedMarginMoved) -> None:
        """Show a position with another margin; one that is not there is not shown as closed once more."""
        self._margins.add(event.market_id)

    def converted(self, event: CollateralConverted) -> None:
        amount = representations.atoms_text(event.amount_atoms, event.asset)
        self._notice("conversion", asset=event.asset, amount=amount, paid=representations.atoms_text(event.paid_atoms))

    def dead_mans_switch(self, event: DeadMansSwitchSet) -> None:
        self._notice("dead_mans_switch", due_ms=event.due_ms)

    def message(self, *, view: AccountView, stamp_ms: int) -> Message:
        """Return the update of one commit, after which the account is as `view` says."""
        body = {
            "time_ms": stamp_ms,
            "margin": representations.margin(view),
            "orders": [representations.order(order, self.markets[order.market_id]) for order in self._orders.take_changed()],
            "fills": self._fills,
            "positions": self._changed_positions(view),
            "notices": self._notices,
        }
        self._fills, self._positions, self._margins, self._notices = [], set(), set(), []
        return self.channel.following("update", view.seq, body)

    def _changed_positions(self, view: AccountView) -> list[dict[str, Any]]:
        held = {position.market_id: position for position in view.positions}
        return [
            representations.position(held[market_id], self.markets[market_id])
            if market_id in held
            else representations.position(_closed(self.account_id, market_id), self.markets[market_id]) | {"size": "0"}
            for market_id in sorted(self._positions | (self._margins & held.keys()))
        ]

    def _notice(self, kind: str, **facts: Any) -> None:
        self._notices.append({"kind": kind} | facts)


def _amount(atoms: int) -> dict[str, str]:
    return {"amount": representations.atoms_text(atoms)}


def _equity(event: LiquidationStarted | AccountLiquidated) -> dict[str, str]:
    return {"liquidation_id": str(event.liquidation_id)} | _figures(event)


def _figures(event: LiquidationStarted | AccountLiquidated | MarginCalled) -> dict[str, str]:
    return {
        "equity": representations.atoms_text(event.equity_atoms),
        "maintenance_margin": representations.atoms_text(event.maintenance_atoms),
    }


def _closed(account_id: int, market_id: int) -> PositionView:
    return PositionView(
        account_id=account_id,
        market_id=market_id,
        size_lots=0,
        cost_atoms=0,
        mark_ticks=0,
        notional_atoms=0,
        unrealised_atoms=0,
        initial_margin_atoms=0,
        maintenance_margin_atoms=0,
        liquidation_ticks=0,
        leverage=0,
        realised_atoms=0,
        funding_atoms=0,
    )
