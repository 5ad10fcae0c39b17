"""A market's terms as the API states them, and the conversions that a bot needs: integers inside, decimal strings outside."""

from decimal import Decimal
from typing import Any, NamedTuple

from markets.units import E8, QUOTE_ATOMS, decimal_from_units
from trading.representations import decimal_text

Json = dict[str, Any]


def e8(text: str) -> int:
    return int(Decimal(text).scaleb(8))


class Terms(NamedTuple):
    """Tick, lot and smallest order of one market."""

    symbol: str
    tick_e8: int
    lot_e8: int
    min_notional_atoms: int

    @classmethod
    def read(cls, market: Json) -> "Terms":
        """Read one entry of GET /api/v1/markets/."""
        smallest = int(Decimal(market["min_notional"]).scaleb(6))
        return cls(market["symbol"], e8(market["tick_size"]), e8(market["lot_size"]), smallest)

    def ticks(self, price: str) -> int:
        return e8(price) // self.tick_e8

    def lots(self, size: str) -> int:
        """Return a size in lots, negative for a short position."""
        amount = e8(size)
        return amount // self.lot_e8 if amount >= 0 else -(-amount // self.lot_e8)

    def price(self, ticks: int) -> str:
        return decimal_text(decimal_from_units(ticks, self.tick_e8))

    def size(self, lots: int) -> str:
        return decimal_text(decimal_from_units(lots, self.lot_e8))

    def lots_worth(self, notional_usd: int, price_ticks: int) -> int:
        """Return about that much in lots, and never less than the market's smallest order."""
        atoms_per_lot = price_ticks * self.tick_e8 * self.lot_e8 * QUOTE_ATOMS // (E8 * E8)
        smallest: int = -(-2 * self.min_notional_atoms // atoms_per_lot)
        lots: int = notional_usd * QUOTE_ATOMS // atoms_per_lot
        return max(1, smallest, lots)
