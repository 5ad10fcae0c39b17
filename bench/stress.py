"""The stress of 10,000 pools in 1,000 scenarios against the one matrix product that it cannot do without."""

import time

import numpy as np

from bench.rounds import Ratio, interleave
from risk.stress import Floats, Pools, stress

POOLS, SCENARIOS, MARKETS = 10_000, 1_000, 8
ROUNDS = 15


def population(random: np.random.Generator) -> Pools:
    delta = random.normal(0, 50_000, (POOLS, MARKETS))
    notional = np.abs(delta)
    maintenance = notional @ np.full(MARKETS, 0.01)
    return Pools(equity=maintenance * random.uniform(1, 20, POOLS), maintenance=maintenance, delta=delta, slope=notional * 0.01)


def stress_grid() -> list[Ratio]:
    random = np.random.default_rng(7)
    pools, shocks = population(random), random.normal(0, 0.1, (SCENARIOS, MARKETS))
    cells = POOLS * SCENARIOS

    def ours() -> float:
        began = time.perf_counter()
        stress(pools, shocks)
        return cells / (time.perf_counter() - began)

    def product() -> float:
        began = time.perf_counter()
        multiplied(pools, shocks)
        return cells / (time.perf_counter() - began)

    measured = interleave({"ours": ours, "numpy": product}, rounds=ROUNDS, title="stress")
    return [Ratio("stress of 10,000 pools x 1,000 scenarios / matrix product in numpy", measured["ours"], measured["numpy"], floor=1 / 3)]


def multiplied(pools: Pools, shocks: Floats) -> Floats:
    """Return each pool's gain in each scenario: the product alone, nothing added up, compared or counted."""
    return np.asarray(pools.delta @ shocks.T)
