"""What a shard needs to know about the program that its entries go to."""

import hashlib
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from solders.instruction import Instruction
from solders.keypair import Keypair

from chain.client import ChainClient, Commitment
from chain.errors import ChainError
from chain.models import OutboxEntry


class EntryRefused(ChainError):
    """An entry that must not be settled as it is, or that the program has made something else of: its shard halts."""

    code = "OUTBOX_ENTRY_REFUSED"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One transaction of an entry. `last`: when it is final, so is the entry."""

    instructions: list[Instruction]
    signers: tuple[Keypair, ...] = ()
    last: bool = True

    @property
    def content(self) -> bytes:
        """Return a hash of what it does: a part that failed is tried again only if it would do something else now."""
        digest = hashlib.sha256()
        for one in self.instructions:
            metas = b"".join(bytes(meta.pubkey) for meta in one.accounts)
            digest.update(hashlib.sha256(bytes(one.program_id) + metas + b"/" + bytes(one.data)).digest())
        return digest.digest()


@runtime_checkable
class PartedRoute(Protocol):
    """A route whose entries may take several transactions. How far one has come, the program itself knows."""

    payer: Keypair

    def sequence(self, client: ChainClient, *, commitment: Commitment, min_slot: int) -> ChainSequence: ...

    def part(self, client: ChainClient, entry: OutboxEntry, *, min_slot: int) -> Part | None:
        """Return what comes next, as a node that has come to `min_slot` confirms it; None when it must wait."""

    def finished(self, client: ChainClient, entry: OutboxEntry, *, slot: int) -> None:
        """Note what the program made of an entry that is final; in the transaction that marks it so."""
