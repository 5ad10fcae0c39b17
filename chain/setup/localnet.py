"""Setting up an exchange on the localnet: from an empty chain to markets, own accounts, insurance, governance and a funded faucet."""

import time
from collections.abc import Sequence
from pathlib import Path

from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain.client import ChainClient
from chain.cranks import turn_prices
from chain.deployment import FILE, LOCALNET, Deployment, Keys, Record, read, read_key
from chain.errors import ChainUnavailable
from chain.idl import AnchorProgram, WrongAccount
from chain.prices import origin
from chain.setup import companions, handover, inspection, refusal, stages
from chain.setup.code import PROGRAMS
from chain.setup.keys import make_keys, program_key, write_record
from chain.setup.money import Money
from chain.setup.sender import Say, SetupFailed, Stage, Task, send_rounds
from chain.setup.site import Site
from chain.setup.terms import LOCALNET_TERMS, SOL
from markets.views import MarketView

RICH_LAMPORTS, POOR_LAMPORTS = 10_000 * SOL, 1_000 * SOL
NODE_TIMEOUT_S = 60.0
POLL_S = 0.1


def set_up(*, rpc_url: str, folder: Path, views: Sequence[MarketView], say: Say, whole: bool = True, govern: bool = False) -> Deployment:
    """Bring the localnet to where the exchange settles on it; what is there stays. ChainOff: the chain is another exchange's.

    `whole`: the programs that trading and settlement can do without, as well. `govern`: hand it over to governance.
    """
    with ChainClient(rpc_url) as client:
        genesis_hash = wait_for_node(client)
        known = read(folder).record if (folder / FILE).exists() else None
        try:
            keys = make_keys(folder)
            record = _record(keys, folder, rpc_url=rpc_url, genesis_hash=genesis_hash, prices=origin(views))
            found = Deployment(record=record, folder=folder)
            inspection.check_layouts(found, client)
            refusal.check_identity(record=known, genesis_hash=genesis_hash, batches=inspection.batches(found, client))
            site = _site(found, client, views)
            _run(site, whole=whole, say=say)
            if govern:
                _hand_over(site, say)
            turn_prices(deployment=found, client=client, views=views)
        except WrongAccount as error:
            reason = f"{error.message} {refusal.AFRESH}"
            refusal.note(folder, reason)
            raise refusal.ChainRefusedHere(reason) from error
        except refusal.ChainRefusedHere as error:
            refusal.note(folder, error.message)
            raise
    write_record(found)
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


def _record(keys: Keys, folder: Path, *, rpc_url: str, genesis_hash: Hash, prices: str) -> Record:
    return Record(
        cluster=LOCALNET,
        rpc_url=rpc_url,
        genesis_hash=str(genesis_hash),
        programs={name: str(AnchorProgram(name).id) for name in PROGRAMS},
        usdc_mint=str(read_key(folder / "usdc-mint.json").pubkey()),
        custodian=str(keys.custodian.pubkey()),
        settler=str(keys.settler.pubkey()),
        authority=str(keys.authority.pubkey()),
        publishers=[str(key.pubkey()) for key in keys.publishers],
        prices=prices,
        journal=refusal.journal_identity(),
        stake_mint=str(read_key(folder / "stake-mint.json").pubkey()),
        guardian=str(keys.authority.pubkey()),
    )


def _site(found: Deployment, client: ChainClient, views: Sequence[MarketView]) -> Site:
    return Site(
        deployment=found,
        client=client,
        views=views,
        terms=LOCALNET_TERMS,
        authority=found.keys.authority,
        program_key=program_key,
        own_accounts=stages.OWN_ACCOUNTS,
        governed=inspection.is_governed(found, client),
    )


def _run(site: Site, *, whole: bool, say: Say) -> None:
    keys = site.deployment.keys
    faucet, usdc, votes = (read_key(site.deployment.folder / f"{name}.json") for name in ("faucet", "usdc-mint", "stake-mint"))
    money = Money(site=site, faucet=faucet, usdc=usdc, votes=votes)
    _fund(site.client, [keys.custodian, keys.settler, keys.authority, *keys.publishers, money.faucet], say)
    missing = stages.missing_markets(site)
    known = [view for view in site.views if view not in missing]

    def second() -> list[Task]:
        return stages.listings(site) + (companions.governance(site) if whole else [])

    def third() -> list[Task]:
        return stages.market_accounts(site, with_limits=whole) + (companions.limits(site, known) + companions.funds(site) if whole else [])

    def fourth() -> list[Task]:
        return stages.users(site) + (money.first_stake() if whole else [])

    first: Stage = lambda: money.mints(with_votes=whole) + stages.foundation(site)  # noqa: E731
    send_rounds(site.client, [first, second, third, fourth, money.behind_faucet], say=say)


def _hand_over(site: Site, say: Say) -> None:
    if reasons := handover.problems(site):
        raise SetupFailed("\n".join(reasons))
    send_rounds(site.client, [lambda: handover.hand_over(site)], say=say)


def _fund(client: ChainClient, keys: Sequence[Keypair], say: Say) -> None:
    poor = [key for key in keys if client.balance(key.pubkey()) < POOR_LAMPORTS]
    if poor:
        say("SOL …")
    for key in poor:
        client.airdrop(key.pubkey(), RICH_LAMPORTS)
    for key in poor:
        _wait_for_sol(client, key.pubkey())


def _wait_for_sol(client: ChainClient, key: Pubkey) -> None:
    until = time.monotonic() + NODE_TIMEOUT_S
    while not client.balance(key):
        if time.monotonic() > until:
            raise SetupFailed("The localnet gave no SOL.")
        time.sleep(POLL_S)
