"""Which feed the desk runs on."""

import asyncio
import secrets
from typing import Literal

import structlog
from django.conf import settings

from oracle.feeds.coingecko.coingecko import CoinGecko
from oracle.feeds.feed import Feed, FeedError
from oracle.feeds.hermes.hermes import Hermes
from oracle.feeds.simulation.simulation import Simulation

log = structlog.get_logger()

Wanted = Literal["auto", "hermes", "coingecko", "sim"]
PROBE_SECONDS = 4.0
RETRY_SECONDS = 15.0


def hermes() -> Hermes:
    return Hermes(url=settings.HERMES_URL, api_key=settings.HERMES_API_KEY)


def coingecko() -> CoinGecko:
    return CoinGecko(url=settings.COINGECKO_URL, api_key=settings.COINGECKO_API_KEY)


def simulation(start_e8: dict[str, int], *, seed: int | None = None) -> Simulation:
    return Simulation(seed=secrets.randbits(32) if seed is None else seed, start_e8=start_e8)


async def chosen(wanted: Wanted, *, start_e8: dict[str, int], seed: int | None = None) -> Feed:
    """Return the feed that was asked for; with `auto` the first real one that answers, else the simulation.

    Production never simulates: there `auto` tries the real ones until one answers.
    """
    if wanted == "sim":
        return simulation(start_e8, seed=seed)
    if wanted != "auto":
        return hermes() if wanted == "hermes" else coingecko()
    while True:
        feeds: tuple[Hermes | CoinGecko, ...] = (hermes(), coingecko())
        answers = await asyncio.gather(*map(_answers, feeds))  # at once: a new desk waits for this
        found = [feed for feed, answered in zip(feeds, answers, strict=True) if answered]
        if found:
            first, *others = found
            for feed in others:
                await feed.close()
            log.info("oracle_feed_chosen", feed=first.name)
            return first
        if not settings.PRODUCTION:
            log.warning("oracle_feed_simulated", reason="neither Pyth nor CoinGecko answered")
            return simulation(start_e8, seed=seed)
        await asyncio.sleep(RETRY_SECONDS)


async def _answers(feed: Hermes | CoinGecko) -> bool:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            if await feed.poll():
                return True
        log.info("oracle_feed_empty", feed=feed.name)
    except FeedError as error:
        log.info("oracle_feed_failed", feed=feed.name, code=error.code, data=error.data)
    except TimeoutError:
        log.info("oracle_feed_failed", feed=feed.name, code="TIMEOUT")
    await feed.close()
    return False
