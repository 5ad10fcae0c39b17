"""Who may write: a session's advisory lock decides, the epoch fences whoever held it before.

The lock's connection is also the one that writes the journal, so that losing one is losing both.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import structlog

from trading.runner.database import connect

log = structlog.get_logger("engine")

LOCK_KEY = 5_721_441_091
HEARTBEAT_CHANNEL = "engine_heartbeat"
HEARTBEAT_SECONDS = 0.5
SILENCE_SECONDS = 2.0
POLL_SECONDS = 0.2

TAKE_LOCK = "select pg_advisory_lock(%s)"
RAISE_EPOCH = """
insert into trading_engineepoch (id, epoch) values (1, 1)
on conflict (id) do update set epoch = trading_engineepoch.epoch + 1 returning epoch
"""
# A bigint key is shown in pg_locks as two halves, with objsubid 1.
TERMINATE_HOLDER = """
select pg_terminate_backend(pid) from pg_locks
where locktype = 'advisory' and granted and objsubid = 1 and pid <> pg_backend_pid()
  and database = (select oid from pg_database where datname = current_database())
  and (classid::bigint << 32 | objid::bigint) = %s
"""


async def take_lock(connection: psycopg.AsyncConnection[Any]) -> None:
    """Wait, for as long as it takes, until this session leads."""
    await connection.execute("set synchronous_commit = on")
    await connection.execute(TAKE_LOCK, [LOCK_KEY])


async def raise_epoch(connection: psycopg.AsyncConnection[Any]) -> int:
    """Fence every leader before this one; from now on no row of theirs can be written."""
    cursor = await connection.execute(RAISE_EPOCH)
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def beat(connection: psycopg.AsyncConnection[Any]) -> None:
    """Give a sign of life: a notification, which leaves nothing on disk."""
    await connection.execute(f"notify {HEARTBEAT_CHANNEL}")


class Watchdog:
    """A standby's eye on the leader: when it is silent for too long, its session is ended, and with it its lock.

    A leader that is stopped, not dead, keeps its session and its lock for as long as the server sees the socket open. Only
    the time spent listening counts as silence, not that spent following the journal.
    """

    def __init__(self, follow: Callable[[], Awaitable[int]]) -> None:
        self._follow = follow
        self._silent_seconds = 0.0

    async def run(self) -> None:
        """Follow the journal and watch until cancelled."""
        async with await connect("quantdesk engine watchdog") as connection:
            await connection.execute(f"listen {HEARTBEAT_CHANNEL}")
            log.info("standing by", rows_followed=await self._follow())
            while True:
                await self._listen(connection)
                if self._silent_seconds > SILENCE_SECONDS:
                    await self._end_leader(connection)
                await self._follow()

    async def _listen(self, connection: psycopg.AsyncConnection[Any]) -> None:
        began_at = time.monotonic()
        async for _ in connection.notifies(timeout=POLL_SECONDS):
            self._silent_seconds = 0.0
            began_at = time.monotonic()
        self._silent_seconds += time.monotonic() - began_at

    async def _end_leader(self, connection: psycopg.AsyncConnection[Any]) -> None:
        log.warning("the leader is silent: ending its session", silent_seconds=round(self._silent_seconds, 1))
        self._silent_seconds = 0.0
        await connection.execute(TERMINATE_HOLDER, [LOCK_KEY])
