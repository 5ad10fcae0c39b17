"""The golden vectors: other venues' published examples and our own rules, in files that the Rust crates can read as well."""

import json
from pathlib import Path
from typing import Any

import pytest

from markets.parameters import MarginTier
from risk import deleveraging, funding, liquidation, margin, mark

FOLDER = Path(__file__).parent.parent / "vectors"
INT64 = range(-(2**63), 2**63)


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def without(case: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in case.items() if key not in names}


MARGIN, FUNDING, MARK, LIQUIDATION = load("margin"), load("funding"), load("mark"), load("liquidation")
TABLES = {name: tuple(MarginTier(*row) for row in rows) for name, rows in MARGIN["tables"]["rows"].items()}


def numbers(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [number for each in value.values() for number in numbers(each)]
    if isinstance(value, list):
        return [number for each in value for number in numbers(each)]
    return [] if isinstance(value, str | bool) else [value]


@pytest.mark.parametrize("name", ["margin", "funding", "mark", "liquidation", "collateral", "stable"])
def test_it_holds_only_whole_numbers_that_fit_into_64_bits(name: str) -> None:
    found = numbers(load(name))
    assert found
    assert all(type(number) is int and number in INT64 for number in found)


@pytest.mark.parametrize("case", MARGIN["tiered"]["cases"], ids=lambda case: f"{case['table']}-{case['notional_atoms']}")
def test_it_charges_each_tier(case: dict[str, Any]) -> None:
    tiers, notional = TABLES[case["table"]], case["notional_atoms"]
    assert margin.maintenance_margin(notional_atoms=notional, tiers=tiers) == case["maintenance_atoms"]
    assert margin.initial_margin(notional_atoms=notional, leverage=case["leverage"], tiers=tiers) == case["initial_atoms"]


@pytest.mark.parametrize("case", MARGIN["venues"]["cases"], ids=lambda case: case["note"])
def test_it_liquidates_where_other_venues_would(case: dict[str, Any]) -> None:
    assert margin.liquidation_ticks(**without(case, "note", "table", "ticks"), tiers=TABLES[case["table"]]) == case["ticks"]


@pytest.mark.parametrize("case", FUNDING["venues"]["cases"], ids=lambda case: case["note"])
def test_it_funds_from_impact_prices_to_payment(case: dict[str, Any]) -> None:
    prices = {name: case[name] for name in ("impact_bid_e8", "impact_ask_e8", "index_e8")}
    premium = funding.premium_ppb(**prices)
    rate = funding.eight_hour_rate_ppb(premium_ppb=premium, interest_ppb=100_000, clamp_ppb=500_000, cap_ppb=40_000_000)
    hourly = funding.hourly_rate_ppb(rate)
    assert (premium, rate, hourly) == (case["premium_ppb"], case["eight_hour_ppb"], case["hourly_ppb"])
    paid = funding.payment_atoms(size_lots=case["size_lots"], index_e8=case["index_e8"], lot_e8=case["lot_e8"], rate_ppb=hourly)
    assert paid == case["payment_atoms"]


@pytest.mark.parametrize("case", MARK["ema"], ids=lambda case: case["note"])
def test_it_moves_an_average(case: dict[str, Any]) -> None:
    assert mark.ema(**without(case, "note", "result")) == case["result"]


@pytest.mark.parametrize("case", MARK["mark"], ids=lambda case: case["note"])
def test_it_marks(case: dict[str, Any]) -> None:
    assert mark.mark_price_e8(**without(case, "note", "mark_e8")) == case["mark_e8"]


@pytest.mark.parametrize("case", LIQUIDATION["queue_ppm"], ids=lambda case: case["note"])
def test_it_names_the_share_of_the_next_deleveraging(case: dict[str, Any]) -> None:
    assert deleveraging.queue_ppm(**without(case, "note", "ppm")) == case["ppm"]


@pytest.mark.parametrize("case", LIQUIDATION["discounted_ticks"], ids=lambda case: case["note"])
def test_it_hands_over_at_a_discount(case: dict[str, Any]) -> None:
    assert liquidation.discounted_ticks(**without(case, "note", "ticks")) == case["ticks"]


@pytest.mark.parametrize("case", MARGIN["crowded"]["cases"], ids=lambda case: case["note"])
def test_it_asks_more_in_a_crowded_market(case: dict[str, Any]) -> None:
    assert margin.crowded_margin(**without(case, "note", "atoms")) == case["atoms"]


@pytest.mark.parametrize("case", MARGIN["concentrated"]["cases"], ids=lambda case: case["note"])
def test_it_asks_more_of_a_large_position(case: dict[str, Any]) -> None:
    assert margin.concentrated_margin(**without(case, "note", "atoms")) == case["atoms"]
