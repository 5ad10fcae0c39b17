"""manage.py oracle: streams prices to the engine."""

import asyncio
from argparse import ArgumentParser
from typing import Any

import structlog
import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from markets.errors import GatewayError
from markets.gateway import AsyncGateway, async_gateway
from markets.queries import GetMarkets
from oracle.feeds import choice
from oracle.relay import Relay
from oracle.status import keep_telling

log = structlog.get_logger()

WAIT_SECONDS = 0.5


class Command(BaseCommand):
    help = "Streams prices of all markets to the engine: from Pyth or CoinGecko, or simulated ones."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--feed", choices=["auto", "hermes", "coingecko", "sim"], default=settings.ORACLE_FEED)
        parser.add_argument("--seed", type=int, help="of the simulation; the same seed makes the same moves")

    def handle(self, *args: Any, feed: choice.Wanted, seed: int | None, **options: Any) -> None:
        if feed == "sim" and settings.PRODUCTION:
            raise CommandError("Production refuses simulated prices: use --feed auto, hermes or coingecko.")
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_run(feed, seed))
        except KeyboardInterrupt:
            log.info("oracle_stopped")


async def _run(wanted: choice.Wanted, seed: int | None) -> None:
    gateway = async_gateway()
    feed = await choice.chosen(wanted, start_e8=await _index_prices(gateway), seed=seed)
    log.info("oracle_started", feed=feed.name, simulated=feed.name == "sim")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keep_telling(feed.name))
        tasks.create_task(Relay(gateway=gateway, feed=feed).run())


async def _index_prices(gateway: AsyncGateway) -> dict[str, int]:
    """Return each asset's index price as the engine has it, waiting for the engine if need be."""
    while True:
        try:
            return {view.parameters.base_asset: view.index_e8 for view in await gateway.query(GetMarkets())}
        except GatewayError as error:
            log.info("oracle_waits_for_engine", code=error.code)
            await asyncio.sleep(WAIT_SECONDS)
