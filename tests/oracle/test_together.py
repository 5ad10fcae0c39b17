"""Several feeds at once, and what is told of how they do."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from oracle.feeds.feed import FeedError, FeedRefused, FeedUnreachable, Price
from oracle.feeds.health import Health, HealthRecord
from oracle.feeds.together import Together


class Scripted:
    """Yields these prices, one after the other, then what comes last: an error, or nothing any more."""

    def __init__(self, name: str, prices: list[int], last: Exception | None = None) -> None:
        self.name = name
        self._prices = [Price("BTC", name, price, 0, price) for price in prices]
        self._last = last
        self.closed = False

    async def poll(self) -> list[Price]:
        if self._last:
            raise self._last
        return self._prices

    async def stream(self) -> AsyncGenerator[list[Price], None]:
        for price in self._prices:
            yield [price]
        if self._last:
            raise self._last

    async def close(self) -> None:
        self.closed = True

    def health(self) -> list[HealthRecord]:
        return [Health(self.name).record()]


async def heard(feed: Together, count: int) -> set[tuple[str, int]]:
    found: set[tuple[str, int]] = set()
    async with asyncio.timeout(10), aclosing(feed.stream()) as stream:
        async for prices in stream:
            found |= {(price.source, price.price_e8) for price in prices}
            if len(found) == count:
                return found
    return found


async def test_it_hands_on_what_each_feed_says_also_after_another_has_ended() -> None:
    feeds = [Scripted("hermes", [1]), Scripted("coingecko", [2, 3, 4])]
    together = Together(feeds)
    assert together.name == "hermes+coingecko"
    assert await heard(together, 4) == {("hermes", 1), ("coingecko", 2), ("coingecko", 3), ("coingecko", 4)}
    assert [record["feed"] for record in together.health()] == ["hermes", "coingecko"]
    await together.close()
    assert all(feed.closed for feed in feeds)


async def test_it_hides_no_bug_of_a_feed() -> None:
    with pytest.raises(ZeroDivisionError):
        await heard(Together([Scripted("hermes", [1], ZeroDivisionError()), Scripted("coingecko", [2])]), 3)


async def test_it_polls_all_and_fails_only_when_none_has_prices() -> None:
    good, bad = Scripted("hermes", [1]), Scripted("coingecko", [], FeedUnreachable())
    assert [price.source for price in await Together([bad, good]).poll()] == ["hermes"]
    with pytest.raises(FeedRefused):
        await Together([Scripted("hermes", [], FeedRefused()), bad]).poll()
    with pytest.raises(ZeroDivisionError):
        await Together([good, Scripted("coingecko", [], ZeroDivisionError())]).poll()


def test_it_tells_what_became_of_the_last_question(monkeypatch: pytest.MonkeyPatch) -> None:
    from oracle.feeds import health as module

    clock = [1_000_000]
    monkeypatch.setattr(module, "now_ms", lambda: clock[0])
    health = Health("hermes")
    assert health.record()["status"] == "starting"
    health.asked()
    clock[0] += module.SILENT_MS + 1
    assert (health.record()["status"], health.record()["code"]) == ("waiting", "FEED_SILENT")
    health.answered()
    assert (health.record()["status"], health.record()["answered_ms"]) == ("ok", clock[0])
    health.failed(FeedUnreachable(reason="x" * 1_000))
    record = health.record()
    assert (record["status"], record["code"], len(record["reason"])) == ("failing", "FEED_UNREACHABLE", 200)
    health.refuse("BTC", FeedError(reason="exponent"))
    health.refuse("BTC", FeedError())
    assert [(refused["asset"], refused["reason"]) for refused in health.record()["refused"]] == [("BTC", "malformed")]
    health.accept("BTC")
    health.answered()
    assert health.record()["refused"] == []
    assert health.record()["status"] == "ok"
