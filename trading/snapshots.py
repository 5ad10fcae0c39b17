"""Snapshots of the engine's state: files under DATA_DIR/snapshots, named by the journal row after which they were taken.

A file counts only when its row in the database exists, and the row is written last: what a crash leaves behind is ignored.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import lz4.block
import msgspec
from django.conf import settings
from django.db import connection

from trading.models import Snapshot

KEPT = 3
REQUEST_CHANNEL = "engine_snapshot"
SUFFIX = ".snapshot"


class SnapshotCorrupt(Exception):
    """The file is not the state that its row names."""


class SnapshotFile(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a file holds. `journal_hash` is that of row `seq`, from which the chain goes on."""

    seq: int
    journal_hash: bytes
    stamp_ms: int
    rules_version: int
    state_hash: str
    state: bytes  # lz4 of trading.engine.snapshot.encode


_decoder = msgspec.msgpack.Decoder(SnapshotFile)


def request() -> None:
    """Ask the leader for a snapshot; it takes one soon, beside its work."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_notify(%s, '')", [REQUEST_CHANNEL])


def folder() -> Path:
    return Path(settings.DATA_DIR) / "snapshots"


def path(seq: int) -> Path:
    return folder() / f"{seq:016d}{SUFFIX}"


def write(*, seq: int, journal_hash: bytes, stamp_ms: int, rules_version: int, state: bytes) -> Snapshot:
    """Write the file of an encoded state so that it is there whole or not at all; return its row, not yet saved."""
    state_hash = hashlib.sha256(state).hexdigest()
    content = msgspec.msgpack.encode(
        SnapshotFile(
            seq=seq,
            journal_hash=journal_hash,
            stamp_ms=stamp_ms,
            rules_version=rules_version,
            state_hash=state_hash,
            state=lz4.block.compress(state),
        )
    )
    folder().mkdir(parents=True, exist_ok=True)
    target = path(seq)
    _write_durably(target, content)
    return Snapshot(seq=seq, rules_version=rules_version, state_hash=state_hash, size_bytes=len(content))


def load(*, seq: int, state_hash: str) -> tuple[SnapshotFile, bytes]:
    """Return a snapshot and its encoded state; SnapshotCorrupt when the file is missing or does not hold that state."""
    try:
        file = _decoder.decode(path(seq).read_bytes())
        state = lz4.block.decompress(file.state)
    except (OSError, msgspec.MsgspecError, lz4.block.LZ4BlockError) as error:
        raise SnapshotCorrupt(f"snapshot {seq} cannot be read: {error}") from error
    if file.seq != seq or hashlib.sha256(state).hexdigest() != state_hash:
        raise SnapshotCorrupt(f"snapshot {seq} does not hold the state that was taken")
    return file, state


def remove_all_but(kept: Iterable[int]) -> None:
    """Delete the files of other snapshots, and what unfinished ones left."""
    names = {path(seq).name for seq in kept}
    for file in folder().glob(f"*{SUFFIX}*"):
        if file.name not in names:
            file.unlink(missing_ok=True)


def _write_durably(target: Path, content: bytes) -> None:
    unfinished = target.with_suffix(f"{SUFFIX}.{os.getpid()}")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(target)
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
