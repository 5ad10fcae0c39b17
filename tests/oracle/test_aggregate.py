"""From sources to one price: every reason to refuse, every way to combine, and what a lone source cannot do."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.actions import OPEN, STATES, IndexState
from oracle.aggregate import (
    REFUSALS,
    Combined,
    Source,
    aggregate,
    confirmed,
    jumps,
    limited_weights,
    lone_step,
    recovered,
    refusal,
    too_volatile,
    weighted_median,
)
from oracle.sources import RANKS

NOW = 1_000_000
MAX_AGE = 60_000
COUNTED = [name for name, rank in RANKS.items() if rank.weight]
PRIMARY = [name for name in COUNTED if RANKS[name].primary]


def source(name: str = "pyth", price_e8: int = 100, published_ms: int = NOW, confidence_e8: int = 0) -> Source:
    return Source(name, price_e8, confidence_e8, published_ms)


def combined(*sources: Source, now_ms: int = NOW) -> Combined:
    return aggregate(sources, now_ms=now_ms, max_age_ms=MAX_AGE)


def named(*prices: tuple[str, int]) -> list[Source]:
    return [source(name, price) for name, price in prices]


@pytest.mark.parametrize(
    ("observation", "reason"),
    [
        (source(), None),
        (source("nobody"), "unknown_source"),
        (source(price_e8=0), "not_positive"),
        (source(price_e8=-1), "not_positive"),
        (source(price_e8=10**18 + 1), "not_positive"),
        (source(published_ms=NOW + 2_000), None),
        (source(published_ms=NOW + 2_001), "from_the_future"),
        (source(published_ms=NOW - 500), "not_newer"),
        (source(published_ms=NOW - 501), "not_newer"),
        (source("coingecko", published_ms=NOW - 60_000), None),
        (source("coingecko", published_ms=NOW - 60_001), "too_old"),
        (source(confidence_e8=2), None),
        (source(confidence_e8=3), "too_uncertain"),
        (source(confidence_e8=-1), "too_uncertain"),
    ],
)
def test_it_refuses_what_cannot_be_used(observation: Source, reason: str | None) -> None:
    last = source(published_ms=NOW - 500) if observation.source == "pyth" else None
    assert refusal(last=last, observation=observation, now_ms=NOW, max_age_ms=MAX_AGE) == reason
    assert reason is None or reason in REFUSALS


def test_it_names_the_first_of_several_reasons() -> None:
    faults = source("nobody", -1, NOW + 9_999, 10**9)
    mended = [faults._replace(source="pyth"), source("pyth", 100, NOW + 9_999, 10**9), source("pyth", 100, NOW - 70_000, 10**9)]
    found = [refusal(last=source(), observation=item, now_ms=NOW, max_age_ms=MAX_AGE) for item in (faults, *mended)]
    assert found == ["unknown_source", "not_positive", "from_the_future", "not_newer"]


@pytest.mark.parametrize(
    ("price", "others", "suspect", "accepted"),
    [
        (1_200, [source("coingecko", 1_190)], None, True),
        (1_200, [source("coingecko", 1_180)], None, False),
        (1_200, [source("pyth", 1_200)], None, False),  # its own price is no second opinion
        (1_200, [], source(price_e8=1_190, published_ms=NOW - 1), True),
        (1_200, [], source(price_e8=1_190, published_ms=NOW), False),
        (1_200, [], source(price_e8=1_500, published_ms=NOW - 1), False),
    ],
)
def test_it_holds_a_jump_that_nothing_confirms(price: int, others: list[Source], suspect: Source | None, accepted: bool) -> None:
    assert confirmed(observation=source(price_e8=price), others=others, suspect=suspect) is accepted


@pytest.mark.parametrize(
    ("reference", "price", "is_jump"), [(1_000, 1_100, False), (1_000, 1_101, True), (1_000, 909, True), (1_000, 910, False), (0, 5, False)]
)
def test_it_calls_ten_per_cent_a_jump(reference: int, price: int, is_jump: bool) -> None:
    assert jumps(reference_e8=reference, price_e8=price) is is_jump


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ([], (0, "stale")),
        ([("pyth", 100)], (100, "single")),
        ([("coingecko", 100)], (100, "uncertain")),
        ([("pyth_legacy", 100)], (0, "stale")),
        ([("pyth", 1000), ("pyth_legacy", 1000)], (1000, "single")),
        ([("pyth", 1000), ("coingecko", 1010)], (1005, "valid")),
        ([("pyth", 1000), ("coingecko", 1011)], (1005, "disputed")),
        ([("pyth", 1000), ("pyth_solana", 1001), ("coingecko", 5000)], (1001, "valid")),
        ([("pyth", 5000), ("pyth_solana", 1001), ("coingecko", 1000)], (1001, "valid")),
        ([("simulation", 1000), ("simulation_2", 1001), ("simulation_3", 5000)], (1001, "valid")),
        ([("simulation", 1000), ("simulation_2", 1100), ("simulation_3", 1200)], (1100, "uncertain")),
        ([("pyth", 1000), ("pyth_solana", 1002), ("simulation", 1003), ("replay", 1004), ("coingecko", 9000)], (1002, "valid")),
    ],
)
def test_it_combines_sources(prices: list[tuple[str, int]], expected: tuple[int, IndexState]) -> None:
    found = combined(*named(*prices))
    assert (found.price_e8, found.state) == expected


def test_it_trusts_a_lone_source_half_as_much_as_it_trusts_itself() -> None:
    assert combined(source(price_e8=10_000, confidence_e8=50)) == Combined(10_000, 100, "single", True)
    assert combined(source(price_e8=10_000, confidence_e8=51)) == Combined(10_000, 102, "uncertain", True)


def test_it_counts_the_surer_of_two_for_more() -> None:
    found = combined(source("pyth", 100_000, confidence_e8=99), source("coingecko", 100_500, confidence_e8=399))
    assert found == Combined(100_100, 399, "valid")


def test_it_is_as_unsure_as_its_sources_are_apart() -> None:
    assert combined(*named(("pyth", 1_000_000), ("coingecko", 1_009_999))).confidence_e8 == 5_000
    assert combined(*named(("pyth", 1_000_000), ("pyth_solana", 1_004_000), ("coingecko", 1_030_000))).confidence_e8 == 4_000


def test_it_forgets_what_is_too_old() -> None:
    found = combined(source("pyth", 100, NOW - 60_001), source("pyth_solana", 101, NOW - 60_000))
    assert (found.price_e8, found.state) == (101, "single")


@given(st.lists(st.tuples(st.integers(1, 10**15), st.integers(0, 10**12)), max_size=len(COUNTED)), st.randoms())
def test_it_does_not_mind_the_order(prices: list[tuple[int, int]], random: Random) -> None:
    sources = [source(name, price, confidence_e8=width) for name, (price, width) in zip(COUNTED, prices, strict=False)]
    assert combined(*sources) == combined(*random.sample(sources, len(sources)))


@given(st.integers(10**6, 10**12), st.integers(0, 4_000), st.integers(1, 10**15), st.sampled_from(COUNTED))
def test_it_lets_no_single_source_drag_the_median_away_from_the_others(price: int, width: int, wild: int, liar: str) -> None:
    """Whatever one of three or more says, the median stays between what the honest ones say."""
    honest = [source(name, price + at * width) for at, name in enumerate(COUNTED) if name != liar]
    found = combined(*honest, source(liar, wild))
    assert honest[0].price_e8 <= found.price_e8 <= honest[-1].price_e8


@given(st.lists(st.integers(1, 9), min_size=3, max_size=7))
def test_it_gives_no_source_half_of_the_weight(weights: list[int]) -> None:
    limited = limited_weights(weights)
    assert all(2 * weight < sum(limited) for weight in limited)
    assert all(0 < weight <= given_weight for weight, given_weight in zip(limited, weights, strict=True))


def test_it_takes_the_mean_where_the_weight_halves_exactly() -> None:
    assert weighted_median([1, 4, 9, 20], [1, 1, 1, 1]) == 6
    assert weighted_median([1, 4, 9], [2, 1, 1]) == 2


@given(st.integers(10**4, 10**15), st.integers(1, 10**17), st.integers(0, 10**6))
def test_it_lets_a_lone_source_move_the_index_by_one_per_cent_at_most(index: int, price: int, elapsed_ms: int) -> None:
    moved = lone_step(index_e8=index, combined=Combined(price, 0, "single"), elapsed_ms=elapsed_ms)
    assert abs(moved.price_e8 - index) * 100 * 1_000 <= index * min(elapsed_ms, 1_000)
    assert min(index, price) <= moved.price_e8 <= max(index, price)
    assert moved.confidence_e8 == abs(price - moved.price_e8)


@pytest.mark.parametrize(("price", "halted"), [(100, False), (500, False), (501, True), (20, False), (19, True)])
def test_it_halts_what_is_out_of_all_proportion(price: int, halted: bool) -> None:
    assert too_volatile(price_e8=price, average_e8=100) is halted
    assert not too_volatile(price_e8=price, average_e8=0)


@pytest.mark.parametrize("present", STATES)
@pytest.mark.parametrize("wanted", STATES)
def test_it_closes_at_once_and_opens_only_after_a_while(present: IndexState, wanted: IndexState) -> None:
    waits = wanted in OPEN and present not in OPEN
    assert recovered(present=present, wanted=wanted, newest_ms=5_000, since_ms=0) is not waits
    assert recovered(present=present, wanted=wanted, newest_ms=5_000, since_ms=2_001) is not waits
    assert recovered(present=present, wanted=wanted, newest_ms=5_000, since_ms=2_000)
