"""Trigger orders of one market, sorted by trigger price, apart from the book."""

from bisect import bisect_left, insort
from typing import Final

from trading.engine.book import Order

RISING: Final = 1


class Ladder:
    """Triggers of one direction and reference, the next to fire at the end.

    A rising trigger fires when its reference is at or above it, a falling one at or below; with keys of minus the trigger for
    rising ones, both fire while the last key is at or beyond the reference's.
    """

    __slots__ = ("direction", "keys", "orders")

    def __init__(self, direction: int) -> None:
        self.direction: int = direction
        self.keys: list[int] = []
        self.orders: dict[int, dict[int, Order]] = {}

    def add(self, order: Order) -> None:
        key = -order.trigger_ticks * self.direction
        found = self.orders.get(key)
        if found is None:
            self.orders[key] = {order.order_id: order}
            insort(self.keys, key)
        else:
            found[order.order_id] = order

    def discard(self, order: Order) -> None:
        key = -order.trigger_ticks * self.direction
        found = self.orders.get(key)
        if found is None or found.pop(order.order_id, None) is None or found:
            return
        del self.orders[key]
        del self.keys[bisect_left(self.keys, key)]

    def take(self, reference_ticks: int) -> list[Order]:
        """Remove and return the orders that a reference price fires."""
        reached = -reference_ticks * self.direction
        fired: list[Order] = []
        while self.keys and self.keys[-1] >= reached:
            fired.extend(self.orders.pop(self.keys.pop()).values())
        return fired


class Watch:
    """All ladders of a market: mark, index and last, rising and falling."""

    __slots__ = ("falling", "rising")

    def __init__(self) -> None:
        self.rising: dict[str, Ladder] = {}
        self.falling: dict[str, Ladder] = {}

    def is_unused(self) -> bool:
        """Tell whether no order has waited here yet."""
        return not self.rising and not self.falling

    def add(self, order: Order) -> None:
        self._ladder(order).add(order)

    def discard(self, order: Order) -> None:
        self._ladder(order).discard(order)

    def take(self, trigger_by: str, reference_ticks: int) -> list[Order]:
        fired: list[Order] = []
        for ladders in (self.rising, self.falling):
            ladder = ladders.get(trigger_by)
            if ladder is not None and reference_ticks > 0:
                fired.extend(ladder.take(reference_ticks))
        return fired

    def _ladder(self, order: Order) -> Ladder:
        direction = direction_of(order)
        ladders = self.rising if direction == RISING else self.falling
        ladder = ladders.get(order.command.trigger_by)
        if ladder is None:
            ladder = ladders[order.command.trigger_by] = Ladder(direction)
        return ladder


def direction_of(order: Order) -> int:
    """A stop to buy and a take-profit to sell wait for a rise, the others for a fall."""
    return order.sign if order.command.type.startswith("stop") else -order.sign
