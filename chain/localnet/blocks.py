"""Blocks, and what they hold. A block's hash is a function of what happened, so that the journal can be checked against it.

Hashes of empty blocks follow from their parent's: they are not written down, and come back the same.
"""

import hashlib
from typing import Any

import msgspec
from solders.account import Account
from solders.hash import Hash
from solders.pubkey import Pubkey

BLOCKHASH_AGE = 150  # blocks for which a blockhash can be used


class StoredAccount(msgspec.Struct, frozen=True, array_like=True):
    lamports: int
    data: bytes
    owner: bytes
    executable: bool
    rent_epoch: int

    @classmethod
    def of(cls, account: Account) -> "StoredAccount":
        return cls(account.lamports, bytes(account.data), bytes(account.owner), account.executable, account.rent_epoch)

    def account(self) -> Account:
        return Account(self.lamports, self.data, Pubkey(self.owner), self.executable, self.rent_epoch)


class Balances(msgspec.Struct, frozen=True, array_like=True):
    """An account of a transaction, before and after: lamports, and for a token account (mint, owner, amount)."""

    key: bytes
    lamports_before: int
    lamports_after: int
    token_before: tuple[bytes, bytes, int] | None = None
    token_after: tuple[bytes, bytes, int] | None = None


class InnerInstruction(msgspec.Struct, frozen=True, array_like=True):
    program_index: int
    accounts: bytes
    data: bytes
    stack_height: int


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction that landed, whether it did what it should or failed."""

    signature: bytes
    transaction: bytes
    error: Any = None  # as validators write it in JSON
    fee_lamports: int
    unit_price_micro_lamports: int
    compute_units: int
    logs: list[str]
    inner: list[tuple[int, list[InnerInstruction]]]
    return_data: tuple[bytes, bytes] | None = None
    balances: list[Balances]
    loaded: tuple[list[bytes], list[bytes]]  # addresses of lookup tables: writable, read-only
    changes: dict[bytes, StoredAccount | None]  # accounts after it


class Block(msgspec.Struct, kw_only=True):
    slot: int
    height: int
    parent_slot: int
    parent_hash: bytes
    time_s: int
    entries: list[Entry] = []
    hash: bytes = b""

    def seal(self) -> None:
        self.hash = block_hash(self)

    @property
    def blockhash(self) -> Hash:
        return Hash(self.hash)


def block_hash(block: Block) -> bytes:
    digest = hashlib.sha256(block.parent_hash + block.slot.to_bytes(8, "little") + block.height.to_bytes(8, "little"))
    for entry in block.entries:
        digest.update(hashlib.sha256(msgspec.msgpack.encode(entry)).digest())
    return digest.digest()


def empty_block(*, parent: Block, slot: int, time_s: int) -> Block:
    return Block(slot=slot, height=parent.height + 1, parent_slot=parent.slot, parent_hash=parent.hash, time_s=time_s)
