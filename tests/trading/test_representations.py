"""Numbers in words: what the fast writing of integers says is what exact decimals say."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from markets import units
from markets.seed import MARKETS
from trading.representations import atoms_text, decimal_text, price_text, size_text

UNITS_E8 = [1, 5, 10, 25, 1_000, 2_500, 10_000_000, 50_000_000, 100_000_000, 250_000_000, 1_000_000_000]


@given(st.integers(-(10**18), 10**18), st.sampled_from(UNITS_E8))
def test_it_writes_ticks_and_lots_as_exact_decimals(count: int, unit_e8: int) -> None:
    market = msgspec.structs.replace(MARKETS[0], tick_e8=unit_e8, lot_e8=unit_e8)
    exact = decimal_text(units.decimal_from_units(count, unit_e8))
    assert price_text(count, market) == size_text(count, market) == exact


@given(st.integers(-(10**18), 10**18))
def test_it_writes_atoms_as_exact_decimals(atoms: int) -> None:
    assert atoms_text(atoms) == decimal_text(units.decimal_from_atoms(atoms))
