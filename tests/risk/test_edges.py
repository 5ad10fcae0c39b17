"""Margin over tiers of any shape: it never falls as size grows, never steps at an edge, and opening never asks less than keeping."""

from hypothesis import given
from hypothesis import strategies as st

from markets.parameters import MarginTier
from markets.units import PPM
from risk.margin import concentrated_margin, crowded_margin, initial_margin, liquidation_ticks, maintenance_margin

USDC = 1_000_000
Tiers = tuple[MarginTier, ...]
leverages = st.integers(1, 200)


@st.composite
def tables(draw: st.DrawFn) -> Tiers:
    """Draw tiers as a market may have them: from zero, rates rising, leverage falling, joined by their deductions."""
    edges = [0, *(edge * USDC for edge in sorted(draw(st.sets(st.integers(1, 10**6), max_size=6))))]
    most = sorted((draw(leverages) for _ in edges), reverse=True)
    rates = sorted(draw(st.integers(1, PPM // most[0])) for _ in edges)
    tiers: list[MarginTier] = []
    for edge, rate, leverage in zip(edges, rates, most, strict=True):
        last = tiers[-1] if tiers else MarginTier(0, rate, 0, leverage)
        tiers.append(MarginTier(edge, rate, last.deduction_atoms + edge * (rate - last.maintenance_ppm) // PPM, leverage))
    return tuple(tiers)


@st.composite
def near_an_edge(draw: st.DrawFn) -> tuple[Tiers, int]:
    """Draw tiers and a notional that most often lies within a few atoms of an edge."""
    tiers = draw(tables())
    edge = draw(st.sampled_from(tiers)).notional_from_atoms
    return tiers, max(0, edge + draw(st.one_of(st.integers(-3, 3), st.integers(0, 10**12))))


@given(near_an_edge(), leverages)
def test_it_grows_with_size_by_at_most_what_was_added(drawn: tuple[Tiers, int], leverage: int) -> None:
    """One atom more never needs less, and at most one atom more beside the rounding of each tier: no step at an edge."""
    tiers, notional = drawn
    kept = [maintenance_margin(notional_atoms=notional + step, tiers=tiers) for step in (0, 1)]
    opened = [initial_margin(notional_atoms=notional + step, leverage=leverage, tiers=tiers) for step in (0, 1)]
    assert 0 <= kept[1] - kept[0] <= 1
    assert 0 <= opened[1] - opened[0] <= 1


@given(near_an_edge(), leverages, st.integers(0, 10**9))
def test_it_never_asks_less_for_more(drawn: tuple[Tiers, int], leverage: int, more: int) -> None:
    tiers, notional = drawn
    small, large = (initial_margin(notional_atoms=size, leverage=leverage, tiers=tiers) for size in (notional, notional + more))
    assert small <= large <= small + more + len(tiers)
    assert small >= maintenance_margin(notional_atoms=notional, tiers=tiers)


@given(near_an_edge())
def test_it_is_the_rate_of_each_slice_added_up(drawn: tuple[Tiers, int]) -> None:
    """Maintenance by deductions equals maintenance slice by slice, but for one rounding."""
    tiers, notional = drawn
    ends = [*(tier.notional_from_atoms for tier in tiers[1:]), notional]
    slices = [max(0, min(notional, end) - tier.notional_from_atoms) * tier.maintenance_ppm for tier, end in zip(tiers, ends, strict=True)]
    assert maintenance_margin(notional_atoms=notional, tiers=tiers) == -(-sum(slices) // PPM)


@given(near_an_edge(), st.integers(0, 1_000), st.integers(1, 1_000), st.integers(0, 3_000))
def test_it_rises_with_open_interest_to_the_whole_notional(drawn: tuple[Tiers, int], start: int, width: int, open_lots: int) -> None:
    tiers, notional = drawn
    base = initial_margin(notional_atoms=notional, leverage=20, tiers=tiers)

    def crowded(lots: int, size: int = notional, at: int = base) -> int:
        return crowded_margin(initial_atoms=at, notional_atoms=size, open_lots=lots, from_lots=start, cap_lots=start + width)

    assert base <= crowded(open_lots) <= crowded(open_lots + 1) <= max(base, notional)
    assert crowded(start) == base
    assert start == 0 or crowded(start + width) == notional
    larger = initial_margin(notional_atoms=notional + 1, leverage=20, tiers=tiers)
    assert crowded(open_lots) <= crowded(open_lots, notional + 1, larger)


@given(near_an_edge(), st.integers(0, 10**12), st.integers(0, PPM))
def test_it_adds_for_concentration_without_a_step(drawn: tuple[Tiers, int], start: int, rate_ppm: int) -> None:
    tiers, notional = drawn

    def concentrated(size: int) -> int:
        base = initial_margin(notional_atoms=size, leverage=20, tiers=tiers)
        return concentrated_margin(initial_atoms=base, notional_atoms=size, from_atoms=start, rate_ppm=rate_ppm)

    assert 0 <= concentrated(notional + 1) - concentrated(notional) <= 2
    assert 0 <= concentrated(start + 1) - concentrated(start) <= 2
    assert concentrated(notional) <= max(notional, initial_margin(notional_atoms=notional, leverage=20, tiers=tiers))


@given(tables(), st.integers(-(10**5), 10**5).filter(bool), st.integers(1, 10**6), st.integers(-(10**9), 10**12), st.integers(0, 10**9))
def test_it_liquidates_at_that_tick_and_not_one_before(tiers: Tiers, size_lots: int, mark: int, equity: int, other: int) -> None:
    found = liquidation_ticks(
        size_lots=size_lots, mark_ticks=mark, tick_lot_atoms=100, equity_atoms=equity, other_maintenance_atoms=other, tiers=tiers
    )

    def short(ticks: int) -> bool:
        kept = maintenance_margin(notional_atoms=abs(size_lots) * ticks * 100, tiers=tiers)
        return equity + size_lots * (ticks - mark) * 100 < other + kept

    if found == 0:
        assert size_lots > 0
        assert not short(1)
    elif short(mark):
        assert found == mark
    else:
        assert short(found)
        assert not short(found + 1 if size_lots > 0 else found - 1)
