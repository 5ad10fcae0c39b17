"""Reading a transaction's message: its accounts with their roles, fees, and what makes it unfit before it is executed."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from solders.account import Account
from solders.address_lookup_table_account import AddressLookupTable
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

MAX_BYTES = 1_232
MAX_LOCKS = 64
MAX_UNITS = 1_400_000
DEFAULT_UNITS = 200_000
MICRO = 1_000_000
COMPUTE_BUDGET = Pubkey.from_string("ComputeBudget111111111111111111111111111111")
LOOKUP_TABLES = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
TABLE_HEADER_BYTES = 56
SET_LIMIT, SET_PRICE = 2, 3
LAMPORTS_PER_SIGNATURE = 5_000
PRECOMPILES = frozenset(
    map(Pubkey.from_string, ("Ed25519SigVerify111111111111111111111111111", "KeccakSecp256k11111111111111111111111111111"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """The keys of a transaction in their order: static ones, then what lookup tables gave."""

    static: list[Pubkey]
    loaded_writable: list[Pubkey]
    loaded_readonly: list[Pubkey]
    writable: list[Pubkey]

    @property
    def every(self) -> list[Pubkey]:
        return self.static + self.loaded_writable + self.loaded_readonly


def accounts_of(transaction: VersionedTransaction, read: Callable[[Pubkey], Account | None]) -> Accounts:
    """`read` gives the lookup tables. What is no table adds nothing here; executing the transaction will say so."""
    message = transaction.message
    static = list(message.account_keys)
    loaded_writable: list[Pubkey] = []
    loaded_readonly: list[Pubkey] = []
    for lookup in message.address_table_lookups if isinstance(message, MessageV0) else ():
        addresses = _table(read(lookup.account_key))
        loaded_writable += [addresses[index] for index in bytes(lookup.writable_indexes) if index < len(addresses)]
        loaded_readonly += [addresses[index] for index in bytes(lookup.readonly_indexes) if index < len(addresses)]
    writable = [key for index, key in enumerate(static) if is_writable(transaction, index)] + loaded_writable
    return Accounts(static=static, loaded_writable=loaded_writable, loaded_readonly=loaded_readonly, writable=writable)


def _table(account: Account | None) -> list[Pubkey]:
    if account is None or account.owner != LOOKUP_TABLES or len(account.data) < TABLE_HEADER_BYTES:
        return []
    return AddressLookupTable.deserialize(bytes(account.data)).addresses


def is_writable(transaction: VersionedTransaction, index: int) -> bool:
    """Whether the static key at `index` is locked for writing, as the header says."""
    header = transaction.message.header
    signers = header.num_required_signatures
    if index < signers:
        return index < signers - header.num_readonly_signed_accounts
    return index < len(transaction.message.account_keys) - header.num_readonly_unsigned_accounts


def compute_budget(transaction: VersionedTransaction) -> tuple[int, int]:
    """Return the limit in compute units and the price of one in micro-lamports."""
    keys = transaction.message.account_keys
    limit, price, others = None, 0, 0
    for instruction in transaction.message.instructions:
        data = bytes(instruction.data)
        if instruction.program_id_index >= len(keys) or keys[instruction.program_id_index] != COMPUTE_BUDGET:
            others += 1
        elif len(data) == 5 and data[0] == SET_LIMIT:
            (limit,) = struct.unpack_from("<I", data, 1)
        elif len(data) == 9 and data[0] == SET_PRICE:
            (price,) = struct.unpack_from("<Q", data, 1)
    return min(others * DEFAULT_UNITS if limit is None else limit, MAX_UNITS), price


def priority_fee(transaction: VersionedTransaction) -> int:
    """Return lamports, rounded up as validators do."""
    units, price = compute_budget(transaction)
    return -(-units * price // MICRO)


def base_fee(transaction: VersionedTransaction) -> int:
    """Return lamports for the signatures, those that precompiles check among them."""
    message = transaction.message
    checked = sum(
        bytes(instruction.data)[0]
        for instruction in message.instructions
        if instruction.program_id_index < len(message.account_keys)
        and message.account_keys[instruction.program_id_index] in PRECOMPILES
        and bytes(instruction.data)
    )
    return LAMPORTS_PER_SIGNATURE * (message.header.num_required_signatures + checked)
