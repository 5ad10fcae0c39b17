import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markets.parameters import MarginTier
from risk import margin

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "margin.json").read_text())
TIERS = tuple(MarginTier(*tier) for tier in VECTORS["tiers"])
notionals = st.integers(0, 10**15)


@pytest.mark.parametrize("case", VECTORS["maintenance"])
def test_it_computes_maintenance_margin(case: dict[str, Any]) -> None:
    assert margin.maintenance_margin(notional_atoms=case["notional_atoms"], tiers=TIERS) == case["atoms"]


@pytest.mark.parametrize("case", VECTORS["initial"])
def test_it_computes_initial_margin(case: dict[str, Any]) -> None:
    assert margin.initial_margin(notional_atoms=case["notional_atoms"], leverage=case["leverage"], tiers=TIERS) == case["atoms"]


@pytest.mark.parametrize("case", VECTORS["liquidation"], ids=lambda case: case["note"])
def test_it_finds_the_liquidation_price(case: dict[str, Any]) -> None:
    inputs = {key: value for key, value in case.items() if key not in {"note", "ticks"}}
    assert margin.liquidation_ticks(**inputs, tiers=TIERS) == case["ticks"]


@given(notionals, notionals, st.integers(1, 40))
def test_it_never_asks_less_for_more(first: int, second: int, leverage: int) -> None:
    small, large = sorted((first, second))
    assert margin.maintenance_margin(notional_atoms=small, tiers=TIERS) <= margin.maintenance_margin(notional_atoms=large, tiers=TIERS)
    assert margin.initial_margin(notional_atoms=small, leverage=leverage, tiers=TIERS) <= margin.initial_margin(
        notional_atoms=large, leverage=leverage, tiers=TIERS
    )


@given(notionals, st.integers(1, 200))
def test_it_never_asks_less_to_open_than_to_keep(notional: int, leverage: int) -> None:
    assert margin.initial_margin(notional_atoms=notional, leverage=leverage, tiers=TIERS) >= margin.maintenance_margin(
        notional_atoms=notional, tiers=TIERS
    )


@pytest.mark.parametrize("edge", [tier.notional_from_atoms for tier in TIERS[1:]])
def test_it_is_continuous_at_a_tier_edge(edge: int) -> None:
    before, at = (margin.maintenance_margin(notional_atoms=edge + step, tiers=TIERS) for step in (-1, 0))
    assert 0 <= at - before <= 1


@given(st.integers(-(10**6), 10**6).filter(bool), st.integers(1, 10**7), st.integers(1, 10**13), st.integers(0, 10**9))
def test_it_liquidates_at_the_price_and_not_one_tick_before(size_lots: int, mark_ticks: int, equity_atoms: int, other_atoms: int) -> None:
    found = margin.liquidation_ticks(
        size_lots=size_lots,
        mark_ticks=mark_ticks,
        tick_lot_atoms=100,
        equity_atoms=equity_atoms,
        other_maintenance_atoms=other_atoms,
        tiers=TIERS,
    )

    def short(ticks: int) -> bool:
        equity = equity_atoms + size_lots * (ticks - mark_ticks) * 100
        return equity < other_atoms + margin.maintenance_margin(notional_atoms=abs(size_lots) * ticks * 100, tiers=TIERS)

    if found == 0:
        assert size_lots > 0
        assert not short(1)
    else:
        assert short(found)
        assert found == mark_ticks or not short(found + 1 if size_lots > 0 else found - 1)
