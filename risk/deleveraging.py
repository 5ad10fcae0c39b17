"""Pro-rata deleveraging: a bankrupt position is closed against the profitable holders of the other side.

Each bears a part in proportion to its unrealised profit, capped at its position. A greedy ranking would close a few of them
whole and spare the rest; pro rata costs every winner the same share of its profit.
"""

from collections.abc import Sequence

from markets.units import PPM
from risk.liquidation import split


def shares(*, lots: int, capacities: Sequence[int], weights: Sequence[int]) -> tuple[int, ...]:
    """Divide lots by weights, none above its capacity; what a cap turns away is divided among the others.

    The sum is `lots`, or all capacities with a positive weight when they are less. Parts are whole lots: what rounding leaves
    goes one lot each to the first that have room, so that equal inputs give equal results everywhere.
    """
    parts = [0] * len(weights)
    missing = lots
    while missing > 0:
        room = [weight if capacity > part else 0 for weight, capacity, part in zip(weights, capacities, parts, strict=True)]
        if not any(room):
            break
        for place, offered in enumerate(split(missing, room)):
            taken = min(offered, capacities[place] - parts[place])
            parts[place] += taken
            missing -= taken
    return tuple(parts)


def values(*, value_atoms: int, lots: Sequence[int]) -> tuple[tuple[int, ...], int]:
    """Divide the exact value of a deleveraged position among those that close it, by lots, each rounded towards minus infinity.

    Returns the parts and the dust that rounding leaves, which is less than one atom a party.
    """
    total = sum(lots)
    parts = tuple(value_atoms * part // total for part in lots)
    return parts, value_atoms - sum(parts)


def queue_ppm(*, profit_atoms: int, side_profit_atoms: int) -> int:
    """Return the share of the next deleveraging on its side that a position would bear, in parts per million."""
    return profit_atoms * PPM // side_profit_atoms if profit_atoms > 0 else 0
