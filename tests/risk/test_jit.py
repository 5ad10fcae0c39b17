"""The price path of auctions: the same vectors as the Rust crate, and never past the limit."""

import json
from pathlib import Path as File
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.jit import MOST_SLOTS, Path, Range, path_around

VECTORS = json.loads((File(__file__).parents[1] / "vectors" / "jit.json").read_text())


@pytest.mark.parametrize("case", VECTORS["price"], ids=str)
def test_it_moves_as_the_vectors_say(case: dict[str, Any]) -> None:
    path = Path(side=case["side"], start_ticks=case["start_ticks"], end_ticks=case["end_ticks"], slots=case["slots"])
    assert path.price_ticks(case["elapsed_slots"]) == case["price_ticks"]


@pytest.mark.parametrize("case", VECTORS["path"], ids=str)
def test_it_is_laid_as_the_vectors_say(case: dict[str, Any]) -> None:
    auction = Range(**{name: case[name] for name in ("start_ppm", "end_ppm", "percent_slots")})
    where = {name: case[name] for name in ("side", "price_e8", "tick_e8", "limit_ticks")}
    path = path_around(**where, auction=auction)
    assert (path.start_ticks, path.end_ticks, path.slots) == (case["start_ticks"], case["end_ticks"], case["slots"])


@given(
    side=st.sampled_from(("buy", "sell")),
    price_e8=st.integers(1, 2**50),
    limit_ticks=st.integers(1, 2**40),
    start_ppm=st.integers(0, 100_000),
    end_ppm=st.integers(0, 100_000),
    elapsed=st.integers(0, 2 * MOST_SLOTS),
)
def test_nobody_pays_more_than_he_signed(side: Any, price_e8: int, limit_ticks: int, start_ppm: int, end_ppm: int, elapsed: int) -> None:
    auction = Range(start_ppm=start_ppm, end_ppm=end_ppm, percent_slots=100)
    path = path_around(side=side, price_e8=price_e8, tick_e8=1_000, limit_ticks=limit_ticks, auction=auction)
    now, last = path.price_ticks(elapsed), path.price_ticks(path.slots)
    assert last == path.end_ticks
    assert path.accepts(offer_ticks=now, price_ticks=last)
    assert path.accepts(offer_ticks=now, price_ticks=limit_ticks)
