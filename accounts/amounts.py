"""Amounts of money as people type them."""

import re
from decimal import Decimal

from markets.fields import InvalidField, echo
from markets.units import QUOTE_ATOMS, QUOTE_DECIMALS

_AMOUNT = re.compile(rf"\d{{1,12}}(\.\d{{1,{QUOTE_DECIMALS}}})?", re.ASCII)


def usdc_atoms(text: str) -> int:
    """Return an amount of USDC in atoms; grouping commas are allowed."""
    plain = text.replace(",", "").strip()
    if not _AMOUNT.fullmatch(plain):
        raise InvalidField("INVALID_AMOUNT", "Enter an amount of USDC, such as 1000.", field="amount", value=echo(text))
    return int(Decimal(plain) * QUOTE_ATOMS)
