"""The exchange in its plainest form: one list of orders, searched whenever something is asked; exact fractions; no cleverness.

It knows limit orders, and trades made on chain, in one market of traders who can afford everything. What it holds, `picture` tells in
the same shape as of the engine, and the hashes of both must be equal after every command.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from math import ceil, floor
from typing import Any

from markets import ledger
from markets.commands import AmendOrder, BookChainTrade, CancelOrder, PlaceOrder
from trading.engine.state import State

ATOMS = 1_000  # of one tick times one lot in tests.engine.desk
TAKER_FEE = Fraction(500, 1_000_000)
MAKER_FEE = Fraction(200, 1_000_000)


@dataclass
class Resting:
    order_id: int
    command: PlaceOrder
    price: int
    size: int
    remaining: int
    place: int  # in the queue of all orders

    @property
    def buy(self) -> bool:
        return self.command.side == "buy"


@dataclass
class Position:
    size: int = 0
    cost: int = 0


@dataclass
class Reference:
    """Apply commands; an order that is refused changes nothing."""

    first_order_id: int
    cash: dict[int, int]
    orders: list[Resting] = field(default_factory=list)
    positions: dict[int, Position] = field(default_factory=dict)
    fees: int = 0
    clearing: int = 0
    last: int = 0
    placed: int = 0
    queued: int = 0
    booked: dict[int, int] = field(default_factory=dict)

    def apply(self, command: PlaceOrder | AmendOrder | CancelOrder | BookChainTrade) -> None:
        if isinstance(command, PlaceOrder):
            self.place(command)
        elif isinstance(command, BookChainTrade):
            self.book(command)
        elif isinstance(command, AmendOrder):
            self.amend(command)
        else:
            self.orders = [order for order in self.orders if not self.is_named(order, command)]

    def is_named(self, order: Resting, command: AmendOrder | CancelOrder) -> bool:
        return (order.order_id, order.command.account_id) == (command.order_id, command.account_id)

    def place(self, command: PlaceOrder) -> None:
        size = self.reducible(command) if command.reduce_only else command.size_lots
        price = self.entry_price(command, command.price_ticks)
        if not size or not price or (command.time_in_force == "fok" and not self.fills_whole(command, size)):
            return
        order = Resting(self.first_order_id + self.placed, command, price, size, size, 0)
        self.placed += 1
        self.enter(order)

    def amend(self, command: AmendOrder) -> None:
        for order in [order for order in self.orders if self.is_named(order, command)]:
            filled = order.size - order.remaining
            price, size = command.price_ticks or order.price, command.size_lots or order.size
            if size <= filled or (price, size) == (order.price, order.size):
                return
            if price == order.price and size < order.size:
                order.remaining, order.size = size - filled, size
                return
            entered = self.entry_price(order.command, price)
            if entered:
                self.orders.remove(order)
                order.price, order.size, order.remaining = entered, size, size - filled
                self.enter(order)

    def book(self, command: BookChainTrade) -> None:
        """Take over what the chain did, unless one of the two knows of it, or of something later, already."""
        buyer, seller = command.buyer_account_id, command.seller_account_id
        if buyer == seller or any(command.number <= self.booked.get(one, 0) for one in (buyer, seller)):
            return
        for account_id, sign in ((buyer, 1), (seller, -1)):
            self.booked[account_id] = command.number
            realised = self.exchange(account_id, sign * command.size_lots, sign * command.quote_atoms)
            self.cash[account_id] += realised
            self.clearing -= realised

    def reducible(self, command: PlaceOrder) -> int:
        held = self.position(command.account_id).size
        return min(command.size_lots, max(0, -held if command.side == "buy" else held))

    def entry_price(self, command: PlaceOrder, price: int) -> int:
        """Return the price at which an order enters, 0 when post-only refuses it."""
        buy = command.side == "buy"
        best = self.best(not buy)
        if command.post_only == "none" or best is None or (price < best if buy else price > best):
            return price
        return 0 if command.post_only == "reject" else best - 1 if buy else best + 1

    def queue(self, buy: bool) -> list[Resting]:
        """Return a side's orders, best price first, oldest first."""
        return sorted((order for order in self.orders if order.buy == buy), key=lambda o: (-o.price if buy else o.price, o.place))

    def best(self, buy: bool) -> int | None:
        return next((order.price for order in self.queue(buy)), None)

    def crossing(self, buy: bool, price: int) -> list[Resting]:
        return [maker for maker in self.queue(not buy) if (maker.price <= price if buy else maker.price >= price)]

    def fills_whole(self, command: PlaceOrder, size: int) -> bool:
        for maker in self.crossing(command.side == "buy", command.price_ticks):
            if maker.command.account_id != command.account_id:
                size -= maker.remaining
            elif command.self_trade_prevention != "expire_maker":
                break
        return size <= 0

    def enter(self, order: Resting) -> None:
        """Match, then rest what may rest."""
        self.queued += 1
        order.place = self.queued
        stopped = False
        while order.remaining and not stopped and (makers := self.crossing(order.buy, order.price)):
            maker = makers[0]
            if maker.command.account_id == order.command.account_id:
                mode = order.command.self_trade_prevention
                if mode != "expire_taker":
                    self.orders.remove(maker)
                stopped = mode != "expire_maker"
            else:
                self.trade(order, maker)
        if order.remaining and not stopped and order.command.time_in_force == "gtc":
            self.orders.append(order)

    def trade(self, taker: Resting, maker: Resting) -> None:
        size = min(taker.remaining, maker.remaining)
        value = size * maker.price * ATOMS
        for order, fee in ((taker, ceil(value * TAKER_FEE)), (maker, ceil(value * MAKER_FEE))):
            realised = self.fill(order.command.account_id, size if order.buy else -size, maker.price)
            self.cash[order.command.account_id] += realised - fee
            self.fees += fee
            self.clearing -= realised
            order.remaining -= size
        self.last = maker.price
        self.orders = [order for order in self.orders if order.remaining]

    def position(self, account_id: int) -> Position:
        return self.positions.setdefault(account_id, Position())

    def fill(self, account_id: int, signed: int, price: int) -> int:
        return self.exchange(account_id, signed, signed * price * ATOMS)

    def exchange(self, account_id: int, signed: int, value: int) -> int:
        """Change a position and return what that realised: a reduction's share of the cost is rounded against its owner.

        Beyond zero a position costs what the lots were worth each, in whole atoms.
        """
        held = self.position(account_id)
        after = held.size + signed
        if held.size * signed >= 0:
            realised, held.cost = 0, held.cost + value
        elif held.size * after >= 0:
            removed = ceil(Fraction(held.cost) * abs(signed) / abs(held.size))
            realised, held.cost = -value - removed, held.cost - removed
        else:
            kept = after * floor(Fraction(value, signed))
            realised, held.cost = kept - value - held.cost, kept
        held.size = after
        return realised

    def picture(self) -> dict[str, Any]:
        def side(buy: bool) -> list[tuple[int, ...]]:
            return [(o.order_id, o.command.account_id, o.price, o.size, o.remaining) for o in self.queue(buy)]

        held = {account_id: (one.size, one.cost) for account_id, one in sorted(self.positions.items()) if one.size}
        return {
            "bids": side(True),
            "asks": side(False),
            "positions": held,
            "open_interest": sum(max(0, size) for size, _ in held.values()),
            "cash": dict(sorted(self.cash.items())),
            "fees": self.fees,
            "clearing": self.clearing,
            "last": self.last,
        }


def picture(state: State, market_id: int) -> dict[str, Any]:
    """Tell of the engine what `Reference.picture` tells of itself."""
    market = state.markets[market_id]

    def side(sign: int) -> list[tuple[int, ...]]:
        orders = market.book.side(sign).orders()
        return [(o.order_id, o.account.account_id, o.price_ticks, o.size_lots, o.remaining_lots) for o in orders]

    users = {account_id: account for account_id, account in sorted(state.accounts.items()) if account_id >= ledger.FIRST_USER_ACCOUNT}
    held = {account_id: (one.size_lots, one.cost_atoms) for account_id, one in sorted(market.holders.items())}
    return {
        "bids": side(1),
        "asks": side(-1),
        "positions": held,
        "open_interest": market.open_interest_lots,
        "cash": {account_id: account.usdc_atoms() for account_id, account in users.items()},
        "fees": state.fees.cash_atoms,
        "clearing": state.clearing.cash_atoms,
        "last": market.last_ticks,
    }


def picture_hash(told: dict[str, Any]) -> str:
    return sha256(repr(told).encode()).hexdigest()
