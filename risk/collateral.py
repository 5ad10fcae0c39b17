"""What an asset counts for as collateral. Values are in quote atoms and rounded against the owner."""

from collections.abc import Sequence
from typing import Final

from markets.assets import CollateralTier
from markets.units import PPM, asset_value_atoms

INITIAL: Final = True
MAINTENANCE: Final = False


def cautious_price_e8(*, price_e8: int, confidence_e8: int, amount_atoms: int) -> int:
    """Return the price less its confidence for what is owned, plus its confidence for what is owed."""
    return max(0, price_e8 - confidence_e8) if amount_atoms >= 0 else price_e8 + confidence_e8


def initial_price_e8(*, price_e8: int, stable_e8: int, amount_atoms: int) -> int:
    """Return the worse of a price and its stable price; 0 is no stable price yet."""
    if stable_e8 == 0:
        return price_e8
    return min(price_e8, stable_e8) if amount_atoms >= 0 else max(price_e8, stable_e8)


def weighted_value(*, value_atoms: int, tiers: Sequence[CollateralTier], initial: bool) -> int:
    """Return what a value counts for: each slice of it at its tier's weight. What is owed counts whole.

    Weights fall from tier to tier and are never negative: the result is concave in the value, and more is never less.
    """
    if value_atoms <= 0:
        return value_atoms
    total = 0
    end = value_atoms
    for tier in reversed(tiers):
        if end > tier.value_from_atoms:
            total += (end - tier.value_from_atoms) * (tier.initial_ppm if initial else tier.maintenance_ppm)
            end = tier.value_from_atoms
    return total // PPM


def counted_atoms(*, amount_atoms: int, price_e8: int, decimals: int, tiers: Sequence[CollateralTier], initial: bool) -> int:
    """Return what an amount of an asset counts for at a price."""
    value = asset_value_atoms(amount_atoms=amount_atoms, price_e8=price_e8, decimals=decimals)
    return weighted_value(value_atoms=value, tiers=tiers, initial=initial)


def converted_amount(*, debt_atoms: int, held_atoms: int, price_e8: int, decimals: int) -> int:
    """Return the least amount of an asset whose value at a price covers a debt, or all that is held."""
    if price_e8 <= 0:
        return 0
    low, high = 0, held_atoms
    while low < high:
        middle = (low + high) // 2
        if asset_value_atoms(amount_atoms=middle, price_e8=price_e8, decimals=decimals) >= debt_atoms:
            high = middle
        else:
            low = middle + 1
    return low


def most_amount(*, value_atoms: int, held_atoms: int, price_e8: int, decimals: int) -> int:
    """Return the largest amount of an asset, of what is held, that is worth no more than a value."""
    low, high = 0, held_atoms
    while low < high:
        middle = (low + high + 1) // 2
        if asset_value_atoms(amount_atoms=middle, price_e8=price_e8, decimals=decimals) <= value_atoms:
            low = middle
        else:
            high = middle - 1
    return low
