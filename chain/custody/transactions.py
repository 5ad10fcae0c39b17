"""Transactions that a wallet signs: built here, simulated, passed on once signed, and looked up."""

import base64
import re
from dataclasses import dataclass
from typing import Final

from solders.compute_budget import ID as COMPUTE_BUDGET
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.errors import BincodeError
from solders.instruction import Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import ID as SYSTEM
from solders.transaction import VersionedTransaction
from spl.token.constants import ASSOCIATED_TOKEN_PROGRAM_ID, TOKEN_PROGRAM_ID

from chain.building import BUDGET_UNITS, MAX_BYTES, MAX_UNIT_PRICE_MICRO_LAMPORTS, MAX_UNITS, writable_keys
from chain.client import Blockhash, ChainClient, Simulation
from chain.custody.errors import InvalidTransaction, TransactionForeign
from chain.deployment import Deployment
from chain.errors import SimulationFailed, TransactionTooLarge

WORDS: Final = re.compile(r"Error Message: (.+?)\.?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    """For the wallet to sign; the wallet pays. It can land up to that block height."""

    transaction: bytes
    last_valid_block_height: int


def prepare(*, client: ChainClient, owner: Pubkey, instructions: list[Instruction]) -> Unsigned:
    """Return a transaction that passed its simulation, for the owner's signature alone; SimulationFailed says what stands against it."""
    price = min(client.unit_price(writable_keys(owner, instructions)), MAX_UNIT_PRICE_MICRO_LAMPORTS)
    blockhash = client.blockhash()
    simulation = client.simulate(_unsigned(owner, instructions, blockhash, units=MAX_UNITS, price=price), verify=False)
    _check(simulation)
    units = min(simulation.units + simulation.units // 5 + BUDGET_UNITS, MAX_UNITS)
    transaction = bytes(_unsigned(owner, instructions, blockhash, units=units, price=price))
    if len(transaction) > MAX_BYTES:
        raise TransactionTooLarge(len(transaction))
    return Unsigned(transaction=transaction, last_valid_block_height=blockhash.last_valid_block_height)


def relay(*, client: ChainClient, chain: Deployment, owner: Pubkey, transaction: str) -> Signature:
    """Pass on what the wallet has signed. Sent again it lands once: its signature is its name."""
    signed = _decode(transaction)
    message = signed.message
    keys = message.account_keys
    if not all(signed.verify_with_results()):
        raise InvalidTransaction("A signature is missing or wrong.")
    if keys[0] != owner or (isinstance(message, MessageV0) and message.address_table_lookups):
        raise TransactionForeign
    if {keys[one.program_id_index] for one in message.instructions} - _programs(chain):
        raise TransactionForeign
    _check(client.simulate(signed))  # a blockhash of another cluster is unknown here
    client.send(bytes(signed))
    return signed.signatures[0]


def signature_of(text: str) -> Signature:
    try:
        return Signature.from_string(text)
    except ValueError as error:
        raise InvalidTransaction("This is no signature in base58.") from error


def _unsigned(owner: Pubkey, instructions: list[Instruction], blockhash: Blockhash, *, units: int, price: int) -> VersionedTransaction:
    budget = [set_compute_unit_limit(units), *([set_compute_unit_price(price)] if price else [])]
    message = MessageV0.try_compile(owner, [*budget, *instructions], [], blockhash.value)
    assert message.header.num_required_signatures == 1, "only the wallet signs"
    return VersionedTransaction.populate(message, [Signature.default()])


def _decode(text: str) -> VersionedTransaction:
    try:
        data = base64.b64decode(text, validate=True)
        if len(data) > MAX_BYTES:
            raise TransactionTooLarge(len(data))
        signed = VersionedTransaction.from_bytes(data)
        signed.sanitize()
    except (ValueError, BincodeError) as error:
        raise InvalidTransaction from error
    except Exception as error:  # solders' own errors have no common class
        if type(error).__module__.startswith("solders"):
            raise InvalidTransaction from error
        raise
    return signed


def _check(simulation: Simulation) -> None:
    """Raise what a simulation came to, in the program's own words where it has some."""
    if simulation.error is None:
        return
    words = [found[1] for line in simulation.logs if (found := WORDS.search(line))]
    raise SimulationFailed(words[-1] if words else simulation.error, logs=simulation.logs, deterministic=simulation.deterministic)


def _programs(chain: Deployment) -> set[Pubkey]:
    return {chain.dex.program.id, TOKEN_PROGRAM_ID, ASSOCIATED_TOKEN_PROGRAM_ID, SYSTEM, COMPUTE_BUDGET}
