"""From a provider's number to units of 1e-8, by integers and decimals only."""

from decimal import ROUND_HALF_UP, Context, Decimal

from markets.units import ceil_div
from oracle.feeds.feed import FeedMalformed

E8_EXPONENT = 8
MIN_EXPONENT, MAX_EXPONENT = -18, 8
MAX_DIGITS = 30
MAX_NUMBER_E8 = 10**18
EXACT = Context(prec=100, rounding=ROUND_HALF_UP)


def whole(text: str) -> int:
    """Read an integer that is sent as text."""
    digits = text.removeprefix("-")
    if not digits.isdecimal() or not digits.isascii() or len(digits) > MAX_DIGITS:
        raise FeedMalformed(reason="number", value=text[:MAX_DIGITS])
    return int(text)


def price_e8(mantissa: int, exponent: int) -> int:
    """Return mantissa x 10^exponent, to the nearest 1e-8, halves up."""
    shift = _shift(exponent)
    if shift >= 0:
        return _bounded(mantissa * int(10**shift))
    divisor = int(10**-shift)
    return _bounded((2 * mantissa + divisor) // (2 * divisor))


def confidence_e8(mantissa: int, exponent: int) -> int:
    """The same for an uncertainty, rounded up."""
    shift = _shift(exponent)
    return _bounded(mantissa * int(10**shift) if shift >= 0 else ceil_div(mantissa, int(10**-shift)))


def decimal_e8(value: Decimal) -> int:
    """Return a decimal to the nearest 1e-8, halves up."""
    if not value.is_finite() or abs(value.adjusted()) > MAX_DIGITS:
        raise FeedMalformed(reason="number", value=str(value)[:MAX_DIGITS])
    return _bounded(int(EXACT.to_integral_value(EXACT.scaleb(value, E8_EXPONENT))))


def _bounded(number_e8: int) -> int:
    """Refuse what no price is, and what would not fit into a command."""
    if abs(number_e8) > MAX_NUMBER_E8:
        raise FeedMalformed(reason="number", digits=len(str(abs(number_e8))))
    return number_e8


def _shift(exponent: int) -> int:
    if not MIN_EXPONENT <= exponent <= MAX_EXPONENT:
        raise FeedMalformed(reason="exponent", exponent=exponent)
    return exponent + E8_EXPONENT
