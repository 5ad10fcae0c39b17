from decimal import Decimal

import pytest

from markets import figures
from markets.seed import MARKETS

BTC = next(market for market in MARKETS if market.symbol == "BTC-PERP")


@pytest.mark.parametrize(
    ("atoms", "plain", "signed"),
    [
        (24_806_120_000, "$24,806.12", "+$24,806.12"),
        (-1_120_000, "\N{MINUS SIGN}$1.12", "\N{MINUS SIGN}$1.12"),
        (0, "$0.00", "$0.00"),
        (1, "$0.000001", "+$0.000001"),
        (-4_200, "\N{MINUS SIGN}$0.0042", "\N{MINUS SIGN}$0.0042"),
        (10**17, "$100,000,000,000.00", "+$100,000,000,000.00"),
    ],
)
def test_it_writes_money_to_the_cent_with_a_true_minus(atoms: int, plain: str, signed: str) -> None:
    assert (figures.dollars(atoms), figures.dollars_signed(atoms)) == (plain, signed)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("418234567", "418.2M"),
        ("1999", "1.9K"),
        ("96400000000", "96.4B"),
        ("999.999", "999.99"),
        ("0", "0"),
        ("12.50", "12.5"),
        ("-2500", "\N{MINUS SIGN}2.5K"),
    ],
)
def test_it_shortens_large_amounts_and_rounds_towards_zero(value: str, text: str) -> None:
    assert figures.compact(Decimal(value)) == text


def test_it_writes_prices_and_sizes_at_the_markets_precision() -> None:
    assert figures.price(642_039, BTC) == "64,203.9"
    assert figures.price(0, BTC) == figures.NONE
    assert figures.size(-8_500, BTC) == "\N{MINUS SIGN}0.8500"
    assert figures.plain_size(-8_500, BTC) == "0.8500"
    assert (figures.places(BTC.tick_e8), figures.places(BTC.lot_e8), figures.places(5 * 10**8)) == (1, 4, 0)


@pytest.mark.parametrize(("milliseconds", "text"), [(1_102_000, "18:22"), (3_723_000, "1:02:03"), (-5, "00:00"), (999, "00:00")])
def test_it_counts_down(milliseconds: int, text: str) -> None:
    assert figures.countdown(milliseconds) == text


def test_it_signs_changes_and_names_their_direction() -> None:
    assert figures.percent_signed(Decimal("0.0231")) == "+2.31%"
    assert figures.percent_signed(Decimal("-0.000013"), 4) == "\N{MINUS SIGN}0.0013%"
    assert [figures.direction(value) for value in (2, 0, -2)] == ["up", "", "down"]
