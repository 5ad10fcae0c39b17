"""How much of what is closed in a liquidation, and at which prices. Integers only; whatever is rounded protects the account."""

from collections.abc import Sequence
from typing import Final

from markets.units import PPM, ceil_div

SOUND: Final = 0
FIRST_CALL: Final = 1
SECOND_CALL: Final = 2
SHORT: Final = 3


def partial_lots(*, shortage_atoms: int, lot_atoms: int, rate_ppm: int, fee_ppm: int, position_lots: int) -> int:
    """Return the fewest lots whose closing frees the shortage: shortage / (value of a lot x (rate - fee)), at most the position.

    Closing a lot frees its maintenance and costs its fee. Where the fee eats what is freed, only closing everything helps.
    Source: Drift's size of a partial liquidation.
    """
    if shortage_atoms <= 0:
        return 0
    freed = lot_atoms * (rate_ppm - fee_ppm)
    return position_lots if freed <= 0 else min(position_lots, ceil_div(shortage_atoms * PPM, freed))


def slice_lots(
    *, wanted_lots: int, position_lots: int, lot_atoms: int, share_ppm: int, min_notional_atoms: int, full_notional_atoms: int
) -> int:
    """Return what one step closes: what is wanted, within a share of the position, but never less than a minimum is worth.

    A position worth no more than `full_notional_atoms` is closed in one step.
    """
    if wanted_lots <= 0:
        return 0
    if position_lots * lot_atoms <= full_notional_atoms:
        return position_lots
    least = ceil_div(min_notional_atoms, lot_atoms)
    most = max(least, ceil_div(position_lots * share_ppm, PPM))
    return min(position_lots, most, max(wanted_lots, least))


def split(amount: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Divide an amount of either sign by weights, exactly: parts are rounded towards zero, the first ones take what is left over."""
    total = sum(weights)
    magnitude = abs(amount)
    parts = [magnitude * weight // total if total else 0 for weight in weights]
    missing = magnitude - sum(parts)
    for place, weight in enumerate(weights):
        if missing and (weight or not total):
            parts[place] += 1 if total else missing
            missing -= 1 if total else missing
    return tuple(parts) if amount >= 0 else tuple(-part for part in parts)


def bankruptcy_ticks(*, size_lots: int, mark_ticks: int, tick_lot_atoms: int, equity_atoms: int) -> int:
    """Return the worst price at which the position can be closed so that its part of the equity is not overdrawn.

    Rounded in the account's favour; at least one tick. Source: dYdX's bankruptcy price, -DNNV - TNC x |DMMR| / TMMR, for the
    part of the equity that falls to the position by its maintenance.
    """
    value = abs(size_lots) * tick_lot_atoms
    if size_lots > 0:
        return max(1, mark_ticks - equity_atoms // value)
    return max(1, mark_ticks + equity_atoms // value)


def limit_ticks(*, size_lots: int, mark_ticks: int, slippage_ppm: int, bankrupt_ticks: int) -> int:
    """Return the price limit of a slice against the book: within the slippage of mark, and never beyond bankruptcy."""
    if size_lots > 0:
        return max(1, bankrupt_ticks, ceil_div(mark_ticks * (PPM - slippage_ppm), PPM))
    return max(1, min(bankrupt_ticks, mark_ticks * (PPM + slippage_ppm) // PPM))


def discounted_ticks(*, size_lots: int, mark_ticks: int, discount_ppm: int, bankrupt_ticks: int) -> int:
    """Return the price at which the backstop takes a position over: mark less its discount, never beyond bankruptcy."""
    return limit_ticks(size_lots=size_lots, mark_ticks=mark_ticks, slippage_ppm=discount_ppm, bankrupt_ticks=bankrupt_ticks)


def level_bound(*, maintenance_atoms: int, level: int, present: int, calls_ppm: tuple[int, int], relief_ppm: int) -> int:
    """Return the equity at or below which a level holds: where maintenance / equity reaches its ratio, or for `SHORT` passes one.

    A call that was made is left only when the ratio is `relief_ppm` below it, so that a price that hovers there calls once.
    """
    if level == SHORT:
        return maintenance_atoms - 1
    ratio = calls_ppm[level - 1] - (relief_ppm if present >= level else 0)
    return maintenance_atoms * PPM // ratio


def margin_level(*, equity_atoms: int, maintenance_atoms: int, present: int, calls_ppm: tuple[int, int], relief_ppm: int) -> int:
    """Return the level of a margin ratio: sound, first or second call, or short. Nothing is called without a position."""
    for level in (SHORT, SECOND_CALL, FIRST_CALL):
        if level != SHORT and maintenance_atoms == 0:
            break
        bound = level_bound(maintenance_atoms=maintenance_atoms, level=level, present=present, calls_ppm=calls_ppm, relief_ppm=relief_ppm)
        if equity_atoms <= bound:
            return level
    return SOUND
