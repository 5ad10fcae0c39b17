"""One engine process: it stands by until it holds the lock, and then leads until it is told to stop."""

import asyncio
import gc
import signal
from typing import Any

import psycopg
import structlog

from trading import partitions
from trading.journal import JournalCorrupt
from trading.runner.background import Background, cancelled
from trading.runner.database import connect
from trading.runner.exits import Exit, leave
from trading.runner.follower import Follower, ReplayDiverged, WrongRules
from trading.runner.leadership import HEARTBEAT_SECONDS, Watchdog, beat, raise_epoch, take_lock
from trading.runner.recovery import restore
from trading.runner.reign import Reign
from trading.runner.tail import catch_up
from trading.runner.used_ids import UsedIds

log = structlog.get_logger("engine")

COLLECT_SECONDS = 1.0

Connection = psycopg.AsyncConnection[Any]


async def run() -> None:
    """Run an engine process to its end."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_crash)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await Process(stop).run()
    except (JournalCorrupt, ReplayDiverged, WrongRules) as error:
        leave(Exit.REFUSED, "the journal cannot be replayed", error=str(error))
    except psycopg.Error as error:
        leave(Exit.NO_DATABASE, "the database cannot be used", error=str(error).strip())


class Process:
    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop
        self._used_ids = UsedIds()
        self._background = Background()

    async def run(self) -> None:
        # A row that lands in the journal's default partition while its own is being made is refused, and that ends a leader.
        await asyncio.to_thread(partitions.upkeep)
        _calm_collector(self._background)
        async with await connect("quantdesk engine") as leading, await connect("quantdesk engine reader") as reading:
            follower = await restore(reading)
            if await self._stand_by(leading, reading, follower):
                await self._lead(leading, reading, follower)
        await self._background.end()

    async def _stand_by(self, leading: Connection, reading: Connection, follower: Follower) -> bool:
        """Wait for the lock, following the journal meanwhile. False when told to stop."""
        lock = asyncio.create_task(take_lock(leading))
        watchdog = asyncio.create_task(Watchdog(lambda: self._follow(reading, follower)).run())
        stop = asyncio.create_task(self._stop.wait())
        done, _ = await asyncio.wait([lock, watchdog, stop], return_when=asyncio.FIRST_COMPLETED)
        for task in (watchdog, stop):
            await cancelled(task)
        if lock in done:
            await lock
            return True
        await cancelled(lock)
        return False

    async def _lead(self, leading: Connection, reading: Connection, follower: Follower) -> None:
        epoch = await raise_epoch(leading)
        self._background.start(_keep_beating())
        count = await self._follow(reading, follower)
        log.info("leading", epoch=epoch, seq=follower.position.seq, rows_replayed=count)
        async with await connect("quantdesk engine helper") as helper:
            reign = Reign(
                leading=leading,
                reading=reading,
                helper=helper,
                follower=follower,
                epoch=epoch,
                used=self._used_ids,
                background=self._background,
            )
            await reign.run(self._stop)
            await self._background.end()

    async def _follow(self, reading: Connection, follower: Follower) -> int:
        return await catch_up(reading, follower, followed=lambda _, body: self._used_ids.note(body.events))


async def _keep_beating() -> None:
    async with await connect("quantdesk engine heart") as connection:
        await connection.execute("set synchronous_commit = off")
        while True:
            await beat(connection)
            await asyncio.sleep(HEARTBEAT_SECONDS)


def _calm_collector(background: Background) -> None:
    """Collect only among the objects of the last second: as much work as that second made, and never the whole state."""
    gc.freeze()
    gc.disable()
    background.every(COLLECT_SECONDS, _collect_young)


def _collect_young() -> None:
    gc.collect(1)


def _crash(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    log.error("unexpected error", exc_info=error)
    leave(Exit.CRASHED, context.get("message", "unexpected error"), error=repr(error))
