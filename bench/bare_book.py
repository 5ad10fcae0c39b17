"""The engine's book with nothing around it: no accounts, no margin, no events but fills. What other books are compared with.

Compiled together with the engine by `make compile`.
"""

from trading.engine.book import BUY, SELL, Book, Resting

Fill = tuple[int, int, int, int]  # taker's order id, maker's order id, price in ticks, size in lots


class BareBook:
    """Limits and cancels by order id; fills are returned."""

    __slots__ = ("book", "orders")

    def __init__(self) -> None:
        self.book: Book = Book()
        self.orders: dict[int, Resting] = {}

    def limit(self, order_id: int, buy: bool, price_ticks: int, size_lots: int) -> list[Fill]:
        sign = BUY if buy else SELL
        side = self.book.side(-sign)
        keys = side.keys
        limit_key = -sign * price_ticks
        fills: list[Fill] = []
        while size_lots > 0 and keys and keys[-1] >= limit_key:
            maker = side.levels[keys[-1]].head
            lots = min(size_lots, maker.remaining_lots)
            size_lots -= lots
            side.reduce(maker, lots)
            fills.append((order_id, maker.order_id, maker.price_ticks, lots))
            if maker.remaining_lots == 0:
                del self.orders[maker.order_id]
        if size_lots > 0:
            rest = self.orders[order_id] = Resting(order_id, sign, price_ticks, size_lots)
            self.book.side(sign).insert(rest)
        return fills

    def cancel(self, order_id: int) -> None:
        order = self.orders.pop(order_id)
        self.book.side(order.sign).remove(order)

    def live_lots(self) -> int:
        return sum(order.remaining_lots for order in self.orders.values())
