"""Rounding: quotients bracket what is exact, and every party's part is rounded against that party."""

import z3

from markets.units import PPM
from tests.proofs.support import Case


def test_a_quotient_rounded_up_brackets_what_is_exact() -> None:
    """`ceil_div` and `charge`: never less than exact, and less than one atom more; a rebate shrinks."""
    case = Case()
    (numerator,) = case.numbers("numerator")
    (divisor,) = case.numbers("divisor", above=0)
    up = case.ceil(numerator, divisor)
    assert case.proves(z3.And(up * divisor >= numerator, up * divisor < numerator + divisor))
    assert case.refutes(up * divisor <= numerator)


def test_a_charge_grows_with_amount_and_rate() -> None:
    case = Case()
    amount, more, rate, higher = case.numbers("amount more rate higher", least=0)
    case.given(more >= amount, higher >= rate)
    small, large = case.ceil(amount * rate, PPM), case.ceil(more * higher, PPM)
    case.whole(small, large)
    assert case.proves(small <= large)


def test_a_long_and_a_short_are_never_worth_more_than_nothing_together() -> None:
    """`value_at_price_e8`: each rounded against its owner."""
    case = Case()
    lots, price, unit = case.numbers("lots price unit", above=0)
    long, short = case.floor(lots * price, unit), case.floor(-lots * price, unit)
    assert case.proves(z3.And(long + short <= 0, long + short > -2))
    assert case.refutes(long + short == 0)


def test_funding_takes_no_less_than_it_pays() -> None:
    """`payment_atoms`: whatever the rate's sign, over positions that sum to zero; what is left is less than an atom each."""
    case = Case()
    first, second, third, rate = case.numbers("first second third rate")
    (unit,) = case.numbers("unit", above=0)
    case.given(first + second + third == 0)
    paid = sum((case.floor(-lots * rate, unit) for lots in (first, second, third)), start=z3.RealVal(0))
    assert case.proves(z3.And(paid <= 0, paid > -3))
    assert case.refutes(paid == 0)


def test_parts_of_a_deleveraged_value_are_no_more_than_it() -> None:
    """`values` and `part_atoms`: by lots, each towards minus infinity; the dust is less than an atom a party."""
    case = Case()
    (value,) = case.numbers("value")
    lots = case.numbers("some others rest", above=0)
    total = sum(lots, start=z3.RealVal(0))
    parts = [case.floor(value * part, total) for part in lots]
    assert case.proves(z3.And(sum(parts) <= value, value - sum(parts) < 3))
    assert case.refutes(sum(parts) == value)


def test_the_bankruptcy_price_is_the_last_that_overdraws_nothing() -> None:
    """`bankruptcy_ticks` of a long: at it something may be left, a tick lower the account would owe."""
    case = Case()
    (equity,) = case.numbers("equity")
    size, mark, atoms = case.numbers("size mark atoms", above=0)
    ticks = mark - case.floor(equity, size * atoms)
    assert case.proves(equity + size * (ticks - mark) * atoms >= 0)
    assert case.proves(equity + size * (ticks - 1 - mark) * atoms < 0)
