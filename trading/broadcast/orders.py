"""The open orders of one watched account, kept current from events alone."""

from collections.abc import Iterable

from msgspec.structs import replace

from markets import units
from markets.events import OrderAccepted, OrderAmended, OrderCancelled, OrderFilled, OrderTriggered
from markets.parameters import MarketParameters
from markets.views import OrderView


class OrderMirror:
    """`take_changed` hands out every order that changed since the last call, in its new state, ended ones included."""

    def __init__(self, orders: Iterable[OrderView]) -> None:
        self._open = {order.order_id: order for order in orders}
        self._changed: dict[int, OrderView] = {}

    def accepted(self, event: OrderAccepted, stamp_ms: int) -> None:
        order = event.order
        self._put(
            OrderView(  # by position: see there
                event.order_id,
                order.account_id,
                order.market_id,
                order.client_order_id,
                order.side,
                order.type,
                order.time_in_force,
                order.post_only,
                order.reduce_only,
                order.close_position,
                order.self_trade_prevention,
                event.price_ticks,
                event.size_lots,
                0,
                0,
                0,
                order.trigger_ticks,
                order.trigger_by,
                order.good_till_ms,
                event.parent_order_id,
                order.link_id,
                event.status,
                None,
                stamp_ms,
                stamp_ms,
            )
        )

    def filled(self, event: OrderFilled, stamp_ms: int, *, taker: bool, market: MarketParameters) -> None:
        order = self._open[event.taker_order_id if taker else event.maker_order_id]
        atoms = units.tick_lot_atoms(tick_e8=market.tick_e8, lot_e8=market.lot_e8)
        filled_lots = order.filled_lots + event.size_lots
        self._put(
            replace(
                order,
                filled_lots=filled_lots,
                filled_quote_atoms=order.filled_quote_atoms + event.price_ticks * event.size_lots * atoms,
                fee_atoms=order.fee_atoms + (event.taker_fee_atoms if taker else event.maker_fee_atoms),
                status="filled" if filled_lots == order.size_lots else order.status,
                updated_ms=stamp_ms,
            )
        )

    def amended(self, event: OrderAmended, stamp_ms: int) -> None:
        order = self._open[event.order_id]
        terms = {"price_ticks": event.price_ticks, "size_lots": event.size_lots, "trigger_ticks": event.trigger_ticks}
        self._put(replace(order, updated_ms=stamp_ms, **terms))

    def triggered(self, event: OrderTriggered, stamp_ms: int) -> None:
        order = self._open[event.order_id]
        self._put(replace(order, price_ticks=event.price_ticks, size_lots=event.size_lots, status="open", updated_ms=stamp_ms))

    def cancelled(self, event: OrderCancelled, stamp_ms: int) -> None:
        status = "expired" if event.reason == "expired" else "cancelled"
        self._put(replace(self._open[event.order_id], status=status, reason=event.reason, updated_ms=stamp_ms))

    def take_changed(self) -> list[OrderView]:
        changed, self._changed = self._changed, {}
        return list(changed.values())

    def _put(self, order: OrderView) -> None:
        self._changed[order.order_id] = order
        if order.status in ("open", "untriggered"):
            self._open[order.order_id] = order
        else:
            self._open.pop(order.order_id, None)
