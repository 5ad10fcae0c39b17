"""Transactions that landed on the present fork, by signature and by the accounts that they name."""

from collections import defaultdict
from dataclasses import dataclass

from solders.pubkey import Pubkey
from solders.signature import Signature

from chain.localnet.blocks import Block, Entry

RECENT_BLOCKS = 300  # how far back statuses go without searchTransactionHistory


@dataclass(frozen=True, slots=True)
class Landed:
    entry: Entry
    slot: int
    height: int
    time_s: int


class History:
    def __init__(self) -> None:
        self._landed: dict[Signature, Landed] = {}
        self._by_address: defaultdict[Pubkey, list[Signature]] = defaultdict(list)

    def add(self, entry: Entry, block: Block) -> None:
        signature = Signature(entry.signature)
        self._landed[signature] = Landed(entry, block.slot, block.height, block.time_s)
        for balances in entry.balances:
            self._by_address[Pubkey(balances.key)].append(signature)

    def forget(self, entry: Entry) -> None:
        """The entry's block was abandoned. Newest first: only then is it the last one of each address."""
        signature = Signature(entry.signature)
        del self._landed[signature]
        for balances in entry.balances:
            removed = self._by_address[Pubkey(balances.key)].pop()
            assert removed == signature, "entries are forgotten newest first"

    def get(self, signature: Signature) -> Landed | None:
        return self._landed.get(signature)

    def of_address(self, key: Pubkey) -> list[Signature]:
        """Return signatures, oldest first."""
        return self._by_address.get(key, [])

    def __len__(self) -> int:
        return len(self._landed)
