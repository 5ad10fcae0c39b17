"""Old partitions of the journal as compressed files, and one way to read the journal wherever its rows are.

A file holds one partition: rows as they are stored, in order, each a length and its msgpack, all in one xz stream. The hash
chain is verified while it is written and again from the finished file, and only then is the partition dropped. Files are
DATA_DIR/archive/<first seq>-<last seq>.journal.xz; nothing else needs to know of them.
"""

import lzma
import os
import struct
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import lz4.block
import msgspec
import psycopg
from django.conf import settings
from psycopg import sql

from markets.events import AnyEvent
from trading import journal, partitions
from trading.journal import JournalCorrupt, SealedRow
from trading.models import Journal, Projection, Snapshot
from trading.ownership import connect_as_owner

KEEP = timedelta(days=7)  # rows younger than this, in the journal's time, stay in the database
PRESET = 1  # of xz: rows are compressed already, what is left to gain is between them
READ_ROWS = 1_000
SUFFIX = ".journal.xz"
_LENGTH = struct.Struct(">I")
_decoder = msgspec.msgpack.Decoder(SealedRow)


class EventsBody(msgspec.Struct, frozen=True, array_like=True):
    """A JournalBody of which only the events are decoded: commands repeat what their events say."""

    commands: msgspec.Raw
    found_ids: msgspec.Raw
    events: list[AnyEvent]


class EventsOfRow(NamedTuple):
    seq: int
    stamp_ms: int
    events: list[AnyEvent]


_body_decoder = msgspec.msgpack.Decoder(EventsBody)


class Archive(NamedTuple):
    first_seq: int
    last_seq: int
    path: Path


class Bounds(NamedTuple):
    """The journal from its first row to its last, archived ones included."""

    first_stamp_ms: int
    last_stamp_ms: int
    last_seq: int


def folder() -> Path:
    return Path(settings.DATA_DIR) / "archive"


def archives() -> list[Archive]:
    """Return the finished archives by number."""
    found = []
    for path in folder().glob(f"*{SUFFIX}"):
        first, _, last = path.name.removesuffix(SUFFIX).partition("-")
        found.append(Archive(int(first), int(last), path))
    return sorted(found)


def archive_old(*, keep: timedelta = KEEP) -> list[Archive]:
    """Move every partition that is old enough, projected and covered by a snapshot into a file; return the new files."""
    made = []
    with connect_as_owner() as owner:
        for number in _old_partitions(keep):
            made.append(_archive(owner, partitions.journal_range(number)))
    return made


class JournalReader:
    """Reads the journal in order, from files and table alike. Asked for what follows its last answer, it goes on in the same file."""

    def __init__(self) -> None:
        self._archived: Iterator[SealedRow] | None = None
        self._archived_seq = 0

    def read_events(self, after_seq: int, limit: int) -> list[EventsOfRow]:
        """Return up to `limit` rows after a number, of their contents only the events. JournalCorrupt when the next one is missing."""
        return [EventsOfRow(row.seq, row.stamp_ms, events_of(row)) for row in self.sealed(after_seq, limit)]

    def sealed(self, after_seq: int, limit: int) -> list[SealedRow]:
        """Return the same rows as they are stored. As the newest partition is never archived, no rows in the table means none at all."""
        if self._archived is None or after_seq != self._archived_seq:
            found = list(journal.read_sealed(after_seq, limit))
            if not found or found[0].seq == after_seq + 1:
                return found
            self._archived = _archived_rows(after_seq)
        found = list(islice(self._archived, limit))
        if not found:
            self._archived = None
            found = list(journal.read_sealed(after_seq, limit))
        if not found or found[0].seq != after_seq + 1:
            raise JournalCorrupt(f"journal row {after_seq + 1} is missing")
        self._archived_seq = found[-1].seq
        return found


def bounds() -> Bounds | None:
    """Return how far the journal reaches, None when it is empty."""
    last = Journal.objects.order_by("-seq").first()
    if last is None:
        return None
    first = JournalReader().sealed(0, 1)[0]
    return Bounds(first.stamp_ms, last.stamp_ms, last.seq)


def read_file(path: Path) -> Iterator[SealedRow]:
    with lzma.open(path) as file:
        while size := file.read(_LENGTH.size):
            yield _decoder.decode(file.read(_LENGTH.unpack(size)[0]))


def events_of(row: SealedRow) -> list[AnyEvent]:
    return _body_decoder.decode(lz4.block.decompress(row.payload)).events


def _archived_rows(after_seq: int) -> Iterator[SealedRow]:
    for archive in archives():
        if archive.last_seq > after_seq:
            yield from (row for row in read_file(archive.path) if row.seq > after_seq)


def _old_partitions(keep: timedelta) -> Iterator[int]:
    """Yield the numbers of full partitions that nobody needs at hand, oldest first."""
    oldest, newest = Journal.objects.order_by("seq").first(), Journal.objects.order_by("-seq").first()
    snapshot, projection = Snapshot.objects.order_by("-seq").first(), Projection.objects.filter(id=1).first()
    if oldest is None or newest is None or snapshot is None or projection is None:
        return
    covered = min(snapshot.seq, projection.seq, newest.seq - 1)
    limit_ms = newest.stamp_ms - keep // timedelta(milliseconds=1)
    number = oldest.seq // partitions.JOURNAL_ROWS
    while (last_seq := (number + 1) * partitions.JOURNAL_ROWS - 1) <= covered:
        if Journal.objects.get(seq=last_seq).stamp_ms > limit_ms:
            return
        yield number
        number += 1


def _archive(owner: psycopg.Connection[Any], one: partitions.Range) -> Archive:
    table = sql.Identifier(one.name)
    unfinished = folder() / f"{one.name}.unfinished"
    folder().mkdir(parents=True, exist_ok=True)
    first, last = _write(_stored_rows(owner, table), unfinished)
    if _verified(unfinished) != (first.seq, last.seq, last.hash):
        raise JournalCorrupt(f"the archive of {one.name} does not read back as it was written")
    target = folder() / f"{first.seq:016d}-{last.seq:016d}{SUFFIX}"
    unfinished.replace(target)
    _sync_folder()
    with owner.transaction():
        owner.execute("select set_config('lock_timeout', %s, true)", [partitions.LOCK_TIMEOUT])
        owner.execute(sql.SQL("alter table trading_journal detach partition {}").format(table))
        owner.execute(sql.SQL("drop table {}").format(table))
    return Archive(first.seq, last.seq, target)


def _stored_rows(owner: psycopg.Connection[Any], table: sql.Identifier) -> Iterator[SealedRow]:
    query = sql.SQL("select {} from {} order by seq").format(sql.SQL(journal.COLUMNS), table)
    with owner.transaction(), owner.cursor("archive") as cursor:
        cursor.itersize = READ_ROWS
        cursor.execute(query)
        for columns in cursor:
            yield SealedRow.of(columns)


def _write(found: Iterator[SealedRow], path: Path) -> tuple[SealedRow, SealedRow]:
    """Write rows to a file that survives a crash; return the first and the last."""
    first = last = None
    with path.open("wb") as raw:
        with lzma.open(raw, "wb", preset=PRESET, check=lzma.CHECK_SHA256) as file:
            for row in found:
                row.verify(last.hash if last else row.previous_hash)
                data = msgspec.msgpack.encode(row)
                file.write(_LENGTH.pack(len(data)) + data)
                first, last = first or row, row
        raw.flush()
        os.fsync(raw.fileno())
    if first is None or last is None:
        raise JournalCorrupt(f"{path.name}: no rows to archive")
    return first, last


def _verified(path: Path) -> tuple[int, int, bytes]:
    """Read a file back, checking chain and numbers; return first and last number and the last hash."""
    first_seq = seq = 0
    previous_hash = b""
    for row in read_file(path):
        row.verify(previous_hash or row.previous_hash)
        if seq and row.seq != seq + 1:
            raise JournalCorrupt(f"{path.name}: row {seq + 1} is missing")
        first_seq, seq, previous_hash = first_seq or row.seq, row.seq, row.hash
    return first_seq, seq, previous_hash


def _sync_folder() -> None:
    descriptor = os.open(folder(), os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
