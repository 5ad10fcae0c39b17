"""The vectors of programs/crates/fixed-point hold in markets/units.py too."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from markets import units

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "fixed_point.json").read_text())
FUNCTIONS: dict[str, Callable[..., int]] = {
    "ceil_div": units.ceil_div,
    "tick_lot_atoms": units.tick_lot_atoms,
    "value_at_price_e8": units.value_at_price_e8,
    "charge": units.charge,
    "ticks_from_e8": units.ticks_from_e8,
}
CASES = [(name, case) for name in FUNCTIONS for case in VECTORS[name]]


@pytest.mark.parametrize(("name", "case"), CASES, ids=str)
def test_it_computes_what_the_programs_compute(name: str, case: dict[str, Any]) -> None:
    inputs = {key: int(value) for key, value in case.items() if key != "result"}
    if case["result"] is None:
        with pytest.raises((ValueError, ZeroDivisionError)):
            FUNCTIONS[name](**inputs)
    else:
        assert FUNCTIONS[name](**inputs) == int(case["result"])
