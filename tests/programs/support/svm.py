"""A real SVM with the built programs: keys, tokens, transactions, time."""

import re
import struct

import pytest
from solders.account import Account
from solders.compute_budget import set_compute_unit_limit
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message
from solders.pubkey import Pubkey
from solders.transaction import Transaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata

from tests.programs.support.idl import Program

TOKEN = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
SYSTEM = Pubkey.from_string("11111111111111111111111111111111")
INSTRUCTIONS = Pubkey.from_string("Sysvar1nstructions1111111111111111111111111")
START = 1_800_000_000
SLOT_S = 0.4


class Refused(Exception):
    """A transaction that failed, with the name of the error where the program or Anchor gave one."""

    def __init__(self, name: str, logs: list[str]) -> None:
        super().__init__(f"{name}\n" + "\n".join(logs))
        self.name = name
        self.logs = logs


# Anchor asks the system program for an instruction that takes prefunded addresses; this SVM does not know it yet. Both refuse a taken one.
TAKEN = "already in use|invalid instruction data"


def refused(error: str) -> "pytest.RaisesExc[Refused]":
    """Expect a transaction to fail with this error and no other."""
    return pytest.raises(Refused, match=f"^{error}\n")


def error_name(result: FailedTransactionMetadata) -> str:
    """Return Anchor's name of the error, else what the runtime says."""
    named = re.findall(r"Error Code: (\w+)", "\n".join(result.meta().logs()))
    return named[-1] if named else str(result.err())


class Chain:
    def __init__(self, *programs: Program) -> None:
        self.svm = LiteSVM()
        self.programs: list[Program] = []
        self.units: dict[str, int] = {}
        for program in programs:
            self.add(program)
        self.warp(seconds=0, slots=0, start=START)

    def add(self, program: Program) -> None:
        self.programs.append(program)
        self.svm.add_program_from_file(program.id, program.path)

    @property
    def now(self) -> int:
        return self.svm.get_clock().unix_timestamp

    def warp(self, *, seconds: int, slots: int | None = None, start: int | None = None) -> None:
        clock = self.svm.get_clock()
        slot = clock.slot + (round(seconds / SLOT_S) if slots is None else slots)
        self.svm.warp_to_slot(slot)
        clock = self.svm.get_clock()
        clock.unix_timestamp = (clock.unix_timestamp if start is None else start) + seconds
        self.svm.set_clock(clock)

    def key(self, seed: int) -> Keypair:
        """A funded key, the same in every run."""
        pair = Keypair.from_seed(seed.to_bytes(32, "big"))
        self.svm.airdrop(pair.pubkey(), 10**13)
        return pair

    def mint(self, seed: int, decimals: int = 6) -> Pubkey:
        mint = Keypair.from_seed(seed.to_bytes(32, "big")).pubkey()
        data = struct.pack("<I32sQBBI32s", 0, bytes(32), 10**18, decimals, 1, 0, bytes(32))
        self.svm.set_account(mint, Account(10**9, data, TOKEN))
        return mint

    def token_account(self, mint: Pubkey, owner: Pubkey, amount: int) -> Pubkey:
        address = Pubkey.find_program_address([bytes(owner), bytes(mint), amount.to_bytes(8, "big")], TOKEN)[0]
        data = bytes(mint) + bytes(owner) + struct.pack("<QI32sBIQQI32s", amount, 0, bytes(32), 1, 0, 0, 0, 0, bytes(32))
        self.svm.set_account(address, Account(10**9, data, TOKEN))
        return address

    def tokens(self, address: Pubkey) -> int:
        return int(struct.unpack_from("<Q", self.data(address), 64)[0])

    def data(self, address: Pubkey) -> bytes:
        account = self.svm.get_account(address)
        assert account is not None, f"{address} does not exist"
        return bytes(account.data)

    def exists(self, address: Pubkey) -> bool:
        account = self.svm.get_account(address)
        return account is not None and account.lamports > 0

    def send(self, instructions: list[Instruction], signers: list[Keypair], *, label: str = "", budget: bool = True) -> TransactionMetadata:
        """Send one transaction; raise Refused where it fails. `label` names whose compute units are counted."""
        self.svm.expire_blockhash()
        limit = [set_compute_unit_limit(1_400_000)] if budget else []
        message = Message([*limit, *instructions], signers[0].pubkey())
        result = self.svm.send_transaction(Transaction(signers, message, self.svm.latest_blockhash()))
        if isinstance(result, FailedTransactionMetadata):
            raise Refused(error_name(result), result.meta().logs())
        if label:
            self.units[label] = max(self.units.get(label, 0), result.compute_units_consumed())
        return result

    def transaction_size(self, instructions: list[Instruction], signers: list[Keypair]) -> int:
        message = Message([set_compute_unit_limit(1_400_000), *instructions], signers[0].pubkey())
        return len(bytes(Transaction(signers, message, self.svm.latest_blockhash())))
