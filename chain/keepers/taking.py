"""How much of a short account's positions can be taken over now: the program's share of the time, and the liquidator's own margin."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chain.keepers.accounts import User
from chain.keepers.health import healths, least_free, value
from chain.keepers.prices import Market
from chain.keepers.sight import Sight
from markets.units import PPM, ceil_div, charge


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the liquidator takes over: lots as their owner holds them, for what he receives."""

    market: Market
    lots: int
    received_atoms: int


def steps(user: User, liquidator: User, sight: Sight, *, liquidation: Any, parameters: Any) -> Iterator[Step]:
    """Return what can be taken now, of the largest position first, each after the one before."""
    slots = sight.slot - liquidation.begun_slot
    markets = sight.observed
    sizes = sorted(user.holdings.lots.items(), key=lambda item: -abs(value(markets[item[0]], item[1], markets[item[0]].price_e8)))
    for market_id, held in sizes:
        market = markets[market_id]
        allowed = takeable(market, held, liquidation.positions, parameters, slots)
        step = largest(user, liquidator, sight, market=market, most=allowed if held > 0 else -allowed)
        if step is not None:
            yield step
            user, liquidator = after(user, liquidator, step)


def takeable(market: Market, held: int, noted: list[Any], parameters: Any, slots: int) -> int:
    """Return how many lots of a position the program lets go now: its share of the time, or all where it is worth little."""
    record = next((one for one in noted if one.lots and one.market_id == market.market_id), None)
    if record is None:
        return 0
    if abs(value(market, held, market.price_e8)) <= parameters.small_atoms:
        return abs(held)
    rate_ppm = min(PPM, parameters.slot_ppm * slots + parameters.first_ppm)
    grown = ceil_div(rate_ppm * abs(record.lots), PPM)
    return int(max(0, min(abs(held), grown - record.taken_lots)))


def largest(user: User, liquidator: User, sight: Sight, *, market: Market, most: int) -> Step | None:
    """Return as much as the liquidator's own margin carries, up to `most`; None when it carries nothing."""
    sign = 1 if most > 0 else -1
    found: Step | None = None
    good, bad = 0, abs(most) + 1
    while bad - good > 1:
        lots = abs(most) if bad > abs(most) and good == 0 else (good + bad) // 2
        step = priced(user, sight, market=market, lots=sign * lots)
        if step is not None and _carries(user, liquidator, sight, step):
            good, found = lots, step
        else:
            bad = lots
    return found


def priced(user: User, sight: Sight, *, market: Market, lots: int) -> Step | None:
    """Return the exchange's own terms: the oracle's price less a fee that leaves the owner no shorter than he was; None when any would."""
    worth = value(market, lots, market.price_e8)
    sold = user.changed(quote=worth, market_id=market.market_id, lots=-lots)
    was, left = healths(user, sight.observed, sight.now_s), healths(sold, sight.observed, sight.now_s)
    if was is None or left is None or left[0].excess < was[0].excess:
        return None
    fee = min(charge(abs(worth), market.liquidation_fee_ppm), left[0].excess - was[0].excess)
    return Step(market=market, lots=lots, received_atoms=worth - fee)


def _carries(user: User, liquidator: User, sight: Sight, step: Step) -> bool:
    """Tell whether the liquidator has initial margin after it."""
    free = least_free(after(user, liquidator, step)[1], sight.observed, sight.now_s)
    return free is not None and free >= 0


def after(user: User, liquidator: User, step: Step) -> tuple[User, User]:
    market_id = step.market.market_id
    taken = user.changed(quote=step.received_atoms, market_id=market_id, lots=-step.lots)
    return taken, liquidator.changed(quote=-step.received_atoms, market_id=market_id, lots=step.lots)
