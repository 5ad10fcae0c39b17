"""The order book of one market: price-time priority, integers only.

A side keeps its prices as a sorted list with the best at the end, so that taking and improving the best are a pop and an
append. A bid's key is its price, an ask's is minus its price: one comparison serves both sides. Orders of one price are an
intrusive linked list, so that a cancel is a few assignments.
"""

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Final, cast

from markets.commands import PlaceOrder
from markets.events import CancelReason, OrderStatus

if TYPE_CHECKING:
    from trading.engine.state import Account, Holding

BUY: Final = 1
SELL: Final = -1


class Resting:
    """What the book needs of an order. `sign` is +1 to buy and -1 to sell; the last three are the book's own."""

    __slots__ = ("following", "level", "order_id", "previous", "price_ticks", "remaining_lots", "sign")

    def __init__(self, order_id: int, sign: int, price_ticks: int, lots: int) -> None:
        self.order_id: int = order_id
        self.sign: int = sign
        self.price_ticks: int = price_ticks
        self.remaining_lots: int = lots
        self.level: Level | None = None
        self.previous: Resting | None = None
        self.following: Resting | None = None


class Terms:
    """What the owner of a self-custodied account signed of an order, see `trading.engine.signatures`.

    `from_lots` of the order were filled before: an amendment's terms are for the rest. `signed` is what the command carried.
    """

    __slots__ = (
        "digest",
        "expiry_ms",
        "fee_cap_ppm",
        "from_lots",
        "key",
        "limit_ticks",
        "market_id",
        "nonce",
        "reduce_only",
        "sign",
        "signed",
        "size_lots",
    )

    def __init__(
        self,
        signed: bytes,
        digest: bytes,
        key: bytes,
        market_id: int,
        sign: int,
        size_lots: int,
        limit_ticks: int,
        fee_cap_ppm: int,
        reduce_only: bool,
        expiry_ms: int,
        nonce: int,
        from_lots: int,
    ) -> None:
        self.signed: bytes = signed
        self.digest: bytes = digest
        self.key: bytes = key
        self.market_id: int = market_id
        self.sign: int = sign
        self.size_lots: int = size_lots
        self.limit_ticks: int = limit_ticks
        self.fee_cap_ppm: int = fee_cap_ppm
        self.reduce_only: bool = reduce_only
        self.expiry_ms: int = expiry_ms
        self.nonce: int = nonce
        self.from_lots: int = from_lots


class Order(Resting):
    """An order of the exchange: on the book, waiting for its trigger, or lately ended."""

    __slots__ = (
        "account",
        "command",
        "created_ms",
        "fee_atoms",
        "filled_quote_atoms",
        "holding",
        "parent_order_id",
        "reason",
        "reduce_only",
        "size_lots",
        "status",
        "terms",
        "trigger_ticks",
        "updated_ms",
    )

    def __init__(
        self, order_id: int, command: PlaceOrder, account: "Account", holding: "Holding", price_ticks: int, size_lots: int, stamp_ms: int
    ) -> None:
        self.order_id: int = order_id
        self.sign: int = BUY if command.side == "buy" else SELL
        self.price_ticks: int = price_ticks
        self.remaining_lots: int = size_lots
        self.level: Level | None = None
        self.previous: Resting | None = None
        self.following: Resting | None = None
        self.command: PlaceOrder = command
        self.account: Account = account
        self.holding: Holding = holding
        self.size_lots: int = size_lots
        self.filled_quote_atoms: int = 0
        self.fee_atoms: int = 0
        self.trigger_ticks: int = 0
        self.reduce_only: bool = command.reduce_only
        self.status: OrderStatus = "open"
        self.reason: CancelReason | None = None
        self.terms: Terms | None = None  # of a self-custodied account
        self.parent_order_id: int = 0
        self.created_ms: int = stamp_ms
        self.updated_ms: int = stamp_ms

    def ends_ms(self) -> int:
        """Return when the order ends by itself: as it was asked for, or when its signature expires; 0 for never."""
        asked = self.command.good_till_ms
        if self.terms is None:
            return asked
        return min(asked or self.terms.expiry_ms, self.terms.expiry_ms)


class Level:
    """The orders at one price, oldest first. A level on the book is never empty."""

    __slots__ = ("head", "key", "size_lots", "tail")

    def __init__(self, key: int, order: Resting) -> None:
        self.key: int = key
        self.size_lots: int = order.remaining_lots
        self.head: Resting = order
        self.tail: Resting = order


class BookSide:
    """One side of a book. `touched` collects the keys whose size changed since it was last cleared."""

    __slots__ = ("keys", "levels", "sign", "touched")

    def __init__(self, sign: int) -> None:
        self.sign: int = sign
        self.keys: list[int] = []
        self.levels: dict[int, Level] = {}
        self.touched: set[int] = set()

    def best_ticks(self) -> int:
        """Return the best price, 0 when the side is empty."""
        return self.keys[-1] * self.sign if self.keys else 0

    def size_at(self, key: int) -> int:
        level = self.levels.get(key)
        return level.size_lots if level is not None else 0

    def insert(self, order: Resting) -> None:
        """Queue an order behind those of its price."""
        key = order.price_ticks * self.sign
        self.touched.add(key)
        level = self.levels.get(key)
        if level is None:
            order.level = self.levels[key] = Level(key, order)
            keys = self.keys
            if not keys or key > keys[-1]:
                keys.append(key)
            else:
                insort(keys, key)
            return
        tail = level.tail
        tail.following = order
        order.previous = tail
        order.level = level
        level.tail = order
        level.size_lots += order.remaining_lots

    def reduce(self, order: Resting, lots: int) -> None:
        """Take lots from an order in its place; an order without a rest leaves the book."""
        if lots == order.remaining_lots:
            self.remove(order)
            order.remaining_lots = 0
            return
        level = order.level
        assert level is not None
        order.remaining_lots -= lots
        level.size_lots -= lots
        self.touched.add(level.key)

    def remove(self, order: Resting) -> None:
        level = order.level
        assert level is not None
        previous = order.previous
        following = order.following
        self.touched.add(level.key)
        order.level = None
        if previous is None:
            if following is None:
                self._drop(level.key)
                return
            level.head = following
            following.previous = None
        else:
            previous.following = following
            order.previous = None
            if following is None:
                level.tail = previous
            else:
                following.previous = previous
        order.following = None
        level.size_lots -= order.remaining_lots

    def _drop(self, key: int) -> None:
        del self.levels[key]
        keys = self.keys
        if keys[-1] == key:
            keys.pop()
        else:
            del keys[bisect_left(keys, key)]

    def orders(self) -> list[Order]:
        """Return every order, best first, oldest first within a price."""
        found: list[Order] = []
        for key in reversed(self.keys):
            order: Resting | None = self.levels[key].head
            while order is not None:
                found.append(cast(Order, order))
                order = order.following
        return found

    def walk(self, lots: int, limit_key: int) -> tuple[int, int]:
        """Return how many of `lots` cross up to a key, and their price x lots."""
        found = 0
        value = 0
        for key in reversed(self.keys):
            if key < limit_key or found == lots:
                break
            size = min(self.levels[key].size_lots, lots - found)
            found += size
            value += size * key * self.sign
        return found, value

    def impact(self, value_ticks: int) -> tuple[int, int]:
        """Walk from the best until price x lots reaches `value_ticks`; return what was walked as (value, lots)."""
        value = 0
        lots = 0
        for key in reversed(self.keys):
            price = key * self.sign
            size = self.levels[key].size_lots
            wanted = -(-(value_ticks - value) // price)
            if wanted <= size:
                return value + wanted * price, lots + wanted
            value += size * price
            lots += size
        return value, lots


class Book:
    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids = BookSide(BUY)
        self.asks = BookSide(SELL)

    def side(self, sign: int) -> BookSide:
        return self.bids if sign > 0 else self.asks
