"""Margin by tiers: it never asks less for more, has no steps at edges, and maintenance is never above what opening needs."""

from dataclasses import dataclass

import z3

from markets.units import PPM
from tests.proofs.support import Case


@dataclass
class Tiers:
    """Two tiers as `margin_tiers` makes them: rates rise, and the second's deduction is what its rate would ask too much below its edge."""

    case: Case

    def __post_init__(self) -> None:
        (self.edge,) = self.case.numbers("edge", above=0)
        (self.deduction,) = self.case.numbers("deduction", least=0)
        self.low, self.high, self.leverage, self.less = self.case.numbers("low high leverage less", least=1)
        # A leverage's share is never below the maintenance rate: `MarketParameters::check`.
        self.case.given(self.low < self.high, self.high <= PPM, self.less <= self.leverage)
        self.case.given(self.low * self.leverage <= PPM, self.high * self.less <= PPM)
        self.next = self.deduction + self.case.floor(self.edge * (self.high - self.low), PPM)

    def below(self, notional: z3.ArithRef) -> z3.ArithRef:
        return self.case.ceil(notional * self.low, PPM) - self.deduction

    def above(self, notional: z3.ArithRef) -> z3.ArithRef:
        return self.case.ceil(notional * self.high, PPM) - self.next


def test_maintenance_never_asks_less_for_more() -> None:
    for side in ("below", "above"):
        case = Case()
        tiers = Tiers(case)
        small, large = case.numbers("small large", least=0)
        case.given(small <= large)
        margin = getattr(tiers, side)
        less, more = margin(small), margin(large)
        case.whole(less, more)
        assert case.proves(less <= more)


def test_maintenance_has_no_step_at_an_edge() -> None:
    """At the edge the tier above asks for what the one below does, or an atom more; never less."""
    case = Case()
    tiers = Tiers(case)
    below, above = tiers.below(tiers.edge), tiers.above(tiers.edge)
    case.whole(below, above)
    case.whole(above, below + 1)
    assert case.proves(z3.And(below <= above, above <= below + 1))
    assert case.refutes(below == above)


def test_maintenance_is_never_above_what_opening_needs() -> None:
    """Each slice of a notional costs 1 / its tier's leverage to open: at least its maintenance, but for an atom of rounding."""
    case = Case()
    tiers = Tiers(case)
    (notional,) = case.numbers("notional", least=0)
    case.given(notional >= tiers.edge, tiers.deduction == 0)
    initial = case.ceil(tiers.edge, tiers.leverage) + case.ceil(notional - tiers.edge, tiers.less)
    maintenance = tiers.above(notional)
    case.whole(maintenance, initial + 1)
    assert case.proves(maintenance <= initial + 1)


def test_initial_margin_never_asks_less_for_more() -> None:
    case = Case()
    tiers = Tiers(case)
    small, large = case.numbers("small large", least=0)
    case.given(small <= large, small >= tiers.edge)
    first, second = (case.ceil(notional - tiers.edge, tiers.less) for notional in (small, large))
    case.whole(first, second)
    assert case.proves(first <= second)


def test_a_haircut_counts_no_more_than_there_is_and_never_less_for_more() -> None:
    """`weighted_value`: weights fall from tier to tier, and are between nothing and everything."""
    case = Case()
    edge, value, more = case.numbers("edge value more", above=0)
    first, second = case.numbers("first second", least=0)
    case.given(first <= PPM, second <= first, value >= edge, more >= value)
    counted, counted_more = (case.floor(edge * first + (each - edge) * second, PPM) for each in (value, more))
    case.whole(counted, counted_more)
    assert case.proves(z3.And(counted <= value, counted > -1, counted <= counted_more))
    assert case.refutes(counted == value)
