"""What a shard needs to know about the program that its entries go to."""

from dataclasses import dataclass
from typing import Protocol

from solders.instruction import Instruction
from solders.keypair import Keypair

from chain.client import ChainClient, Commitment
from chain.models import OutboxEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSequence:
    """How far the program has come: the last entry's number and, where the program keeps it, hash."""

    seq: int
    hash: bytes | None = None

    def is_at(self, entry: OutboxEntry) -> bool:
        return self.seq == entry.seq and self.hash in (None, bytes(entry.hash))


class Route(Protocol):
    payer: Keypair

    def sequence(self, client: ChainClient, *, commitment: Commitment, min_slot: int) -> ChainSequence:
        """Read how far the program has come, from a node that has come to `min_slot` itself."""

    def instructions(self, entry: OutboxEntry) -> list[Instruction]:
        """Return what settles the entry; the same for each attempt."""
