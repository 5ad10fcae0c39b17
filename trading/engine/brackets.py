"""Take-profit and stop-loss attached to an order: a linked pair that arms with the order's fills and grows with them."""

from markets.commands import OrderType, PlaceOrder
from markets.events import OrderAccepted
from trading.engine import lives
from trading.engine.book import Order
from trading.engine.positions import report_amended
from trading.engine.state import State


def is_bracketed(order: Order) -> bool:
    return order.command.take_profit_ticks > 0 or order.command.stop_loss_ticks > 0


def arm(state: State, parent: Order, lots: int) -> None:
    """Cover newly filled lots: grow the pair that still waits, or place a new one. A fill that only reduced needs no cover."""
    if parent.sign * parent.holding.size_lots <= 0:
        return
    growing = False
    for order_id in state.brackets.get(parent.order_id, ()):
        child = state.orders.get(order_id)
        if child is not None and child.status == "untriggered":
            child.size_lots += lots
            child.remaining_lots += lots
            report_amended(state, child)
            growing = True
    if growing:
        return
    command = parent.command
    profit = place_child(state, parent, "take_profit_market", command.take_profit_ticks, lots)
    loss = place_child(state, parent, "stop_market", command.stop_loss_ticks, lots)
    state.brackets[parent.order_id] = (profit, loss)


def place_child(state: State, parent: Order, type_: OrderType, trigger_ticks: int, lots: int) -> int:
    """Place one half of the pair and return its id, 0 when the parent did not ask for it."""
    if trigger_ticks == 0:
        return 0
    order_id = state.next_order_id
    state.next_order_id += 1
    asked = parent.command
    command = PlaceOrder(
        account_id=asked.account_id,
        market_id=asked.market_id,
        side="sell" if parent.sign > 0 else "buy",
        type=type_,
        size_lots=lots,
        client_order_id=given_id(order_id),
        reduce_only=True,
        trigger_ticks=trigger_ticks,
        trigger_by=asked.trigger_by,
        self_trade_prevention=asked.self_trade_prevention,
    )
    child = Order(order_id, command, parent.account, parent.holding, 0, lots, state.stamp_ms)
    child.status = "untriggered"
    child.trigger_ticks = trigger_ticks
    child.parent_order_id = parent.order_id
    lives.register(state, child)
    state.events.append(
        OrderAccepted(
            order_id=order_id, order=command, price_ticks=0, size_lots=lots, status="untriggered", parent_order_id=parent.order_id
        )
    )
    parent.holding.market.watch.add(child)
    state.ready_markets.add(command.market_id)
    return order_id


def given_id(order_id: int) -> str:
    """The client id of an order that came without one; users' own ids do not start with a tilde."""
    return f"~{order_id}"
