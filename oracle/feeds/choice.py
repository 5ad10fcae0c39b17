"""Which feed the desk runs on."""

import asyncio
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import structlog
from django.conf import settings

from oracle.feeds.coingecko.coingecko import CoinGecko
from oracle.feeds.feed import Feed, FeedError, Price
from oracle.feeds.hermes.hermes import Hermes
from oracle.feeds.pyth_solana.pyth_solana import pyth_solana
from oracle.feeds.replay.replay import Replay
from oracle.feeds.simulation import script
from oracle.feeds.simulation.simulation import Simulation
from oracle.feeds.together import Together
from oracle.sources import RANKS

log = structlog.get_logger()

Wanted = Literal["auto", "hermes", "solana", "coingecko", "sim", "replay"]
WANTED: tuple[Wanted, ...] = ("auto", "hermes", "solana", "coingecko", "sim", "replay")
MADE_UP = frozenset({"sim", "replay"})  # never in production
PROBE_SECONDS = 4.0


class Choice(NamedTuple):
    """What was asked for: a feed, and what the made-up ones play."""

    wanted: Wanted
    seed: int | None = None
    script: Path | None = None
    replay: Path | None = None
    speed: int = 1


def hermes() -> Hermes:
    return Hermes(url=settings.HERMES_URL, api_key=settings.HERMES_API_KEY)


def coingecko() -> CoinGecko:
    return CoinGecko(url=settings.COINGECKO_URL, api_key=settings.COINGECKO_API_KEY)


def on_chain() -> list[Feed]:
    """Return the feeds that read accounts: those whose address is set."""
    feeds: list[Feed] = []
    if settings.PYTH_SOLANA_RPC_URL:
        feeds.append(pyth_solana(url=settings.PYTH_SOLANA_RPC_URL, shard=settings.PYTH_SOLANA_SHARD))
    if settings.PYTH_LEGACY_RPC_URL:  # imported only then: pythclient is slow to import
        from oracle.feeds.pyth_legacy.pyth_legacy import pyth_legacy

        feeds.append(pyth_legacy(url=settings.PYTH_LEGACY_RPC_URL))
    return feeds


def real() -> list[Feed]:
    """Return every real feed that is set up."""
    return [hermes(), *on_chain(), coingecko()]


def simulation(choice: Choice, start_e8: dict[str, int], without: frozenset[str] = frozenset()) -> Simulation:
    seed = secrets.randbits(32) if choice.seed is None else choice.seed
    events = script.read(choice.script) if choice.script else None
    return Simulation(seed=seed, start_e8=start_e8, script=events, without=without)


def replay(choice: Choice, start_e8: dict[str, int]) -> Feed:
    """Play the file's asset, and simulate the others beside it."""
    assert choice.replay is not None, "a replay needs a file"
    played = Replay(file=choice.replay, speed=choice.speed, seed=choice.seed or 0)
    return Together([played, simulation(choice, start_e8, frozenset({played.asset}))])


async def chosen(choice: Choice, *, start_e8: dict[str, int]) -> Feed:
    """Return the feed that was asked for; with `auto` all real ones, or the simulation where none of them carries a market.

    Production never makes prices up: there `auto` is all real ones, whether they answer or not, and prices are stale until they do.
    """
    wanted = choice.wanted
    if wanted == "sim":
        return simulation(choice, start_e8)
    if wanted == "replay":
        return replay(choice, start_e8)
    if wanted == "hermes":
        return hermes()
    if wanted == "coingecko":
        return coingecko()
    if wanted == "solana":
        return pyth_solana(url=settings.PYTH_SOLANA_RPC_URL, shard=settings.PYTH_SOLANA_SHARD)
    feeds = real()
    if settings.PRODUCTION or await _carried(feeds):
        log.info("oracle_feed_chosen", feeds=[feed.name for feed in feeds])
        return Together(feeds)
    await asyncio.gather(*(feed.close() for feed in feeds))
    log.warning("oracle_feed_simulated", reason="no source answered that is enough to trade on")
    return simulation(choice, start_e8)


async def _carried(feeds: Sequence[Feed]) -> bool:
    """Tell whether a primary source answers. CoinGecko alone would leave every market to reductions."""
    answers = await asyncio.gather(*map(_answer, feeds))  # at once: a new desk waits for this
    return any(RANKS[price.source].primary for prices in answers for price in prices)


async def _answer(feed: Feed) -> list[Price]:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            return await feed.poll()
    except FeedError as error:
        log.info("oracle_feed_failed", feed=feed.name, code=error.code, data=error.data)
    except TimeoutError:
        log.info("oracle_feed_failed", feed=feed.name, code="TIMEOUT")
    return []
