"""Decimal strings to whole ticks and lots, exactly: no float, and no Decimal unless the text is refused."""

from decimal import ROUND_HALF_UP, Context, Decimal
from typing import NoReturn

from markets.fields import InvalidField, echo
from markets.parameters import MarketParameters
from trading.representations import decimal_text

E8_DIGITS = 8
MAX_WHOLE_DIGITS = 15
MAX_PRICE_TICKS = 10**12
MAX_REFUSED_DIGITS = 200  # a longer text is refused without a look at its value
EXACT = Context(prec=2 * MAX_REFUSED_DIGITS)

MESSAGES = {
    "NUMBER_MALFORMED": "{field} must be a decimal string such as 12.5.",
    "NUMBER_NOT_FINITE": "{field} must be a finite number.",
    "NUMBER_HAS_EXPONENT": "{field} must be written without an exponent.",
    "NUMBER_SIGNED": "{field} must be positive, and written without a sign.",
    "NUMBER_ZERO": "{field} must be more than zero.",
    "NUMBER_TOO_LARGE": "{field} is at most {largest}.",
    "TOO_MANY_DECIMALS": "{field} has at most {decimals} decimals.",
    "OFF_TICK": "{field} must be a multiple of the tick size {step}.",
    "OFF_LOT": "{field} must be a multiple of the lot size {step}.",
}


def price_ticks(text: str, *, field: str, market: MarketParameters) -> int:
    """Return a price in ticks; InvalidField names what is wrong and the nearest valid price."""
    ticks = _units(text, market.tick_e8)
    if ticks is None or not 0 < ticks <= MAX_PRICE_TICKS:
        _refuse(text, field=field, unit_e8=market.tick_e8, largest_units=MAX_PRICE_TICKS, off_code="OFF_TICK")
    return ticks


def size_lots(text: str, *, field: str, market: MarketParameters) -> int:
    """Return a size in lots; InvalidField names what is wrong and the nearest valid size."""
    lots = _units(text, market.lot_e8)
    if lots is None or not 0 < lots <= market.max_order_lots:
        _refuse(text, field=field, unit_e8=market.lot_e8, largest_units=market.max_order_lots, off_code="OFF_LOT")
    return lots


def atoms(text: str, *, field: str, decimals: int, largest_atoms: int) -> int:
    """Return an amount of an asset in atoms."""
    unit_e8 = 10 ** (E8_DIGITS - decimals)
    amount = _units(text, unit_e8)
    if amount is None or not 0 < amount <= largest_atoms:
        _refuse(text, field=field, unit_e8=unit_e8, largest_units=largest_atoms, off_code="TOO_MANY_DECIMALS")
    return amount


def _units(text: str, unit_e8: int) -> int | None:
    """Return the whole units in a plain decimal, or None when it is anything else."""
    whole, point, fraction = text.partition(".")
    if len(whole) > MAX_WHOLE_DIGITS or not (whole.isdigit() and text.isascii()):
        return None
    if point and not fraction.isdigit():
        return None
    places = fraction.rstrip("0")
    if len(places) > E8_DIGITS:
        return None
    units, rest = divmod(int(whole + places.ljust(E8_DIGITS, "0")), unit_e8)
    return None if rest else units


def _refuse(text: str, *, field: str, unit_e8: int, largest_units: int, off_code: str) -> NoReturn:
    step = Decimal(unit_e8).scaleb(-E8_DIGITS).normalize()
    largest = largest_units * step
    value = _decimal(text)
    nearest = None if value is None else decimal_text(_nearest(value, step, largest))
    code = _code(text, value, step, largest, off_code)
    facts = {"largest": decimal_text(largest), "step": decimal_text(step), "decimals": str(_places(step))}
    raise InvalidField(code, MESSAGES[code].format(field=field, **facts), field=field, value=echo(text), nearest=nearest)


def _code(text: str, value: Decimal | None, step: Decimal, largest: Decimal, off_code: str) -> str:
    if value is None:
        return "NUMBER_NOT_FINITE" if _names_no_number(text) else "NUMBER_MALFORMED"
    if text[0] in "+-":
        return "NUMBER_SIGNED"
    if "e" in text.lower():
        return "NUMBER_HAS_EXPONENT"
    if not value:
        return "NUMBER_ZERO"
    if value > largest:
        return "NUMBER_TOO_LARGE"
    if _places(value) > _places(step):
        return "TOO_MANY_DECIMALS"
    return off_code if value % step else "NUMBER_MALFORMED"


def _names_no_number(text: str) -> bool:
    return text.lower().lstrip("+-") in {"nan", "snan", "inf", "infinity"}


def _decimal(text: str) -> Decimal | None:
    """Return the finite value that the text has in any notation, for the refusal's words only."""
    if not text or len(text) > MAX_REFUSED_DIGITS or not text.isascii() or set(text) - set("0123456789.+-eE"):
        return None
    try:
        return Decimal(text)
    except ArithmeticError:
        return None


def _nearest(value: Decimal, step: Decimal, largest: Decimal) -> Decimal:
    value = value.copy_abs()
    if value >= largest:
        return largest
    if value <= step:
        return step
    return (value / step).to_integral_value(ROUND_HALF_UP) * step


def _places(value: Decimal) -> int:
    exponent = EXACT.normalize(value).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
