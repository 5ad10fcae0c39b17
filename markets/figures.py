"""Numbers as people read them: grouped thousands, a true minus sign, one precision per market. Nothing here is parsed back."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import Literal

from markets import units
from markets.parameters import MarketParameters

Direction = Literal["up", "down", ""]

MINUS = "\N{MINUS SIGN}"
NONE = "\N{EN DASH}"
CENT = Decimal("0.01")
SUFFIXES = ((Decimal(10**9), "B"), (Decimal(10**6), "M"), (Decimal(10**3), "K"))


def number(value: Decimal) -> str:
    return f"{value:,f}".replace("-", MINUS)


def signed(value: Decimal) -> str:
    return ("+" if value > 0 else "") + number(value)


def direction(value: int | Decimal) -> Direction:
    """Return the CSS class of a value's sign."""
    if value == 0:
        return ""
    return "up" if value > 0 else "down"


def price(ticks: int, market: MarketParameters) -> str:
    return number(units.decimal_from_units(ticks, market.tick_e8)) if ticks else NONE


def index_price(price_e8: int, market: MarketParameters) -> str:
    """Return an oracle price at the market's own precision."""
    return price(units.ticks_from_e8(price_e8, market.tick_e8), market)


def size(lots: int, market: MarketParameters) -> str:
    return number(units.decimal_from_units(lots, market.lot_e8))


def plain_size(lots: int, market: MarketParameters) -> str:
    """Return a size as a form field takes it: no grouping, no sign."""
    return f"{units.decimal_from_units(abs(lots), market.lot_e8):f}"


def dollars(atoms: int) -> str:
    """Return an amount to the cent; what is less than a cent stays visible."""
    return _dollars(units.decimal_from_atoms(atoms), plus="")


def dollars_signed(atoms: int) -> str:
    return _dollars(units.decimal_from_atoms(atoms), plus="+")


def compact(value: Decimal) -> str:
    """Return three to four figures and a suffix: 418.2M."""
    for unit, suffix in SUFFIXES:
        if abs(value) >= unit:
            return number((value / unit).quantize(Decimal("0.1"), ROUND_DOWN)) + suffix
    return number(value.quantize(CENT, ROUND_DOWN).normalize() + 0)


def percent(fraction: Decimal, places: int = 2) -> str:
    return number((fraction * 100).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)) + "%"


def percent_signed(fraction: Decimal, places: int = 2) -> str:
    text = percent(fraction, places)
    return "+" + text if fraction > 0 else text


def multiple(ppm: int) -> str:
    """Return a leverage: 2.2x."""
    return f"{Decimal(ppm).scaleb(-6).quantize(Decimal('0.1'), ROUND_HALF_EVEN):f}\N{MULTIPLICATION SIGN}"


def countdown(milliseconds: int) -> str:
    hours, rest = divmod(max(0, milliseconds) // 1000, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


def places(unit_e8: int) -> int:
    """Return how many decimals a multiple of this unit has."""
    exponent = Decimal(unit_e8).scaleb(-8).normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def _dollars(amount: Decimal, *, plus: str) -> str:
    rounded = amount.quantize(CENT, ROUND_HALF_EVEN) or amount.normalize()
    sign = MINUS if rounded < 0 else plus if rounded > 0 else ""
    return f"{sign}${abs(rounded) if rounded else CENT * 0:,f}"
