"""The hot lane charges the same buckets as REST, in handfuls."""

from typing import Any

import pytest

from accounts import limits
from accounts.limits import LimiterUnavailable, RateLimited
from trading.hotlane.rates import Rates, charge_failure


@pytest.fixture
def who(settings: Any) -> str:
    """Someone who may send eight orders at once, and one more in a long time."""
    settings.RATE_LIMITS = {"orders": (8, 1), "address": (2, 1)}
    return f"account:{id(settings)}"


async def spend(rates: Rates, who: str, *, cost: int = 1) -> int:
    """Spend until it is refused; return how often it was not."""
    for count in range(100):
        try:
            await rates.take(who, cost)
        except RateLimited:
            return count
    raise AssertionError("never refused")


async def test_it_allows_what_the_bucket_holds_and_no_more(who: str) -> None:
    assert await spend(Rates(), who) == 8
    assert not limits.buckets().take(limits.limit("orders"), who=who).allowed


async def test_it_shares_the_bucket_with_the_other_processes(who: str) -> None:
    first, second = Rates(), Rates()
    await first.take(who, 1)
    assert await spend(second, who) + await spend(first, who) == 7


async def test_it_never_charges_what_is_free(who: str) -> None:
    rates = Rates()
    await spend(rates, who)
    await rates.take(who, 0)


async def test_it_takes_what_a_batch_costs_at_once(who: str) -> None:
    assert await spend(Rates(), who, cost=3) == 2


async def test_it_says_what_is_left(who: str) -> None:
    rates = Rates()
    assert rates.headers(who) == []
    await rates.take(who, 1)
    told = dict(rates.headers(who))
    assert (told[b"x-ratelimit-limit"], told[b"x-ratelimit-remaining"]) == (b"8", b"7")


async def test_it_refuses_orders_that_nobody_can_count(who: str, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with pytest.raises(LimiterUnavailable):
        await Rates().take(who, 1)
    await charge_failure("127.0.0.1")


async def test_it_limits_guessing_by_address(who: str) -> None:
    address = who.removeprefix("account:")
    await charge_failure(address)
    await charge_failure(address)
    with pytest.raises(RateLimited):
        await charge_failure(address)
