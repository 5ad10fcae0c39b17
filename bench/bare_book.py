"""The engine's book with nothing around it: no accounts, no margin, no events but fills. What other books are compared with.

Compiled together with the engine by `make compile`.
"""

from markets.commands import PlaceOrder
from trading.engine.book import Book, Order
from trading.engine.state import Account, Holding, Market

Fill = tuple[int, int, int, int]  # taker's order id, maker's order id, price in ticks, size in lots


class BareBook:
    """Limits and cancels by order id; fills are returned."""

    __slots__ = ("account", "book", "buy", "holding", "orders", "sell")

    def __init__(self, market: Market) -> None:
        self.book = Book()
        self.orders: dict[int, Order] = {}
        self.account = Account(1)
        self.holding = Holding(self.account, market)
        self.buy = PlaceOrder(account_id=1, market_id=1, side="buy", type="limit", size_lots=1)
        self.sell = PlaceOrder(account_id=1, market_id=1, side="sell", type="limit", size_lots=1)

    def limit(self, order_id: int, buy: bool, price_ticks: int, size_lots: int) -> list[Fill]:
        taker = Order(order_id, self.buy if buy else self.sell, self.account, self.holding, price_ticks, size_lots, 0)
        sign = taker.sign
        side = self.book.side(-sign)
        keys = side.keys
        limit_key = -sign * price_ticks
        fills: list[Fill] = []
        while taker.remaining_lots > 0 and keys and keys[-1] >= limit_key:
            maker = side.levels[keys[-1]].head
            lots = min(taker.remaining_lots, maker.remaining_lots)
            taker.remaining_lots -= lots
            side.reduce(maker, lots)
            fills.append((order_id, maker.order_id, maker.price_ticks, lots))
            if maker.remaining_lots == 0:
                del self.orders[maker.order_id]
        if taker.remaining_lots > 0:
            self.book.side(sign).insert(taker)
            self.orders[order_id] = taker
        return fills

    def cancel(self, order_id: int) -> None:
        order = self.orders.pop(order_id)
        self.book.side(order.sign).remove(order)

    def live_lots(self) -> int:
        return sum(order.remaining_lots for order in self.orders.values())
