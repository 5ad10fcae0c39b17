"""Trigger orders that fire: after the command that moved their reference price, by sequence, at most 1,000 a batch."""

from typing import Final

from markets.events import OrderTriggered
from trading.engine import checks, lives, signatures
from trading.engine.book import Order
from trading.engine.orders import execute
from trading.engine.pools import top_up
from trading.engine.state import Market, State

MAX_FIRED: Final = 1_000
REFERENCES = ("mark", "index", "last")


def fire_due(state: State) -> None:
    """Fire what the moved prices reach, and what those fills reach in turn."""
    while state.fired < MAX_FIRED:
        if state.ready_markets:
            collect(state)
        if not state.ready:
            return
        order = state.orders.get(state.ready.pop(0))
        if order is None or order.status != "untriggered":
            continue
        market = order.holding.market
        if may_fire(state, market):
            state.fired += 1
            fire(state, order)
        else:
            market.watch.add(order)


def may_fire(state: State, market: Market) -> bool:
    return state.strictest_status(market) == "normal" and market.index.allows("trigger")


def collect(state: State) -> None:
    """Move triggered orders of open markets into the queue; it is kept by sequence, and what is in it fires for certain."""
    found: list[int] = []
    for market_id in sorted(state.ready_markets):
        market = state.markets[market_id]
        if not market.watch.is_unused() and may_fire(state, market):
            for trigger_by in REFERENCES:
                reached = market.watch.take(trigger_by, checks.reference_ticks(market, trigger_by))
                found.extend(order.order_id for order in reached)
    state.ready_markets.clear()
    if found:
        state.ready.extend(found)
        state.ready.sort()


def fire(state: State, order: Order) -> None:
    """Turn a trigger order into a live one of the same id, or end it when it is refused."""
    holding = order.holding
    market = holding.market
    command = order.command
    lives.unlink(state, order)
    market.watch.discard(order)
    reducing = command.reduce_only or command.close_position
    lots = order.size_lots
    if reducing:
        open_lots = max(0, -order.sign * holding.size_lots)
        lots = open_lots if command.close_position else min(lots, open_lots)
    price = order.price_ticks
    if price == 0 and order.terms is not None:
        price = signatures.limited(order.terms, checks.worst_price(market, order.sign))
    entry = checks.entry(state, market, holding, command, price, lots, True)
    live(order, entry.price_ticks or order.price_ticks, entry.lots if entry.reject is None else lots, reducing)
    order.updated_ms = state.stamp_ms
    report(state, market, order)
    if entry.reject is not None:
        lives.cancel(state, order, "rejected_at_trigger")
    else:
        top_up(state, holding, entry.margin_atoms)
        execute(state, market, order, entry.tight)


def live(order: Order, price_ticks: int, lots: int, reducing: bool) -> None:
    order.status = "open"
    order.price_ticks = price_ticks
    order.size_lots = lots
    order.remaining_lots = lots
    order.reduce_only = reducing


def report(state: State, market: Market, order: Order) -> None:
    command = order.command
    state.touched.add(command.account_id)
    state.events.append(
        OrderTriggered(
            order_id=order.order_id,
            account_id=command.account_id,
            market_id=command.market_id,
            reference_ticks=checks.reference_ticks(market, command.trigger_by),
            price_ticks=order.price_ticks,
            size_lots=order.size_lots,
        )
    )
