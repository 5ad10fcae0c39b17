"""The leader's pen: one fenced statement per batch, sent and awaited without blocking the loop.

libpq is driven from the engine's own thread: the loop watches the connection's socket while the engine works on the next
batch. A thread would fight for the interpreter's lock and is slower (reference/performance.md, 3b).
"""

import asyncio
import struct
from collections.abc import Callable

import psycopg
from psycopg import pq

from trading.journal import SealedRow

# The epoch row is locked for share until the insert has committed: a new leader, who updates it, either waits for this row
# or is seen by it, and then nothing is inserted.
INSERT = b"""
insert into trading_journal (seq, epoch, previous_hash, hash, stamp_ms, rules_version, commands, payload)
select $1, $2, $3, $4, $5, $6, $7, $8
from (select 1 from trading_engineepoch where id = 1 and epoch = $2 for share) as fence
"""
INT8, INT4, BYTEA = 20, 23, 17
TYPES = [INT8, INT8, BYTEA, BYTEA, INT8, INT4, INT4, BYTEA]
BINARY = [pq.Format.BINARY] * len(TYPES)
_BIGINT = struct.Struct(">q").pack
_INTEGER = struct.Struct(">i").pack


class CommitFailed(Exception):
    """The row's commit failed, or its outcome cannot be known."""


class Fenced(Exception):
    """Another leader has raised the epoch; the row was not written."""


class JournalWriter:
    """Writes one row at a time; `committed` is called when it is durable, `failed` at the first error, for good."""

    def __init__(self, *, pgconn: pq.abc.PGconn, committed: Callable[[], None], failed: Callable[[Exception], None]) -> None:
        self._pgconn = pgconn
        self._committed = committed
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._busy = False
        prepared = pgconn.prepare(b"journal", INSERT, TYPES)
        if prepared.status != pq.ExecStatus.COMMAND_OK:
            raise CommitFailed(pgconn.get_error_message())
        pgconn.nonblocking = 1
        self._socket = pgconn.socket  # a connection that broke no longer tells it
        self._loop.add_reader(self._socket, self._readable)

    @property
    def busy(self) -> bool:
        return self._busy

    def write(self, row: SealedRow) -> None:
        """Send the row; it is durable only when `committed` is called."""
        assert not self._busy, "one commit in flight"
        self._busy = True
        self._written: int | None = 0
        values = [
            _BIGINT(row.seq),
            _BIGINT(row.epoch),
            row.previous_hash,
            row.hash,
            _BIGINT(row.stamp_ms),
            _INTEGER(row.rules_version),
            _INTEGER(row.commands),
            row.payload,
        ]
        try:
            self._pgconn.send_query_prepared(b"journal", values, param_formats=BINARY)
            self._flush()
        except psycopg.Error as error:
            self._fail(CommitFailed(str(error)))

    def close(self) -> None:
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)

    def _flush(self) -> None:
        """Hand the statement to the kernel; a large one may take several turns."""
        if self._pgconn.flush():
            self._loop.add_writer(self._socket, self._flush_rest)

    def _flush_rest(self) -> None:
        self._loop.remove_writer(self._socket)
        self._flush()

    def _readable(self) -> None:
        try:
            self._pgconn.consume_input()
            if self._busy:
                self._read_results()
        except (psycopg.Error, CommitFailed, Fenced) as error:
            self._fail(error)

    def _read_results(self) -> None:
        """Read what has come. Only the end of the results tells of the commit: an error may still follow the row count."""
        while not self._pgconn.is_busy():
            result = self._pgconn.get_result()
            if result is None:
                self._busy = False
                self._require_written()
                self._committed()
                return
            if result.status != pq.ExecStatus.COMMAND_OK:
                raise CommitFailed(result.get_error_message())
            self._written = result.command_tuples

    def _require_written(self) -> None:
        if self._written != 1:
            raise Fenced("the epoch has been raised by another leader")

    def _fail(self, error: Exception) -> None:
        self.close()
        self._failed(error)
