"""The projector's process: woken by the engine's feed, looks by itself when nobody wakes it."""

import asyncio
import gc
import signal
from concurrent.futures import ThreadPoolExecutor

import psycopg
import structlog
from django.db import Error as DatabaseError

from markets.errors import GatewayError
from markets.gateway import AsyncGateway, async_gateway
from trading import partitions
from trading.broadcast.broadcaster import JOURNAL
from trading.projector.projector import Projector

log = structlog.get_logger("projector")

POLL_SECONDS = 0.25
UPKEEP_SECONDS = 3_600.0
PACE_SECONDS = 0.02  # between runs: what is committed meanwhile goes into one transaction


class Service:
    """Runs a projector in a thread of its own, which holds the database connection."""

    def __init__(self, *, gateway: AsyncGateway) -> None:
        self._gateway = gateway
        self._woken = asyncio.Event()
        self._stopped = False
        self._watching: asyncio.Task[None] | None = None
        gateway.listen(lambda _: self._woken.set())
        gateway.on_reconnect(self._watch)

    async def run(self) -> None:
        """Project until stopped."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        self._watch()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="projector") as thread:
            await loop.run_in_executor(None, make_partitions)
            projector = await loop.run_in_executor(thread, Projector)
            upkeep = loop.create_task(_keep_partitions())
            _calm_collector()
            log.info("projecting", seq=projector.seq)
            while not self._stopped:
                await self._wait()
                await loop.run_in_executor(thread, projector.catch_up, self._is_stopped)
                await asyncio.sleep(PACE_SECONDS)
            upkeep.cancel()
            await loop.run_in_executor(thread, projector.close)
        log.info("stopped", seq=projector.seq)
        await self._gateway.close()

    def _is_stopped(self) -> bool:
        return self._stopped

    def stop(self) -> None:
        self._stopped = True
        self._woken.set()

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), POLL_SECONDS)
        except TimeoutError:
            return
        self._woken.clear()

    def _watch(self) -> None:
        self._watching = asyncio.get_running_loop().create_task(self._watch_journal())

    async def _watch_journal(self) -> None:
        """Ask to be woken, until an engine says yes; without one there is nothing to wake for."""
        while not self._stopped:
            try:
                await self._gateway.snapshot(JOURNAL)
            except GatewayError:
                await asyncio.sleep(POLL_SECONDS)
            else:
                self._woken.set()
                return


def _calm_collector() -> None:
    """A fold makes many objects and no cycles: collecting them would take a third of its time."""
    gc.freeze()
    gc.set_threshold(500_000, 20, 20)


async def _keep_partitions() -> None:
    while True:
        await asyncio.sleep(UPKEEP_SECONDS)
        await asyncio.to_thread(make_partitions)


def make_partitions() -> None:
    """Make partitions ahead of time. Without them rows wait in the default partitions, so a failure stops nothing."""
    try:
        made = partitions.upkeep()
    except psycopg.Error as error:
        log.warning("partitions not made", error=str(error))
    else:
        log.info("partitions made", count=len(made))


async def serve() -> int:
    """Project until stopped; return the process's exit code. When the database fails, a new process takes up from its watermark."""
    try:
        await Service(gateway=async_gateway()).run()
    except (psycopg.Error, DatabaseError):
        log.exception("the database failed")
        return 1
    return 0
