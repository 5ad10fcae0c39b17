"""One poll of the real price sources, for the schedule: a second opinion beside the stream."""

import asyncio
from collections.abc import Sequence
from typing import Literal, NamedTuple

import structlog

from markets.commands import ObservePrice
from markets.gateway import gateway
from markets.queries import GetIndices
from oracle import status
from oracle.feeds import choice
from oracle.feeds.feed import Feed, FeedError, Price
from oracle.relay import index_ids, observations

log = structlog.get_logger()

SOURCE_SECONDS = 8.0


class PollResult(NamedTuple):
    """What a poll did. Prices are sent again without harm: the engine drops what it has seen."""

    outcome: Literal["sent", "skipped_simulated", "skipped_no_oracle", "no_source"]
    observations: int = 0


def poll() -> PollResult:
    """Ask each real source once and send what they say.

    Beside made-up prices a real one would only be disputed, so then nothing is asked.
    """
    running = status.told()
    if running is None:
        return PollResult("skipped_no_oracle")
    if status.is_made_up(running):
        return PollResult("skipped_simulated")
    prices = asyncio.run(_ask(choice.real()))
    observed = observations(prices, index_ids(gateway().query(GetIndices())))
    if not observed:
        return PollResult("no_source")
    gateway().submit(ObservePrice(observations=observed))
    return PollResult("sent", len(observed))


async def _ask(feeds: Sequence[Feed]) -> list[Price]:
    answers = await asyncio.gather(*map(_prices, feeds))
    return [price for prices in answers for price in prices]


async def _prices(feed: Feed) -> list[Price]:
    try:
        async with asyncio.timeout(SOURCE_SECONDS):
            return await feed.poll()
    except (FeedError, TimeoutError) as error:
        log.info("oracle_source_skipped", feed=feed.name, reason=str(error) or type(error).__name__)
        return []
    finally:
        await feed.close()
