"""Several feeds at once: each goes on whatever the others do."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from oracle.feeds.feed import Feed, FeedError, Price
from oracle.feeds.health import HealthRecord

QUEUED = 100  # batches of prices that wait; a feed that is faster than its reader waits too


class Together:
    """Its name is theirs, the first one leading."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._feeds = feeds
        self.name = "+".join(feed.name for feed in feeds)

    async def poll(self) -> list[Price]:
        """Ask all; the first one's failure is raised when none has prices."""
        answers = await asyncio.gather(*(feed.poll() for feed in self._feeds), return_exceptions=True)
        prices: list[Price] = []
        failures: list[BaseException] = []
        for answer in answers:
            if isinstance(answer, BaseException):
                failures.append(answer)
            else:
                prices += answer
        unexpected = [failure for failure in failures if not isinstance(failure, FeedError)]
        if unexpected or (failures and not prices):
            raise (unexpected or failures)[0]
        return prices

    async def stream(self) -> AsyncGenerator[list[Price], None]:
        queue: asyncio.Queue[list[Price] | Exception] = asyncio.Queue(QUEUED)
        tasks = [asyncio.create_task(_pass_on(feed, queue)) for feed in self._feeds]
        try:
            while True:
                item = await queue.get()
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        await asyncio.gather(*(feed.close() for feed in self._feeds))

    def health(self) -> list[HealthRecord]:
        return [record for feed in self._feeds for record in feed.health()]


async def _pass_on(feed: Feed, queue: asyncio.Queue[list[Price] | Exception]) -> None:
    """Hand on what a feed yields; what it raises is a bug, and is handed on too."""
    try:
        async with aclosing(feed.stream()) as stream:
            async for prices in stream:
                await queue.put(prices)
    except Exception as error:
        await queue.put(error)
