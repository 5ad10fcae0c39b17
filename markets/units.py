"""Integer units of the exchange, and the only place that multiplies them.

A market's price is counted in ticks, its size in lots, money in quote atoms (1 USDC = 1,000,000 atoms).
Tick and lot are chosen so that one tick times one lot is a whole number of atoms; the value of an order is exact.
Oracle prices, index prices and tick and lot sizes are in units of 1e-8.
"""

from decimal import Decimal
from typing import Final, NewType

PriceTicks = NewType("PriceTicks", int)
SizeLots = NewType("SizeLots", int)
QuoteAtoms = NewType("QuoteAtoms", int)
PriceE8 = NewType("PriceE8", int)

E8: Final = 100_000_000
QUOTE_DECIMALS = 6
QUOTE_ATOMS: int = 10**QUOTE_DECIMALS
PPM: Final = 1_000_000
PPB: Final = 1_000_000_000
MAX_AMOUNT_ATOMS: Final = 10**16  # the largest single movement of money: ten thousand million USDC
ASSET_DECIMALS = {"USDC": QUOTE_DECIMALS, "USDT": 6, "SOL": 9, "BTC": 8, "ETH": 8}


def tick_lot_atoms(*, tick_e8: int, lot_e8: int) -> int:
    """Return the quote atoms in one tick times one lot; ValueError unless it is a positive whole number."""
    atoms, rest = divmod(tick_e8 * lot_e8 * QUOTE_ATOMS, E8 * E8)
    if rest or atoms <= 0:
        raise ValueError(f"tick {tick_e8}e-8 times lot {lot_e8}e-8 is not a whole number of quote atoms")
    return atoms


def value_at_price_e8(*, size_lots: int, price_e8: int, lot_e8: int) -> int:
    """Return the value in quote atoms of a size at a 1e-8 price, rounded towards minus infinity."""
    return size_lots * lot_e8 * price_e8 * QUOTE_ATOMS // (E8 * E8)


def asset_value_atoms(*, amount_atoms: int, price_e8: int, decimals: int) -> int:
    """Return the value in quote atoms of an amount of an asset at its 1e-8 price, rounded towards minus infinity."""
    unit: int = 10**decimals
    return amount_atoms * price_e8 * QUOTE_ATOMS // (E8 * unit)


def ceil_div(numerator: int, denominator: int) -> int:
    """Divide, rounding towards plus infinity; the denominator is positive."""
    return -(-numerator // denominator)


def charge(amount_atoms: int, rate_ppm: int) -> int:
    """Return amount x rate rounded towards plus infinity: what a user pays (a rebate is negative and shrinks)."""
    return -(-amount_atoms * rate_ppm // PPM)


def ticks_from_e8(price_e8: int, tick_e8: int) -> int:
    """Round a 1e-8 price to the nearest tick, halves up."""
    return (2 * price_e8 + tick_e8) // (2 * tick_e8)


def decimal_from_units(units: int, unit_e8: int) -> Decimal:
    """Return ticks or lots as an exact decimal with the market's own number of places."""
    return Decimal(units * unit_e8).scaleb(-8).quantize(Decimal(unit_e8).scaleb(-8).normalize())


def decimal_from_atoms(atoms: int, decimals: int = QUOTE_DECIMALS) -> Decimal:
    """Return an amount in atoms as an exact decimal."""
    return Decimal(atoms).scaleb(-decimals)


def places(unit_e8: int) -> int:
    """Return how many decimals a multiple of a tick or lot has, at most eight."""
    count = 8
    while count and not unit_e8 % 10:
        count, unit_e8 = count - 1, unit_e8 // 10
    return count
