"""Every fault of every provider, over HTTP into a running engine: no crash, no bad price, and the reason in the API."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest
from django.core.cache import cache

from markets.gateway import async_gateway, gateway
from oracle import relay, status
from oracle.feeds.coingecko.coingecko import PATH, CoinGecko
from oracle.feeds.feed import Feed
from oracle.feeds.hermes.hermes import FEEDS, LATEST, STREAM, Hermes
from oracle.feeds.hermes.ids import FEED_IDS
from oracle.feeds.pyth_solana.pyth_solana import pyth_solana
from oracle.relay import Relay
from oracle.status import keep_telling
from tests.oracle.test_pyth_solana import OWNER, data
from tests.support.api import API, Caller, forget_caches
from tests.support.engine import EngineProcesses, engine_process, engine_processes
from tests.support.providers import Answer, chain_accounts, coins, listed, provider, update

__all__ = ["engine_process", "engine_processes"]

KEY = "a-key"
PATIENCE_SECONDS = 60.0
PRICE = 60_000
Json = dict[str, Any]


class Fault(NamedTuple):
    """What the provider answers, and what the API then says: a provider's code, a refused price's reason or a source's verdict."""

    name: str
    answers: tuple[Answer, ...]
    seen: str


def now() -> int:
    return time.time_ns() // 10**9


def http_faults(good: Answer) -> list[Fault]:
    """The faults that any HTTP server may have."""
    return [
        Fault("401", (Answer(401),), "FEED_REFUSED"),
        Fault("403", (Answer(403),), "FEED_REFUSED"),
        Fault("429", (Answer(429, headers={"Retry-After": "1"}),), "FEED_LIMITED"),
        Fault("500", (Answer(500),), "FEED_UNREACHABLE"),
        Fault("elsewhere", (Answer(302, headers={"Location": "/"}),), "FEED_UNREACHABLE"),
        Fault("malformed", (Answer(body=b'{"parsed":[{'),), "FEED_MALFORMED"),
        Fault("deep", (Answer(body=b"[" * 200_000),), "FEED_MALFORMED"),
        Fault("not text", (Answer(body=b"\xff\xfe\x00"),), "FEED_MALFORMED"),
        Fault("cut", (good._replace(cut=True),), "FEED_UNREACHABLE"),
        Fault("slow drip", (good._replace(drips=True),), "FEED_SILENT"),
    ]


def hermes_price(price: str, *, conf: str = "1", expo: int = 0, at: int = 0) -> Answer:
    return Answer(body=update(("BTC", price, conf, expo, now() + at)))


def hermes_faults() -> list[Fault]:
    return [
        *http_faults(hermes_price("60000")),
        Fault("stale", (hermes_price("50000", at=-120),), "too_old"),
        Fault("future", (hermes_price("50000", at=60),), "from_the_future"),
        Fault("wide", (hermes_price("60000", conf="5000"),), "too_uncertain"),
        Fault("zero", (hermes_price("0"),), "not_positive"),
        Fault("negative", (hermes_price("-60000"),), "not_positive"),
        Fault("jump", (hermes_price("90000"),), "jump_unconfirmed"),
        Fault("exponent", (hermes_price("60000", expo=-40),), "exponent"),
        Fault("another exponent", (hermes_price("60000", expo=3),), "jump_unconfirmed"),
        Fault("huge", (hermes_price("9" * 30),), "number"),
        Fault("endless", (hermes_price("9" * 90),), "number"),
        Fault("no number", (hermes_price("NaN"),), "number"),
        Fault("no price", (Answer(body=b'{"parsed":[]}'),), "ok"),
    ]


def coingecko_faults() -> list[Fault]:
    return [
        *http_faults(coins(now(), BTC="60000")),
        Fault("stale", (coins(now() - 120, BTC="50000"),), "too_old"),
        Fault("future", (coins(now() + 60, BTC="50000"),), "from_the_future"),
        Fault("zero", (coins(now(), BTC="0"),), "not_positive"),
        Fault("negative", (coins(now(), BTC="-60000"),), "not_positive"),
        Fault("jump", (coins(now(), BTC="90000"),), "jump_unconfirmed"),
        Fault("huge", (coins(now(), BTC="1e25"),), "number"),
        Fault("endless", (coins(now(), BTC="1" + "0" * 5_000),), "number"),
        Fault("no number", (coins(now(), BTC="NaN"),), "number"),
        Fault("text", (coins(now(), BTC='"60000"'),), "fields"),
        Fault("nothing", (Answer(body=b"{}"),), "fields"),
    ]


def chain_price(**changes: Any) -> Answer:
    fields = {"price": PRICE, "confidence": 1, "exponent": 0, "publish_time": now()} | changes
    return chain_accounts((OWNER, data(**fields)))


def solana_faults() -> list[Fault]:
    return [
        *http_faults(chain_price()),
        Fault("behind", (Answer(body=b'{"error":{"code":-32005,"message":"behind"}}'),), "FEED_UNREACHABLE"),
        Fault("no account", (chain_accounts(None),), "no account"),
        Fault("another owner", (chain_accounts(("x", data())),), "owner"),
        Fault("partly verified", (chain_price(level=b"\x00\x03"),), "not fully verified"),
        Fault("stale", (chain_price(publish_time=now() - 120, price=50_000),), "too_old"),
        Fault("future", (chain_price(publish_time=now() + 60, price=50_000),), "from_the_future"),
        Fault("wide", (chain_price(confidence=5_000),), "too_uncertain"),
        Fault("negative", (chain_price(price=-1),), "not_positive"),
        Fault("jump", (chain_price(price=90_000),), "jump_unconfirmed"),
        Fault("exponent", (chain_price(exponent=-40),), "exponent"),
        Fault("huge", (chain_price(price=2**63 - 1),), "number"),
    ]


ADAPTERS: dict[str, tuple[str, Callable[[str], Feed], Callable[[], list[Fault]]]] = {
    "pyth": (LATEST, lambda url: Hermes(url=url, api_key=KEY), hermes_faults),
    "coingecko": (PATH, lambda url: CoinGecko(url=url, api_key=KEY), coingecko_faults),
    "pyth_solana": ("/", lambda url: pyth_solana(url=url, feed_ids={"BTC": FEED_IDS["BTC"]}), solana_faults),
}


def seen_by_anybody() -> Json:
    """Ask the API, as any visitor, and leave no link behind in this thread."""
    try:
        answer = Caller().get(f"{API}/oracle/BTC-PERP/")
    finally:
        gateway().close()
    assert answer.status == 200, answer
    return dict(answer.json)


def words(seen: Json, source: str) -> set[str]:
    """Return everything that the API says about a source and its provider."""
    verdicts = {entry["verdict"] for entry in seen["index"]["sources"] if entry["source"] == source}
    providers = seen["feed"]["providers"] if seen["feed"] else []
    refused = {entry["reason"] for record in providers for entry in record["refused"]}
    return verdicts | refused | {record["code"] or record["status"] for record in providers}


@asynccontextmanager
async def running(feed: Feed) -> AsyncIterator[asyncio.Task[None]]:
    """Run what the oracle process runs, and check that nothing of it fell over."""
    tasks = [asyncio.create_task(Relay(gateway=async_gateway(), feed=feed).run()), asyncio.create_task(keep_telling(feed))]
    yield tasks[0]
    crashed = [task.exception() for task in tasks if task.done()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await feed.close()
    assert crashed == []


async def becomes_visible(wanted: str, source: str) -> Json:
    began = time.monotonic()
    while True:
        seen = await asyncio.to_thread(seen_by_anybody)
        if wanted in words(seen, source):
            return seen
        waited = time.monotonic() - began
        assert waited < PATIENCE_SECONDS, f"{wanted} is not to be seen after {waited:.1f} s: {seen}"
        await asyncio.sleep(0.05)  # the API is asked like anybody asks it: again


@pytest.mark.parametrize("source", list(ADAPTERS))
async def test_it_survives_each_fault_and_shows_it(engine_process: EngineProcesses, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    monkeypatch.setattr(relay, "SEND_SECONDS", 0.2)
    forget_caches()
    path, adapter, faults = ADAPTERS[source]
    for fault in faults():
        await asyncio.to_thread(cache.delete, status.KEY)
        await asyncio.to_thread(asked_again, engine_process)
        async with provider() as server:
            server.on(FEEDS, listed())
            server.on(STREAM, Answer(events=(), stays_open=True))
            server.on(path, *fault.answers)
            async with running(adapter(server.url)):
                seen = await becomes_visible(fault.seen, source)
        index = seen["index"]
        assert abs(float(index["price"]) - PRICE) < 1, (fault, index)
        assert index["state"] == "valid", (fault, index)
    await async_gateway().close()


def asked_again(engine: EngineProcesses) -> None:
    """Keep the good sources beside the faulty one fresh."""
    try:
        engine.observe({1: PRICE * 10**8})
    finally:
        gateway().close()


async def test_it_wants_the_key_that_it_is_given(engine_process: EngineProcesses) -> None:
    async with provider(KEY) as server:
        server.on(FEEDS, listed())
        server.on(LATEST, hermes_price("60000"))
        server.on(PATH, coins(now(), BTC="60000"))
        for feed in (Hermes(url=server.url, api_key=KEY), CoinGecko(url=server.url, api_key=KEY)):
            assert [price.asset for price in await feed.poll()] == ["BTC"]
            await feed.close()


def said(price: int, at: int) -> bytes:
    return update(("BTC", str(price), "1", 0, now() + at))


@pytest.mark.parametrize(
    ("last", "seen"),
    [(said(59_000, -300), "counted"), (b'{"parsed":', "FEED_MALFORMED"), (b"x" * 5_000_000, "FEED_MALFORMED"), (b"", "FEED_MALFORMED")],
    ids=["out of order", "malformed", "too long", "empty"],
)
async def test_it_survives_what_a_stream_may_bring(
    engine_process: EngineProcesses, monkeypatch: pytest.MonkeyPatch, last: bytes, seen: str
) -> None:
    """The messages come a moment apart, so that each is sent on by itself."""
    monkeypatch.setattr(relay, "SEND_SECONDS", 0.01)
    forget_caches()
    async with provider() as server:
        server.event_seconds = 0.1
        server.on(FEEDS, listed())
        server.on(LATEST, hermes_price("60000", at=-10))
        server.on(STREAM, Answer(events=(said(60_010, -5), last), stays_open=True))
        async with running(Hermes(url=server.url, api_key=KEY)):
            index = (await becomes_visible(seen, "pyth"))["index"]
        assert abs(float(index["price"]) - PRICE) < 20
    await async_gateway().close()


async def test_it_shows_that_a_stream_has_gone_silent(engine_process: EngineProcesses) -> None:
    forget_caches()
    async with provider() as server:
        server.on(FEEDS, listed())
        server.on(LATEST, hermes_price("60000"))
        server.on(STREAM, Answer(events=(), stays_open=True))
        async with running(Hermes(url=server.url, api_key=KEY)):
            await becomes_visible("counted", "pyth")
            await becomes_visible("FEED_SILENT", "pyth")
    await async_gateway().close()


async def test_it_shows_that_nobody_listens_at_an_address(engine_process: EngineProcesses) -> None:
    forget_caches()
    async with running(CoinGecko(url="http://127.0.0.1:1")):
        await becomes_visible("FEED_UNREACHABLE", "coingecko")
    await async_gateway().close()
