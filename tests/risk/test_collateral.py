"""What collateral counts for: by vectors, and by what must hold of any amount and any weights."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markets.assets import CollateralTier
from markets.seed import ASSETS
from markets.units import asset_value_atoms
from risk import collateral

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "collateral.json").read_text())
amounts = st.integers(0, 10**15)
prices = st.integers(1, 10**13)


@st.composite
def tiers(draw: st.DrawFn) -> tuple[CollateralTier, ...]:
    """Draw weights that fall from tier to tier."""
    starts = sorted(draw(st.sets(st.integers(1, 10**15), max_size=4)))
    maintenance = sorted(draw(st.lists(st.integers(0, 10**6), min_size=len(starts) + 1, max_size=len(starts) + 1)), reverse=True)
    share = draw(st.integers(0, 100))
    return tuple(CollateralTier(start, weight * share // 100, weight) for start, weight in zip((0, *starts), maintenance, strict=True))


@pytest.mark.parametrize("case", VECTORS["counted"], ids=lambda case: case["note"])
def test_it_counts_an_amount(case: dict[str, Any]) -> None:
    table = tuple(CollateralTier(*tier) for tier in case["tiers"])
    facts = {"amount_atoms": case["amount_atoms"], "price_e8": case["price_e8"], "decimals": case["decimals"], "tiers": table}
    assert collateral.counted_atoms(**facts, initial=True) == case["initial_atoms"]
    assert collateral.counted_atoms(**facts, initial=False) == case["maintenance_atoms"]


@pytest.mark.parametrize("case", VECTORS["prices"], ids=lambda case: case["note"])
def test_it_prices_against_the_owner(case: dict[str, Any]) -> None:
    price = collateral.cautious_price_e8(price_e8=case["price_e8"], confidence_e8=case["confidence_e8"], amount_atoms=case["amount_atoms"])
    assert price == case["cautious_e8"]
    initial = collateral.initial_price_e8(price_e8=price, stable_e8=case["stable_e8"], amount_atoms=case["amount_atoms"])
    assert initial == case["initial_e8"]


@given(amounts, amounts, prices, tiers(), st.booleans())
def test_it_never_counts_less_for_more(first: int, second: int, price_e8: int, table: tuple[CollateralTier, ...], initial: bool) -> None:
    small, large = (
        collateral.counted_atoms(amount_atoms=amount, price_e8=price_e8, decimals=8, tiers=table, initial=initial)
        for amount in sorted((first, second))
    )
    assert 0 <= small <= large


@given(st.integers(0, 10**16), st.integers(0, 10**16), tiers(), st.booleans())
def test_it_counts_ever_less_of_the_next_slice(first: int, second: int, table: tuple[CollateralTier, ...], initial: bool) -> None:
    """Concave: the middle of two values counts at least the mean of both, up to the atom that rounding takes."""

    def counted(value: int) -> int:
        return collateral.weighted_value(value_atoms=value, tiers=table, initial=initial)

    assert 2 * counted((first + second) // 2) >= counted(first) + counted(second) - 3


@given(st.integers(0, 10**16), tiers())
def test_it_never_counts_more_to_open_than_to_keep(value: int, table: tuple[CollateralTier, ...]) -> None:
    opening, keeping = (collateral.weighted_value(value_atoms=value, tiers=table, initial=initial) for initial in (True, False))
    assert opening <= keeping <= value


@pytest.mark.parametrize("asset", ASSETS, ids=lambda asset: asset.asset)
def test_it_is_continuous_where_a_weight_begins(asset: Any) -> None:
    for tier in asset.tiers[1:]:
        around = [
            collateral.weighted_value(value_atoms=tier.value_from_atoms + step, tiers=asset.tiers, initial=True) for step in range(-2, 3)
        ]
        assert all(0 <= after - before <= 1 for before, after in pairwise(around))


@given(st.integers(-(10**16), -1), tiers(), st.booleans())
def test_it_counts_a_debt_whole(value: int, table: tuple[CollateralTier, ...], initial: bool) -> None:
    assert collateral.weighted_value(value_atoms=value, tiers=table, initial=initial) == value


@given(st.integers(1, 10**13), amounts, prices, st.sampled_from((6, 8, 9)))
def test_it_converts_no_more_than_a_debt_needs(debt: int, held: int, price_e8: int, decimals: int) -> None:
    def worth(amount: int) -> int:
        return asset_value_atoms(amount_atoms=amount, price_e8=price_e8, decimals=decimals)

    amount = collateral.converted_amount(debt_atoms=debt, held_atoms=held, price_e8=price_e8, decimals=decimals)
    assert 0 <= amount <= held
    assert amount == held or worth(amount) >= debt
    assert amount == 0 or worth(amount - 1) < debt


@given(st.integers(0, 10**13), amounts, prices, st.sampled_from((6, 8, 9)))
def test_it_takes_no_more_than_a_value(value: int, held: int, price_e8: int, decimals: int) -> None:
    def worth(amount: int) -> int:
        return asset_value_atoms(amount_atoms=amount, price_e8=price_e8, decimals=decimals)

    amount = collateral.most_amount(value_atoms=value, held_atoms=held, price_e8=price_e8, decimals=decimals)
    assert 0 <= amount <= held
    assert worth(amount) <= value
    assert amount == held or worth(amount + 1) > value


def test_it_converts_nothing_without_a_price() -> None:
    assert collateral.converted_amount(debt_atoms=1, held_atoms=10, price_e8=0, decimals=8) == 0
