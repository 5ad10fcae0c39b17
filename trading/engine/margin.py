"""Margin of pools, kept as sums of each market's part; a part is recomputed when its market or holding has changed.

Most orders are small beside what their pool has free. `floor_atoms` is a lower bound of what is available: every order and
fill lowers it by the most that it could cost at a leverage of one, and only when the bound is too low are the sums made exact.
"""

from typing import Final

from risk.margin import initial_margin, maintenance_margin
from trading.engine.state import UNKNOWN_VERSION, Holding, MarginPool, State

ROUNDING_ATOMS: Final = 64  # initial margin is rounded up tier by tier


def requirement(holding: Holding, position_lots: int, buy_value: int, sell_value: int) -> int:
    """Return the initial margin of a position and open orders at their worst case: all buys filled, or all sells.

    The position counts at mark. What an order would lose because it is priced beyond mark is checked when it is accepted and
    again when it is filled.
    """
    market = holding.market
    position = position_lots * market.mark_ticks
    long = position + buy_value
    short = sell_value - position
    worst = long if long > short else short
    if worst == 0:
        return 0
    leverage = holding.effective_leverage()
    return initial_margin(notional_atoms=worst * market.tick_lot_atoms, leverage=leverage, tiers=market.parameters.tiers)


def present_requirement(holding: Holding) -> int:
    return requirement(holding, holding.size_lots, holding.buy_value, holding.sell_value)


def unrealised(holding: Holding) -> int:
    market = holding.market
    return holding.size_lots * market.mark_ticks * market.tick_lot_atoms - holding.cost_atoms


def position_maintenance(holding: Holding) -> int:
    size = abs(holding.size_lots)
    if size == 0:
        return 0
    market = holding.market
    return maintenance_margin(notional_atoms=size * market.mark_ticks * market.tick_lot_atoms, tiers=market.parameters.tiers)


def maintenance(state: State, pool: MarginPool) -> int:
    return sum(position_maintenance(holding) for holding in pool.holdings.values())


def changed(holding: Holding) -> None:
    """Say that a holding's part of the sums is no longer right."""
    holding.version = UNKNOWN_VERSION
    holding.pool.epoch = UNKNOWN_VERSION
    holding.pool.armed = False


def distrust(pool: MarginPool) -> None:
    """Drop the floor: something other than an order or its fill has changed the pool."""
    pool.floor_epoch = UNKNOWN_VERSION
    pool.armed = False


def refresh(state: State, pool: MarginPool) -> None:
    """Make the pool's sums exact, and the floor with them."""
    if pool.epoch != state.mark_epoch:
        for holding in pool.holdings.values():
            if holding.version != holding.market.version:
                initial = present_requirement(holding)
                profit = unrealised(holding)
                pool.initial_atoms += initial - holding.initial_atoms
                pool.unrealised_atoms += profit - holding.unrealised_atoms
                holding.initial_atoms = initial
                holding.unrealised_atoms = profit
                holding.version = holding.market.version
        pool.epoch = state.mark_epoch
    pool.floor_atoms = pool.cash_atoms + pool.unrealised_atoms - pool.initial_atoms
    pool.floor_epoch = state.mark_epoch


def equity(state: State, pool: MarginPool) -> int:
    refresh(state, pool)
    return pool.cash_atoms + pool.unrealised_atoms


def available(state: State, pool: MarginPool) -> int:
    """Return equity at mark minus initial margin: what new risk may use; negative when there is too little."""
    refresh(state, pool)
    return pool.floor_atoms


def withdrawable(state: State, pool: MarginPool) -> int:
    """Return what may leave: unrealised losses count, unrealised profit does not."""
    refresh(state, pool)
    return max(0, pool.cash_atoms + min(0, pool.unrealised_atoms) - pool.initial_atoms)


def spend(state: State, pool: MarginPool, most_atoms: int) -> bool:
    """Lower the floor by the most that something can cost; tell whether the floor says that it is covered."""
    if pool.floor_epoch != state.mark_epoch:
        return False
    pool.floor_atoms -= most_atoms + ROUNDING_ATOMS
    return pool.floor_atoms >= 0


def most_of_order(holding: Holding, sign: int, lots: int, price_ticks: int, fee_atoms: int) -> int:
    """Return the most by which an order can lower what is available, resting or filled at its price or better."""
    market = holding.market
    price = price_ticks if sign > 0 else max(price_ticks, 2 * market.mark_ticks - price_ticks)
    return lots * price * market.tick_lot_atoms + fee_atoms


def most_of_fill(holding: Holding, sign: int, lots: int, price_ticks: int, fee_atoms: int, counted: bool) -> int:
    """Return the most by which a resting order's fill can lower what is available; `counted` among the open orders before."""
    market = holding.market
    loss = max(0, sign * (price_ticks - market.mark_ticks))
    price = 2 * loss if counted else loss + market.mark_ticks
    return lots * price * market.tick_lot_atoms + max(0, fee_atoms)


def available_with_order(state: State, holding: Holding, sign: int, lots: int, value: int, fee_atoms: int) -> int:
    """Return the least that would be available once an order of `value` ticks x lots has filled, or rests."""
    free = available(state, holding.pool) + holding.initial_atoms - fee_atoms
    market = holding.market
    at_mark = lots * market.mark_ticks
    if sign > 0:
        own = requirement(holding, holding.size_lots, holding.buy_value + value, holding.sell_value)
    else:
        own = requirement(holding, holding.size_lots, holding.buy_value, holding.sell_value + max(value, at_mark))
    return free - own - max(0, sign * (value - at_mark)) * market.tick_lot_atoms


def available_after_fill(state: State, holding: Holding, sign: int, lots: int, value: int, fee_atoms: int, open_value: int) -> int:
    """Return what would be available after fills of `value` ticks x lots, of which `open_value` leaves the open orders."""
    market = holding.market
    free = available(state, holding.pool) + holding.initial_atoms - fee_atoms
    gain = sign * (lots * market.mark_ticks - value) * market.tick_lot_atoms
    after = holding.size_lots + sign * lots
    if sign > 0:
        return free + gain - requirement(holding, after, holding.buy_value - open_value, holding.sell_value)
    return free + gain - requirement(holding, after, holding.buy_value, holding.sell_value - open_value)


def reserve(holding: Holding, sign: int, lots: int, price_ticks: int) -> None:
    """Count resting lots among the open orders; a negative number of lots takes them out."""
    if sign > 0:
        holding.buy_lots += lots
        holding.buy_value += lots * price_ticks
    else:
        holding.sell_lots += lots
        holding.sell_value += lots * price_ticks
    holding.version = UNKNOWN_VERSION
    holding.pool.epoch = UNKNOWN_VERSION


def adds_risk(holding: Holding, sign: int, lots: int) -> bool:
    """Tell whether an order could make the position larger, the account's other orders of that side filled first."""
    size = sign * holding.size_lots
    if size >= 0:
        return True
    waiting = holding.buy_lots if sign > 0 else holding.sell_lots
    return waiting + lots > -size
