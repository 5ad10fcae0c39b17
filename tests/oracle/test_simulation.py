"""The made-up market."""

import itertools

from oracle.feeds.simulation.simulation import SOURCE, START_E8, Simulation
from oracle.feeds.simulation.walk import Walk


def steps(seed: int, count: int) -> list[dict[str, int]]:
    walk = Walk(seed=seed, start_e8=START_E8)
    return [walk.step() for _ in range(count)]


def test_it_repeats_itself_for_a_seed_and_only_then() -> None:
    assert steps(7, 200) == steps(7, 200)
    assert steps(7, 200) != steps(8, 200)


def test_it_moves_in_integers_like_a_market() -> None:
    path = steps(1, 5_000)
    for asset, start in START_E8.items():
        prices = [step[asset] for step in path]
        assert all(isinstance(price, int) for price in prices)
        moves_ppm = [abs(after - before) * 1_000_000 // before for before, after in itertools.pairwise(prices)]
        assert 20 < sum(moves_ppm) // len(moves_ppm) < 400
        assert max(moves_ppm) < 10_000
        assert start // 2 < min(prices) < max(prices) < start * 2


def test_it_moves_markets_together() -> None:
    path = steps(3, 2_000)
    together = sum((after["BTC"] > before["BTC"]) == (after["ETH"] > before["ETH"]) for before, after in itertools.pairwise(path))
    assert together > 1_200


async def test_it_goes_on_from_where_the_index_was_and_says_what_it_is() -> None:
    prices = {price.asset: price for price in await Simulation(seed=1, start_e8={"BTC": 50_000 * 10**8, "ETH": 0}).poll()}
    assert abs(prices["BTC"].price_e8 - 50_000 * 10**8) < 50_000 * 10**6
    assert abs(prices["ETH"].price_e8 - START_E8["ETH"]) < START_E8["ETH"] // 100
    assert {price.source for price in prices.values()} == {SOURCE}
