"""From a feed to a running engine."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.core.cache import cache

from markets.gateway import async_gateway, gateway
from markets.queries import GetMarkets
from oracle import relay, status
from oracle.feeds.coingecko import coingecko
from oracle.feeds.feed import Price
from oracle.feeds.health import HealthRecord
from oracle.feeds.hermes import hermes
from oracle.polling import PollResult, poll
from oracle.relay import Relay
from tests.support.engine import EngineProcesses, engine_process, engine_processes
from tests.support.providers import Answer, listed, provider, update

__all__ = ["engine_process", "engine_processes"]


def btc(price: int, published_ms: int) -> list[Price]:
    return [Price("BTC", "pyth", price * 10**8, 10**8, published_ms), Price("PEPE", "pyth", 1, 0, published_ms)]


class Script:
    """A feed that says what the test tells it to."""

    name = "script"

    def __init__(self) -> None:
        self.lines: asyncio.Queue[list[Price]] = asyncio.Queue()

    async def poll(self) -> list[Price]:
        return await self.lines.get()

    async def stream(self) -> AsyncGenerator[list[Price], None]:
        while True:
            yield await self.lines.get()
            self.lines.task_done()

    async def close(self) -> None:
        """Nothing is open."""

    def health(self) -> list[HealthRecord]:
        return []


class Reader:
    """Looks at the engine after every commit."""

    def __init__(self) -> None:
        self.gateway = async_gateway()
        self._changed = asyncio.Event()
        self.gateway.listen(lambda _: self._changed.set())
        self.gateway.on_reconnect(self._changed.set)

    async def see(self, price: int) -> None:
        """Wait until the engine has this price from Pyth."""
        async with asyncio.timeout(20):
            while True:
                self._changed.clear()
                await self.gateway.snapshot("journal")
                views = await self.gateway.query(GetMarkets())
                if ("pyth", price * 10**8) in [source[:2] for source in views[0].oracle_sources]:
                    return
                await self._changed.wait()


@asynccontextmanager
async def relaying(feed: Script) -> AsyncIterator[Reader]:
    task = asyncio.create_task(Relay(gateway=async_gateway(), feed=feed).run())
    yield Reader()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await async_gateway().close()


def asked_in_thread() -> PollResult:
    """Poll as the worker does, and leave no link behind."""
    try:
        return poll()
    finally:
        gateway().close()


async def test_it_sends_what_moved_and_a_heartbeat_for_the_rest(engine_process: EngineProcesses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "SEND_SECONDS", 0.01)
    now_ms = time.time_ns() // 1_000_000
    feed = Script()
    async with relaying(feed) as reader:
        feed.lines.put_nowait(btc(60_000, now_ms))
        await reader.see(60_000)
        feed.lines.put_nowait(btc(60_100, now_ms + 200))
        await reader.see(60_100)
        feed.lines.put_nowait(btc(60_101, now_ms + 300))  # 17 ppm: waits for the heartbeat
        monkeypatch.setattr(relay, "HEARTBEAT_SECONDS", 0.0)
        await reader.see(60_101)


async def test_it_goes_on_after_the_engine_was_away(engine_process: EngineProcesses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "SEND_SECONDS", 0.01)
    feed = Script()
    async with relaying(feed) as reader:
        feed.lines.put_nowait(btc(60_000, time.time_ns() // 1_000_000))
        await reader.see(60_000)
        await asyncio.to_thread(engine_process.restart)
        feed.lines.put_nowait(btc(60_500, time.time_ns() // 1_000_000))
        await reader.see(60_500)


@pytest.fixture
def told_feed(engine_process: EngineProcesses) -> Iterator[None]:
    cache.delete(status.KEY)
    yield
    cache.delete(status.KEY)


def test_it_polls_real_sources_only_beside_a_real_feed(told_feed: None, settings: Any) -> None:
    assert poll().outcome == "skipped_no_oracle"
    status.tell("sim", [])
    assert poll().outcome == "skipped_simulated"


async def test_it_polls_every_real_source_once(told_feed: None, settings: Any) -> None:
    seconds = time.time_ns() // 10**9
    async with provider() as server:
        server.on(hermes.FEEDS, listed())
        server.on(hermes.LATEST, Answer(body=update(("BTC", "60000", "1", 0, seconds))), Answer(401))
        server.on(coingecko.PATH, Answer(body=b'{"bitcoin":{"usd":60010.5,"last_updated_at":%d}}' % seconds), Answer(500))
        settings.HERMES_URL = settings.COINGECKO_URL = server.url
        await asyncio.to_thread(status.tell, "hermes+coingecko", [])
        assert await asyncio.to_thread(asked_in_thread) == PollResult("sent", 2)
        assert await asyncio.to_thread(asked_in_thread) == PollResult("no_source")
        views = await async_gateway().query(GetMarkets())
        await async_gateway().close()
        assert {source for source, _, _ in views[0].oracle_sources} >= {"pyth", "coingecko"}
