"""Initial margin that rises with open interest and with a position's size."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markets.parameters import MarketParameters
from markets.seed import MARKETS, margin_tiers
from risk.margin import concentrated_margin, crowded_margin, initial_margin, maintenance_margin

notionals = st.integers(0, 10**15)


@pytest.mark.parametrize(
    ("open_lots", "expected"),
    [(0, 100_000), (20, 100_000), (35, 550_000), (50, 1_000_000), (60, 1_000_000), (21, 130_000)],
)
def test_it_rises_to_the_whole_notional_at_the_cap(open_lots: int, expected: int) -> None:
    """dYdX: base 10 %, bounds of 20 and 50, open interest 35: 55 %."""
    found = crowded_margin(initial_atoms=100_000, notional_atoms=1_000_000, open_lots=open_lots, from_lots=20, cap_lots=50)
    assert found == expected


def test_it_rounds_up() -> None:
    assert crowded_margin(initial_atoms=1, notional_atoms=2, open_lots=1, from_lots=0, cap_lots=10**9) == 1
    assert crowded_margin(initial_atoms=1, notional_atoms=2, open_lots=2, from_lots=1, cap_lots=10**9) == 2


def test_it_never_rises_where_it_is_not_asked_to() -> None:
    assert crowded_margin(initial_atoms=7, notional_atoms=10**9, open_lots=10**9, from_lots=0, cap_lots=10) == 7


@given(notionals, st.integers(1, 40), st.integers(0, 120), st.integers(0, 120))
def test_it_never_asks_less_of_a_more_crowded_market(notional: int, leverage: int, first: int, second: int) -> None:
    initial = initial_margin(notional_atoms=notional, leverage=leverage, tiers=margin_tiers("BTC"))
    less, more = (
        crowded_margin(initial_atoms=initial, notional_atoms=notional, open_lots=lots, from_lots=50, cap_lots=100)
        for lots in sorted((first, second))
    )
    assert initial <= less <= more <= max(initial, notional)


@given(notionals, notionals, st.integers(1, 40), st.integers(0, 120), st.integers(1, 10**14), st.integers(0, 999_999))
def test_it_never_asks_less_of_a_larger_position(
    first: int, second: int, leverage: int, open_lots: int, from_atoms: int, rate_ppm: int
) -> None:
    def asked(notional: int) -> int:
        initial = initial_margin(notional_atoms=notional, leverage=leverage, tiers=margin_tiers("BTC"))
        raised = concentrated_margin(initial_atoms=initial, notional_atoms=notional, from_atoms=from_atoms, rate_ppm=rate_ppm)
        return crowded_margin(initial_atoms=raised, notional_atoms=notional, open_lots=open_lots, from_lots=50, cap_lots=100)

    small, large = sorted((first, second))
    assert asked(small) <= asked(large)
    assert asked(large) >= maintenance_margin(notional_atoms=large, tiers=margin_tiers("BTC"))


@given(st.integers(1, 10**14), st.integers(0, 999_999))
def test_it_adds_nothing_suddenly(from_atoms: int, rate_ppm: int) -> None:
    around = [
        concentrated_margin(
            initial_atoms=(from_atoms + step) // 10 + 1, notional_atoms=from_atoms + step, from_atoms=from_atoms, rate_ppm=rate_ppm
        )
        for step in range(-3, 4)
    ]
    assert all(0 <= after - before <= 2 for before, after in pairwise(around))


@pytest.mark.parametrize("market", MARKETS, ids=lambda market: market.symbol)
def test_it_has_limits_that_fit_together(market: MarketParameters) -> None:
    assert 0 < market.concentration_from_lots < market.max_position_lots < market.margin_rises_from_lots
    assert market.max_order_lots <= market.max_position_lots
    assert market.margin_rises_from_lots < market.max_open_interest_lots
