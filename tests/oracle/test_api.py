"""Prices over REST: their state, each source's verdict, how providers do, and their history."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from redis.exceptions import RedisError

from markets.api.pages import Page
from markets.commands import HaltIndex, Observation, ObservePrice
from markets.gateway import gateway
from oracle import status
from oracle.actions import ALLOWED
from oracle.api import schemas
from oracle.feeds.feed import FeedMalformed, FeedRefused
from oracle.feeds.health import Health
from tests.support.api import Desk, desk, exact
from tests.support.engine import engine_process, engine_processes

__all__ = ["desk", "engine_process", "engine_processes"]

E8 = 10**8


@pytest.fixture(autouse=True)
def no_oracle() -> Iterator[None]:
    cache.delete(status.KEY)
    yield
    cache.delete(status.KEY)


def observe(source: str, price: int, *, age_ms: int = 0, market_id: int = 1) -> None:
    published = time.time_ns() // 1_000_000 - age_ms
    observation = Observation(market_id, source, price * E8, E8, published)
    assert gateway().submit(ObservePrice(observations=(observation,))).reject is None


def btc(desk: Desk) -> schemas.OracleDetail:
    answer = desk.anonymous.get("oracle/BTC-PERP/")
    assert answer.status == 200, answer
    detail: schemas.OracleDetail = exact(answer.json, schemas.OracleDetail)
    return detail


def test_it_lists_every_price_in_its_documented_shape(desk: Desk) -> None:
    answer = desk.anonymous.get("oracle/")
    found = exact(answer.json, schemas.OracleList)
    assert found.feed is None
    assert [entry.symbol for entry in found.results][:3] == ["BTC-PERP", "ETH-PERP", "SOL-PERP"]
    assert found.results[0].price == "60000.00000000"
    assert {entry.state for entry in found.results if entry.asset in {"BTC", "ETH"}} == {"valid"}


def test_it_tells_the_age_and_the_verdict_of_each_source(desk: Desk) -> None:
    observe("pyth", 60_060, age_ms=5_000)
    observe("coingecko", 70_000)
    observe("pyth_legacy", 61_000)
    index = btc(desk).index
    verdicts = {source.source: source.verdict for source in index.sources}
    assert verdicts == {
        "coingecko": "jump_unconfirmed",
        "pyth": "counted",
        "pyth_legacy": "not_counted",
        "simulation": "counted",
        "simulation_2": "counted",
    }
    pyth = next(source for source in index.sources if source.source == "pyth")
    assert (pyth.price, pyth.confidence) == ("60060.00000000", "1.00000000")
    assert pyth.age_ms is not None and 5_000 <= pyth.age_ms < 30_000
    refused = next(source for source in index.sources if source.source == "coingecko")
    assert (refused.price, refused.published_ms, refused.age_ms) == (None, None, None)


def test_it_says_what_a_price_permits(desk: Desk) -> None:
    assert btc(desk).index.permits == list(ALLOWED)
    gateway().submit(HaltIndex(index_id=1, reason="wrong feed", author="sam"))
    index = btc(desk).index
    assert (index.state, index.halt_reason, index.permits) == ("halted", "wrong feed", ["cancel"])


def test_it_tells_how_the_providers_do(desk: Desk) -> None:
    health = Health("hermes")
    health.failed(FeedRefused(status=401))
    health.refuse("SOL", FeedMalformed(reason="exponent"))
    status.tell("hermes+coingecko", [health.record(), Health("coingecko").record()])
    feed = btc(desk).feed
    assert feed is not None
    hermes, coingecko = feed.providers
    assert (hermes.status, hermes.code, hermes.refused[0].reason) == ("failing", "FEED_REFUSED", "exponent")
    assert (coingecko.status, coingecko.answered_ms) == ("starting", 0)


def test_it_keeps_a_history(desk: Desk) -> None:
    for price in (60_100, 60_200, 60_300):
        desk.engine.observe({1: price * E8})
    desk.project()
    answer = desk.anonymous.get("oracle/BTC-PERP/history/?limit=1")
    first = exact(answer.json, Page[schemas.OraclePriceRow])
    (row,) = first.results
    assert (row.state, row.confidence) == ("valid", "0.00000000")
    assert desk.anonymous.get(f"oracle/BTC-PERP/history/?to={row.time_ms}").status == 200
    assert desk.anonymous.get(f"oracle/BTC-PERP/history/?from={row.time_ms + 1}").json["results"] == []


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("oracle/NONE/", (404, "INDEX_NOT_FOUND")),
        ("oracle/" + "x" * 500 + "/", (404, "INDEX_NOT_FOUND")),
        ("oracle/NONE/history/", (404, "MARKET_NOT_FOUND")),
        ("oracle/?x=1", (400, "UNKNOWN_FIELD")),
        ("oracle/BTC-PERP/?x=1", (400, "UNKNOWN_FIELD")),
        ("oracle/BTC-PERP/history/?limit=0", (400, "OUT_OF_RANGE")),
        ("oracle/BTC-PERP/history/?from=-1", (400, "OUT_OF_RANGE")),
        ("oracle/BTC-PERP/history/?to=x", (400, "WRONG_TYPE")),
        ("oracle/BTC-PERP/history/?cursor=x", (400, "INVALID_CURSOR")),
    ],
)
def test_it_refuses_by_name(desk: Desk, path: str, refusal: tuple[int, str]) -> None:
    answer = desk.anonymous.get(path)
    assert (answer.status, answer.error["code"]) == refusal


def test_it_answers_while_redis_is_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise RedisError

    monkeypatch.setattr(status, "told", away)
    assert btc(desk).feed is None
