"""What happens to many accounts when prices move, at once, in floats: reports only. The engine's integers decide about money.

A row is a margin pool, a column a price. A pool's equity moves with `delta`, its maintenance margin with `slope`: both are what is
gained when the price doubles. The slope is that of the tier where the position is now, so large moves are approximate.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

BLOCK_ROWS = 32  # times a thousand scenarios they stay in the cache; the whole product would be written to memory and read again


class Pools(NamedTuple):
    """Margin pools in USD: `equity` and `maintenance` by row, `delta` and `slope` by row and column."""

    equity: Floats
    maintenance: Floats
    delta: Floats
    slope: Floats


class Outcome(NamedTuple):
    """By scenario: how many pools fall below maintenance, and what those with negative equity lack. By pool: its worst equity."""

    falling: Counts
    deficit: Floats
    worst: Floats


def stress(pools: Pools, shocks: Floats) -> Outcome:
    """Return what each scenario (a row of relative moves, one a column of the pools) does."""
    scenarios, rows = len(shocks), len(pools.equity)
    moves = np.ascontiguousarray(np.column_stack([shocks, np.ones(scenarios)]).T)
    of_equity = np.column_stack([pools.delta, pools.equity])
    of_slack = of_equity - np.column_stack([pools.slope, pools.maintenance])
    falling, deficit, worst = np.zeros(scenarios, np.int64), np.zeros(scenarios), np.empty(rows)
    room, slack_room = np.empty((BLOCK_ROWS, scenarios)), np.empty((BLOCK_ROWS, scenarios))
    for start in range(0, rows, BLOCK_ROWS):
        block = slice(start, min(start + BLOCK_ROWS, rows))
        after = np.matmul(of_equity[block], moves, out=room[: block.stop - start])
        slack = np.matmul(of_slack[block], moves, out=slack_room[: block.stop - start])
        worst[block] = after.min(axis=1, initial=np.inf)
        falling += np.add.reduce(slack < 0, axis=0, dtype=np.uint8)
        np.minimum(after, 0, out=after)
        deficit -= np.add.reduce(after, axis=0)
    return Outcome(falling, deficit, worst)


def equity_after(pools: Pools, shocks: Floats) -> Floats:
    """Return every pool's equity (rows) in every scenario (columns): for few of either."""
    return np.asarray(pools.equity[:, None] + pools.delta @ shocks.T)


def falls(pools: Pools, shocks: Floats) -> NDArray[np.bool_]:
    """Tell which pools fall below maintenance in which scenarios."""
    needed = pools.maintenance[:, None] + pools.slope @ shocks.T
    return np.asarray(equity_after(pools, shocks) < needed)


def fall_move(pools: Pools) -> Floats:
    """Return the move of all prices together that brings each pool below maintenance: a negative fraction where they fall, a positive
    one where they rise; infinite if it is none between nothing and double.
    """
    slack = pools.equity - pools.maintenance
    speed = (pools.delta - pools.slope).sum(axis=1)  # what a rise of one gains
    move = np.full(len(slack), np.inf)
    np.divide(-np.maximum(slack, 0), speed, out=move, where=speed != 0)
    move[slack < 0] = 0
    return np.where(np.abs(move) <= 1, move, np.inf)


def closing_cost(notional: Floats, hourly_volatility: Floats, multiple: float, *, quantile: float) -> Floats:
    """Return what a bad hour of closing costs each pool: notional x volatility x multiple x quantile, markets added up."""
    return np.asarray(notional @ hourly_volatility * (multiple * quantile))
