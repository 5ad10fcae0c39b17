"""Which feed the oracle process runs on and how its providers do, for the other processes; gone when it has not said so for a while."""

import asyncio
import time
from typing import TypedDict, cast

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError

from oracle.feeds.feed import Feed
from oracle.feeds.health import HealthRecord

log = structlog.get_logger()

KEY = "oracle:feed"
SECONDS = 30
TELL_SECONDS = 5.0
LOOK_SECONDS = 0.5  # what changed is told within this


class FeedStatus(TypedDict):
    feed: str  # the names of its feeds, joined by +
    said_ms: int
    providers: list[HealthRecord]


def tell(feed: str, providers: list[HealthRecord]) -> None:
    cache.set(KEY, FeedStatus(feed=feed, said_ms=time.time_ns() // 1_000_000, providers=providers), timeout=SECONDS)


async def keep_telling(feed: Feed) -> None:
    """Say so for as long as the process runs: now and then, and at once when a provider begins to fail or to refuse."""
    told: list[object] = []
    quiet = 0.0
    while True:
        providers = feed.health()
        seen: list[object] = [(record["feed"], record["status"], record["code"], record["refused"]) for record in providers]
        if seen != told or quiet >= TELL_SECONDS:
            try:
                await asyncio.to_thread(tell, feed.name, providers)
                told, quiet = seen, 0.0
            except RedisError as error:
                log.warning("oracle_status_not_told", error=str(error))
        await asyncio.sleep(LOOK_SECONDS)
        quiet += LOOK_SECONDS


def told() -> FeedStatus | None:
    """Return what the oracle process said last, or None when it does not run."""
    return cast(FeedStatus | None, cache.get(KEY))


def is_made_up(status: FeedStatus) -> bool:
    return bool({"sim", "replay"} & set(status["feed"].split("+")))
