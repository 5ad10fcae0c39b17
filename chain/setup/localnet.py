"""Setting up an exchange on the localnet: from an empty chain to markets, own accounts and a funded faucet."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain.client import ChainClient
from chain.cranks import turn_prices
from chain.deployment import FILE, LOCALNET, Deployment, Keys, Record, read, read_key
from chain.errors import ChainUnavailable
from chain.idl import AnchorProgram, WrongAccount
from chain.perp_dex import PerpDex
from chain.prices import origin
from chain.setup import refusal
from chain.setup.keys import make_keys, write_private
from chain.setup.sender import SetupFailed, send_all
from chain.setup.stages import RICH_LAMPORTS, Stages
from markets.views import MarketView

NODE_TIMEOUT_S = 60.0
POLL_S = 0.1
Say = Callable[[str], None]


def set_up(*, rpc_url: str, folder: Path, views: Sequence[MarketView], say: Say) -> Deployment:
    """Bring the localnet to where the exchange settles on it; what is there stays. ChainOff: the chain is another exchange's."""
    with ChainClient(rpc_url) as client:
        genesis_hash = wait_for_node(client)
        known = read(folder).record if (folder / FILE).exists() else None
        try:
            refusal.check_identity(record=known, genesis_hash=genesis_hash, batches=_batches(client))
            found = _deployment(folder, make_keys(folder), rpc_url=rpc_url, genesis_hash=genesis_hash, prices=origin(views))
            _run(Stages(deployment=found, client=client, markets=[view.parameters for view in views], mint=_mint(folder)), say)
            turn_prices(deployment=found, client=client, views=views)
        except WrongAccount as error:
            reason = f"{error.message} {refusal.AFRESH}"
            refusal.note(folder, reason)
            raise refusal.ChainRefusedHere(reason) from error
        except refusal.ChainRefusedHere as error:
            refusal.note(folder, error.message)
            raise
    write_private(folder / FILE, msgspec.json.format(msgspec.json.encode(found.record)).decode() + "\n")
    refusal.clear(folder)
    return found


def wait_for_node(client: ChainClient) -> Hash:
    """Return the chain's genesis hash as soon as the node answers."""
    until = time.monotonic() + NODE_TIMEOUT_S
    while True:
        try:
            return client.genesis_hash()
        except ChainUnavailable:
            if time.monotonic() > until:
                raise
            time.sleep(POLL_S)


def _batches(client: ChainClient) -> int:
    dex = PerpDex()
    if client.account(dex.exchange, commitment="confirmed") is None:
        return 0
    return int(dex.read_exchange(client, commitment="confirmed").last_seq)


def _mint(folder: Path) -> Keypair:
    return read_key(folder / "usdc-mint.json")


def _deployment(folder: Path, keys: Keys, *, rpc_url: str, genesis_hash: Hash, prices: str) -> Deployment:
    record = Record(
        cluster=LOCALNET,
        rpc_url=rpc_url,
        genesis_hash=str(genesis_hash),
        programs={name: str(AnchorProgram(name).id) for name in ("perp_dex", "oracle", "risk")},
        usdc_mint=str(_mint(folder).pubkey()),
        custodian=str(keys.custodian.pubkey()),
        settler=str(keys.settler.pubkey()),
        authority=str(keys.authority.pubkey()),
        publishers=[str(key.pubkey()) for key in keys.publishers],
        prices=prices,
        journal=refusal.journal_identity(),
    )
    return Deployment(record=record, folder=folder)


def _run(stages: Stages, say: Say) -> None:
    _fund(stages, say)
    for stage in (stages.programs, stages.feeds, stages.market_accounts, stages.users, stages.faucet_money):
        tasks = stage()
        if tasks:
            say(f"{', '.join(dict.fromkeys(task.title for task in tasks))} …")
        send_all(stages.client, tasks)


def _fund(stages: Stages, say: Say) -> None:
    poor = stages.airdrops()
    if poor:
        say("SOL …")
    for key in poor:
        stages.client.airdrop(key.pubkey(), RICH_LAMPORTS)
    for key in poor:
        _wait_for_sol(stages.client, key.pubkey())


def _wait_for_sol(client: ChainClient, key: Pubkey) -> None:
    until = time.monotonic() + NODE_TIMEOUT_S
    while not client.balance(key):
        if time.monotonic() > until:
            raise SetupFailed("The localnet gave no SOL.")
        time.sleep(POLL_S)
