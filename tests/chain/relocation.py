"""The built programs under addresses of an operator's own, as his build has them.

A program carries its address, and those of the programs that it calls, as 32 bytes of data or as four operands of eight bytes in its code.
"""

import hashlib
import re
from pathlib import Path

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain.idl import PROGRAMS
from chain.setup.code import PROGRAMS as NAMES
from chain.setup.keys import program_key

LOAD = 0x18  # loads eight bytes: four in this instruction's place for operands, four in the next one's


def relocate(folder: Path) -> dict[str, Keypair]:
    """Write programs and IDLs with other addresses into a folder; return their keys."""
    keys = {name: Keypair.from_seed(hashlib.sha256(f"an operator's {name}".encode()).digest()) for name in NAMES}
    moved = {program_key(name).pubkey(): key.pubkey() for name, key in keys.items()}
    folder.mkdir(parents=True)
    for name in NAMES:
        (folder / f"{name}.so").write_bytes(_moved_code((PROGRAMS / f"{name}.so").read_bytes(), moved))
        for suffix in ("json", "legacy.json"):
            text = (PROGRAMS / f"{name}.{suffix}").read_text()
            for old, new in moved.items():
                text = text.replace(str(old), str(new))
            (folder / f"{name}.{suffix}").write_text(text)
    return keys


def _moved_code(code: bytes, moved: dict[Pubkey, Pubkey]) -> bytes:
    for old, new in moved.items():
        code = code.replace(bytes(old), bytes(new))
        for start in range(0, 32, 8):
            code = _moved_operand(code, bytes(old)[start : start + 8], bytes(new)[start : start + 8])
    return code


def _moved_operand(code: bytes, old: bytes, new: bytes) -> bytes:
    head = re.escape(bytes([LOAD])) + rb"(.\x00\x00)"
    pattern = head + re.escape(old[:4]) + rb"\x00{4}" + re.escape(old[4:])
    return re.sub(pattern, lambda found: bytes([LOAD]) + found.group(1) + new[:4] + bytes(4) + new[4:], code, flags=re.DOTALL)
