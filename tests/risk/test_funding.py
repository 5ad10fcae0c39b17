import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk import funding

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "funding.json").read_text())


@pytest.mark.parametrize("case", VECTORS["eight_hour_rate"])
def test_it_computes_the_rate(case: dict[str, Any]) -> None:
    inputs = {key: value for key, value in case.items() if key not in {"rate_ppb", "hourly_ppb"}}
    rate = funding.eight_hour_rate_ppb(**inputs)
    assert (rate, funding.hourly_rate_ppb(rate)) == (case["rate_ppb"], case["hourly_ppb"])


@pytest.mark.parametrize("case", VECTORS["premium"])
def test_it_computes_the_premium(case: dict[str, Any]) -> None:
    inputs = {key: value for key, value in case.items() if key != "premium_ppb"}
    assert funding.premium_ppb(**inputs) == case["premium_ppb"]


@pytest.mark.parametrize("case", VECTORS["payment"])
def test_it_rounds_a_payment_against_the_user(case: dict[str, Any]) -> None:
    inputs = {key: value for key, value in case.items() if key != "atoms"}
    assert funding.payment_atoms(**inputs) == case["atoms"]


@given(
    size_lots=st.integers(1, 10**9),
    index_e8=st.integers(1, 10**14),
    lot_e8=st.integers(1, 10**10),
    rate_ppb=st.integers(-(10**7), 10**7),
)
def test_it_never_pays_out_more_than_it_takes(size_lots: int, index_e8: int, lot_e8: int, rate_ppb: int) -> None:
    long, short = (
        funding.payment_atoms(size_lots=size, index_e8=index_e8, lot_e8=lot_e8, rate_ppb=rate_ppb) for size in (size_lots, -size_lots)
    )
    assert -1 <= long + short <= 0
