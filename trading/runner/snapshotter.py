"""Takes snapshots beside the leader's work: a forked child writes the file, the leader only its row."""

import asyncio
import os
import signal
import time
from typing import Any

import msgspec
import psycopg
import structlog

from trading import snapshots
from trading.engine import snapshot as codec
from trading.engine.state import State
from trading.runner.follower import Position

log = structlog.get_logger("engine")

EVERY_COMMANDS = 30_000  # what is replayed in well under a second
EVERY_SECONDS = 600.0
MAX_SHARE = 0.1  # of the time that children may spend on snapshots, so that load does not take a core away
COMMIT_POLL_SECONDS = 0.02

# The row of a state that was not committed after all must never exist.
SAVE = """
insert into trading_snapshot (seq, rules_version, state_hash, size_bytes, taken_at)
select %(seq)s, %(rules_version)s, %(state_hash)s, %(size_bytes)s, now()
where exists (select 1 from trading_journal where seq = %(seq)s and hash = %(journal_hash)s)
on conflict (seq) do update set state_hash = excluded.state_hash, size_bytes = excluded.size_bytes, taken_at = excluded.taken_at
"""
PRUNE = """
delete from trading_snapshot
where seq not in (select seq from trading_snapshot order by seq desc limit %s)
"""
KEPT = "select seq from trading_snapshot"


class Taken(msgspec.Struct, frozen=True):
    """What the child reports of a file that it has written."""

    seq: int
    rules_version: int
    state_hash: str
    size_bytes: int
    journal_hash: bytes


class Snapshotter:
    """Told of every batch boundary, forks there when a snapshot is due or asked for."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], *, start_seq: int) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._last_seq = start_seq
        self._commands = 0
        self._taken_at = time.monotonic()
        self._not_before = 0.0
        self._asked = False
        self._child = 0
        self._saving: asyncio.Task[None] | None = None

    def ask(self) -> None:
        """Take a snapshot at the next boundary."""
        self._asked = True

    def boundary(self, state: State, position: Position, commands: int) -> None:
        """Between two batches: the state is that after the row at `position`."""
        self._commands += commands
        if self._busy() or not self._due():
            return
        self._commands = 0
        self._asked = False
        self._taken_at = time.monotonic()
        self._fork(state, position)

    def _busy(self) -> bool:
        """One at a time: saving one removes the files that have no row, and the next one's has none yet."""
        return bool(self._child) or (self._saving is not None and not self._saving.done())

    def _due(self) -> bool:
        now = time.monotonic()
        often = self._commands >= EVERY_COMMANDS and now > self._not_before
        return self._asked or often or now - self._taken_at > EVERY_SECONDS

    def _fork(self, state: State, position: Position) -> None:
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            _write_and_exit(state, position, writer)
        os.close(writer)
        self._child = child
        self._loop.add_reader(reader, self._reported, reader)

    def _reported(self, reader: int) -> None:
        """The child has written its report, or ended without one."""
        self._loop.remove_reader(reader)
        with os.fdopen(reader, "rb") as report:
            data = report.read()
        os.waitpid(self._child, 0)
        self._child = 0
        now = time.monotonic()
        self._not_before = now + (now - self._taken_at) * (1 / MAX_SHARE - 1)
        if not data:
            log.error("snapshot failed")
            return
        self._saving = self._loop.create_task(self._save(msgspec.msgpack.decode(data, type=Taken)))

    async def take_now(self, state: State, position: Position) -> None:
        """Take one in this process, at its clean end, so that the next start replays nothing."""
        if position.seq > self._last_seq:
            await self._save(_write(state, position))

    async def _save(self, taken: Taken) -> None:
        # The child may be quicker than the commit; should that fail, the process ends.
        while (await self._connection.execute(SAVE, msgspec.structs.asdict(taken))).rowcount == 0:  # noqa: ASYNC110
            await asyncio.sleep(COMMIT_POLL_SECONDS)
        await self._connection.execute(PRUNE, [snapshots.KEPT])
        cursor = await self._connection.execute(KEPT)
        snapshots.remove_all_but([seq for (seq,) in await cursor.fetchall()])
        self._last_seq = taken.seq
        log.info("snapshot taken", seq=taken.seq, size_bytes=taken.size_bytes)


def _write(state: State, position: Position) -> Taken:
    row = snapshots.write(
        seq=position.seq,
        journal_hash=position.hash,
        stamp_ms=position.stamp_ms,
        rules_version=position.rules_version,
        state=codec.encode(state),
    )
    return Taken(row.seq, row.rules_version, row.state_hash, row.size_bytes, position.hash)


def _write_and_exit(state: State, position: Position, writer: int) -> None:
    """The child's whole life. It holds none of the parent's sockets: they must close when the parent dies."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.closerange(3, writer)
        os.closerange(writer + 1, min(os.sysconf("SC_OPEN_MAX"), 65_536))
        os.nice(10)
        os.write(writer, msgspec.msgpack.encode(_write(state, position)))
        code = 0
    finally:
        os._exit(code)
