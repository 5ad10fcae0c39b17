"""Which feed the oracle runs on."""

from typing import Any

import pytest

from oracle.feeds import choice
from oracle.feeds.choice import Choice
from oracle.feeds.coingecko import coingecko
from oracle.feeds.feed import Feed
from oracle.feeds.hermes import hermes
from tests.support.providers import Answer, Provider, listed, provider, update

NOW = 1_795_435_200
GOOD_COINS = Answer(body=b'{"bitcoin":{"usd":65123.5,"last_updated_at":%d}}' % NOW)
GOOD_FEEDS = Answer(body=update(("BTC", "1", "0", 0, NOW)))


async def chosen(settings: Any, server: Provider, wanted: choice.Wanted = "auto") -> Feed:
    settings.HERMES_URL = settings.COINGECKO_URL = server.url
    feed = await choice.chosen(Choice(wanted, seed=1), start_e8={})
    await feed.close()
    return feed


async def test_it_takes_all_real_sources_where_pyth_answers(settings: Any) -> None:
    async with provider() as server:
        server.on(hermes.FEEDS, listed())
        server.on(hermes.LATEST, GOOD_FEEDS)
        server.on(coingecko.PATH, Answer(500))
        assert (await chosen(settings, server)).name == "hermes+coingecko"


async def test_it_simulates_where_only_coingecko_answers(settings: Any) -> None:
    """Markets could only be reduced on it: no demo."""
    async with provider() as server:
        server.on(hermes.FEEDS, Answer(401))
        server.on(coingecko.PATH, GOOD_COINS)
        assert (await chosen(settings, server)).name == "sim"


async def test_it_simulates_where_nobody_answers(settings: Any) -> None:
    async with provider() as server:
        server.on(hermes.FEEDS, Answer(500))
        server.on(coingecko.PATH, Answer(429))
        assert (await chosen(settings, server)).name == "sim"


async def test_it_never_simulates_in_production(settings: Any) -> None:
    settings.PRODUCTION = True
    settings.PYTH_SOLANA_RPC_URL = settings.PYTH_LEGACY_RPC_URL = "http://127.0.0.1:1"
    async with provider() as server:
        server.on(hermes.FEEDS, Answer(500))
        server.on(coingecko.PATH, Answer(500))
        assert (await chosen(settings, server)).name == "hermes+pyth_solana+pyth_legacy+coingecko"


@pytest.mark.parametrize("wanted", ["hermes", "coingecko", "sim"])
async def test_it_takes_the_feed_that_was_asked_for(settings: Any, wanted: choice.Wanted) -> None:
    async with provider() as server:
        assert (await chosen(settings, server, wanted)).name == wanted
