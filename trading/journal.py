"""The journal's rows: how they are encoded, chained and read back.

Invariant: a row is written by the leader's fenced statement only (trading.runner.writer), and never changed.
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator
from typing import Any

import lz4.block
import msgspec
from django.db import connection

from markets.commands import AnyCommand
from markets.events import AnyEvent

GENESIS_HASH = bytes(32)
COLUMNS = "seq, epoch, previous_hash, hash, stamp_ms, rules_version, commands, payload"
SELECT_AFTER = f"select {COLUMNS} from trading_journal where seq > %s order by seq limit %s"  # noqa: S608 - constants
_HEADER = struct.Struct(">qqqii")


class JournalCorrupt(Exception):
    """A row does not follow from the one before it, or is not what was written."""


class FoundId(msgspec.Struct, frozen=True, array_like=True):
    """A client order id that the tables knew and the state no longer did: what a batch was told beside its commands."""

    account_id: int
    client_order_id: str
    order_id: int
    content_hash: bytes


class JournalBody(msgspec.Struct, frozen=True, array_like=True):
    commands: list[AnyCommand]
    found_ids: list[FoundId]
    events: list[AnyEvent]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One group commit, decoded."""

    seq: int
    stamp_ms: int
    commands: list[AnyCommand]
    events: list[AnyEvent]


class SealedRow(msgspec.Struct, frozen=True):
    """One group commit as it is stored; `hash` covers everything before it through `previous_hash`."""

    seq: int
    epoch: int
    previous_hash: bytes
    hash: bytes
    stamp_ms: int
    rules_version: int
    commands: int
    payload: bytes

    @classmethod
    def of(cls, columns: tuple[Any, ...]) -> "SealedRow":
        """Make a row of its columns as the database gives them, in the order of COLUMNS."""
        values: list[Any] = [bytes(value) if isinstance(value, memoryview) else value for value in columns]
        return cls(*values)

    def verify(self, previous_hash: bytes) -> None:
        """Raise JournalCorrupt unless the row is unchanged and follows the row with `previous_hash`."""
        if self.previous_hash != previous_hash:
            raise JournalCorrupt(f"journal row {self.seq} does not follow the row before it")
        if self.hash != chain_hash(self):
            raise JournalCorrupt(f"journal row {self.seq} has been changed: its hash does not match")


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(JournalBody)


def chain_hash(row: SealedRow) -> bytes:
    header = _HEADER.pack(row.seq, row.epoch, row.stamp_ms, row.rules_version, row.commands)
    return hashlib.sha256(row.previous_hash + header + row.payload).digest()


def seal(body: JournalBody, *, seq: int, epoch: int, previous_hash: bytes, stamp_ms: int, rules_version: int) -> SealedRow:
    """Return the row that holds `body` after the row with `previous_hash`."""
    payload = lz4.block.compress(_encoder.encode(body))
    row = SealedRow(seq, epoch, previous_hash, b"", stamp_ms, rules_version, len(body.commands), payload)
    return msgspec.structs.replace(row, hash=chain_hash(row))


def unseal(payload: bytes) -> JournalBody:
    return _decoder.decode(lz4.block.decompress(payload))


def read(after_seq: int, limit: int) -> list[Row]:
    """Return up to `limit` committed rows after `after_seq`, in order."""
    return [_decoded(row) for row in read_sealed(after_seq, limit)]


def read_sealed(after_seq: int, limit: int) -> Iterator[SealedRow]:
    with connection.cursor() as cursor:
        cursor.execute(SELECT_AFTER, [after_seq, limit])
        yield from (SealedRow.of(columns) for columns in cursor.fetchall())


def verify(rows: Iterable[SealedRow], previous_hash: bytes = GENESIS_HASH) -> bytes:
    """Check a run of rows against the chain and return the last hash."""
    for row in rows:
        row.verify(previous_hash)
        previous_hash = row.hash
    return previous_hash


def _decoded(row: SealedRow) -> Row:
    body = unseal(row.payload)
    return Row(seq=row.seq, stamp_ms=row.stamp_ms, commands=body.commands, events=body.events)
