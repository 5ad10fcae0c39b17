"""Work beside the main one: when any of it fails, the process ends and recovers."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from trading.runner.exits import Exit, leave


class Background:
    """Keeps tasks alive, and the process honest about those that die."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def every(self, seconds: float, act: Callable[[], None]) -> None:
        """Act again and again, with a pause before each time."""
        self.start(_repeat(seconds, act))

    async def end(self) -> None:
        for task in tuple(self._tasks):
            await cancelled(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            leave(Exit.CRASHED, "a part of the engine failed", error=repr(error))


async def cancelled(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait until it has ended; an error that it ended with is raised."""
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return


async def _repeat(seconds: float, act: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(seconds)
        act()
