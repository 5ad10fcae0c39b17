"""Which feed the oracle process runs on, for the other processes; gone when it has not said so for a while."""

import asyncio
import time
from typing import TypedDict, cast

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError

log = structlog.get_logger()

KEY = "oracle:feed"
SECONDS = 30
TELL_SECONDS = 5.0


class FeedStatus(TypedDict):
    feed: str  # hermes, coingecko or sim
    said_ms: int


def tell(feed: str) -> None:
    cache.set(KEY, FeedStatus(feed=feed, said_ms=time.time_ns() // 1_000_000), timeout=SECONDS)


async def keep_telling(feed: str) -> None:
    """Say so for as long as the process runs."""
    while True:
        try:
            await asyncio.to_thread(tell, feed)
        except RedisError as error:
            log.warning("oracle_status_not_told", error=str(error))
        await asyncio.sleep(TELL_SECONDS)


def told() -> FeedStatus | None:
    """Return what the oracle process said last, or None when it does not run."""
    return cast(FeedStatus | None, cache.get(KEY))
