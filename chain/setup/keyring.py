"""The operator's key files on a real cluster: read, never written, and refused where others could read them, too."""

import stat
from pathlib import Path

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain.deployment import KeyMissing, read_key
from chain.idl import AnchorProgram

OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeyExposed(KeyMissing):
    code = "CHAIN_KEY_EXPOSED"


def read_private(path: Path) -> Keypair:
    """Read a key file that is its owner's alone."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise KeyMissing(f"There is no key file {path}.") from error
    if mode & OTHERS:
        raise KeyExposed(f"{path} may be read by others than its owner (mode {mode:o}): chmod 600 {path}")
    return read_key(path)


def read_program_key(folder: Path, name: str) -> Keypair:
    """Return a program's own key, which initialises it."""
    key = read_private(folder / f"program-{name}.json")
    if key.pubkey() != AnchorProgram(name).id:
        raise KeyMissing(f"program-{name}.json is the key of {key.pubkey()}, and not of {name} ({AnchorProgram(name).id}).")
    return key


def read_address(folder: Path, name: str) -> Pubkey:
    """Return the address of a key that need not be here: from NAME.pub, or from the key file itself."""
    public = folder / f"{name}.pub"
    if not public.exists():
        return read_private(folder / f"{name}.json").pubkey()
    try:
        return Pubkey.from_string(public.read_text().strip())
    except ValueError as error:
        raise KeyMissing(f"{public} holds no address.") from error
