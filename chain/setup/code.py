"""Whether the programs that a cluster runs are those that were built here."""

import hashlib
from dataclasses import dataclass

from solders.account import Account
from solders.pubkey import Pubkey

from chain.client import ChainClient
from chain.idl import AnchorProgram, programs_folder
from chain.setup.keys import program_key

LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")
PROGRAM, PROGRAM_DATA = 2, 3  # the loader's kinds of accounts
CODE_AT = 45  # after the kind, the slot of the last deployment and the upgrade authority
PROGRAMS = ("oracle", "perp_dex", "risk", "liquidation", "jit", "governance")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """A program as the cluster has it. `upgrades`: who may replace its code; None: nobody."""

    name: str
    address: Pubkey
    code_hash: str
    upgrades: Pubkey | None


def code_hash(code: bytes) -> str:
    """Return SHA-256 of a program's code. A deployment may be longer than the code: what fills it up is not counted."""
    return hashlib.sha256(code.rstrip(b"\0")).hexdigest()


def built_hash(name: str) -> str:
    return code_hash((programs_folder() / f"{name}.so").read_bytes())


def read_program(client: ChainClient, name: str) -> Deployed | None:
    """Return what runs at the program's address; None where nothing does."""
    address = AnchorProgram(name).id
    account = client.account(address, commitment="confirmed")
    if account is None or not account.executable:
        return None
    if account.owner != LOADER:
        return Deployed(name=name, address=address, code_hash=code_hash(bytes(account.data)), upgrades=None)
    held = client.account(Pubkey.from_bytes(bytes(account.data)[4:36]), commitment="confirmed")
    return None if held is None else _upgradeable(name, address, held)


def _upgradeable(name: str, address: Pubkey, held: Account) -> Deployed:
    data = bytes(held.data)
    upgrades = Pubkey.from_bytes(data[13:45]) if data[12] else None
    return Deployed(name=name, address=address, code_hash=code_hash(data[CODE_AT:]), upgrades=upgrades)


def read_programs(client: ChainClient) -> list[Deployed]:
    return [found for name in PROGRAMS if (found := read_program(client, name)) is not None]


def code_address(program: Pubkey) -> Pubkey:
    """Return where the upgradeable loader keeps a program's code."""
    return Pubkey.find_program_address([bytes(program)], LOADER)[0]


def program_problems(client: ChainClient) -> list[str]:
    """Say which programs are missing, are others than those built here, or could be anybody's."""
    return [line for name in PROGRAMS for line in _program_problems(client, name)]


def _program_problems(client: ChainClient, name: str) -> list[str]:
    address = AnchorProgram(name).id
    if address == program_key(name).pubkey():
        return [f"{name}: {address} is the localnet's address, whose key everybody can make. Build with program keys of your own."]
    found = read_program(client, name)
    if found is None:
        return [f"{name}: no program is deployed at {address}."]
    if found.code_hash != built_hash(name):
        return [f"{name}: the code at {address} is another ({found.code_hash}) than that of {name}.so ({built_hash(name)})."]
    return []
