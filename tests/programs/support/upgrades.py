"""Programs of the upgradeable loader, and buffers with new code for them."""

import struct

from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.sysvar import CLOCK, RENT

from tests.programs.support.svm import Chain

LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")
BUFFER, PROGRAM, PROGRAM_DATA = 1, 2, 3
CODE_AT = 45  # in a program's data
BUFFERED_AT = 37


def program_data(program: Pubkey) -> Pubkey:
    return Pubkey.find_program_address([bytes(program)], LOADER)[0]


def deploy(chain: Chain, program: Pubkey, code: bytes, authority: Pubkey) -> None:
    """Put a program there as its deployer left it: somebody may upgrade it."""
    held = struct.pack("<IQB", PROGRAM_DATA, 0, 1) + bytes(authority) + code
    chain.svm.set_account(program_data(program), Account(10**11, held, LOADER))
    chain.svm.set_account(program, Account(10**10, struct.pack("<I", PROGRAM) + bytes(program_data(program)), LOADER, executable=True))


def write_buffer(chain: Chain, seed: int, code: bytes, authority: Pubkey | None) -> Pubkey:
    """Leave new code in a buffer; without an authority it is nobody's."""
    address = chain.key(seed).pubkey()
    owner = b"\0" + bytes(32) if authority is None else b"\1" + bytes(authority)
    chain.svm.set_account(address, Account(10**11, struct.pack("<I", BUFFER) + owner + code, LOADER))
    return address


def upgrade(program: Pubkey, buffer: Pubkey, authority: Pubkey, spill: Pubkey, *, data: bytes = struct.pack("<I", 3)) -> Instruction:
    written = [AccountMeta(key, is_signer=False, is_writable=True) for key in (program_data(program), program, buffer, spill)]
    read = [AccountMeta(key, is_signer=False, is_writable=False) for key in (RENT, CLOCK)]
    return Instruction(LOADER, data, [*written, *read, AccountMeta(authority, is_signer=True, is_writable=False)])
