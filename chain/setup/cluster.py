"""Setting up an exchange on a cluster that is not one's own: looked at whole, told with its cost, and sent only once that was agreed to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from solders.hash import Hash
from solders.pubkey import Pubkey

from chain.client import ChainClient
from chain.deployment import FILE, Deployment, Record, read
from chain.idl import AnchorProgram
from chain.prices import origin
from chain.setup import companions, handover, inspection, refusal, stages
from chain.setup.code import PROGRAMS, Deployed, program_problems, read_programs
from chain.setup.costs import cost_lamports
from chain.setup.keyring import read_address, read_private, read_program_key
from chain.setup.keys import write_record
from chain.setup.sender import Say, Stage, Task, send_rounds
from chain.setup.site import Site
from chain.setup.terms import PRODUCTION_TERMS, SOL, Terms, too_short
from markets.ledger import FAUCET
from markets.views import MarketView

# A cluster's first block says which one it is, whatever its node is called.
GENESIS = {
    "mainnet-beta": "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d",
    "testnet": "4uhcVJyU9pJkvQyUS88uRDiswHXSCY3zQawwpD4NsDY",
    "devnet": "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG",
}
EXPLORER = "https://explorer.solana.com/tx/{signature}?cluster={cluster}"
OWN_ACCOUNTS = tuple(account_id for account_id in stages.OWN_ACCOUNTS if account_id != FAUCET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the operator asks for. `keys`: the folder of his key files and addresses."""

    cluster: str
    genesis_hash: str
    rpc_url: str
    usdc_mint: Pubkey
    keys: Path
    stake_mint: Pubkey | None = None
    insurance_atoms: int = 0
    govern: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is missing, what that costs, and what speaks against it."""

    site: Site
    order: Order
    tasks: list[Task]
    cost_lamports: int
    problems: list[str]
    programs: list[Deployed]

    def lines(self) -> Iterator[str]:
        """Say it all to the one who decides."""
        chain = self.site.deployment
        yield f"{self.order.cluster} ({self.order.genesis_hash}), {self.order.rpc_url}"
        for program in self.programs:
            upgrades = "nobody" if program.upgrades is None else str(program.upgrades)
            yield f"  {program.name} {program.address}: SHA-256 {program.code_hash}, upgraded by {upgrades}"
        for name in ("authority", "settler", "custodian"):
            yield f"  {name} {getattr(chain, name)}"
        for place, key in enumerate(chain.publishers):
            yield f"  publisher-{place + 1} {key}"
        yield f"Transactions: {len(self.tasks)}, {self.cost_lamports / SOL:.6f} SOL of the authority's, priority fees apart"
        yield from (f"  {task.title}" for task in self.tasks)
        if self.site.governed:
            yield from (
                f"  {view.parameters.symbol}: by a proposal (`governance propose market`)" for view in stages.missing_markets(self.site)
            )
        yield from (f"! {line}" for line in self.problems)


def prepare(*, client: ChainClient, order: Order, views: Sequence[MarketView], folder: Path, terms: Terms = PRODUCTION_TERMS) -> Plan:
    """Look at everything and change nothing. ChainRefusedHere or KeyMissing: it cannot even be planned."""
    refuse(too_short(terms.exchange), "These terms are a localnet's, and no terms to hold others' money by:")
    genesis_hash = _check_cluster(client, order)
    refuse(program_problems(client), "The cluster does not run what was built here:")
    known = read(folder).record if (folder / FILE).exists() else None
    site = _site(client, order, views, folder=folder, terms=terms, known=known)
    inspection.check_layouts(site.deployment, client)
    refusal.check_identity(
        record=known, genesis_hash=genesis_hash, batches=inspection.batches(site.deployment, client), advice=refusal.ANOTHER
    )
    tasks = [task for stage in rounds(site, order) for task in stage()]
    cost = cost_lamports(client, tasks)
    problems = inspection.problems(site, cost_lamports=cost, stake_mint=order.stake_mint, insurance_atoms=order.insurance_atoms)
    problems += handover.problems(site) if order.govern else []
    return Plan(site=site, order=order, tasks=tasks, cost_lamports=cost, problems=problems, programs=read_programs(client))


def carry_out(plan: Plan, *, say: Say) -> Deployment:
    """Send what is missing, and write deployment.json. Killed at any place, it goes on from there."""
    refuse(plan.problems, "Nothing was sent:")
    send_rounds(plan.site.client, rounds(plan.site, plan.order), say=say)
    found = plan.site.deployment
    write_record(found)
    refusal.clear(found.folder)
    return found


def refuse(reasons: Sequence[str], head: str) -> None:
    if reasons:
        raise refusal.ChainRefusedHere("\n".join([head, *reasons]))


def rounds(site: Site, order: Order) -> list[Stage]:
    """Return the stages in their order; each waits until the one before is confirmed."""
    known = [view for view in site.views if view not in stages.missing_markets(site)]
    last = [lambda: handover.hand_over(site)] if order.govern else []
    return [
        lambda: stages.foundation(site),
        lambda: stages.listings(site) + companions.governance(site),
        lambda: stages.market_accounts(site, with_limits=True) + companions.limits(site, known) + companions.funds(site),
        lambda: stages.users(site) + companions.first_stake(site, amount_atoms=order.insurance_atoms),
        *last,
    ]


def _check_cluster(client: ChainClient, order: Order) -> Hash:
    found = client.genesis_hash()
    if str(found) != order.genesis_hash:
        raise refusal.ChainRefusedHere(f"The node serves the cluster of {found}, and not {order.cluster} ({order.genesis_hash}).")
    return found


def _site(client: ChainClient, order: Order, views: Sequence[MarketView], *, folder: Path, terms: Terms, known: Record | None) -> Site:
    authority = read_private(order.keys / "authority.json")
    found = Deployment(record=_record(order, views, authority.pubkey(), known), folder=folder)
    return Site(
        deployment=found,
        client=client,
        views=views,
        terms=terms,
        authority=authority,
        program_key=lambda name: read_program_key(order.keys, name),
        own_accounts=OWN_ACCOUNTS,
        governed=inspection.is_governed(found, client),
    )


def _record(order: Order, views: Sequence[MarketView], authority: Pubkey, known: Record | None) -> Record:
    stake_mint = str(order.stake_mint or (known.stake_mint if known else ""))
    return Record(
        cluster=order.cluster,
        rpc_url=order.rpc_url,
        genesis_hash=order.genesis_hash,
        programs={name: str(AnchorProgram(name).id) for name in PROGRAMS},
        usdc_mint=str(order.usdc_mint),
        custodian=str(read_address(order.keys, "custodian")),
        settler=str(read_address(order.keys, "settler")),
        authority=str(authority),
        publishers=_publishers(order.keys),
        explorer_url=EXPLORER if order.cluster in GENESIS else "",
        prices=origin(views),
        journal=refusal.journal_identity(),
        stake_mint=stake_mint,
        guardian=str(read_address(order.keys, "guardian")) if stake_mint else "",
    )


def _publishers(keys: Path) -> list[str]:
    """Return the addresses of publisher-1, publisher-2 and so on, as far as they are there."""
    found: list[str] = []
    while any((keys / f"publisher-{len(found) + 1}{suffix}").exists() for suffix in (".pub", ".json")):
        found.append(str(read_address(keys, f"publisher-{len(found) + 1}")))
    return found
