"""Which feed the oracle runs on."""

from typing import Any

import pytest

from oracle.feeds import choice
from oracle.feeds.coingecko import coingecko
from oracle.feeds.feed import Feed
from oracle.feeds.hermes import hermes
from tests.support.providers import Answer, Provider, listed, provider, update

NOW = 1_795_435_200
GOOD_COINS = Answer(body=b'{"bitcoin":{"usd":65123.5,"last_updated_at":%d}}' % NOW)
GOOD_FEEDS = Answer(body=update(("BTC", "1", "0", 0, NOW)))


async def chosen(settings: Any, server: Provider, wanted: choice.Wanted = "auto") -> Feed:
    settings.HERMES_URL = settings.COINGECKO_URL = server.url
    feed = await choice.chosen(wanted, start_e8={}, seed=1)
    await feed.close()
    return feed


async def test_it_takes_pyth_where_pyth_answers(settings: Any) -> None:
    async with provider() as server:
        server.on(hermes.FEEDS, listed())
        server.on(hermes.LATEST, GOOD_FEEDS)
        server.on(coingecko.PATH, GOOD_COINS)
        assert (await chosen(settings, server)).name == "hermes"


async def test_it_takes_coingecko_where_pyth_wants_a_key(settings: Any) -> None:
    async with provider() as server:
        server.on(hermes.FEEDS, Answer(401))
        server.on(coingecko.PATH, GOOD_COINS)
        assert (await chosen(settings, server)).name == "coingecko"


async def test_it_simulates_where_nobody_answers(settings: Any) -> None:
    async with provider() as server:
        server.on(hermes.FEEDS, Answer(500))
        server.on(coingecko.PATH, Answer(429))
        assert (await chosen(settings, server)).name == "sim"


async def test_it_never_simulates_in_production(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PRODUCTION = True
    monkeypatch.setattr(choice, "RETRY_SECONDS", 0.001)
    async with provider() as server:
        server.on(hermes.FEEDS, Answer(500))
        server.on(coingecko.PATH, Answer(500), Answer(500), GOOD_COINS)
        assert (await chosen(settings, server)).name == "coingecko"


@pytest.mark.parametrize("wanted", ["hermes", "coingecko", "sim"])
async def test_it_takes_the_feed_that_was_asked_for(settings: Any, wanted: choice.Wanted) -> None:
    async with provider() as server:
        assert (await chosen(settings, server, wanted)).name == wanted
