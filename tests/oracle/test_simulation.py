"""The made-up market."""

import itertools
from pathlib import Path

import pytest

from oracle.feeds.simulation.script import Script, ScriptError, Silence, Skew, read
from oracle.feeds.simulation.simulation import SOURCES, START_E8, Simulation
from oracle.feeds.simulation.walk import Walk
from oracle.sources import SIMULATED


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
        assert asset == "USDT" or 20 < sum(moves_ppm) // len(moves_ppm) < 400
        assert max(moves_ppm) < 10_000
        assert start // 2 < min(prices) < max(prices) < start * 2


def test_it_moves_markets_together() -> None:
    path = steps(3, 2_000)
    together = sum((after["BTC"] > before["BTC"]) == (after["ETH"] > before["ETH"]) for before, after in itertools.pairwise(path))
    assert together > 1_200


async def test_it_goes_on_from_where_the_index_was_and_says_what_it_is() -> None:
    prices = await Simulation(seed=1, start_e8={"BTC": 50_000 * 10**8, "ETH": 0}).poll()
    said = {(price.asset, price.source): price.price_e8 for price in prices}
    for source in SOURCES:
        assert abs(said["BTC", source] - 50_000 * 10**8) < 50_000 * 10**6
        assert abs(said["ETH", source] - START_E8["ETH"]) < START_E8["ETH"] // 100
    assert {price.source for price in prices} == set(SOURCES) <= SIMULATED
    assert len({said["BTC", source] for source in SOURCES}) > 1


def prices(script: Script, steps: int) -> list[dict[tuple[str, str], int]]:
    feed = Simulation(seed=5, start_e8={}, script=script)
    return [{(price.asset, price.source): price.price_e8 for price in feed.prices(now_ms=step)} for step in range(steps)]


def test_it_moves_prices_as_its_script_says(tmp_path: Path) -> None:
    file = tmp_path / "crash.json"
    file.write_text('[{"type":"move","at":10,"move_ppm":-300000,"over":5,"asset":"BTC"},{"type":"move","at":12,"move_ppm":50000}]')
    plain, scripted = prices(Script(), 40), prices(read(file), 40)
    assert plain[9] == scripted[9]
    parts = [scripted[-1][asset, "simulation"] * 1_000 // plain[-1][asset, "simulation"] for asset in ("BTC", "ETH")]
    assert 765 < parts[0] < 777  # five times six per cent of what was left, and five more on top
    assert 1_045 < parts[1] < 1_055


def test_it_silences_and_skews_sources_as_its_script_says() -> None:
    script = Script(
        (Silence(at=2, steps=2, source="simulation_2"), Skew(at=1, steps=1, source="simulation", skew_ppm=20_000), Silence(at=5, steps=1))
    )
    found = prices(script, 7)
    assert [("BTC", "simulation_2") in step for step in found] == [True, True, False, False, True, False, True]
    assert found[5] == {}
    assert found[1]["BTC", "simulation"] > found[1]["BTC", "simulation_3"] * 101 // 100


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '[{"type":"move"}]', '[{"type":"move","at":1,"move_ppm":2000000}]', '[{"type":"stop","at":1}]', "[" * 100_000]
)
def test_it_refuses_a_script_that_it_does_not_understand(tmp_path: Path, text: str) -> None:
    file = tmp_path / "script.json"
    file.write_text(text)
    with pytest.raises(ScriptError):
        read(file)


def test_it_refuses_a_script_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ScriptError):
        read(tmp_path / "none.json")
