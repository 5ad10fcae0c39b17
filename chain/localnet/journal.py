"""The file of blocks: frames of length, CRC and packed MessagePack. What was written is checked when it is read.

A frame cut short at the end is what a kill leaves behind, and is cut off. Anything else that is wrong stops the start.
Empty blocks are only written every HEARTBEAT_BLOCKS, so a start may know up to that many fewer than clients saw: the chain then
goes on that much higher, for a block height must never come twice (a transaction given up as expired would be valid again).
"""

import fcntl
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec

from chain.localnet.blocks import Block, StoredAccount
from chain.localnet.errors import JournalDamaged, JournalInUse
from chain.localnet.history import Landed

HEARTBEAT_BLOCKS = 50
FAST = 1  # zlib's level
FRAME = struct.Struct("<II")


class Genesis(msgspec.Struct, tag="genesis", frozen=True, kw_only=True):
    """The first record: the faucet's key is made at random, once."""

    faucet_secret: bytes
    created_s: int


class BlockSealed(msgspec.Struct, tag="block", frozen=True, kw_only=True):
    block: Block


class Forked(msgspec.Struct, tag="fork", frozen=True, kw_only=True):
    """Blocks after `slot` were abandoned; the next block has at least `next_slot`."""

    slot: int
    next_slot: int


class Snapshot(msgspec.Struct, tag="snapshot", frozen=True, kw_only=True):
    """Everything up to `block`, which is final, in place of the records before it."""

    block: Block
    accounts: dict[bytes, StoredAccount | None]
    landed: list[Landed]


Record = Genesis | BlockSealed | Forked | Snapshot
decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


class Journal:
    """Read it first, then append. `path` None keeps nothing, for tests that do not restart."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self.written_bytes = 0  # since the last snapshot

    def read(self) -> Iterator[Record]:
        """Take the file for this process alone, and return what is in it."""
        if self._path is None:
            return
        self._file = _take(self._path)
        content = self._path.read_bytes()
        offset = 0
        while (payload := _frame(content, offset)) is not None:
            yield _decode(payload, offset)
            offset += FRAME.size + len(payload)
            self.written_bytes += FRAME.size + len(payload)
        if offset < len(content):
            os.truncate(self._path, offset)

    def append(self, record: Record) -> None:
        if self._file is None:
            return
        frame = _packed(record)
        self._file.write(frame)
        self.written_bytes += len(frame)

    def begin_again(self, genesis: Genesis, snapshot: Snapshot) -> None:
        """Replace all records by these two: at any moment the file holds the old ones or the new ones."""
        if self._path is None or self._file is None:
            return
        path = self._path.with_name(f"{self._path.name}.new")
        following = _take(path)
        os.truncate(following.fileno(), 0)
        following.write(_packed(genesis) + _packed(snapshot))
        os.fsync(following.fileno())
        path.rename(self._path)
        self._file.close()
        self._file, self.written_bytes = following, 0

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _take(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.fdopen(os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600), "ab", buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise JournalInUse(f"Another localnet uses {path}.") from error
    return file


def _packed(record: Record) -> bytes:
    payload = zlib.compress(msgspec.msgpack.encode(record), FAST)
    return FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def _frame(content: bytes, offset: int) -> bytes | None:
    """Return the payload at `offset`; None at the end, whether clean or cut short."""
    if len(content) - offset < FRAME.size:
        return None
    length, checksum = FRAME.unpack_from(content, offset)
    payload = content[offset + FRAME.size : offset + FRAME.size + length]
    if len(payload) < length:
        return None
    if zlib.crc32(payload) != checksum:
        raise JournalDamaged(f"The localnet's journal is damaged at byte {offset}.")
    return payload


def _decode(payload: bytes, offset: int) -> Record:
    try:
        return decoder.decode(zlib.decompress(payload))
    except (zlib.error, msgspec.DecodeError) as error:
        raise JournalDamaged(f"The localnet's journal cannot be read at byte {offset}: {error}") from error
