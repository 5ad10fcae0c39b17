"""Which orders a maker wants, and the fewest changes that get there. Pure."""

import zlib
from typing import Any, NamedTuple

from markets.commands import Side
from markets.units import PPM
from trading.makers.terms import Terms

Json = dict[str, Any]

HOLD_PPM = 850_000  # of a step: how far the centre may wander from the middle of its step before the ladder rolls
NICE = (1, 2, 5)


class Resting(NamedTuple):
    """One of the maker's open orders."""

    order_id: str
    side: Side
    price_ticks: int
    size_lots: int
    filled_lots: int


class Grid(NamedTuple):
    """Prices a step apart, so that a centre that moves leaves most of the orders where they are."""

    step_ticks: int
    offset_ticks: int

    def anchor(self, centre_ticks: int, before: int | None) -> int:
        """Return the step that the centre lies in; the one before as long as the centre stays near it."""
        if before is not None:
            middle = before * self.step_ticks + self.offset_ticks + self.step_ticks // 2
            if abs(centre_ticks - middle) * PPM <= self.step_ticks * HOLD_PPM:
                return before
        return (centre_ticks - self.offset_ticks) // self.step_ticks

    def price_ticks(self, number: int) -> int:
        return number * self.step_ticks + self.offset_ticks


def nice_step(centre_ticks: int, step_ppm: int) -> int:
    """Return a step of 1, 2 or 5 times a power of ten near the given part of the price, so that it hardly ever changes."""
    wanted = max(1, centre_ticks * step_ppm // PPM)
    power = int(10 ** (len(str(wanted)) - 1))
    return max(digit * power for digit in NICE if digit * power <= wanted)


def wanted(*, terms: Terms, grid: Grid, anchor: int, levels: int, level_usd: int, sides: tuple[Side, ...]) -> dict[Side, dict[int, int]]:
    """Return the size in lots wanted at each price, best first: larger further out, and never quite regular."""
    ladder: dict[Side, dict[int, int]] = {"buy": {}, "sell": {}}
    for side in sides:
        for level in range(levels):
            price_ticks = grid.price_ticks(anchor - level if side == "buy" else anchor + 1 + level)
            if price_ticks > 0:
                usd = level_usd * (4 + level) * (50 + _varied(terms.symbol, price_ticks)) // 400
                ladder[side][price_ticks] = terms.lots_worth(usd, price_ticks)
    return ladder


def changes(*, terms: Terms, resting: list[Resting], ladder: dict[Side, dict[int, int]], rising: bool) -> list[Json]:
    """Return the batch items that turn the resting orders into the ladder: amended rather than cancelled and placed.

    The side that the market moves away from goes first, so that an order never meets one of the other side that is yet to move.
    """
    order: tuple[Side, Side] = ("sell", "buy") if rising else ("buy", "sell")
    return [item for side in order for item in _side(terms, side, [o for o in resting if o.side == side], ladder[side])]


def _side(terms: Terms, side: Side, resting: list[Resting], ladder: dict[int, int]) -> list[Json]:
    kept: set[int] = set()
    surplus: list[Resting] = []
    for order in resting:
        left = order.size_lots - order.filled_lots
        if order.price_ticks in ladder and order.price_ticks not in kept and 2 * left >= ladder[order.price_ticks]:
            kept.add(order.price_ticks)
        else:
            surplus.append(order)
    missing = [price for price in ladder if price not in kept]
    moved = [_amend(terms, order, price, ladder[price]) for order, price in zip(surplus, missing, strict=False)]
    placed = [_place(terms, side, price, ladder[price]) for price in missing[len(surplus) :]]
    cancelled: list[Json] = [{"op": "cancel", "order_id": order.order_id} for order in surplus[len(missing) :]]
    return moved + placed + cancelled


def _amend(terms: Terms, order: Resting, price_ticks: int, size_lots: int) -> Json:
    return {
        "op": "amend",
        "market": terms.symbol,
        "order_id": order.order_id,
        "price": terms.price(price_ticks),
        "size": terms.size(order.filled_lots + size_lots),
    }


def _place(terms: Terms, side: Side, price_ticks: int, size_lots: int) -> Json:
    return {
        "op": "place",
        "market": terms.symbol,
        "side": side,
        "type": "limit",
        "price": terms.price(price_ticks),
        "size": terms.size(size_lots),
        "post_only": "reject",
    }


def _varied(symbol: str, price_ticks: int) -> int:
    """Return 0 to 99, always the same for a price."""
    return zlib.crc32(f"{symbol}:{price_ticks}".encode()) % 100
