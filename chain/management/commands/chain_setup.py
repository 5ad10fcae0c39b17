"""manage.py chain_setup: bring the chain to where this exchange can settle on it."""

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from solders.pubkey import Pubkey

from chain.client import ChainClient
from chain.deployment import Deployment, deployment
from chain.setup import cluster
from chain.setup.check import problems
from chain.setup.handover import BY_PROPOSAL
from chain.setup.localnet import set_up
from markets.errors import DomainError, EngineBusy, EngineUnavailable, OutcomeUnknown
from markets.gateway import gateway
from markets.queries import GetMarkets
from markets.units import QUOTE_ATOMS
from markets.views import MarketView

ENGINE_TIMEOUT_S = 60.0


class Command(BaseCommand):
    help = (
        "Sets up the exchange on the localnet: programs, USDC, feeds, markets, own accounts. What is there stays; safe to run again. "
        "With --cluster it does so on another cluster (docs/cluster.md): it looks at everything first, tells what it would do and what "
        "that costs, and sends nothing without --yes. Else, with SOLANA_RPC_URL, it changes nothing, and checks that the deployment fits."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rpc-url", default=settings.SOLANA_RPC_URL, help="where the node serves")
        parser.add_argument("--govern", action="store_true", help="hand exchange and oracle over to governance, for good")
        real = parser.add_argument_group("another cluster than the localnet")
        real.add_argument("--cluster", help=f"{', '.join(cluster.GENESIS)}, or a name of your own with --genesis-hash")
        real.add_argument("--genesis-hash", help="of a cluster that has no name here")
        real.add_argument("--usdc-mint", type=address, help="the token that the exchange settles in, of six decimals")
        real.add_argument("--keys", type=Path, help="the folder of key files (mode 600) and addresses (NAME.pub)")
        real.add_argument("--stake-mint", type=address, help="the token whose holders govern; without it there is no governance")
        real.add_argument("--insurance-usdc", type=Decimal, default=Decimal(0), help="the authority's own stake in the insurance fund")
        real.add_argument("--yes", action="store_true", help="do it")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(highlight=False, soft_wrap=True, emoji=False)
        began = time.monotonic()
        try:
            found = self._set_up_cluster(console, options) if options["cluster"] else self._set_up(console, options)
        except DomainError as error:
            raise CommandError(error.message) from error
        if found is not None:
            took_s = time.monotonic() - began
            console.print(f"The exchange is {found.dex.exchange} on {found.cluster} ({found.rpc_url}); {took_s:.1f} s", markup=False)

    def _set_up(self, console: Console, options: dict[str, Any]) -> Deployment:
        views = wait_for_markets()
        if settings.LOCALNET:
            with console.status("Chain") as status:
                return set_up(
                    rpc_url=options["rpc_url"],
                    folder=settings.CHAIN_DIR,
                    views=views,
                    say=lambda text: status.update(f"Chain: {text}"),
                    govern=options["govern"],
                )
        found = deployment()
        wrong = problems(found, [view.parameters for view in views])
        if wrong:
            raise CommandError("\n".join(wrong))
        return found

    def _set_up_cluster(self, console: Console, options: dict[str, Any]) -> Deployment | None:
        """Tell the plan; carry it out if that was agreed to."""
        order = _order(options)
        with ChainClient(order.rpc_url) as client:
            plan = cluster.prepare(client=client, order=order, views=wait_for_markets(), folder=settings.CHAIN_DIR)
            for line in plan.lines():
                console.print(line, markup=False)
            if not options["yes"]:
                console.print("Nothing was sent. With --yes it is.", markup=False)
                return None
            found = cluster.carry_out(plan, say=lambda text: console.print(text, markup=False))
        if order.govern:
            console.print("Governance is the authority. From now on it takes a proposal to", markup=False)
            for line in BY_PROPOSAL:
                console.print(f"  {line}", markup=False)
        return found


def _order(options: dict[str, Any]) -> cluster.Order:
    name, genesis_hash = options["cluster"], cluster.GENESIS.get(options["cluster"], options["genesis_hash"])
    missing = [f"--{one.replace('_', '-')}" for one in ("usdc_mint", "keys") if options[one] is None]
    missing += [] if genesis_hash else ["--genesis-hash"]
    if missing:
        raise CommandError(f"--cluster {name} takes {', '.join(missing)}, too.")
    return cluster.Order(
        cluster=name,
        genesis_hash=genesis_hash,
        rpc_url=options["rpc_url"],
        usdc_mint=options["usdc_mint"],
        keys=options["keys"],
        stake_mint=options["stake_mint"],
        insurance_atoms=int(options["insurance_usdc"] * QUOTE_ATOMS),
        govern=options["govern"],
    )


def address(text: str) -> Pubkey:
    """Read an address; argparse says which one is none."""
    return Pubkey.from_string(text)


def wait_for_markets() -> list[MarketView]:
    """Ask the engine, which may just be starting."""
    until = time.monotonic() + ENGINE_TIMEOUT_S
    while True:
        try:
            return gateway().query(GetMarkets())
        except (EngineUnavailable, EngineBusy, OutcomeUnknown):
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
