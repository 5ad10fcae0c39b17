"""The operations that every order book in the comparison is given, made once from a seed.

60 % passive limits near the touch (distance exponential, mean 8 ticks), 30 % cancels of a live order, 10 % limits that cross by up to
5 ticks.
"""

from bisect import insort
from collections import OrderedDict
from random import Random
from typing import Literal, NamedTuple

ACCOUNTS = 1_000
START_PRICE = 100_000


class Operation(NamedTuple):
    """`limit` places an order; `cancel` cancels `order_id`, and the rest of it does not matter."""

    kind: Literal["limit", "cancel"]
    order_id: int
    account_id: int
    buy: bool
    price: int
    size: int


class PlainBook:
    """A book in the plainest form that is still usable: what the workload is made with and every engine's end is checked against."""

    def __init__(self) -> None:
        self.levels: dict[bool, dict[int, OrderedDict[int, int]]] = {True: {}, False: {}}
        self.prices: dict[bool, list[int]] = {True: [], False: []}
        self.live: dict[int, tuple[bool, int]] = {}
        self.fills = 0

    def best(self, buy: bool) -> int | None:
        prices = self.prices[buy]
        return None if not prices else prices[-1] if buy else prices[0]

    def limit(self, order_id: int, buy: bool, price: int, size: int) -> None:
        while size and (best := self.best(not buy)) is not None and (price >= best if buy else price <= best):
            queue = self.levels[not buy][best]
            maker_id, maker_size = next(iter(queue.items()))
            self.fills += 1
            if maker_size > size:
                queue[maker_id] = maker_size - size
                return
            size -= maker_size
            self.cancel(maker_id)
        if size:
            if price not in self.levels[buy]:
                self.levels[buy][price] = OrderedDict()
                insort(self.prices[buy], price)
            self.levels[buy][price][order_id] = size
            self.live[order_id] = (buy, price)

    def cancel(self, order_id: int) -> None:
        buy, price = self.live.pop(order_id)
        queue = self.levels[buy][price]
        del queue[order_id]
        if not queue:
            del self.levels[buy][price]
            self.prices[buy].remove(price)

    def live_size(self) -> int:
        return sum(sum(queue.values()) for side in self.levels.values() for queue in side.values())


class LiveIds:
    """Open order ids from which one can be drawn in constant time; ended ones are dropped when they are drawn."""

    def __init__(self, book: PlainBook, random: Random) -> None:
        self.ids: list[int] = []
        self.book = book
        self.random = random

    def draw(self) -> int | None:
        while self.ids:
            at = self.random.randrange(len(self.ids))
            self.ids[at], self.ids[-1] = self.ids[-1], self.ids[at]
            if (order_id := self.ids.pop()) in self.book.live:
                return order_id
        return None


def operations(*, count: int, warm_up: int = 4_000, seed: int = 7) -> tuple[list[Operation], list[Operation], PlainBook]:
    """Return the warm-up, the timed operations, and the book in which they end."""
    random, book = Random(seed), PlainBook()  # noqa: S311 - a workload, not a secret
    live = LiveIds(book, random)
    made: list[Operation] = []
    owners: dict[int, int] = {}
    for order_id in range(1, warm_up + count + 1):
        draw = random.random() if order_id > warm_up else 0.0
        if draw >= 0.9:
            operation = crossing(book, random, order_id)
        elif draw >= 0.6 and (cancelled := live.draw()) is not None:
            operation = Operation("cancel", cancelled, owners[cancelled], False, 0, 0)
        else:
            operation = passive(book, random, order_id)
        if operation.kind == "cancel":
            book.cancel(operation.order_id)
        else:
            book.limit(operation.order_id, operation.buy, operation.price, operation.size)
            live.ids.append(operation.order_id)
            owners[operation.order_id] = operation.account_id
        made.append(operation)
    return made[:warm_up], made[warm_up:], book


def passive(book: PlainBook, random: Random, order_id: int) -> Operation:
    buy = random.random() < 0.5
    touch = book.best(not buy) or START_PRICE
    distance = 1 + int(random.expovariate(1 / 8))
    return Operation(
        "limit", order_id, random.randrange(ACCOUNTS), buy, touch - distance if buy else touch + distance, random.randint(1, 100)
    )


def crossing(book: PlainBook, random: Random, order_id: int) -> Operation:
    buy = random.random() < 0.5
    touch = book.best(not buy) or START_PRICE
    through = random.randint(0, 5)
    return Operation(
        "limit", order_id, random.randrange(ACCOUNTS), buy, touch + through if buy else touch - through, random.randint(1, 360)
    )
