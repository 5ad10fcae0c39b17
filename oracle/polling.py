"""One poll of the real price sources, for the schedule: a second opinion beside the stream."""

import asyncio
from typing import Literal, NamedTuple

import structlog

from markets.commands import ObservePrice
from markets.gateway import gateway
from markets.queries import GetMarkets
from oracle import status
from oracle.feeds import choice
from oracle.feeds.coingecko.coingecko import CoinGecko
from oracle.feeds.feed import FeedError, Price
from oracle.feeds.hermes.hermes import Hermes
from oracle.relay import market_ids, observations

log = structlog.get_logger()

SOURCE_SECONDS = 8.0


class PollResult(NamedTuple):
    """What a poll did. Prices are sent again without harm: the engine drops what it has seen."""

    outcome: Literal["sent", "skipped_simulated", "skipped_no_oracle", "no_source"]
    observations: int = 0


def poll() -> PollResult:
    """Ask each real source once and send what they say.

    Beside simulated prices a real one would only be disputed, so then nothing is asked.
    """
    running = status.told()
    if running is None:
        return PollResult("skipped_no_oracle")
    if running["feed"] == "sim":
        return PollResult("skipped_simulated")
    prices = asyncio.run(_ask((choice.hermes(), choice.coingecko())))
    observed = observations(prices, market_ids(gateway().query(GetMarkets())))
    if not observed:
        return PollResult("no_source")
    gateway().submit(ObservePrice(observations=observed))
    return PollResult("sent", len(observed))


async def _ask(feeds: tuple[Hermes | CoinGecko, ...]) -> list[Price]:
    answers = await asyncio.gather(*map(_prices, feeds))
    return [price for prices in answers for price in prices]


async def _prices(feed: Hermes | CoinGecko) -> list[Price]:
    try:
        async with asyncio.timeout(SOURCE_SECONDS):
            return await feed.poll()
    except (FeedError, TimeoutError) as error:
        log.info("oracle_source_skipped", feed=feed.name, reason=str(error) or type(error).__name__)
        return []
    finally:
        await feed.close()
