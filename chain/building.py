"""Building a transaction: simulated, with as many compute units as it takes and a price that gets it in."""

from collections.abc import Sequence
from dataclasses import dataclass

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from chain.client import Blockhash, ChainClient
from chain.errors import SimulationFailed, TransactionTooLarge

MAX_BYTES = 1_232
MAX_UNITS = 1_400_000
BUDGET_UNITS = 300  # what the two instructions about the budget themselves take
MAX_UNIT_PRICE_MICRO_LAMPORTS = 5_000_000  # a spike of others' fees must not empty the payer


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Ready to be sent, as often as need be: the same bytes land once."""

    transaction: bytes
    signature: Signature
    last_valid_block_height: int
    units: int
    unit_price_micro_lamports: int


def build(
    *,
    client: ChainClient,
    payer: Keypair,
    instructions: list[Instruction],
    signers: tuple[Keypair, ...] = (),
    min_slot: int = 0,
    budgeted: bool = True,
    tables: Sequence[AddressLookupTableAccount] = (),
) -> Signed:
    """Return a signed v0 transaction that passed its simulation; SimulationFailed, TransactionTooLarge or ChainUnavailable otherwise.

    It can land only on forks that have a block at or after `min_slot`. Not `budgeted`: the cluster's own limit of units, and no price, for
    what has no room for more. `tables`: accounts that these hold take a byte each in place of 32.
    """
    price = min(client.unit_price(writable_keys(payer.pubkey(), instructions)), MAX_UNIT_PRICE_MICRO_LAMPORTS)
    blockhash = client.blockhash(min_slot=min_slot)
    keys = (payer, *signers)
    simulation = client.simulate(_sign(keys, instructions, blockhash, budget(units=MAX_UNITS, price=price) if budgeted else [], tables))
    if simulation.error is not None:
        raise SimulationFailed(simulation.error, logs=simulation.logs, deterministic=simulation.deterministic)
    units = min(simulation.units + simulation.units // 5 + BUDGET_UNITS, MAX_UNITS)
    transaction = _sign(keys, instructions, blockhash, budget(units=units, price=price) if budgeted else [], tables)
    return Signed(
        transaction=bytes(transaction),
        signature=transaction.signatures[0],
        last_valid_block_height=blockhash.last_valid_block_height,
        units=units,
        unit_price_micro_lamports=price if budgeted else 0,
    )


def writable_keys(payer: Pubkey, instructions: list[Instruction]) -> list[Pubkey]:
    """Return each account that is written, once: their recent fees say what a place costs."""
    written = [meta.pubkey for instruction in instructions for meta in instruction.accounts if meta.is_writable]
    return list(dict.fromkeys([payer, *written]))


def budget(*, units: int, price: int) -> list[Instruction]:
    """Return the instructions that say what a transaction may use, and pays for a place."""
    return [set_compute_unit_limit(units), *([set_compute_unit_price(price)] if price else [])]


def _sign(
    keys: tuple[Keypair, ...],
    instructions: list[Instruction],
    blockhash: Blockhash,
    limits: list[Instruction],
    tables: Sequence[AddressLookupTableAccount],
) -> VersionedTransaction:
    message = MessageV0.try_compile(keys[0].pubkey(), [*limits, *instructions], list(tables), blockhash.value)
    transaction = VersionedTransaction(message, list(keys))
    if len(bytes(transaction)) > MAX_BYTES:
        raise TransactionTooLarge(len(bytes(transaction)))
    return transaction
