"""Moving money between the accounts of one person."""

import re
from decimal import Decimal
from typing import Final

from accounts.models import User
from accounts.selectors import account_of
from markets.commands import Transfer
from markets.fields import InvalidField, echo
from markets.gateway import gateway
from markets.units import ASSET_DECIMALS, MAX_AMOUNT_ATOMS
from trading.refusals import refused

MAX_LENGTH: Final = 30
_PLAIN = re.compile(r"\d+(\.\d+)?", re.ASCII)


def amount_atoms(text: str, decimals: int) -> int:
    """Return a positive decimal as atoms of an asset, which may have more decimals than prices have."""
    amount = text if text.isascii() and len(text) <= MAX_LENGTH and _PLAIN.fullmatch(text) else ""
    places = len(amount.partition(".")[2])
    atoms = int(Decimal(amount).scaleb(decimals)) if amount and places <= decimals else 0
    if not 0 < atoms <= MAX_AMOUNT_ATOMS:
        message = f"amount is a plain decimal above zero, with at most {decimals} places."
        raise InvalidField("INVALID_AMOUNT", message, field="amount", value=echo(text))
    return atoms


def transfer(*, user: User, from_account_id: int | None, to_account_id: int, asset: str, amount: str) -> tuple[int, int]:
    """Move an amount between two of a person's accounts; return the account that it left, and the amount in atoms."""
    source, target = account_of(user, from_account_id), account_of(user, to_account_id)
    decimals = ASSET_DECIMALS.get(asset)
    if decimals is None:
        raise InvalidField("UNKNOWN_ASSET", "There is no such asset.", field="asset", value=echo(asset))
    atoms = amount_atoms(amount, decimals)
    reply = gateway().submit(Transfer(account_id=source.id, to_account_id=target.id, asset=asset, amount_atoms=atoms))
    if reply.reject is not None:
        raise refused(reply.reject)
    return source.id, atoms
