"""Where orders begin and end: every index that knows an order is kept here, so that none can forget it."""

from heapq import heapify, heappush
from typing import Final

from markets.events import CancelReason, OrderCancelled, OrderStatus
from trading.engine import margin
from trading.engine.book import Order
from trading.engine.identity import content_hash
from trading.engine.state import RECENT_ORDERS, KnownId, State

EXPIRY_SLACK: Final = 1_024
LIVE: Final = frozenset({"open", "untriggered"})


def register(state: State, order: Order) -> None:
    """Make a new order findable; it is not yet on the book or watched."""
    account = order.account
    command = order.command
    order_id = order.order_id
    state.orders[order_id] = order
    account.orders[order_id] = order
    account.client_ids[command.client_order_id] = order
    order.holding.order_count += 1
    state.touched.add(account.account_id)
    if command.reduce_only or command.close_position:
        order.holding.reducing[order_id] = order
    if order.status == "untriggered" and (command.link_id or order.parent_order_id):  # once triggered, an order has left its peers
        state.links.setdefault(link_key(order), []).append(order)
    if command.good_till_ms or order.terms is not None:
        expire_later(state, order)


def expire_later(state: State, order: Order) -> None:
    heap = state.expiries
    heappush(heap, (order.ends_ms(), order.order_id))
    if len(heap) > 2 * len(state.orders) + EXPIRY_SLACK:
        alive = [entry for entry in heap if is_live(state.orders.get(entry[1]))]
        heap[:] = alive
        heapify(heap)


def is_live(order: Order | None) -> bool:
    return order is not None and order.status in LIVE


def rest(order: Order) -> None:
    """Put what is left of an order on its book."""
    if not order.reduce_only:
        margin.reserve(order.holding, order.sign, order.remaining_lots, order.price_ticks)
    book = order.holding.market.book
    (book.bids if order.sign > 0 else book.asks).insert(order)


def withdraw(order: Order) -> None:
    """Take a live order off the book or the watch."""
    if order.status == "untriggered":
        order.holding.market.watch.discard(order)
    elif order.level is not None:
        if not order.reduce_only:
            margin.reserve(order.holding, order.sign, -order.remaining_lots, order.price_ticks)
        order.holding.market.book.side(order.sign).remove(order)


def forget_live(state: State, order: Order, status: OrderStatus) -> None:
    """End an order's life; it stays known among the recent ones."""
    account = order.account
    order.status = status
    order.updated_ms = state.stamp_ms
    del account.orders[order.order_id]
    holding = order.holding
    holding.order_count -= 1
    if holding.pool.market_id:
        state.emptied.add((account.account_id, holding.market.market_id))
    if holding.reducing:
        holding.reducing.pop(order.order_id, None)
    state.touched.add(account.account_id)
    state.ended.append(order)
    if state.brackets:
        state.brackets.pop(order.order_id, None)
    if len(state.ended) > RECENT_ORDERS:
        compact(state)
    if order.parent_order_id or order.command.link_id:
        unlink(state, order)


def compact(state: State) -> None:
    """Keep only id and content of the oldest ended order."""
    order = state.ended.popleft()
    del state.orders[order.order_id]
    command = order.command
    known = KnownId(command.account_id, command.client_order_id, order.order_id, content_hash(command), order.updated_ms)
    order.account.client_ids[command.client_order_id] = known
    state.known_ids.append(known)


def filled(state: State, order: Order) -> None:
    forget_live(state, order, "filled")


def cancel(state: State, order: Order, reason: CancelReason) -> None:
    """Take a live order out and say why; its linked order goes with it."""
    withdraw(order)
    order.reason = reason
    account_id = order.account.account_id
    market_id = order.holding.market.market_id
    state.events.append(OrderCancelled(order_id=order.order_id, account_id=account_id, market_id=market_id, reason=reason))
    forget_live(state, order, "expired" if reason == "expired" else "cancelled")


def link_key(order: Order) -> tuple[int, int]:
    """Attached pairs share their parent's id, which no account's link id can be (those are not negative)."""
    return order.command.account_id, -order.parent_order_id or order.command.link_id


def unlink(state: State, order: Order) -> None:
    """One cancels the other: the end, or the triggering, of one linked order ends the rest."""
    key = link_key(order)
    peers = state.links.get(key)
    if peers is None or order not in peers:
        return
    del state.links[key]
    for other in peers:
        if other is not order and is_live(other):
            cancel(state, other, "linked")
