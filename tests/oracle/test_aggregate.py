from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.aggregate import Index, Source, aggregate, refusal

NOW = 1_000_000


def source(name: str = "pyth", price_e8: int = 100, published_ms: int = NOW, confidence_e8: int = 0) -> Source:
    return Source(name, price_e8, confidence_e8, published_ms)


@pytest.mark.parametrize(
    ("observation", "reason"),
    [
        (source(), None),
        (source(price_e8=0), "not_positive"),
        (source(price_e8=-1), "not_positive"),
        (source(price_e8=10**18 + 1), "not_positive"),
        (source(published_ms=NOW + 2_000), None),
        (source(published_ms=NOW + 2_001), "from_the_future"),
        (source(published_ms=NOW - 500), "not_newer"),
        (source(published_ms=NOW - 501), "not_newer"),
        (source(confidence_e8=2), None),
        (source(confidence_e8=3), "too_uncertain"),
        (source(confidence_e8=-1), "too_uncertain"),
    ],
)
def test_it_refuses_what_cannot_be_used(observation: Source, reason: str | None) -> None:
    assert refusal(last=source(published_ms=NOW - 500), observation=observation, now_ms=NOW) == reason


@pytest.mark.parametrize(
    ("prices", "index"),
    [
        ([], Index(0, "stale")),
        ([100], Index(100, "single")),
        ([1000, 1010], Index(1005, "valid")),
        ([1000, 1011], Index(1005, "disputed")),
        ([1000, 1001, 5000], Index(1001, "valid")),
        ([1000, 1001, 1003, 5000], Index(1002, "valid")),
    ],
)
def test_it_combines_sources(prices: list[int], index: Index) -> None:
    assert aggregate([source(str(at), price) for at, price in enumerate(prices)], now_ms=NOW, max_age_ms=60_000) == index


def test_it_forgets_what_is_too_old() -> None:
    sources = [source("pyth", 100, NOW - 60_001), source("coingecko", 101, NOW - 60_000)]
    assert aggregate(sources, now_ms=NOW, max_age_ms=60_000) == Index(101, "single")


@given(st.lists(st.integers(1, 10**15), max_size=6), st.randoms())
def test_it_does_not_mind_the_order(prices: list[int], random: Random) -> None:
    sources = [source(str(at), price) for at, price in enumerate(prices)]
    shuffled = random.sample(sources, len(sources))
    assert aggregate(sources, now_ms=NOW, max_age_ms=1) == aggregate(shuffled, now_ms=NOW, max_age_ms=1)
