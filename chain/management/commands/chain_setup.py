"""manage.py chain_setup: bring the chain to where this exchange can settle on it."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from chain.deployment import Deployment, deployment
from chain.setup.check import problems
from chain.setup.localnet import set_up
from markets.errors import DomainError, EngineBusy, EngineUnavailable, OutcomeUnknown
from markets.gateway import gateway
from markets.queries import GetMarkets
from markets.views import MarketView

ENGINE_TIMEOUT_S = 60.0


class Command(BaseCommand):
    help = (
        "Sets up the exchange on the localnet: programs, USDC, feeds, markets, own accounts. What is there stays; safe to run again. "
        "With SOLANA_RPC_URL it changes nothing, and checks that the deployment fits this exchange."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rpc-url", default=settings.SOLANA_RPC_URL, help="where the localnet serves")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(highlight=False, soft_wrap=True, emoji=False)
        began = time.monotonic()
        try:
            found = self._set_up(console, options["rpc_url"])
        except DomainError as error:
            raise CommandError(error.message) from error
        took_s = time.monotonic() - began
        console.print(f"The exchange is {found.dex.exchange} on {found.cluster} ({found.rpc_url}); {took_s:.1f} s", markup=False)

    def _set_up(self, console: Console, rpc_url: str) -> Deployment:
        views = wait_for_markets()
        if settings.LOCALNET:
            with console.status("Chain") as status:
                return set_up(rpc_url=rpc_url, folder=settings.CHAIN_DIR, views=views, say=lambda text: status.update(f"Chain: {text}"))
        found = deployment()
        wrong = problems(found, [view.parameters for view in views])
        if wrong:
            raise CommandError("\n".join(wrong))
        return found


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
