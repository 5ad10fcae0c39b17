"""Pyth's prices, from a local server that speaks Hermes's HTTP."""

import asyncio
from contextlib import aclosing

import pytest

from oracle.feeds import http
from oracle.feeds.feed import FeedError, FeedLimited, FeedMalformed, FeedRefused, FeedUnreachable, Price
from oracle.feeds.hermes.hermes import FEEDS, LATEST, STREAM, Hermes
from oracle.feeds.hermes.ids import FEED_IDS
from tests.support.providers import Answer, listed, provider, update

NOW = 1_795_435_200


async def test_it_reads_prices_exactly_whatever_their_exponent() -> None:
    async with provider() as server:
        server.on(FEEDS, listed())
        server.on(
            LATEST,
            Answer(
                body=update(
                    ("BTC", "6395282153102", "2150000000", -8, NOW),
                    ("ETH", "334112", "17", -2, NOW + 1),
                    ("SOL", "1850000000005", "3000000001", -10, NOW),
                    ("0x" + FEED_IDS["DOGE"].upper(), "24", "1", -2, NOW),
                )
            ),
        )
        feed = Hermes(url=server.url, api_key="a-key")
        prices = {price.asset: price for price in await feed.poll()}
        await feed.close()
        assert prices["BTC"] == Price("BTC", "pyth", 6_395_282_153_102, 2_150_000_000, NOW * 1000)
        assert prices["ETH"] == Price("ETH", "pyth", 334_112_000_000, 17_000_000, (NOW + 1) * 1000)
        assert (prices["SOL"].price_e8, prices["SOL"].confidence_e8) == (18_500_000_000, 30_000_001)
        assert prices["DOGE"].price_e8 == 24_000_000
        asked = server.requests[-1]
        assert asked.headers["authorization"] == "Bearer a-key"
        assert {value for name, value in asked.query if name == "ids[]"} == set(FEED_IDS.values())


async def test_it_asks_for_no_feed_that_hermes_lists_as_something_else() -> None:
    async with provider() as server:
        server.on(FEEDS, listed(SOL="WSOL"))
        server.on(LATEST, Answer(body=update(("BTC", "1", "0", 0, NOW), ("SOL", "1", "0", 0, NOW))))
        feed = Hermes(url=server.url)
        assert [price.asset for price in await feed.poll()] == ["BTC"]
        await feed.close()
        assert FEED_IDS["SOL"] not in {value for _, value in server.requests[-1].query}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(401), FeedRefused),
        (Answer(403), FeedRefused),
        (Answer(429, headers={"Retry-After": "7"}), FeedLimited),
        (Answer(500), FeedUnreachable),
        (Answer(302, headers={"Location": "/elsewhere"}), FeedUnreachable),
        (Answer(body=b"<html>"), FeedMalformed),
        (Answer(body=b'{"parsed":null}'), FeedMalformed),
        (Answer(body=b'{"parsed":[{"id":1}]}'), FeedMalformed),
    ],
)
async def test_it_names_what_went_wrong(answer: Answer, error: type[FeedError]) -> None:
    async with provider() as server:
        server.on(FEEDS, listed())
        server.on(LATEST, answer)
        feed = Hermes(url=server.url)
        with pytest.raises(error) as raised:
            await feed.poll()
        await feed.close()
        assert raised.value.retry_seconds == (7.0 if error is FeedLimited else 0.0)


async def test_it_says_that_nobody_listens() -> None:
    feed = Hermes(url="http://127.0.0.1:1")
    with pytest.raises(FeedUnreachable):
        await feed.poll()
    await feed.close()


async def test_it_drops_a_malformed_price_and_keeps_the_others() -> None:
    bad = [
        ("BTC", "NaN", "1", -8, NOW),
        ("ETH", "1e5", "1", -8, NOW),
        ("SOL", "1.5", "1", -8, NOW),
        ("AVAX", "9" * 40, "1", -8, NOW),
        ("LINK", "5", "1", -40, NOW),
        ("DOGE", "5", "1", -8, 0),
        ("XRP", "", "1", -8, NOW),
        ("f" * 64, "5", "1", -8, NOW),
        ("SUI", "310", "1", -2, NOW),
    ]
    async with provider() as server:
        server.on(FEEDS, listed())
        server.on(LATEST, Answer(body=update(*bad)))
        feed = Hermes(url=server.url)
        assert [(price.asset, price.price_e8) for price in await feed.poll()] == [("SUI", 310_000_000)]
        await feed.close()


async def test_it_streams_and_comes_back_when_the_stream_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "FIRST_DELAY_SECONDS", 0.001)
    async with provider() as server:
        server.on(FEEDS, listed())
        server.on(LATEST, Answer(body=update(("BTC", "1", "0", 0, NOW))), Answer(500), Answer(body=update(("BTC", "4", "0", 0, NOW + 3))))
        first = (update(("BTC", "2", "0", 0, NOW + 1)), update(("BTC", "3", "0", 0, NOW + 2)))
        server.on(STREAM, Answer(events=first), Answer(events=(update(("BTC", "5", "0", 0, NOW + 4)),), stays_open=True))
        feed = Hermes(url=server.url)
        heard: list[int] = []
        async with asyncio.timeout(20), aclosing(feed.stream()) as stream:
            async for prices in stream:
                heard += [price.price_e8 // 10**8 for price in prices]
                if len(heard) == 5:
                    break
        await feed.close()
        assert heard == [1, 2, 3, 4, 5]


def test_it_waits_longer_after_each_failure_and_never_too_long() -> None:
    waits = [[http.delay_seconds(attempt) for _ in range(50)] for attempt in (1, 4, 30)]
    assert max(waits[0]) < min(waits[1]) < max(waits[1]) < min(waits[2])
    assert max(waits[2]) <= http.MAX_DELAY_SECONDS * 1.3
    assert len(set(waits[0])) > 1
