"""Margin of one market's position. Every amount is in quote atoms and rounded against the user."""

from collections.abc import Sequence

from markets.parameters import MarginTier
from markets.units import PPM

MAX_PRICE_TICKS = 1 << 52


def tier_at(notional_atoms: int, tiers: Sequence[MarginTier]) -> MarginTier:
    """Return the tier that holds a notional; the first tier starts at 0, the last has no end."""
    found = tiers[0]
    for tier in tiers:
        if tier.notional_from_atoms > notional_atoms:
            break
        found = tier
    return found


def maintenance_margin(*, notional_atoms: int, tiers: Sequence[MarginTier]) -> int:
    """Return notional x rate - deduction, rounded up.

    Source: the tiered tables of large venues; a tier's deduction makes the function continuous where the tier begins.
    """
    tier = tier_at(notional_atoms, tiers)
    return -(-notional_atoms * tier.maintenance_ppm // PPM) - tier.deduction_atoms


def initial_margin(*, notional_atoms: int, leverage: int, tiers: Sequence[MarginTier]) -> int:
    """Return what opening a notional needs: its share at the user's leverage, rounded up, or what the tiers ask if that is more.

    Each slice of the notional is charged at 1 / (its tier's maximum leverage), so that the sum is continuous and grows with size.
    """
    tiered = 0
    end = notional_atoms
    for tier in reversed(tiers):
        if end > tier.notional_from_atoms:
            tiered += -(-(end - tier.notional_from_atoms) // tier.max_leverage)
            end = tier.notional_from_atoms
    return max(-(-notional_atoms // leverage), tiered)


def crowded_margin(*, initial_atoms: int, notional_atoms: int, open_lots: int, from_lots: int, cap_lots: int) -> int:
    """Return initial margin with its rate raised by open interest: as it is up to `from_lots`, the whole notional at the cap.

    Rounded up. Source: the open-interest scaled margin of dYdX v4; maintenance stays as it is.
    """
    if from_lots == 0 or open_lots <= from_lots or initial_atoms >= notional_atoms:
        return initial_atoms
    if open_lots >= cap_lots:
        return notional_atoms
    return initial_atoms - (initial_atoms - notional_atoms) * (open_lots - from_lots) // (cap_lots - from_lots)


def concentrated_margin(*, initial_atoms: int, notional_atoms: int, from_atoms: int, rate_ppm: int) -> int:
    """Return initial margin with an add-on for what the notional has beyond `from_atoms`; never more than the notional."""
    if rate_ppm == 0 or notional_atoms <= from_atoms:
        return initial_atoms
    return max(initial_atoms, min(notional_atoms, initial_atoms - (from_atoms - notional_atoms) * rate_ppm // PPM))


def liquidation_ticks(
    *, size_lots: int, mark_ticks: int, tick_lot_atoms: int, equity_atoms: int, other_maintenance_atoms: int, tiers: Sequence[MarginTier]
) -> int:
    """Return the first tick, moving from mark against the position, at which equity is below maintenance; 0 if no price is.

    That is mark itself where equity is short already. Only this market's mark moves; equity falls faster than maintenance
    can (rates are below one), so the tick is unique.
    """

    def falls_short(ticks: int) -> bool:
        equity = equity_atoms + size_lots * (ticks - mark_ticks) * tick_lot_atoms
        notional = abs(size_lots) * ticks * tick_lot_atoms
        return equity < other_maintenance_atoms + maintenance_margin(notional_atoms=notional, tiers=tiers)

    if size_lots == 0:
        return 0
    if falls_short(mark_ticks):
        return mark_ticks
    safe, short = mark_ticks, 0 if size_lots > 0 else MAX_PRICE_TICKS
    if not falls_short(short):
        return 0
    while abs(short - safe) > 1:
        middle = (short + safe) // 2
        if falls_short(middle):
            short = middle
        else:
            safe = middle
    return short
