"""Which exchange on which cluster this installation settles on: deployment.json in CHAIN_DIR, and the keys beside it.

The chain is on when that file is there and nothing speaks against it. Processes that only read (web) need no keys.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from django.apps import apps
from django.conf import settings
from solders.hash import Hash, ParseHashError
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain.client import ChainClient
from chain.errors import ChainError
from chain.governance import Governance
from chain.idl import AnchorProgram
from chain.perp_dex import PerpDex
from markets.ledger import FIRST_USER_ACCOUNT, INSURANCE, MAX_CUSTODIED_ACCOUNT

LOCALNET = "localnet"
INSURANCE_SUB_ACCOUNT = 65_535
FILE, REFUSAL = "deployment.json", "refused"


class ChainOff(ChainError):
    """This exchange runs without a chain, or refuses the one that it finds; the message says which."""

    code = "CHAIN_OFF"
    status = 404
    message = "This exchange runs without a chain."


class DeploymentBroken(ChainError):
    code = "CHAIN_DEPLOYMENT_BROKEN"


class WrongCluster(ChainError):
    """The node serves another chain than the one that this exchange was set up on."""

    code = "CHAIN_WRONG_CLUSTER"
    message = "The node serves another chain than the one that this exchange settles on. Nothing is settled."


class KeyMissing(ChainError):
    code = "CHAIN_KEY_MISSING"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """deployment.json. Addresses are in base58; `prices` says where the publishers' prices come from: live, replayed or simulated."""

    cluster: str
    rpc_url: str
    genesis_hash: str
    programs: dict[str, str]
    usdc_mint: str
    custodian: str
    settler: str
    authority: str
    publishers: list[str]
    explorer_url: str = ""  # {signature} and {cluster} are filled in; empty: the pages of this exchange
    prices: str = "live"
    journal: str = ""  # hash of the first journal row: the exchange that this chain belongs to
    stake_mint: str = ""  # whose tokens are governance's votes; empty: an exchange without governance
    guardian: str = ""


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The operator's keys, each read when it is first needed: a process has those that it needs and no others."""

    folder: Path
    publisher_count: int

    @cached_property
    def custodian(self) -> Keypair:
        return read_key(self.folder / "custodian.json")

    @cached_property
    def settler(self) -> Keypair:
        return read_key(self.folder / "settler.json")

    @cached_property
    def authority(self) -> Keypair:
        return read_key(self.folder / "authority.json")

    @cached_property
    def publishers(self) -> tuple[Keypair, ...]:
        """Return the publishers' keys that are here: each may have a host of its own."""
        files = [self.folder / f"publisher-{place + 1}.json" for place in range(self.publisher_count)]
        found = tuple(read_key(path) for path in files if path.exists())
        if not found:
            raise KeyMissing("This process has no publisher's key.")
        return found

    @cached_property
    def faucet(self) -> Keypair | None:
        """Return what may mint test tokens, on a localnet."""
        path = self.folder / "faucet.json"
        return read_key(path) if path.exists() else None


@dataclass(frozen=True, kw_only=True)
class Deployment:
    record: Record
    folder: Path

    @property
    def cluster(self) -> str:
        return self.record.cluster

    @property
    def is_localnet(self) -> bool:
        return self.record.cluster == LOCALNET

    @property
    def rpc_url(self) -> str:
        return self.record.rpc_url if settings.LOCALNET else settings.SOLANA_RPC_URL

    @cached_property
    def genesis_hash(self) -> bytes:
        return bytes(Hash.from_string(self.record.genesis_hash))

    @cached_property
    def dex(self) -> PerpDex:
        return PerpDex()

    @cached_property
    def oracle(self) -> AnchorProgram:
        return AnchorProgram("oracle")

    @cached_property
    def risk(self) -> AnchorProgram:
        return AnchorProgram("risk")

    @cached_property
    def liquidation(self) -> AnchorProgram:
        return AnchorProgram("liquidation")

    @cached_property
    def jit(self) -> AnchorProgram:
        return AnchorProgram("jit")

    @cached_property
    def governance(self) -> Governance:
        return Governance()

    @cached_property
    def usdc_mint(self) -> Pubkey:
        return Pubkey.from_string(self.record.usdc_mint)

    @cached_property
    def custodian(self) -> Pubkey:
        return Pubkey.from_string(self.record.custodian)

    @cached_property
    def authority(self) -> Pubkey:
        return Pubkey.from_string(self.record.authority)

    @cached_property
    def settler(self) -> Pubkey:
        return Pubkey.from_string(self.record.settler)

    @cached_property
    def publishers(self) -> list[Pubkey]:
        return [Pubkey.from_string(address) for address in self.record.publishers]

    @cached_property
    def keys(self) -> Keys:
        """Return the operator's keys; each is KeyMissing where this process has it not."""
        return Keys(folder=self.folder, publisher_count=len(self.record.publishers))

    def client(self) -> ChainClient:
        """Return a client of the node, once it has shown that it serves this exchange's chain."""
        client = ChainClient(self.rpc_url)
        key = (self.rpc_url, self.record.genesis_hash)
        if key not in _known_nodes:
            try:
                self.check_cluster(client)
            except ChainError:
                client.close()
                raise
            _known_nodes.add(key)
        return client

    def check_cluster(self, client: ChainClient) -> None:
        if bytes(client.genesis_hash()) != self.genesis_hash:
            raise WrongCluster

    def account_address(self, account_id: int) -> Pubkey:
        """Return where a ledger account is on chain: its wallet's, where it is self-custodied, else one of the custodian's."""
        owner, sub_account = self.owner_of(account_id)
        return self.dex.user(owner, sub_account)

    def owner_of(self, account_id: int) -> tuple[Pubkey, int]:
        if account_id == INSURANCE:
            return self.authority, INSURANCE_SUB_ACCOUNT
        wallet = self._wallet_of(account_id) if account_id >= FIRST_USER_ACCOUNT else None
        if wallet is not None:
            return wallet
        if account_id > MAX_CUSTODIED_ACCOUNT:
            raise DeploymentBroken(f"Account {account_id} has no place on chain: sub-accounts end at {MAX_CUSTODIED_ACCOUNT}.")
        return self.custodian, account_id

    def _wallet_of(self, account_id: int) -> tuple[Pubkey, int] | None:
        accounts: Any = apps.get_app_config("chain").get_model("ChainAccount")
        found = accounts.objects.filter(account_id=account_id).values_list("owner", "sub_account").first()
        return (Pubkey.from_string(found[0]), found[1]) if found else None

    def transaction_url(self, signature: str) -> str:
        """Return where people look a transaction up."""
        if not self.record.explorer_url:
            return f"/chain/tx/{signature}/"
        return self.record.explorer_url.format(signature=signature, cluster=self.record.cluster)


_known_nodes: set[tuple[str, str]] = set()
_read: dict[Path, tuple[tuple[int, int], Deployment]] = {}


def deployment() -> Deployment:
    """Return the deployment; ChainOff when there is none. It is read again when the file changes: web starts before it is written."""
    folder = settings.CHAIN_DIR
    if (reason := refusal(folder)) is not None:
        raise ChainOff(reason)
    try:
        status = (folder / FILE).stat()
    except OSError as error:
        raise ChainOff from error
    version = (status.st_ino, status.st_mtime_ns)
    if folder not in _read or _read[folder][0] != version:
        _read[folder] = (version, read(folder))
    return _read[folder][1]


def chain_is_on() -> bool:
    return (settings.CHAIN_DIR / FILE).exists() and refusal(settings.CHAIN_DIR) is None


def refusal(folder: Path) -> str | None:
    """Return why chain_setup refused the chain that it found, if it did."""
    try:
        return (folder / REFUSAL).read_text().strip()
    except OSError:
        return None


def read(folder: Path) -> Deployment:
    """Read deployment.json; DeploymentBroken names what is wrong with it."""
    try:
        record = msgspec.json.decode((folder / FILE).read_bytes(), type=Record)
        found = Deployment(record=record, folder=folder)
        _check_addresses(found)
    except (msgspec.DecodeError, ParseHashError, ValueError) as error:
        raise DeploymentBroken(f"{folder / FILE} cannot be read: {error}") from error
    return found


def _check_addresses(found: Deployment) -> None:
    """Refuse a deployment of other programs than those whose IDLs are here, and addresses that are none."""
    for name in {"perp_dex", "oracle", *found.record.programs}:
        program = AnchorProgram(name)
        if found.record.programs.get(name) != str(program.id):
            raise DeploymentBroken(f"{FILE} names another program {name} than the one that this version is built for ({program.id}).")
    for address in (found.record.usdc_mint, found.record.custodian, found.record.authority, found.record.settler, *found.record.publishers):
        Pubkey.from_string(address)
    Hash.from_string(found.record.genesis_hash)


def read_key(path: Path) -> Keypair:
    """Read a key file as Solana's tools write them: 64 numbers."""
    try:
        return Keypair.from_json(path.read_text())
    except OSError as error:
        raise KeyMissing(f"This process has no key {path.stem}.") from error
    except ValueError as error:
        raise KeyMissing(f"{path.name} holds no key.") from error
