"""What a vote is about, computed from the instructions themselves; the twin of `Proposal::hash` in the governance program."""

import hashlib
from collections.abc import Iterable
from typing import Literal

from solders.instruction import Instruction
from solders.pubkey import Pubkey

Kind = Literal["Loosening", "Tightening"]
KINDS: dict[Kind, int] = {"Loosening": 0, "Tightening": 1}
DOMAIN = b"quantdesk governance proposal"
NO_CODE = bytes(32)


def instruction_bytes(instruction: Instruction) -> bytes:
    """Return an instruction as the program stores it: program, accounts with what they may, data."""
    metas = b"".join(bytes(meta.pubkey) + bytes([meta.is_writable, meta.is_signer]) for meta in instruction.accounts)
    data = bytes(instruction.data)
    accounts = len(instruction.accounts).to_bytes(4, "little") + metas
    return bytes(instruction.program_id) + accounts + len(data).to_bytes(4, "little") + data


def instruction_hash(instruction: Instruction, *, code_hash: bytes = NO_CODE) -> bytes:
    """`code_hash`: SHA-256 of what an upgrade's buffer holds."""
    return hashlib.sha256(instruction_bytes(instruction) + code_hash).digest()


def proposal_hash(*, program_id: Pubkey, number: int, epoch: int, kind: Kind, instruction_hashes: Iterable[bytes]) -> bytes:
    """Return what a vote approves. Compute it from instructions that were read and understood, never from what a page shows."""
    head = DOMAIN + bytes(program_id) + number.to_bytes(8, "little") + epoch.to_bytes(8, "little") + bytes([KINDS[kind]])
    return hashlib.sha256(head + b"".join(instruction_hashes)).digest()
