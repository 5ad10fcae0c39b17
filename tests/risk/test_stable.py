"""The stable price: the published behaviour of the model it follows, and what no path of prices can make it do."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from markets.units import PPM
from risk.stable import DELAY_PPM, GROWTH_PPM, HOUR_MS, MAX_STEP_MS, MIN_STEP_MS, StablePrice, StableRecord, stable_from

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "stable.json").read_text())
START_MS = 1_800_000_000_000


def followed(prices_e8: list[tuple[int, int]]) -> StablePrice:
    stable = StablePrice()
    for stamp_ms, price_e8 in prices_e8:
        stable.follow(price_e8, stamp_ms)
    return stable


@pytest.mark.parametrize("case", VECTORS["paths"], ids=lambda case: case["note"])
def test_it_follows_a_path(case: dict[str, Any]) -> None:
    stable = StablePrice()
    found = []
    for stamp_ms, price_e8 in case["prices"]:
        stable.follow(price_e8, stamp_ms)
        found.append(stable.price_e8)
    assert found == case["stable_e8"]


@pytest.mark.parametrize(("hours", "low", "high"), [(1, 177, 180), (2, 229, 233), (25, 720, 750)])
def test_it_follows_a_tenfold_jump_as_the_model_does(hours: int, low: int, high: int) -> None:
    """Source: Mango v4's own test: 1.8 after one hour, 2.3 after two, 7.4 after about 25."""
    stable = followed([(START_MS, 10**10)])
    for step in range(1, hours * 360 + 1):
        stable.follow(10**11, START_MS + step * 10_000)
    assert low <= stable.price_e8 * 100 // 10**10 <= high


def test_it_stands_still_between_steps() -> None:
    stable = followed([(START_MS, 10**10), (START_MS + MIN_STEP_MS - 1, 2 * 10**10)])
    assert stable.price_e8 == 10**10


def test_it_counts_a_long_silence_as_ten_minutes() -> None:
    stable = followed([(START_MS, 10**10), (START_MS + 5 * HOUR_MS, 2 * 10**10)])
    assert stable.price_e8 == 10**10 + 10**10 * GROWTH_PPM * (MAX_STEP_MS // 1_000) // PPM


paths = st.lists(st.tuples(st.integers(1, 4 * HOUR_MS), st.integers(10**6, 10**13)), min_size=1, max_size=60)


@given(paths)
def test_it_goes_towards_the_price_and_never_past_it(path: list[tuple[int, int]]) -> None:
    stable = StablePrice()
    now = START_MS
    for elapsed, price in path:
        now += elapsed
        before = stable.price_e8
        stable.follow(price, now)
        if before:
            assert min(before, price) <= stable.price_e8 <= max(before, price)
            assert abs(stable.price_e8 - before) * PPM <= before * GROWTH_PPM * MAX_STEP_MS // 1_000


@given(paths)
def test_it_lets_no_hour_be_far_from_the_one_before(path: list[tuple[int, int]]) -> None:
    stable = StablePrice()
    now = START_MS
    for elapsed, price in path:
        now += elapsed
        hour, kept = stable.hour, list(stable.delays_e8)
        stable.follow(price, now)
        if kept and stable.hour != hour:
            before, after = kept[(hour - 1) % 24], stable.delays_e8[hour % 24]
            assert abs(after - before) * PPM <= before * DELAY_PPM


@given(paths, paths)
def test_it_goes_on_from_its_record(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> None:
    live = StablePrice()
    now = START_MS
    for elapsed, price in first:
        now += elapsed
        live.follow(price, now)
    other = stable_from(live.record())
    for elapsed, price in second:
        now += elapsed
        live.follow(price, now)
        other.follow(price, now)
    assert other.record() == live.record()


def test_it_is_kept_at_any_price_of_an_hour() -> None:
    """A hundred thousand dollars for an hour is more, times its milliseconds, than 64 bits hold."""
    stable = followed([(START_MS + step * MIN_STEP_MS, 100_000 * 10**8) for step in range(HOUR_MS // MIN_STEP_MS)])
    assert stable.sum_e8_ms > 1 << 64
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(stable.record()), type=StableRecord)
    assert stable_from(kept).record() == stable.record()
