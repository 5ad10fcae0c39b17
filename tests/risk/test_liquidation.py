import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markets.units import PPM
from risk import deleveraging, liquidation

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "liquidation.json").read_text())
ATOMS = st.integers(0, 10**15)
CALLS = (800_000, 900_000)


def inputs(case: dict[str, Any], answer: str) -> dict[str, Any]:
    return {key: value for key, value in case.items() if key not in {"note", answer}}


@pytest.mark.parametrize("case", VECTORS["partial_lots"])
def test_it_closes_as_little_as_helps(case: dict[str, Any]) -> None:
    assert liquidation.partial_lots(**inputs(case, "lots")) == case["lots"]


@pytest.mark.parametrize("case", VECTORS["bankruptcy_ticks"])
def test_it_names_the_bankruptcy_price(case: dict[str, Any]) -> None:
    assert liquidation.bankruptcy_ticks(**inputs(case, "ticks")) == case["ticks"]


@pytest.mark.parametrize("case", VECTORS["limit_ticks"])
def test_it_limits_the_price_of_a_slice(case: dict[str, Any]) -> None:
    assert liquidation.limit_ticks(**inputs(case, "ticks")) == case["ticks"]


@pytest.mark.parametrize("case", VECTORS["shares"])
def test_it_shares_lots_by_profit(case: dict[str, Any]) -> None:
    assert list(deleveraging.shares(**inputs(case, "shares"))) == case["shares"]


@given(shortage=st.integers(1, 10**12), lot=st.integers(1, 10**8), rate=st.integers(2, PPM), fee=st.integers(0, PPM))
def test_it_frees_the_shortage_and_with_one_lot_less_would_not(shortage: int, lot: int, rate: int, fee: int) -> None:
    position = 10**30
    lots = liquidation.partial_lots(shortage_atoms=shortage, lot_atoms=lot, rate_ppm=rate, fee_ppm=fee, position_lots=position)
    freed = lot * (rate - fee)
    if freed <= 0:
        assert lots == position
    else:
        assert lots * freed >= shortage * PPM > (lots - 1) * freed


@given(
    size=st.integers(-(10**9), 10**9).filter(bool),
    mark=st.integers(1, 10**8),
    atoms=st.integers(1, 10**6),
    equity=st.integers(-(10**15), 10**15),
)
def test_it_never_overdraws_at_the_bankruptcy_price(size: int, mark: int, atoms: int, equity: int) -> None:
    ticks = liquidation.bankruptcy_ticks(size_lots=size, mark_ticks=mark, tick_lot_atoms=atoms, equity_atoms=equity)
    assert equity + size * (ticks - mark) * atoms >= 0 or ticks == 1
    worse = ticks - (1 if size > 0 else -1)
    assert worse == 0 or equity + size * (worse - mark) * atoms < 0


@given(
    wanted=st.integers(1, 10**6),
    position=st.integers(1, 10**6),
    lot=st.integers(1, 10**6),
    share=st.integers(1, PPM),
    least=st.integers(0, 10**9),
    full=st.integers(0, 10**9),
)
def test_it_slices_within_share_and_minimum(wanted: int, position: int, lot: int, share: int, least: int, full: int) -> None:
    lots = liquidation.slice_lots(
        wanted_lots=wanted,
        position_lots=position,
        lot_atoms=lot,
        share_ppm=share,
        min_notional_atoms=least,
        full_notional_atoms=full,
    )
    assert 0 < lots <= position
    if position * lot <= full:
        assert lots == position
    elif lots * lot >= least + lot:
        assert lots <= max(-(-position * share // PPM), 1)
    if lots < wanted and lots < position:
        assert (lots + 1) * PPM > position * share


@given(amount=st.integers(-(10**12), 10**12), weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_it_splits_exactly(amount: int, weights: list[int]) -> None:
    parts = liquidation.split(amount, weights)
    assert sum(parts) == amount
    total = sum(weights)
    if total:
        assert all(abs(part * total - amount * weight) < total for part, weight in zip(parts, weights, strict=True))


@given(
    lots=st.integers(0, 10**9),
    holders=st.lists(st.tuples(st.integers(1, 10**8), st.integers(0, 10**12)), min_size=1, max_size=30),
)
def test_it_never_shares_more_than_a_position_and_leaves_nothing_while_there_is_room(lots: int, holders: list[tuple[int, int]]) -> None:
    capacities = [capacity for capacity, _ in holders]
    weights = [weight for _, weight in holders]
    parts = deleveraging.shares(lots=lots, capacities=capacities, weights=weights)
    assert all(0 <= part <= capacity for part, capacity in zip(parts, capacities, strict=True))
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)
    assert sum(parts) == min(lots, sum(capacity for capacity, weight in holders if weight))


@given(value=st.integers(-(10**15), 10**15), lots=st.lists(st.integers(0, 10**8), min_size=1, max_size=20).filter(any))
def test_it_names_the_dust_of_what_it_divides(value: int, lots: list[int]) -> None:
    parts, dust = deleveraging.values(value_atoms=value, lots=lots)
    assert sum(parts) + dust == value
    assert 0 <= dust < len(lots)


def level(equity: int, maintenance: int, present: int = liquidation.SOUND) -> int:
    return liquidation.margin_level(
        equity_atoms=equity, maintenance_atoms=maintenance, present=present, calls_ppm=CALLS, relief_ppm=100_000
    )


@pytest.mark.parametrize(
    ("equity", "maintenance", "present", "expected"),
    [
        (126, 100, liquidation.SOUND, liquidation.SOUND),
        (125, 100, liquidation.SOUND, liquidation.FIRST_CALL),  # 80 %
        (112, 100, liquidation.SOUND, liquidation.FIRST_CALL),
        (111, 100, liquidation.SOUND, liquidation.SECOND_CALL),  # above 90 %
        (100, 100, liquidation.SOUND, liquidation.SECOND_CALL),  # short is strictly below
        (99, 100, liquidation.SOUND, liquidation.SHORT),
        (0, 0, liquidation.SOUND, liquidation.SOUND),
        (-1, 0, liquidation.SOUND, liquidation.SHORT),
        (130, 100, liquidation.FIRST_CALL, liquidation.FIRST_CALL),  # relief is at 70 %
        (143, 100, liquidation.FIRST_CALL, liquidation.SOUND),
        (120, 100, liquidation.SECOND_CALL, liquidation.SECOND_CALL),  # relief is at 80 %
        (126, 100, liquidation.SECOND_CALL, liquidation.FIRST_CALL),
        (150, 100, liquidation.SECOND_CALL, liquidation.SOUND),
        (100, 100, liquidation.SHORT, liquidation.SECOND_CALL),
    ],
)
def test_it_calls_at_two_levels_with_relief(equity: int, maintenance: int, present: int, expected: int) -> None:
    assert level(equity, maintenance, present) == expected


@given(equity=ATOMS, maintenance=st.integers(1, 10**15), present=st.integers(0, 3))
def test_it_stays_on_a_level_once_it_is_there(equity: int, maintenance: int, present: int) -> None:
    there = level(equity, maintenance, present)
    assert level(equity, maintenance, there) == there
