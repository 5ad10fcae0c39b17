"""The loop of a feed that asks again and again."""

import asyncio
from collections.abc import AsyncGenerator

import structlog

from oracle.feeds import http
from oracle.feeds.feed import Feed, FeedError, FeedRefused, Price

log = structlog.get_logger()

REFUSED_SECONDS = 60.0  # before a provider that refused the key is asked again


async def polled(feed: Feed, *, every_seconds: float) -> AsyncGenerator[list[Price], None]:
    """Poll for ever; after a failure wait longer and longer, and at least as long as the provider wants."""
    attempt = 0
    while True:
        try:
            yield await feed.poll()
            attempt, wait = 0, every_seconds
        except FeedError as error:
            log.warning("oracle_feed_failed", feed=feed.name, code=error.code, data=error.data)
            attempt += 1
            wait = max(retry_seconds(error), http.delay_seconds(attempt))
        await asyncio.sleep(wait)


def retry_seconds(error: FeedError) -> float:
    return REFUSED_SECONDS if isinstance(error, FeedRefused) else error.retry_seconds
