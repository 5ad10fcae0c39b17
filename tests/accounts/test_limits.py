"""Token buckets in the real Valkey."""

import socket
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.conf import settings

from accounts.limits import Buckets, Limit, LimiterUnavailable

TEN = Limit("test", capacity=10, per_second=1)


@pytest.fixture
def buckets() -> Buckets:
    return Buckets(settings.REDIS_URL)


@pytest.fixture
def who() -> str:
    return uuid4().hex


def test_it_gives_exactly_its_capacity_to_callers_at_once(buckets: Buckets, who: str) -> None:
    with ThreadPoolExecutor(16) as threads:
        taken = list(threads.map(lambda _: buckets.take(TEN, who=who), range(64)))
    assert sum(answer.allowed for answer in taken) == 10


def test_it_says_what_is_left_and_when_to_come_back(buckets: Buckets, who: str) -> None:
    first = buckets.take(TEN, who=who, cost=4)
    assert (first.allowed, first.limit, first.remaining, first.retry_ms) == (True, 10, 6, 0)
    assert 3_000 < first.reset_ms <= 4_000
    refused = buckets.take(TEN, who=who, cost=8)
    assert not refused.allowed
    assert refused.remaining >= 6
    assert 1_000 < refused.retry_ms <= 2_000
    assert buckets.take(TEN, who=who, cost=6).allowed, "a refusal takes nothing"


def test_it_looks_without_taking(buckets: Buckets, who: str) -> None:
    assert buckets.take(TEN, who=who, cost=0).remaining == 10
    buckets.take(TEN, who=who, cost=10)
    empty = buckets.take(TEN, who=who, cost=0)
    assert (empty.allowed, empty.remaining) == (True, 0)


def test_it_fills_up_again(buckets: Buckets, who: str) -> None:
    fast = Limit("test", capacity=2, per_second=500_000)
    assert buckets.take(fast, who=who, cost=2).allowed
    assert any(buckets.take(fast, who=who, cost=2).allowed for _ in range(100))


def test_it_never_gives_more_than_its_capacity_at_once(buckets: Buckets, who: str) -> None:
    assert not buckets.take(TEN, who=who, cost=11).allowed


def test_it_keeps_callers_apart(buckets: Buckets, who: str) -> None:
    buckets.take(TEN, who=who, cost=10)
    assert buckets.take(TEN, who=f"{who}-other").allowed


def test_it_says_so_while_redis_is_away() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        buckets = Buckets(f"redis://127.0.0.1:{unused.getsockname()[1]}/0")
        for _ in range(2):
            with pytest.raises(LimiterUnavailable):
                buckets.take(TEN, who="anybody")
