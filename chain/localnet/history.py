"""Transactions that landed on the present fork, by signature and by the accounts that they name.

Of each payer the last KEPT are known, as nodes know a bounded past: a payer that sends every second does not crowd out another's.
"""

import zlib
from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Any

import msgspec
from solders.pubkey import Pubkey
from solders.signature import Signature

from chain.localnet.blocks import Block, Entry

RECENT_BLOCKS = 300  # how far back statuses go without searchTransactionHistory; no fork reaches so far
KEPT = 10_000
FAST = 1  # zlib's level
decoder: msgspec.msgpack.Decoder[Entry] = msgspec.msgpack.Decoder(Entry)


class Landed(msgspec.Struct, frozen=True, array_like=True):
    """An entry in its block; most are never looked at again, so they are kept packed."""

    packed: bytes
    slot: int
    height: int
    time_s: int
    error: Any

    @property
    def entry(self) -> Entry:
        return decoder.decode(zlib.decompress(self.packed))


class History:
    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._landed: dict[Signature, Landed] = {}
        self._by_address: defaultdict[Pubkey, list[Signature]] = defaultdict(list)
        self._by_payer: defaultdict[bytes, deque[Signature]] = defaultdict(deque)

    def add(self, entry: Entry, block: Block) -> None:
        packed = zlib.compress(msgspec.msgpack.encode(entry), FAST)
        self._put(entry, Landed(packed, block.slot, block.height, block.time_s, entry.error))
        self._drop_old(entry.balances[0].key, block.height)

    def forget(self, entry: Entry) -> None:
        """The entry's block was abandoned. Newest first: only then is it the last one of each address."""
        signature = Signature(entry.signature)
        del self._landed[signature]
        removed = [self._by_payer[entry.balances[0].key].pop()]
        removed += [self._by_address[Pubkey(balances.key)].pop() for balances in entry.balances]
        assert set(removed) == {signature}, "entries are forgotten newest first"

    def get(self, signature: Signature) -> Landed | None:
        return self._landed.get(signature)

    def of_address(self, key: Pubkey) -> list[Signature]:
        """Return signatures, oldest first."""
        return self._by_address.get(key, [])

    def every(self) -> Iterator[Landed]:
        """Return what is kept, oldest first."""
        return iter(self._landed.values())

    def restore(self, landed: list[Landed]) -> None:
        for one in landed:
            self._put(one.entry, one)

    def __len__(self) -> int:
        return len(self._landed)

    def _put(self, entry: Entry, landed: Landed) -> None:
        signature = Signature(entry.signature)
        self._landed[signature] = landed
        self._by_payer[entry.balances[0].key].append(signature)
        for balances in entry.balances:
            self._by_address[Pubkey(balances.key)].append(signature)

    def _drop_old(self, payer: bytes, height: int) -> None:
        signatures = self._by_payer[payer]
        while len(signatures) > self._kept and height - self._landed[signatures[0]].height > RECENT_BLOCKS:
            signature = signatures.popleft()
            for balances in self._landed.pop(signature).entry.balances:
                self._by_address[Pubkey(balances.key)].remove(signature)
