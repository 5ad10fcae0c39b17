"""Marks at which a pool must be looked at again, so that a sweep need not look at every pool.

A pool's margin level can change only when its equity, less what its maintenance asks, has moved by more than its slack. The
slack is divided among the pool's positions by their notional; each part, divided by the most that a tick can cost the
position, gives how far its market may move. As long as no market has moved that far, the parts together are not used up, and
the level is what it was: what is skipped is skipped for certain, whichever markets moved and which way. A market keeps its
thresholds in two heaps, so that a mark costs two comparisons and not a walk over its holders.
"""

from heapq import heapify, heappop, heappush
from typing import Final

from markets.units import ceil_div
from risk.liquidation import level_bound
from trading.engine.state import Asset, Holding, MarginPool, Market, State

SPARE: Final = 256  # outdated thresholds that a market may keep beside four for each holder


def arm(state: State, pool: MarginPool, equity_atoms: int, maintenance_atoms: int) -> None:
    """Set the marks at which the pool's level could change; its sums must be exact and its level not `SHORT`."""
    pool.armed = True
    held = [holding for holding in pool.holdings.values() if holding.size_lots]
    if not held:
        return
    parameters = state.risk_parameters
    calls, relief = parameters.call_ppm, parameters.call_relief_ppm
    rounding = 3 * len(held) + 4  # each position's maintenance is rounded by less than an atom, and each bound once
    worse = level_bound(maintenance_atoms=maintenance_atoms, level=pool.level + 1, present=pool.level, calls_ppm=calls, relief_ppm=relief)
    down = max(0, equity_atoms - worse - rounding)
    up = -1
    if pool.level:
        better = level_bound(maintenance_atoms=maintenance_atoms, level=pool.level, present=pool.level, calls_ppm=calls, relief_ppm=relief)
        up = max(0, better - equity_atoms - rounding)
    notionals = [abs(holding.size_lots) * holding.market.mark_ticks * holding.market.tick_lot_atoms for holding in held]
    total = sum(notionals)
    lowest = calls[0] - relief
    for holding, notional in zip(held, notionals, strict=True):
        watch(state, holding, down * notional // total, up * notional // total if up >= 0 else -1, lowest)


def watch(state: State, holding: Holding, down_atoms: int, up_atoms: int, lowest_ppm: int) -> None:
    """Set a holding's thresholds: where its part of the slack towards the worse level, or towards the better one, is used up.

    A tick costs a long its lots' value at most: its maintenance falls with it. It costs a short what its maintenance rises by
    as well. A market whose maintenance rises faster than equity counts both ways for either side.
    """
    market = holding.market
    size = holding.size_lots
    value = abs(size) * market.tick_lot_atoms
    steep = ceil_div(value * market.steepest_ppm, lowest_ppm)
    serial = state.next_serial
    state.next_serial = serial + 1
    holding.serial = serial
    falling, rising = (down_atoms, up_atoms) if size > 0 else (up_atoms, down_atoms)
    a_tick = value if size > 0 else value + steep
    if market.steepest_ppm >= lowest_ppm:
        a_tick = value + steep
        falling = rising = min(down_atoms, up_atoms) if up_atoms >= 0 else down_atoms
    if falling >= 0:
        heappush(market.falls, (falling // a_tick + 1 - market.mark_ticks, serial, holding))
    if rising >= 0:
        heappush(market.rises, (market.mark_ticks + rising // a_tick + 1, serial, holding))
    if len(market.falls) + len(market.rises) > 4 * len(market.holders) + SPARE:
        compact(market)


def compact(market: Market) -> None:
    """Drop the thresholds that have been replaced."""
    market.falls = [entry for entry in market.falls if entry[2].serial == entry[1]]
    market.rises = [entry for entry in market.rises if entry[2].serial == entry[1]]
    heapify(market.falls)
    heapify(market.rises)


def disarm_crossed(state: State) -> None:
    """Have every pool checked whose threshold its market's mark has reached."""
    for market in state.markets.values():
        mark = market.mark_ticks
        falls = market.falls
        while falls and falls[0][0] <= -mark:
            disarm(state, heappop(falls))
        rises = market.rises
        while rises and rises[0][0] <= mark:
            disarm(state, heappop(rises))


def disarm(state: State, entry: tuple[int, int, Holding]) -> None:
    holding = entry[2]
    if holding.serial == entry[1]:
        holding.pool.armed = False
        state.unswept.add(holding.account.account_id)


def disarm_market(state: State, market: Market) -> None:
    """Have every holder of a market checked: its parameters have changed."""
    for account_id, holding in market.holders.items():
        holding.pool.armed = False
        state.unswept.add(account_id)


def disarm_holders(state: State, asset: Asset) -> None:
    """Have everybody checked who has an asset: it counts for something else. Who owes USDC need not have a position."""
    for account_id, pool in asset.holders.items():
        pool.armed = False
        state.unswept.add(account_id)


def disarm_all(state: State) -> None:
    """Have everybody checked: the levels themselves have changed, or nothing is known of earlier checks."""
    for market in state.markets.values():
        disarm_market(state, market)
    for asset in state.assets.values():
        disarm_holders(state, asset)
