"""A keeper's own address lookup table: with it, what names many markets fits into a transaction."""

import struct
from collections.abc import Iterator, Sequence
from typing import Final

from solders.address_lookup_table_account import ID as PROGRAM
from solders.address_lookup_table_account import AddressLookupTable, AddressLookupTableAccount, derive_lookup_table_address
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM
from solders.sysvar import INSTRUCTIONS
from spl.token.constants import TOKEN_PROGRAM_ID

from chain.client import ChainClient
from chain.keepers.actions import Action
from chain.keepers.sight import Sight

JOB: Final = "tables"
AUTHORITY_AT: Final = 22  # in a table: after its kind, two slots, an index and the byte that says that there is an authority
CREATE, EXTEND = 0, 2
ADDRESSES_A_TASK: Final = 20


def lasting(sight: Sight) -> list[Pubkey]:
    """Return the addresses that transactions of keepers name again and again."""
    programs = sight.programs
    markets = [key for market in sight.markets.values() for key in (market.key, market.feed.key)]
    return [programs.exchange, programs.fund, programs.terms, programs.dex.id, SYSTEM, INSTRUCTIONS, TOKEN_PROGRAM_ID, *markets]


def own_table(client: ChainClient, authority: Pubkey) -> AddressLookupTableAccount | None:
    """Return the key's table with the most addresses."""
    found = client.owned(PROGRAM, bytes(authority), at=AUTHORITY_AT, commitment="confirmed")
    tables = [AddressLookupTableAccount(key, AddressLookupTable.deserialize(bytes(account.data)).addresses) for key, account in found]
    return max(tables, key=lambda table: len(table.addresses), default=None)


def growth(table: AddressLookupTableAccount | None, wanted: Sequence[Pubkey], *, authority: Pubkey, slot: int) -> Iterator[Action]:
    """Return what makes the table, where there is none, and adds what it lacks, one after the other. `slot`: a late one with a block."""
    known = set(table.addresses) if table is not None else set()
    missing = [key for key in wanted if key not in known]
    made, bump = derive_lookup_table_address(authority, slot)
    key = made if table is None else table.key
    begun = [_instruction(struct.pack("<IQB", CREATE, slot, bump), key, authority)] if table is None else []
    for start in range(0, len(missing), ADDRESSES_A_TASK):
        some = missing[start : start + ADDRESSES_A_TASK]
        extended = _instruction(struct.pack("<IQ", EXTEND, len(some)) + b"".join(map(bytes, some)), key, authority)
        yield Action(job=JOB, title=f"{len(some)} addresses in table {key}", instructions=[*begun, extended])
        begun = []


def _instruction(data: bytes, table: Pubkey, authority: Pubkey) -> Instruction:
    accounts = [
        AccountMeta(table, is_signer=False, is_writable=True),
        AccountMeta(authority, is_signer=True, is_writable=False),
        AccountMeta(authority, is_signer=True, is_writable=True),
        AccountMeta(SYSTEM, is_signer=False, is_writable=False),
    ]
    return Instruction(PROGRAM, data, accounts)
