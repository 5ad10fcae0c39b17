"""The terms that a market's margin is made of. Integers, rounded as the sums that they explain."""

from collections.abc import Sequence

from markets.parameters import MarginTier
from markets.views import TierSlice


def tier_slices(*, notional_atoms: int, tiers: Sequence[MarginTier]) -> tuple[TierSlice, ...]:
    """Return the slices of a notional, the lowest tier first, each with the initial margin that it is charged."""
    slices = []
    for place, tier in enumerate(tiers):
        end = tiers[place + 1].notional_from_atoms if place + 1 < len(tiers) else notional_atoms
        inside = min(notional_atoms, end) - tier.notional_from_atoms
        if inside <= 0:
            break
        slices.append(
            TierSlice(
                from_atoms=tier.notional_from_atoms,
                notional_atoms=inside,
                max_leverage=tier.max_leverage,
                initial_atoms=-(-inside // tier.max_leverage),
            )
        )
    return tuple(slices)
